//! Where settings come from: flags before the environment, the environment before the file, the file before the
//! defaults. `faceattend config` shows what came of it.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use faceattend_core::{Error, Result};

/// The variable that names the file.
const FILE: &str = "FACEATTEND_CONFIG";
/// Arguments whose values are nobody's to see.
const SECRET: [&str; 3] = ["jwt_secret", "receipt_key", "template_keys"];

/// The file that `--config FILE` or the environment names. Its settings must be known before the rest is parsed.
#[must_use]
pub fn file_named_in(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--config") => return arguments.next().map(PathBuf::from),
            Some(text) => {
                if let Some(file) = text.strip_prefix("--config=") {
                    return Some(file.into());
                }
            }
            None => {}
        }
    }
    std::env::var_os(FILE).filter(|file| !file.is_empty()).map(PathBuf::from)
}

/// The settings in `file`: `key = value`, with the keys named as the flags of `serve`.
///
/// # Errors
/// [`Error::Io`] when it cannot be read; [`Error::InvalidInput`] when it is no TOML or a value is no scalar.
pub fn read(file: &Path) -> Result<Vec<(String, String)>> {
    let text =
        std::fs::read_to_string(file).map_err(|source| Error::Io { action: "read", path: file.into(), source })?;
    parse(&text).map_err(|reason| Error::InvalidInput {
        what: "configuration file",
        reason: format!("{}: {reason}", file.display()),
    })
}

fn parse(text: &str) -> std::result::Result<Vec<(String, String)>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let scalar = |(key, value): (String, toml::Value)| match value {
        toml::Value::String(text) => Ok((key, text)),
        toml::Value::Integer(number) => Ok((key, number.to_string())),
        toml::Value::Boolean(flag) => Ok((key, flag.to_string())),
        _ => Err(format!("{key} must be a text, a whole number, true or false")),
    };
    table.into_iter().map(scalar).collect()
}

/// The command with the file's settings as the defaults of `serve`, and of those that look at its settings.
///
/// # Errors
/// [`Error::InvalidInput`] for a setting that `serve` does not have.
pub fn with_defaults(mut command: Command, settings: &[(String, String)]) -> Result<Command> {
    for (key, value) in settings {
        let id = key.replace('-', "_");
        let known = command.find_subcommand("serve").is_some_and(|serve| {
            serve.get_arguments().any(|argument| argument.get_id() == id.as_str() && argument.get_long().is_some())
        });
        if !known {
            let reason = format!("{key} is no setting: `faceattend config` lists those there are");
            return Err(Error::InvalidInput { what: "configuration file", reason });
        }
        for subcommand in ["serve", "config", "doctor"] {
            // Parsed once, and used for as long as the process runs.
            let (id, value): (String, &'static str) = (id.clone(), value.clone().leak());
            if command.find_subcommand(subcommand).is_none() {
                continue;
            }
            command =
                command.mut_subcommand(subcommand, |serve| serve.mut_arg(id, |argument| argument.default_value(value)));
        }
    }
    Ok(command)
}

/// Shows every setting with its value and where it comes from.
pub fn show(command: &Command, matches: &ArgMatches, from_file: &[(String, String)]) {
    let mut out = std::io::stdout().lock();
    for argument in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
        let id = argument.get_id().as_str();
        if matches!(id, "help" | "config") {
            continue;
        }
        let in_file = from_file.iter().any(|(key, _)| key.replace('-', "_") == id);
        let source = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => "flag",
            Some(ValueSource::EnvVariable) => "environment",
            Some(_) if in_file => "file",
            _ => "default",
        };
        let values = matches.get_raw(id).map(|values| values.map(|value| value.to_string_lossy()).collect::<Vec<_>>());
        let value = match values {
            Some(_) if SECRET.contains(&id) => "(set)".to_owned(),
            Some(values) => values.join(" "),
            None => String::new(),
        };
        // Whoever closed standard output does not want to read it.
        let _ = writeln!(out, "{:<24} {value:<32} {source}", id.replace('_', "-"));
    }
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;
    use crate::commands::serve::ServeArgs;

    fn command(settings: &[(&str, &str)]) -> Result<Command> {
        let serve = ServeArgs::augment_args(Command::new("serve"));
        let config = ServeArgs::augment_args(Command::new("config"));
        let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        with_defaults(Command::new("faceattend").subcommand(serve).subcommand(config), &settings)
    }

    fn port(command: Command, arguments: &[&str]) -> (u16, Option<ValueSource>) {
        let matches = command.try_get_matches_from([&["faceattend", "serve"], arguments].concat()).unwrap();
        let serve = matches.subcommand_matches("serve").unwrap();
        (*serve.get_one("port").unwrap(), serve.value_source("port"))
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        assert_eq!(port(command(&[]).unwrap(), &[]).0, 8001);
        assert_eq!(port(command(&[("port", "9000")]).unwrap(), &[]).0, 9000);
        let both = port(command(&[("port", "9000")]).unwrap(), &["--port", "9001"]);
        assert_eq!(both, (9001, Some(ValueSource::CommandLine)));
        assert!(command(&[("open-web-socket", "true")]).is_ok());
    }

    #[test]
    fn a_setting_that_is_none_is_refused_by_name() {
        let error = command(&[("prot", "9000")]).unwrap_err().to_string();
        assert!(error.contains("prot"), "{error}");
    }

    #[test]
    fn the_file_is_flat_toml() {
        let parsed = parse("port = 9000\ntime-zone = \"Asia/Kolkata\"\nopen-web-socket = true\n").unwrap();
        assert_eq!(parsed.len(), 3);
        assert!(parse("[server]\nport = 1").unwrap_err().contains("server"));
        assert!(parse("port =").is_err());
    }

    #[test]
    fn the_file_is_found_before_the_rest_is_parsed() {
        let arguments = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(file_named_in(&arguments("faceattend serve --config a.toml")), Some("a.toml".into()));
        assert_eq!(file_named_in(&arguments("faceattend --config=b.toml config")), Some("b.toml".into()));
    }
}
