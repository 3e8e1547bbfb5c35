//! `faceattend config`: every setting with its value and its source, and where files and folders really are.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command};
use faceattend_core::backup::Part;
use faceattend_core::models::runtime_library;
use faceattend_core::models::store::ModelStore;
use serde::Serialize;

use crate::commands::data_dir::default_data_dir;
use crate::commands::database::{Place, restore_plan};
use crate::commands::serve::ServeArgs;
use crate::commands::settings::{Setting, settings};

/// Shows the settings of `serve`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Prints them as JSON
    #[arg(long)]
    json: bool,
}

/// A file or folder that the server uses.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Effective {
    what: &'static str,
    /// The absolute path, or the address of a database without its password.
    path: String,
    /// Whether something is there; `None` for an address.
    is_there: Option<bool>,
    /// Where it is not a path: why.
    note: Option<String>,
}

/// Writes the settings and the effective paths to standard output. Changes nothing, and makes no folder.
pub fn show(
    args: &ConfigArgs,
    command: &Command,
    matches: &ArgMatches,
    from_file: &[(String, String)],
    file: Option<&Path>,
) {
    let settings = settings(command, matches, from_file);
    let paths = paths(&args.serve, file);
    let text = if args.json {
        serde_json::json!({ "settings": settings, "paths": paths }).to_string()
    } else {
        as_lines(&settings, &paths)
    };
    // Whoever closed standard output does not want to read it.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn as_lines(settings: &[Setting], paths: &[Effective]) -> String {
    let setting = |setting: &Setting| {
        let source = match (setting.source, &setting.variable) {
            ("environment", Some(variable)) => format!("environment ({variable})"),
            (source, _) => source.to_owned(),
        };
        format!("{:<24} {:<32} {source}", setting.name, setting.value)
    };
    let path = |path: &Effective| {
        let note = match (&path.note, path.is_there) {
            (Some(note), _) => note.clone(),
            (None, Some(false)) => "not there yet".to_owned(),
            (None, _) => String::new(),
        };
        format!("{:<24} {:<32} {note}", path.what, path.path)
    };
    let mut lines: Vec<_> = settings.iter().map(setting).collect();
    lines.push("\nWhere files and folders are:".to_owned());
    lines.extend(paths.iter().map(path));
    let trimmed = lines.iter().map(|line| line.trim_end());
    trimmed.collect::<Vec<_>>().join("\n")
}

fn paths(args: &ServeArgs, file: Option<&Path>) -> Vec<Effective> {
    let mut paths = Vec::new();
    let mut add = |what, path: PathBuf| {
        let path = std::path::absolute(&path).unwrap_or(path);
        paths.push(Effective { what, is_there: Some(path.exists()), path: path.display().to_string(), note: None });
    };
    if let Some(file) = file {
        add("settings file", file.to_owned());
    }
    let mut notes = Vec::new();
    let mut note = |what, text: String| {
        notes.push(Effective { what, path: String::new(), is_there: None, note: Some(text) });
    };
    match args.data_dir.clone().map_or_else(default_data_dir, Ok) {
        Ok(dir) => {
            add("data folder", dir.clone());
            let data = args.data();
            match data.database.place_for_server(|| Ok(dir.clone())) {
                Ok(place) => {
                    match &place {
                        Place::File(file) => add("database", file.clone()),
                        Place::Url(_) => note("database", place.to_string()),
                    }
                    let plan = restore_plan(&dir, &place);
                    if plan.exists() {
                        add("unfinished restore", plan);
                    }
                    let places = data.places_in(dir, place);
                    for (part, path) in &places.files {
                        add(name_of(*part), path.clone());
                    }
                    for what in places.elsewhere {
                        note("not in a file", what);
                    }
                }
                Err(error) => note("database", error.to_string()),
            }
        }
        Err(error) => note("data folder", error.to_string()),
    }
    match ModelStore::locate(args.models_dir.as_deref()) {
        Ok(models) => add("models", models.folder().to_owned()),
        Err(error) => note("models", error.to_string()),
    }
    match runtime_library(args.onnxruntime.as_deref()) {
        Ok(library) => add("ONNX Runtime", library),
        Err(error) => note("ONNX Runtime", error.to_string()),
    }
    match &args.backup.dir {
        Some(folder) => add("back-ups", folder.clone()),
        None => note("back-ups", "none are made by the server: --backup-dir DIR".into()),
    }
    paths.extend(notes);
    paths
}

fn name_of(part: Part) -> &'static str {
    match part {
        Part::WaitingWrites => "waiting writes",
        Part::JwtSecret => "secret of tokens",
        Part::ReceiptKey => "key of receipts",
        Part::TlsAuthority => "TLS authority",
        Part::TlsAuthorityKey => "key of the TLS authority",
        Part::TemplateKeys => "keys of faces",
        Part::Settings | Part::Database | Part::Summary => part.name(),
    }
}
