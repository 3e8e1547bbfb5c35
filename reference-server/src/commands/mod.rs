//! The subcommands of the `faceattend` binary.

pub mod admin;
pub mod backup;
pub mod calibrate;
pub mod config;
mod data_dir;
pub mod database;
pub mod db;
pub mod doctor;
mod enrol_again;
pub mod eval;
pub mod generate;
pub mod installed;
pub mod io_advice;
pub mod keys;
pub mod kiosks;
pub mod models;
mod one_roll_number;
pub mod restore;
pub mod serve;
mod server_lock;
pub mod settings;
pub mod students;

use std::io::Write as _;

/// Prints a line for the person at the terminal.
fn say(text: &str) {
    // Nothing is left to do when standard output is closed.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A value of the command line or the environment that no `Debug` shows.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) String);

impl std::str::FromStr for Hidden {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::serve::ServeArgs;

    #[test]
    fn no_debug_of_the_settings_shows_a_secret() {
        let command = ServeArgs::augment_args(clap::Command::new("serve"));
        let given = ["--jwt-secret", "--receipt-key", "--template-keys"].map(|flag| [flag, "swordfish"]);
        let matches = command.get_matches_from(["serve"].into_iter().chain(given.into_iter().flatten()));
        let shown = format!("{:?}", ServeArgs::from_arg_matches(&matches).unwrap());
        assert!(!shown.contains("swordfish") && shown.matches("Hidden").count() == 3, "{shown}");
    }
}
