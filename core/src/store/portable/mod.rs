//! A database as a file that every store writes and reads: to move from one kind of database to another, and as a
//! back-up that outlives both.
//!
//! The file is lines of JSON. The first says what it is; each of the others is one row, with its table as the key; the
//! last counts the rows and holds the SHA-256 of all bytes before it, so that a file that was cut off or changed is
//! known before anything of it stays:
//!
//! ```text
//! {"faceattend":"database","format":1,"schema":4}
//! {"students":{"id":1,"name":"Asha","roll_number":"R1","face_embedding":"zczMPQ==",...}}
//! {"end":{"rows":1,"sha256":"9f86d0..."}}
//! ```
//!
//! Absent is null; bytes are base64; times are UTC; numbers with a fraction are text, so that they come back to the
//! last bit. Keys of rows stay, and so what is encrypted stays readable with its key. What only servers at work need
//! (notices, camera leases) is left out.

mod file;
mod tables;

use std::io::{BufRead, Write};

use super::Store;
use super::schema::newest_version;
use crate::error::{Error, Result};

pub(in crate::store) use file::{Writer, read};
pub(in crate::store) use tables::{Column, Kind, TABLES, Table, Value, unique_keys};

/// A store that can be copied whole.
pub trait Portable: Store {
    /// Writes every row to `to`, as of one moment, and returns how many there are of each table. `progress` is told how
    /// many are written.
    ///
    /// # Errors
    /// [`Error::Io`] when `to` cannot be written; [`Error::Store`], also for a value that is not of its column's kind.
    fn export(&self, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<Counts>;

    /// Puts the rows of `from` into this database, all of them or, after any error, none.
    ///
    /// # Errors
    /// [`Error::State`] when the database has rows and they are not to be replaced; [`Error::InvalidInput`] when the
    /// file is none of ours, cut off, changed, or of a newer version; [`Error::Io`]; [`Error::Store`].
    fn import(&self, from: &mut dyn BufRead, present: Present, progress: &mut dyn FnMut(u64)) -> Result<Imported>;
}

/// Rows by table, in the order of the file.
pub type Counts = Vec<(&'static str, u64)>;

/// What becomes of the rows that are in the database before an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Present {
    /// If there are any, nothing is imported.
    #[default]
    Refuse,
    /// They are deleted, in the same transaction.
    Replace,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Rows that are in the database now.
    pub rows: Counts,
    /// Marks and templates that were left out, because their student is not there: a database that does not enforce its
    /// foreign keys can have them, and no list ever showed them.
    pub of_nobody: u64,
}

/// What a look at a database found. Nothing was changed for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// The version of its schema; 0 for one that the existing service made and this library has not opened yet.
    pub schema: i64,
    /// Rows by table, of the tables that are there.
    pub rows: Counts,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
}

impl Survey {
    /// Whether the schema is older than the one that this build works with.
    #[must_use]
    pub fn needs_migration(&self) -> bool {
        self.schema < newest_version()
    }
}

/// What a store says whose database has rows where there may be none.
pub(in crate::store) fn not_empty(table: &str) -> Error {
    let reason = format!("it has rows in {table}: import into an empty one, or have what is there replaced");
    Error::State { what: "the database is not empty", reason }
}

/// What a store says of a value that is not of its column's kind. It does not show it.
pub(in crate::store) fn not_of_its_kind(table: &Table, column: &Column, key: &Value) -> Error {
    let key = match key {
        Value::Int(key) => key.to_string(),
        Value::Text(key) => key.clone(),
        _ => "without a key".to_owned(),
    };
    let reason = format!("{} {key}: {} does not hold what it should: mend or delete the row", table.name, column.name);
    Error::Store { reason, source: None }
}
