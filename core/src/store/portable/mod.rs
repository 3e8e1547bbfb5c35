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

mod columns;
mod file;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};

use super::schema::newest_version;
use super::{NewAuditEntry, Store};
use crate::error::{Error, Result};

pub(in crate::store) use columns::{Column, Kind, Odd, Table, Value};
pub(in crate::store) use file::{Content, Reading, Writer, read};
#[cfg(test)]
pub(in crate::store) use tables::{COMPUTED, NOT_COPIED};
pub(in crate::store) use tables::{TABLES, unique_keys};

pub(crate) use file::{Skimmed, skim};

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

    /// As [`import`](Self::import) with [`Present::Replace`], of the rows of a back-up, with an entry in the audit log
    /// in the same transaction. The students of `erased` stay away, with everything that is theirs.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    fn restore(
        &self,
        from: &mut dyn BufRead,
        erased: &BTreeSet<i64>,
        entry: &NewAuditEntry,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Imported>;
}

/// What a back-up took from a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BackedUp {
    /// The version of the database's schema.
    pub schema: i64,
    /// Rows by table.
    pub rows: Counts,
    /// Values that are not of their column's kind, named by table, key and column. SQLite's are kept as they are.
    pub odd: Vec<String>,
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
    /// Rows that were left out, because a value that they need cannot be read, named by table and key.
    pub unreadable: Vec<String>,
    /// Students who were left out, because they have been erased.
    pub erased: u64,
    /// The largest ids that were ever given, by table: no new row gets one of them.
    pub(in crate::store) ids_given: BTreeMap<&'static str, i64>,
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

/// Returns whether this version can read a database of this schema.
///
/// # Errors
/// [`Error::Store`] for a newer one.
pub(in crate::store) fn knows(schema: i64) -> Result<()> {
    let newest = newest_version();
    if schema <= newest {
        return Ok(());
    }
    let reason = format!(
        "the database has schema {schema}, this version knows schemas up to {newest}: use the newer version that wrote \
         it"
    );
    Err(Error::Store { reason, source: None })
}

/// What a store says whose database has rows where there may be none.
pub(in crate::store) fn not_empty(table: &str) -> Error {
    let reason = format!("it has rows in {table}: import into an empty one, or have what is there replaced");
    Error::State { what: "the database is not empty", reason }
}

/// What a store says of a value that is not of its column's kind. It does not show it.
pub(in crate::store) fn not_of_its_kind(table: &Table, column: &Column, key: &Value) -> Error {
    let reason = format!("{}: {} does not hold what it should: mend or delete the row", named(table, key), column.name);
    Error::Store { reason, source: None }
}

/// A row by its table and its key.
pub(in crate::store) fn named(table: &Table, key: &Value) -> String {
    let key = match key {
        Value::Int(key) => key.to_string(),
        // The key of a login is no secret, but nothing to read out either.
        Value::Text(key) => key.chars().take(36).collect(),
        _ => "without a key".to_owned(),
    };
    format!("{} {key}", table.name)
}
