//! `faceattend admin passwd`: another password for an admin user.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use faceattend_core::store::{NewAdmin, SqliteStore, Store};
use faceattend_core::{Error, Result};
use jiff::Timestamp;

use crate::auth::{DEFAULT_ADMIN, DEFAULT_PASSWORD, ensure_admin, hash_password};
use crate::commands::serve::{DATABASE, data_dir};

/// The shortest password that is taken.
const SHORTEST: usize = 8;

/// The admin users.
#[derive(Debug, Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Gives an admin user another password, read from FACEATTEND_NEW_PASSWORD, a pipe, or the terminal
    Passwd {
        /// The name to log in with
        #[arg(default_value = DEFAULT_ADMIN)]
        username: String,
        /// Where the database and the JWT secret are
        #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// [`Error::InvalidInput`] for a password that is too short or everybody's; those of the store.
pub fn run(args: AdminArgs) -> Result<()> {
    let Action::Passwd { username, data_dir: given } = args.action;
    let dir = data_dir(given)?;
    let store = SqliteStore::open(dir.join(DATABASE))?;
    let now = Timestamp::now();
    ensure_admin(&store, now)?;
    change(&store, &username, &read_password()?, now)?;
    say(&format!("The password of {username} is changed. Tokens that are out stay good for half an hour at most."));
    Ok(())
}

fn change(store: &dyn Store, username: &str, password: &str, now: Timestamp) -> Result<()> {
    if password.chars().count() < SHORTEST || password == DEFAULT_PASSWORD {
        let reason =
            format!("it needs at least {SHORTEST} characters, and not {DEFAULT_PASSWORD:?}, which everybody knows");
        return Err(Error::InvalidInput { what: "password", reason });
    }
    let hashed_password = hash_password(password)?;
    match store.set_admin_password(username, &hashed_password, now) {
        Err(Error::NotFound { .. }) => {
            let admin = NewAdmin { username: username.into(), hashed_password, role: "admin".into() };
            store.create_admin(&admin, now).map(drop)
        }
        other => other,
    }
}

fn read_password() -> Result<String> {
    if let Ok(password) = std::env::var("FACEATTEND_NEW_PASSWORD") {
        return Ok(password);
    }
    let stdin = std::io::stdin();
    let from_terminal = stdin.is_terminal();
    let no_input = |source| Error::Io { action: "read", path: "standard input".into(), source };
    if !from_terminal {
        let mut line = String::new();
        stdin.lock().read_line(&mut line).map_err(no_input)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("New password: ").map_err(no_input)?;
    let again = rpassword::prompt_password("The same again: ").map_err(no_input)?;
    if password == again {
        return Ok(password);
    }
    Err(Error::InvalidInput { what: "password", reason: "the two are not the same; nothing was changed".into() })
}

fn say(text: &str) {
    // Nothing is left to do when standard output is closed.
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{check_login, default_password_works};

    #[test]
    fn the_known_password_goes_and_the_new_one_works() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path().join(DATABASE)).unwrap();
        let now = Timestamp::now();
        ensure_admin(&store, now).unwrap();
        assert!(default_password_works(&store).unwrap());
        for bad in ["short", DEFAULT_PASSWORD] {
            assert!(change(&store, DEFAULT_ADMIN, bad, now).is_err());
        }
        change(&store, DEFAULT_ADMIN, "correct horse", now).unwrap();
        assert!(!default_password_works(&store).unwrap());
        assert!(check_login(&store, DEFAULT_ADMIN, "correct horse").unwrap().is_some());
        assert!(check_login(&store, DEFAULT_ADMIN, DEFAULT_PASSWORD).unwrap().is_none());
        assert!(check_login(&store, "nobody", "correct horse").unwrap().is_none());
    }
}
