//! A database as a file that every store writes and reads: to move from one kind of database to another, and as a back-up
//! that outlives both.
//!
//! The file is lines of JSON. The first says what it is; each of the others is one row, with its table as the key; the
//! last counts the rows and holds the SHA-256 of all bytes before it, so that a file that was cut off or changed is known
//! before anything of it stays:
//!
//! ```text
//! {"faceattend":"database","format":1,"schema":4}
//! {"students":{"id":1,"name":"Asha","roll_number":"R1","face_embedding":"zczMPQ==","created_at":"2026-03-02T08:15:30Z"}}
//! {"end":{"rows":1,"sha256":"9f86d0..."}}
//! ```
//!
//! Absent is null; bytes are base64; times are UTC; numbers with a fraction are text, so that they come back to the last
//! bit. Keys of rows stay, and so what is encrypted stays readable with its key. What only servers at work need (notices,
//! camera leases) is left out.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, Read as _, Write};
use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::Store;
use super::naive_time;
use super::schema::newest_version;
use crate::error::{Error, Result};

/// The version of the file's form.
const FORMAT: u64 = 1;
/// The longest line: a session with three kept frames of the largest size that a request may have is far below.
const LONGEST_LINE: u64 = 256 << 20;
/// Rows between two calls of a progress callback.
const PROGRESS_EVERY: u64 = 500;

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
    /// [`Error::State`] when the database has rows and they are not to be replaced; [`Error::InvalidInput`] when the file
    /// is none of ours, cut off, changed, or of a newer version; [`Error::Io`]; [`Error::Store`].
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

/// What a column holds, whatever the database calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Real,
    Bool,
    Text,
    Bytes,
    /// A time that the existing service writes in whole seconds.
    Seconds,
    /// A time to the microsecond.
    Micros,
    Date,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Time(Timestamp),
    Date(Date),
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether it has to be left to its default where the file has no value: it may not be null.
    pub(super) has_default: bool,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, has_default: false }
}

const fn column_or_default(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, has_default: true }
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    /// Whether its rows are gone with their student.
    of_a_student: bool,
}

impl Table {
    /// The names of the columns, as a list in SQL.
    #[cfg(feature = "sqlite")]
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// Whether its keys are numbers that the database gives.
    #[cfg(feature = "postgres")]
    pub(super) fn counts_its_keys(&self) -> bool {
        self.columns.first().is_some_and(|key| key.kind == Kind::Int)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// Every table that is copied, those first that others refer to. The key is the first column.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "admin_users",
        columns: &[
            column("id", Kind::Int),
            column("username", Kind::Text),
            column("hashed_password", Kind::Text),
            column("is_active", Kind::Bool),
            column("created_at", Kind::Seconds),
            column("updated_at", Kind::Seconds),
            column_or_default("role", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "students",
        columns: &[
            column("id", Kind::Int),
            column("name", Kind::Text),
            column("roll_number", Kind::Text),
            column("roll_no", Kind::Text),
            column("face_embedding", Kind::Bytes),
            column("embedding_vector", Kind::Text),
            column("created_at", Kind::Seconds),
            column("updated_at", Kind::Seconds),
            column("liveness_verified", Kind::Bool),
            column("liveness_verification_date", Kind::Micros),
            column("liveness_confidence_score", Kind::Real),
            column("model_version", Kind::Text),
            column("consent_given_at", Kind::Micros),
            column("consent_given_by", Kind::Text),
            column("consent_notice", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "student_templates",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("model_id", Kind::Text),
            column("embedding", Kind::Bytes),
            column("created_at", Kind::Micros),
            column("origin", Kind::Text),
        ],
        of_a_student: true,
    },
    Table {
        name: "liveness_detection_sessions",
        columns: &[
            column("id", Kind::Int),
            column("session_id", Kind::Text),
            column("student_id", Kind::Int),
            column("status", Kind::Text),
            column("created_at", Kind::Seconds),
            column("completed_at", Kind::Micros),
            column("expires_at", Kind::Micros),
            column("center_frame_data", Kind::Text),
            column("left_frame_data", Kind::Text),
            column("right_frame_data", Kind::Text),
            column("center_embedding", Kind::Text),
            column("left_embedding", Kind::Text),
            column("right_embedding", Kind::Text),
            column("center_verified", Kind::Bool),
            column("left_verified", Kind::Bool),
            column("right_verified", Kind::Bool),
            column("liveness_score", Kind::Real),
            column("movement_verified", Kind::Bool),
            column("final_embedding", Kind::Text),
            column("error_message", Kind::Text),
            column("attempts_count", Kind::Int),
            column("state", Kind::Text),
            column_or_default("version", Kind::Int),
            column("consumed_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "attendance_log",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("timestamp", Kind::Micros),
            column("status", Kind::Text),
            column("confidence_score", Kind::Real),
            column("camera_location", Kind::Text),
            column("created_at", Kind::Seconds),
            column("local_day", Kind::Date),
            column("period", Kind::Text),
            column("checked_out_at", Kind::Micros),
        ],
        of_a_student: true,
    },
    Table {
        name: "attendance_corrections",
        columns: &[
            column("id", Kind::Int),
            column("attendance_id", Kind::Int),
            column("status", Kind::Text),
            column("status_before", Kind::Text),
            column("corrected_by", Kind::Text),
            column("reason", Kind::Text),
            column("created_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "detection_logs",
        columns: &[
            column("id", Kind::Int),
            column("timestamp", Kind::Micros),
            column("faces_detected", Kind::Int),
            column("students_recognized", Kind::Int),
            column("processing_time", Kind::Real),
            column("camera_location", Kind::Text),
            column("error_message", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "liveness_seen_frames",
        columns: &[
            column("id", Kind::Int),
            column("session_id", Kind::Text),
            column("yaw", Kind::Real),
            column("looks", Kind::Bytes),
            column("seen_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "logins",
        columns: &[
            column("id", Kind::Text),
            column("username", Kind::Text),
            column("refresh_hash", Kind::Text),
            column("created_at", Kind::Micros),
            column("expires_at", Kind::Micros),
            column("ended_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "audit_log",
        columns: &[
            column("id", Kind::Int),
            column("timestamp", Kind::Micros),
            column("actor", Kind::Text),
            column("action", Kind::Text),
            column("subject", Kind::Text),
            column("details", Kind::Text),
        ],
        of_a_student: false,
    },
];

/// Unique keys that what happens once relies on; a database that lost one is in danger.
pub(super) const UNIQUE_KEYS: &[&str] = &[
    "ix_admin_users_username",
    "ix_students_roll_number",
    "ix_liveness_detection_sessions_session_id",
    "uq_attendance_log_student_day_period",
];

/// What a store says whose database has rows where there may be none.
pub(super) fn not_empty(table: &str) -> Error {
    let reason = format!("it has rows in {table}: import into an empty one, or have what is there replaced");
    Error::State { what: "the database is not empty", reason }
}

/// What a store says of a value that is not of its column's kind. It does not show it.
pub(super) fn not_of_its_kind(table: &Table, column: &Column, key: &Value) -> Error {
    let key = match key {
        Value::Int(key) => key.to_string(),
        Value::Text(key) => key.clone(),
        _ => "without a key".to_owned(),
    };
    let reason = format!("{} {key}: {} does not hold what it should: mend or delete the row", table.name, column.name);
    Error::Store { reason, source: None }
}

/// Writes the file.
pub(super) struct Writer<'w> {
    out: &'w mut dyn Write,
    hash: Sha256,
    counts: Counts,
    rows: u64,
    progress: &'w mut dyn FnMut(u64),
}

impl<'w> Writer<'w> {
    /// Begins the file of a database of the newest schema.
    pub(super) fn begin(out: &'w mut dyn Write, progress: &'w mut dyn FnMut(u64)) -> Result<Self> {
        let mut writer = Self { out, hash: Sha256::new(), counts: Counts::new(), rows: 0, progress };
        writer.line(&json!({ "faceattend": "database", "format": FORMAT, "schema": newest_version() }))?;
        Ok(writer)
    }

    fn line(&mut self, line: &Json) -> Result<()> {
        let text = format!("{line}\n");
        self.hash.update(text.as_bytes());
        self.out.write_all(text.as_bytes()).map_err(|source| io("write", source))
    }

    /// Says that the rows of `table` follow.
    pub(super) fn begin_table(&mut self, table: &'static Table) {
        self.counts.push((table.name, 0));
    }

    pub(super) fn row(&mut self, table: &Table, values: Vec<Value>) -> Result<()> {
        let mut row = Map::new();
        for (column, value) in table.columns.iter().zip(values) {
            if let Some(value) = to_json(value) {
                row.insert(column.name.to_owned(), value);
            }
        }
        self.line(&json!({ table.name: row }))?;
        if let Some((_, count)) = self.counts.last_mut() {
            *count += 1;
        }
        self.rows += 1;
        if self.rows.is_multiple_of(PROGRESS_EVERY) {
            (self.progress)(self.rows);
        }
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<Counts> {
        let sum = hexadecimal(&self.hash.clone().finalize());
        self.line(&json!({ "end": { "rows": self.rows, "sha256": sum } }))?;
        self.out.flush().map_err(|source| io("write", source))?;
        (self.progress)(self.rows);
        Ok(self.counts)
    }
}

fn to_json(value: Value) -> Option<Json> {
    Some(match value {
        Value::Null => return None,
        Value::Int(number) => Json::from(number),
        Value::Real(number) => Json::from(number.to_string()),
        Value::Bool(flag) => Json::from(flag),
        Value::Text(text) => Json::from(text),
        Value::Bytes(bytes) => Json::from(BASE64_STANDARD.encode(bytes)),
        Value::Time(time) => Json::from(time.to_string()),
        Value::Date(date) => Json::from(date.to_string()),
    })
}

fn from_json(kind: Kind, value: &Json) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Null);
    }
    Some(match kind {
        Kind::Int => Value::Int(value.as_i64()?),
        Kind::Real => Value::Real(value.as_str()?.parse().ok()?),
        Kind::Bool => Value::Bool(value.as_bool()?),
        Kind::Text => Value::Text(value.as_str()?.to_owned()),
        Kind::Bytes => Value::Bytes(BASE64_STANDARD.decode(value.as_str()?).ok()?),
        Kind::Seconds | Kind::Micros => Value::Time(naive_time::parse(value.as_str()?)?),
        Kind::Date => Value::Date(value.as_str()?.parse().ok()?),
    })
}

/// Reads the file row by row into `put`, which gets each row's table and values, in the order of its columns. Only a
/// whole, unchanged file ends without an error.
pub(super) fn read(
    from: &mut dyn BufRead,
    progress: &mut dyn FnMut(u64),
    put: &mut dyn FnMut(&'static Table, Vec<Value>) -> Result<()>,
) -> Result<Imported> {
    let mut reader = Reader { from, hash: Sha256::new(), number: 0 };
    let first = reader.line()?.ok_or_else(|| bad("it is empty"))?.1;
    if first.get("faceattend") != Some(&json!("database")) || first.get("format").and_then(Json::as_u64).is_none() {
        return Err(bad("it is no export of faceattend: `faceattend db export` makes one"));
    }
    let schema = first.get("schema").and_then(Json::as_i64).unwrap_or(i64::MAX);
    if first.get("format") != Some(&json!(FORMAT)) || schema > newest_version() {
        return Err(bad("a newer version of faceattend made it: import it with that version"));
    }
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut rows, mut of_nobody) = (0, 0);
    let mut students = HashSet::new();
    loop {
        let before = hexadecimal(&reader.hash.clone().finalize());
        let (number, line) = reader.line()?.ok_or_else(|| bad("it ends too early: it was cut off"))?;
        if let Some(end) = line.get("end") {
            if end.get("rows").and_then(Json::as_u64) != Some(rows) || end.get("sha256") != Some(&json!(before)) {
                return Err(bad("it was changed since it was written"));
            }
            if reader.line()?.is_some() {
                return Err(bad("something follows its end"));
            }
            break;
        }
        rows += 1;
        let (table, mut values) = row(&line).map_err(|what| bad(&format!("line {number}: {what}")))?;
        let student = table.position("student_id").map(|at| (at, &values[at]));
        match (student, &values[0]) {
            (None, Value::Int(id)) if table.name == "students" => {
                students.insert(*id);
            }
            (Some((at, Value::Int(student))), _) if !students.contains(student) => {
                if table.of_a_student {
                    of_nobody += 1;
                    continue;
                }
                values[at] = Value::Null;
            }
            _ => {}
        }
        put(table, values)?;
        *counts.entry(table.name).or_default() += 1;
        if rows.is_multiple_of(PROGRESS_EVERY) {
            progress(rows);
        }
    }
    progress(rows);
    let in_order = TABLES.iter().map(|table| (table.name, counts.get(table.name).copied().unwrap_or(0)));
    Ok(Imported { rows: in_order.collect(), of_nobody })
}

/// The table and the values of a line, or what is wrong with it.
fn row(line: &Map<String, Json>) -> std::result::Result<(&'static Table, Vec<Value>), String> {
    let (Some((name, Json::Object(given))), 1) = (line.iter().next(), line.len()) else {
        return Err("it is no row".to_owned());
    };
    let Some(table) = TABLES.iter().find(|table| table.name == name) else {
        return Err(format!("there is no table {name}"));
    };
    let mut values = vec![Value::Null; table.columns.len()];
    for (name, value) in given {
        let Some(at) = table.position(name) else { return Err(format!("{} has no column {name}", table.name)) };
        let kind = table.columns[at].kind;
        values[at] = from_json(kind, value).ok_or_else(|| format!("{name} is not of its kind"))?;
    }
    Ok((table, values))
}

struct Reader<'r> {
    from: &'r mut dyn BufRead,
    hash: Sha256,
    number: u64,
}

impl Reader<'_> {
    /// The next line with its number; none at the end of the file.
    fn line(&mut self) -> Result<Option<(u64, Map<String, Json>)>> {
        let mut bytes = Vec::new();
        let read = (&mut *self.from).take(LONGEST_LINE).read_until(b'\n', &mut bytes);
        if read.map_err(|source| io("read", source))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.hash.update(&bytes);
        if bytes.last() != Some(&b'\n') {
            return Err(bad("it ends in the middle of a line: it was cut off"));
        }
        // What the parser says would quote the line.
        let line =
            serde_json::from_slice(&bytes).map_err(|_| bad(&format!("line {} is no JSON object", self.number)))?;
        Ok(Some((self.number, line)))
    }
}

fn bad(reason: &str) -> Error {
    Error::InvalidInput { what: "database export", reason: reason.to_owned() }
}

fn io(action: &'static str, source: std::io::Error) -> Error {
    Error::Io { action, path: PathBuf::from("the database export"), source }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
