//! Where settings come from: flags before the environment, the environment before the file, the file before the
//! defaults. `faceattend config` shows what came of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use faceattend_core::{Error, Result};

use crate::commands::database::redacted;

/// The variable that names the file.
const FILE: &str = "FACEATTEND_CONFIG";
/// Arguments whose values are nobody's to see.
const SECRET: [&str; 3] = ["jwt_secret", "receipt_key", "template_keys"];
/// A value that may have a password in it.
const HOLDS_PASSWORD: &str = "database";
/// Settings of `serve` that say where the data and the models are, and so hold for every command that works with them.
const WHERE_THE_DATA_IS: [&str; 12] = [
    "data_dir",
    "database",
    "template_key_file",
    "template_keys",
    "models_dir",
    "jwt_secret",
    "receipt_key",
    "server_name",
    "backup_passphrase_file",
    "time_zone",
    "pack",
    "duplicates",
];

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

/// The command with the file's settings as the defaults of `serve`, of those that look at its settings, and, where
/// the data is, of every command that works with them.
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
        // Parsed once, and used for as long as the process runs.
        let value: &'static str = value.clone().leak();
        let others = WHERE_THE_DATA_IS.contains(&id.as_str());
        command = command.mut_subcommands(|subcommand| {
            let takes_all = matches!(subcommand.get_name(), "serve" | "config" | "doctor");
            if takes_all || others { with_default(subcommand, &id, value) } else { subcommand }
        });
    }
    Ok(command)
}

/// The command with the default, wherever in it the argument is.
fn with_default(command: Command, id: &str, value: &'static str) -> Command {
    let has_it = command.get_arguments().any(|argument| argument.get_id() == id);
    let hides = SECRET.contains(&id) || id == HOLDS_PASSWORD;
    let id_of_argument = id.to_owned();
    let command = if has_it {
        command.mut_arg(id_of_argument, |argument| argument.default_value(value).hide_default_value(hides))
    } else {
        command
    };
    command.mut_subcommands(|subcommand| with_default(subcommand, id, value))
}

/// A setting as `faceattend config` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Setting {
    /// Its name in the file; with `--` before it, on the command line.
    pub(crate) name: String,
    /// The value; empty where there is none. No secret is shown.
    pub(crate) value: String,
    /// `flag`, `environment`, `file` or `default`.
    pub(crate) source: &'static str,
    /// The variable of the environment.
    pub(crate) variable: Option<String>,
}

/// Returns every setting with its value and where it comes from.
pub(crate) fn settings(command: &Command, matches: &ArgMatches, from_file: &[(String, String)]) -> Vec<Setting> {
    let setting = |argument: &clap::Arg| {
        let id = argument.get_id().as_str();
        if argument.get_long().is_none() || matches!(id, "help" | "config" | "json") {
            return None;
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
            Some(values) if id == HOLDS_PASSWORD => redacted(&values.join(" ")),
            Some(values) => values.join(" "),
            None => String::new(),
        };
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        Some(Setting { name: id.replace('_', "-"), value, source, variable })
    };
    command.get_arguments().filter_map(setting).collect()
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;
    use crate::commands::admin::AdminArgs;
    use crate::commands::db::DbArgs;
    use crate::commands::keys::KeysArgs;
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
    fn where_the_data_is_holds_for_every_command() {
        let url = "postgres://me:geheim@host/db";
        let settings = [("database", url), ("data-dir", "/srv"), ("template-key-file", "k"), ("port", "9000")];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let command = Command::new("faceattend").subcommands([
            ServeArgs::augment_args(Command::new("serve")),
            AdminArgs::augment_args(Command::new("admin")),
            KeysArgs::augment_args(Command::new("keys")),
            DbArgs::augment_args(Command::new("db")),
        ]);
        let mut command = with_defaults(command, &settings).unwrap();
        for words in ["serve", "admin list", "keys status", "db check"] {
            let arguments = std::iter::once("faceattend").chain(words.split(' '));
            let matches = command.try_get_matches_from_mut(arguments).unwrap();
            let mut deepest = &matches;
            while let Some((_, inner)) = deepest.subcommand() {
                deepest = inner;
            }
            assert_eq!(deepest.get_one::<String>("database").map(String::as_str), Some(url), "{words}");
            assert_eq!(deepest.get_one::<std::path::PathBuf>("data_dir"), Some(&"/srv".into()), "{words}");
            if words == "keys status" {
                assert_eq!(deepest.get_one::<std::path::PathBuf>("template_key_file"), Some(&"k".into()));
            }
        }
        for name in ["serve", "db"] {
            let help = command.find_subcommand_mut(name).unwrap().render_long_help().to_string();
            assert!(help.contains("--database") && !help.contains("geheim"), "{help}");
        }
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
