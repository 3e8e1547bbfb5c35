//! `faceattend generate completions | manual | settings`: files that describe the program, written from its own list of
//! commands and settings, so that they say what this version does.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::builder::Styles;
use clap::{Arg, ArgAction, Args, Command, Subcommand};
use clap_complete::Shell;
use faceattend_core::{Error, Result};

/// How wide the comments of a settings file are, in characters.
const WIDTH: usize = 100;

/// Writes files that describe the program.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Writes the completions of a shell to standard output, such as `generate completions bash`
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Writes a manual page for each command into a folder
    Manual {
        /// The folder, which is created if it is missing
        folder: PathBuf,
    },
    /// Writes a settings file to standard output: every setting of `serve`, with its meaning and its default
    Settings {
        /// Settings that the file changes, such as `data-dir=/srv/faceattend`; the others are comments
        #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
        set: Vec<(String, String)>,
    },
}

/// Writes what is asked for about `command`, which is the whole program.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be written; [`Error::InvalidInput`] for a setting that `serve` does not have.
pub fn run(args: GenerateArgs, mut command: Command) -> Result<()> {
    let text = match args.what {
        What::Manual { folder } => {
            let failed = |source| Error::Io { action: "write", path: folder.clone(), source };
            std::fs::create_dir_all(&folder).map_err(failed)?;
            return clap_mangen::generate_to(command, &folder).map_err(failed);
        }
        What::Completions { shell } => {
            let name = command.get_name().to_owned();
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut text);
            text
        }
        What::Settings { set } => settings_file(&command, &set)?.into_bytes(),
    };
    // Whoever closed standard output does not want to read it.
    let _ = std::io::stdout().write_all(&text);
    Ok(())
}

/// Returns a settings file with every setting of `serve`. Those in `set` are set, the others are comments with their
/// defaults.
///
/// # Errors
/// [`Error::InvalidInput`] for a setting that there is not.
fn settings_file(command: &Command, set: &[(String, String)]) -> Result<String> {
    let serve = command.find_subcommand("serve").cloned().unwrap_or_default().styles(Styles::plain());
    let settings: Vec<&Arg> = serve.get_arguments().filter(|argument| is_setting(argument)).collect();
    if let Some((key, _)) = set.iter().find(|(key, _)| !settings.iter().any(|a| a.get_long() == Some(key))) {
        let reason = format!("{key} is no setting: `faceattend config` lists those there are");
        return Err(Error::InvalidInput { what: "settings file", reason });
    }
    let mut text = comment(
        "The settings of `faceattend serve`. A line that begins with # and a name shows a default, or the form of a \
         value where there is none: remove the # to set it. `faceattend config` shows what holds, and the manual page \
         faceattend-serve(1) says more.",
    );
    let mut heading = None;
    for setting in settings {
        let key = setting.get_long().unwrap_or_default();
        if setting.get_help_heading() != heading {
            heading = setting.get_help_heading();
            // Writing to a string cannot fail.
            let _ = write!(text, "\n\n# ---- {} ----\n", heading.unwrap_or_default());
        }
        let _ = write!(text, "\n{}", comment(&meaning(setting)));
        let given = set.iter().find(|(name, _)| name == key).map(|(_, value)| toml_value(value));
        let _ = match given {
            Some(value) => writeln!(text, "{key} = {value}"),
            None => writeln!(text, "#{key} = {}", default_of(setting)),
        };
    }
    Ok(text)
}

fn is_setting(argument: &Arg) -> bool {
    argument.get_long().is_some() && !matches!(argument.get_id().as_str(), "help" | "version" | "config")
}

/// Returns what a setting does, and which values it takes.
fn meaning(setting: &Arg) -> String {
    let mut text = setting.get_help().map(ToString::to_string).unwrap_or_default();
    let values = setting.get_possible_values();
    if takes_value(setting) && !values.is_empty() {
        let names: Vec<_> = values.iter().map(|value| value.get_name().to_owned()).collect();
        let _ = write!(text, " [values: {}]", names.join(", "));
    }
    text
}

/// Returns the default as it stands in a settings file; the form of a value where there is none.
fn default_of(setting: &Arg) -> String {
    if !takes_value(setting) {
        return "false".to_owned();
    }
    let defaults: Vec<_> = setting.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() {
        return toml_value(&defaults.join(","));
    }
    let form: Vec<_> = setting.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    toml::Value::String(form.join(",")).to_string()
}

fn takes_value(setting: &Arg) -> bool {
    matches!(setting.get_action(), ArgAction::Set | ArgAction::Append)
}

/// Returns a value as a settings file has it: a whole number, true, false, or a text.
fn toml_value(text: &str) -> String {
    let plain = text.parse::<i64>().is_ok_and(|number| number.to_string() == text) || text.parse::<bool>().is_ok();
    if plain { text.to_owned() } else { toml::Value::String(text.to_owned()).to_string() }
}

/// Returns the text as lines of a comment.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let with_word = length + 1 + word.chars().count();
        if length > 0 && with_word <= WIDTH {
            let _ = write!(lines, " {word}");
            length = with_word;
        } else {
            let _ = write!(lines, "{}# {word}", if length > 0 { "\n" } else { "" });
            length = 2 + word.chars().count();
        }
    }
    lines + "\n"
}

fn key_and_value(text: &str) -> std::result::Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as port=9000")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests;
