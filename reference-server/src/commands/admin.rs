//! `faceattend admin create | passwd | disable | enable | list`: manages the accounts, on the machine itself.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use faceattend_core::store::{AdminChange, NewAdmin, NewAuditEntry, Store, TemplateKeys};
use faceattend_core::{Error, Result};
use jiff::Timestamp;

use crate::auth::{DEFAULT_ADMIN, ensure_admin, hash_new_password};
use crate::commands::data_dir::data_dir;
use crate::commands::database::DatabaseArgs;

/// Creates and changes user accounts.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// The folder of the database and the JWT secret
    #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Creates an account. Reads its password from FACEATTEND_NEW_PASSWORD, a pipe, or the terminal
    Create {
        /// The name to log in with
        username: String,
        /// What the user may do
        #[arg(long, value_enum, default_value_t = RoleArg::Operator)]
        role: RoleArg,
    },
    /// Changes the password of an account. Reads it from FACEATTEND_NEW_PASSWORD, a pipe, or the terminal
    Passwd {
        /// The name to log in with
        #[arg(default_value = DEFAULT_ADMIN)]
        username: String,
    },
    /// Disables an account and ends its logins
    Disable {
        /// The name to log in with
        username: String,
    },
    /// Enables a disabled account
    Enable {
        /// The name to log in with
        username: String,
    },
    /// Lists every account
    List,
}

/// The rights of a user. Each role includes the rights of those before it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Views students, attendance and cameras
    Viewer,
    /// Registers students, marks attendance and runs cameras
    Operator,
    /// Changes accounts, erases students and reads the audit log
    Admin,
}

impl RoleArg {
    fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// [`Error::InvalidInput`] for a password that is too short or everybody's; [`Error::State`] when no active admin would
/// be left; those of the store.
pub fn run(args: AdminArgs) -> Result<()> {
    let store = args.database.place(|| data_dir(args.data_dir))?.open(TemplateKeys::none())?;
    let store = &*store;
    let now = Timestamp::now();
    ensure_admin(store, now)?;
    let (action, username, said) = match args.action {
        Action::Create { username, role } => {
            let password = read_password()?;
            let hashed_password = hash_new_password(&password)?;
            store.create_admin(
                &NewAdmin { username: username.clone(), hashed_password, role: role.word().into() },
                now,
            )?;
            let said = format!("{username} can log in as {}.", role.word());
            ("admin create", username, said)
        }
        Action::Passwd { username } => {
            change(store, &username, &read_password()?, now)?;
            let said =
                format!("The password of {username} is changed. Who was logged in with the old one is logged out.");
            ("admin passwd", username, said)
        }
        Action::Disable { username } => {
            set_active(store, &username, false, now)?;
            let said = format!("{username} can log in no more and is logged out.");
            ("admin disable", username, said)
        }
        Action::Enable { username } => {
            set_active(store, &username, true, now)?;
            let said = format!("{username} can log in again.");
            ("admin enable", username, said)
        }
        Action::List => {
            for user in store.admins()? {
                let state = if user.is_active { "active" } else { "disabled" };
                super::say(&format!("{:<20} {:<10} {state}", user.username, user.role));
            }
            return Ok(());
        }
    };
    let subject = Some(format!("username {username}"));
    let entry = NewAuditEntry { at: now, actor: "command line".into(), action: action.into(), subject, details: None };
    store.add_audit(&entry)?;
    super::say(&said);
    Ok(())
}

fn set_active(store: &dyn Store, username: &str, is_active: bool, now: Timestamp) -> Result<()> {
    store.update_admin(username, &AdminChange { is_active: Some(is_active), ..AdminChange::default() }, now).map(drop)
}

fn change(store: &dyn Store, username: &str, password: &str, now: Timestamp) -> Result<()> {
    store.set_admin_password(username, &hash_new_password(password)?, now)
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

#[cfg(test)]
mod tests {
    use faceattend_core::store::SqliteStore;

    use super::*;
    use crate::auth::{Compared, DEFAULT_PASSWORD, check_login, default_password_works};
    use crate::commands::database::DATABASE;

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
        let is_right = |name, password| matches!(check_login(&store, name, password).unwrap(), Compared::Right(_));
        assert!(is_right(DEFAULT_ADMIN, "correct horse"));
        assert!(!is_right(DEFAULT_ADMIN, DEFAULT_PASSWORD) && !is_right("nobody", "correct horse"));
        assert!(change(&store, "nobody", "correct horse", now).is_err(), "a typing error makes no account");
        assert!(set_active(&store, DEFAULT_ADMIN, false, now).is_err(), "the last admin stays");
    }
}
