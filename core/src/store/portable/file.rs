//! The lines of a portable file: written with a checksum, read with limits.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, Read as _, Write};
use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::super::naive_time;
use super::super::schema::newest_version;
use super::{Counts, Imported, Kind, Odd, TABLES, Table, Value, named};
use crate::error::{Error, Result};

/// The version of the file's form.
const FORMAT: u64 = 1;

/// The longest line: a session with three kept frames of the largest size that a request may have is far below.
const LONGEST_LINE: u64 = 256 << 20;

/// Rows between two calls of a progress callback.
const PROGRESS_EVERY: u64 = 500;

/// What the file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Content {
    /// Every value.
    Export,
    /// What a restored copy needs: no photographs, but values that are not of their kind, and the ids that were given.
    BackUp,
}

/// Writes the file.
pub(in crate::store) struct Writer<'w> {
    out: &'w mut dyn Write,
    content: Content,
    hash: Sha256,
    counts: Counts,
    rows: u64,
    progress: &'w mut dyn FnMut(u64),
}

impl<'w> Writer<'w> {
    /// Begins the file of a database of this schema.
    pub(in crate::store) fn begin(
        out: &'w mut dyn Write,
        content: Content,
        schema: i64,
        progress: &'w mut dyn FnMut(u64),
    ) -> Result<Self> {
        let mut writer = Self { out, content, hash: Sha256::new(), counts: Counts::new(), rows: 0, progress };
        writer.line(&json!({ "faceattend": "database", "format": FORMAT, "schema": schema }))?;
        Ok(writer)
    }

    fn line(&mut self, line: &Json) -> Result<()> {
        let text = format!("{line}\n");
        self.hash.update(text.as_bytes());
        self.out.write_all(text.as_bytes()).map_err(|source| io("write", source))
    }

    /// Says that the rows of `table` follow.
    pub(in crate::store) fn begin_table(&mut self, table: &'static Table) {
        self.counts.push((table.name, 0));
    }

    pub(in crate::store) fn row(&mut self, table: &Table, values: Vec<Value>) -> Result<()> {
        let mut row = Map::new();
        for (column, value) in table.columns.iter().zip(values) {
            if column.is_photo && self.content == Content::BackUp {
                continue;
            }
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

    /// Says which ids were given, by table: after the rows.
    pub(in crate::store) fn ids_given(&mut self, highest: &BTreeMap<String, i64>) -> Result<()> {
        self.line(&json!({ "ids_given": highest }))
    }

    pub(in crate::store) fn end(mut self) -> Result<Counts> {
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
        Value::Odd(Odd::Int(number)) => json!({ "int": number }),
        Value::Odd(Odd::Real(number)) => json!({ "real": number.to_string() }),
        Value::Odd(Odd::Text(text)) => json!({ "text": text }),
        Value::Odd(Odd::Bytes(bytes)) => json!({ "bytes": BASE64_STANDARD.encode(bytes) }),
    })
}

fn odd(value: &Map<String, Json>) -> Option<Odd> {
    let (kind, value) = value.iter().next().filter(|_| value.len() == 1)?;
    Some(match kind.as_str() {
        "int" => Odd::Int(value.as_i64()?),
        "real" => Odd::Real(value.as_str()?.parse().ok()?),
        "text" => Odd::Text(value.as_str()?.to_owned()),
        "bytes" => Odd::Bytes(BASE64_STANDARD.decode(value.as_str()?).ok()?),
        _ => return None,
    })
}

fn from_json(kind: Kind, value: &Json) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Null);
    }
    if let Json::Object(value) = value {
        return odd(value).map(Value::Odd);
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

/// How a file is read.
pub(in crate::store) struct Reading<'r> {
    /// Students who are left out, with everything that is theirs.
    pub(in crate::store) erased: &'r BTreeSet<i64>,
    pub(in crate::store) progress: &'r mut dyn FnMut(u64),
}

/// What is left out along with the students that are.
#[derive(Default)]
struct Gone {
    marks: HashSet<i64>,
    sessions: HashSet<String>,
}

impl Gone {
    /// Returns whether the row goes with an erased student.
    fn takes(&mut self, table: &Table, values: &[Value], erased: &BTreeSet<i64>) -> bool {
        if erased.is_empty() {
            return false;
        }
        let value = |name| table.position(name).map(|at| &values[at]);
        let is_of_erased = match (table.name, value("student_id"), &values[0]) {
            ("students", _, Value::Int(id)) | (_, Some(Value::Int(id)), _) => erased.contains(id),
            _ => false,
        };
        match (table.name, &values[0], value("session_id"), value("attendance_id")) {
            ("attendance_log", Value::Int(mark), _, _) if is_of_erased => {
                self.marks.insert(*mark);
            }
            ("liveness_detection_sessions", _, Some(Value::Text(session)), _) if is_of_erased => {
                self.sessions.insert(session.clone());
            }
            (_, _, _, Some(Value::Int(mark))) => return self.marks.contains(mark),
            (_, _, Some(Value::Text(session)), _) => return is_of_erased || self.sessions.contains(session),
            _ => {}
        }
        is_of_erased
    }
}

/// Reads the file row by row into `put`, which gets each row's table and values, in the order of its columns, and says
/// whether it took the row. Only a whole, unchanged file ends without an error.
pub(in crate::store) fn read(
    from: &mut dyn BufRead,
    reading: Reading<'_>,
    put: &mut dyn FnMut(&'static Table, Vec<Value>) -> Result<bool>,
) -> Result<Imported> {
    let Reading { erased, progress } = reading;
    let mut reader = Reader::begin(from)?;
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut imported = Imported::default();
    let mut rows = 0;
    let mut students = HashSet::new();
    let mut gone = Gone::default();
    while let Some((number, line)) = reader.row(rows)? {
        if let Some(given) = line.get("ids_given") {
            for (table, highest) in ids_given(given) {
                let known = imported.ids_given.entry(table).or_default();
                *known = highest.max(*known);
            }
            continue;
        }
        rows += 1;
        let (table, mut values) = row(&line).map_err(|what| bad(&format!("line {number}: {what}")))?;
        let id = if let Value::Int(id) = values[0] { Some(id) } else { None };
        // Nobody gets the id of a row that is left out.
        let left_out = |imported: &mut Imported| {
            if let Some(id) = id {
                let highest = imported.ids_given.entry(table.name).or_default();
                *highest = id.max(*highest);
            }
        };
        if gone.takes(table, &values, erased) {
            imported.erased += u64::from(table.name == "students");
            left_out(&mut imported);
            continue;
        }
        let student = table.position("student_id").map(|at| (at, &values[at]));
        let mut new_student = None;
        match (student, &values[0]) {
            (None, Value::Int(id)) if table.name == "students" => new_student = Some(*id),
            (Some((at, Value::Int(student))), _) if !students.contains(student) => {
                if table.of_a_student {
                    imported.of_nobody += 1;
                    continue;
                }
                values[at] = Value::Null;
            }
            _ => {}
        }
        let name = named(table, &values[0]);
        if put(table, values)? {
            students.extend(new_student);
            *counts.entry(table.name).or_default() += 1;
        } else {
            imported.unreadable.push(name);
            left_out(&mut imported);
        }
        if rows.is_multiple_of(PROGRESS_EVERY) {
            progress(rows);
        }
    }
    progress(rows);
    imported.rows = in_order(&counts);
    Ok(imported)
}

fn in_order(counts: &BTreeMap<&'static str, u64>) -> Counts {
    TABLES.iter().map(|table| (table.name, counts.get(table.name).copied().unwrap_or(0))).collect()
}

fn ids_given(given: &Json) -> BTreeMap<&'static str, i64> {
    let Some(given) = given.as_object() else { return BTreeMap::new() };
    let of = |table: &'static Table| Some((table.name, given.get(table.name)?.as_i64()?));
    TABLES.iter().filter_map(of).collect()
}

/// What a look through the file found.
#[derive(Clone, Default)]
pub(crate) struct Skimmed {
    pub(crate) students: BTreeSet<i64>,
    /// The newest entry of the audit log: id, time, actor and action.
    pub(crate) newest_audit: Option<(i64, Timestamp, String, String)>,
    /// The accounts: id, name, and the hash of the password.
    pub(crate) accounts: Vec<(i64, String, String)>,
    pub(crate) newest_mark: Option<Timestamp>,
}

/// Reads the whole file, and refuses what [`Portable::import`](super::Portable::import) would refuse of it.
pub(crate) fn skim(from: &mut dyn BufRead, progress: &mut dyn FnMut(u64)) -> Result<Skimmed> {
    let mut reader = Reader::begin(from)?;
    let mut found = Skimmed::default();
    let mut rows = 0;
    while let Some((number, line)) = reader.row(rows)? {
        if line.contains_key("ids_given") {
            continue;
        }
        rows += 1;
        let (table, values) = row(&line).map_err(|what| bad(&format!("line {number}: {what}")))?;
        let text = |name| match table.position(name).map(|at| &values[at]) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let time = |name| match table.position(name).map(|at| &values[at]) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        };
        match (table.name, &values[0]) {
            ("students", Value::Int(id)) => {
                found.students.insert(*id);
            }
            ("admin_users", Value::Int(id)) => {
                found.accounts.push((*id, text("username"), text("hashed_password")));
            }
            ("attendance_log", _) => found.newest_mark = found.newest_mark.max(time("timestamp")),
            ("audit_log", Value::Int(id)) => {
                if let Some(at) = time("timestamp")
                    && found.newest_audit.as_ref().is_none_or(|newest| newest.0 < *id)
                {
                    found.newest_audit = Some((*id, at, text("actor"), text("action")));
                }
            }
            _ => {}
        }
        if rows.is_multiple_of(PROGRESS_EVERY) {
            progress(rows);
        }
    }
    progress(rows);
    Ok(found)
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

impl<'r> Reader<'r> {
    /// Reads the first line.
    fn begin(from: &'r mut dyn BufRead) -> Result<Self> {
        let mut reader = Self { from, hash: Sha256::new(), number: 0 };
        let first = reader.line()?.ok_or_else(|| bad("it is empty"))?.1;
        if first.get("faceattend") != Some(&json!("database")) || first.get("format").and_then(Json::as_u64).is_none() {
            return Err(bad("it is no export of faceattend: `faceattend db export` makes one"));
        }
        let schema = first.get("schema").and_then(Json::as_i64).unwrap_or(i64::MAX);
        if first.get("format") != Some(&json!(FORMAT)) || schema > newest_version() {
            return Err(bad("a newer version of faceattend made it: import it with that version"));
        }
        Ok(reader)
    }

    /// The next line that is not the last one, for which so many rows must have come before; none after the end.
    fn row(&mut self, rows: u64) -> Result<Option<(u64, Map<String, Json>)>> {
        let before = self.hash.clone();
        let (number, line) = self.line()?.ok_or_else(|| bad("it ends too early: it was cut off"))?;
        let Some(end) = line.get("end") else { return Ok(Some((number, line))) };
        let sum = hexadecimal(&before.finalize());
        if end.get("rows").and_then(Json::as_u64) != Some(rows) || end.get("sha256") != Some(&json!(sum)) {
            return Err(bad("it was changed since it was written"));
        }
        if self.line()?.is_some() {
            return Err(bad("something follows its end"));
        }
        Ok(None)
    }

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
