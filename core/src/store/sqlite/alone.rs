//! A database as one file that nobody else has open, so that it can be moved.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connection::Fault;
use super::{Outcome, SqliteStore};
use crate::error::{Error, Result};

/// How long another program has to close the file.
const PATIENCE: Duration = Duration::from_secs(2);

impl SqliteStore {
    /// Brings what is in the log of the file at `path` into the file, and takes the log away. Returns whether the
    /// file could be read as a database: a damaged one is left as it is.
    ///
    /// # Errors
    /// [`Error::State`] while another program has it open; [`Error::Store`].
    pub fn settle(path: &Path) -> Result<bool> {
        let settle = || -> Outcome<bool> {
            let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            db.busy_timeout(PATIENCE)?;
            // SQLite leaves write-ahead logging only on the last connection.
            let mode: String = db.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
            if mode == "delete" { Ok(true) } else { Err(in_use(path).into()) }
        };
        match settle() {
            Ok(done) => Ok(done),
            Err(Fault::Sql(error)) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Err(in_use(path)),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(false),
                _ => Err(Fault::Sql(error).while_doing(&format!("close the database {}", path.display()))),
            },
            Err(fault) => Err(fault.while_doing("close the database")),
        }
    }
}

fn in_use(path: &Path) -> Error {
    let reason = format!("another program has {} open: stop it first", path.display());
    Error::State { what: "database", reason }
}
