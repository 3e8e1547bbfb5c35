//! What to do about a file or folder that the system refuses, and which setting names it.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use faceattend_core::Error;

/// Settings that name files and folders. What lies below a folder belongs to its setting.
const SETTINGS: [&str; 13] = [
    "backup_dir",
    "backup_passphrase_file",
    "config",
    "data_dir",
    "database",
    "detector",
    "embedder",
    "models_dir",
    "onnxruntime",
    "template_key_file",
    "tls_cert",
    "tls_key",
    "camera_folders",
];

/// Returns what to do about an error of the system, as the end of a sentence; `None` where nothing is known.
pub(crate) fn advice(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => "it is not there: check the spelling, and that its disk is mounted",
        ErrorKind::PermissionDenied => {
            "this user may not: give it to the user of the server with `chown`, or run the command as that user"
        }
        ErrorKind::AlreadyExists => "something else is in its place: move it away, or choose another name",
        ErrorKind::NotADirectory => "a file is where a folder should be: move it away, or choose another folder",
        ErrorKind::IsADirectory => "it is a folder, and a file is needed: name a file in it",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full: make room, or choose another place",
        ErrorKind::ReadOnlyFilesystem => "its disk is read-only: mount it writable, or choose another place",
        ErrorKind::WouldBlock => "another process holds it: end that process first",
        ErrorKind::InvalidInput => "a link, or no file of its own, is in its place: move it away",
        ErrorKind::InvalidData => "it is no text: name another file",
        _ => return None,
    })
}

/// Returns the setting of this command that names `path` or a folder above it, as it is written on the command line.
fn setting_of(path: &Path, matches: &ArgMatches) -> Option<String> {
    let mut deepest = matches;
    let mut found: Option<(usize, String)> = None;
    loop {
        for id in SETTINGS {
            for named in values(deepest, id) {
                if !named.as_os_str().is_empty() && (path.starts_with(&named) || is_beside(path, &named)) {
                    let length = named.as_os_str().len();
                    if found.as_ref().is_none_or(|(longest, _)| length > *longest) {
                        found = Some((length, format!("--{}", id.replace('_', "-"))));
                    }
                }
            }
        }
        match deepest.subcommand() {
            Some((_, inner)) => deepest = inner,
            None => return found.map(|(_, setting)| setting),
        }
    }
}

/// Whether the path is a companion of a file, such as its journal.
fn is_beside(path: &Path, file: &Path) -> bool {
    let (Some(path), Some(file)) = (path.to_str(), file.to_str()) else { return false };
    path.strip_prefix(file).is_some_and(|rest| rest.starts_with(['-', '.']))
}

fn values(matches: &ArgMatches, id: &str) -> Vec<PathBuf> {
    // An argument that this command does not have is none.
    match matches.try_get_raw(id) {
        Ok(Some(values)) => values.map(PathBuf::from).collect(),
        _ => Vec::new(),
    }
}

/// Returns what follows an error on its line: the setting that names the path, and what to do.
#[must_use]
pub fn explained(error: &Error, matches: Option<&ArgMatches>) -> String {
    let mut cause = error.source();
    let mut of_system = None;
    while let Some(inner) = cause {
        of_system = of_system.or(inner.downcast_ref::<io::Error>());
        cause = inner.source();
    }
    let Some(advice) = of_system.and_then(advice) else { return String::new() };
    let path = match error {
        Error::Io { path, .. } => Some(path.as_path()),
        _ => None,
    };
    let setting = path.zip(matches).and_then(|(path, matches)| setting_of(path, matches));
    match setting {
        Some(setting) => format!(". It is of the setting {setting}; {advice}"),
        None => format!("; {advice}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;
    use crate::commands::serve::ServeArgs;

    #[test]
    fn the_setting_that_names_a_path_is_told_with_what_to_do() {
        let command = ServeArgs::augment_args(clap::Command::new("serve"));
        let words = ["serve", "--data-dir", "/srv/a", "--template-key-file", "/srv/a/keys", "--database", "/db/b.db"];
        let matches = command.get_matches_from(words);
        let told = |path: &str, kind: ErrorKind| {
            let error = Error::Io { action: "read", path: path.into(), source: kind.into() };
            explained(&error, Some(&matches))
        };
        for (path, setting) in [
            ("/srv/a/jwt-secret", "--data-dir"),
            ("/srv/a/keys", "--template-key-file"),
            ("/db/b.db", "--database"),
            ("/db/b.db-waiting", "--database"),
        ] {
            let told = told(path, ErrorKind::PermissionDenied);
            assert!(told.contains(&format!("setting {setting};")) && told.contains("chown"), "{path}: {told}");
        }
        assert!(told("/elsewhere", ErrorKind::AlreadyExists).starts_with("; something else"));
        assert!(told("/elsewhere", ErrorKind::StorageFull).contains("full"));
        assert_eq!(explained(&Error::NotFound { what: "student" }, Some(&matches)), "");
    }
}
