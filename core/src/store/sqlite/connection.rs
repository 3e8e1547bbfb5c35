//! Connections, what can go wrong with them, and times as columns have them.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, ErrorCode, Row};

use super::super::StoreTrouble;
use super::super::naive_time::parse;
use crate::error::{Error, Result};

/// How long a write waits for another process's.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What can stop a transaction: the database, or an answer of ours.
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Ours(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Fault {
    pub(super) fn while_doing(self, doing: &str) -> Error {
        match self {
            Self::Ours(error) => error,
            Self::Sql(error) => match trouble_of(&error) {
                Some(trouble) => trouble.while_doing(doing, error.into()),
                None => Error::Store { reason: format!("cannot {doing}"), source: Some(error.into()) },
            },
        }
    }
}

/// Returns what SQLite's code says about the file, its disk, and the other programs on it.
fn trouble_of(error: &rusqlite::Error) -> Option<StoreTrouble> {
    match error.sqlite_error_code()? {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Some(StoreTrouble::Busy)
        }
        ErrorCode::DiskFull => Some(StoreTrouble::Full),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Some(StoreTrouble::ReadOnly),
        ErrorCode::SystemIoFailure => Some(StoreTrouble::Disk),
        _ => None,
    }
}

pub(super) type Outcome<T> = std::result::Result<T, Fault>;

/// How long emptying the log waits for readers.
pub(super) const FOR_READERS: std::time::Duration = std::time::Duration::from_millis(500);

/// Makes an absent file readable by its owner alone, before SQLite would make it readable by all: it will hold
/// embeddings and password hashes. SQLite gives its log the same permissions.
pub(super) fn make_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        // SQLite would say only that it cannot open it.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => {
            let source = std::io::ErrorKind::IsADirectory.into();
            Err(Error::Io { action: "open", path: path.into(), source })
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            match std::fs::OpenOptions::new().read(true).open(path) {
                Err(source) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                    Err(Error::Io { action: "open", path: path.into(), source })
                }
                _ => Ok(()),
            }
        }
        Err(source) => Err(Error::Io { action: "create", path: path.into(), source }),
    }
}

pub(super) fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        // Some network file systems cannot share the log's memory: right, but readers and writers wait for each other.
        tracing::warn!(mode, "the database cannot use write-ahead logging");
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten: an erased face does not linger in a free page of the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// A time column.
pub(super) struct Time(pub(super) Timestamp);

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        // The text itself stays out of the error: a message shows no values.
        parse(value.as_str()?).map(Time).ok_or_else(|| FromSqlError::Other("no time".into()))
    }
}

/// A text column as it can be read: SQLite takes any value anywhere.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(maybe_text(row, column)?.unwrap_or_default())
}

/// The same where there may be nothing.
pub(super) fn maybe_text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    })
}

/// A number as it can be read; `None` for what is none.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<f64>> {
    Ok(match row.get_ref(column)? {
        #[expect(clippy::cast_precision_loss, reason = "a score")]
        ValueRef::Integer(number) => Some(number as f64),
        ValueRef::Real(number) => Some(number),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok()),
        ValueRef::Null | ValueRef::Blob(_) => None,
    })
}

/// A time that a row can do without; `None` for what is none.
pub(super) fn maybe_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get_ref(column)?.as_str().ok().and_then(parse))
}

/// The row, or `None` for one that holds a value of another kind than its column's: a list shows the others.
pub(super) fn readable<T>(row: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Time>>(column)?.map(|time| time.0))
}
