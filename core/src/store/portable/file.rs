//! The lines of a portable file: written with a checksum, read with limits.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, Read as _, Write};
use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::super::naive_time;
use super::super::schema::newest_version;
use super::{Counts, Imported, Kind, TABLES, Table, Value};
use crate::error::{Error, Result};

/// The version of the file's form.
const FORMAT: u64 = 1;

/// The longest line: a session with three kept frames of the largest size that a request may have is far below.
const LONGEST_LINE: u64 = 256 << 20;

/// Rows between two calls of a progress callback.
const PROGRESS_EVERY: u64 = 500;

/// Writes the file.
pub(in crate::store) struct Writer<'w> {
    out: &'w mut dyn Write,
    hash: Sha256,
    counts: Counts,
    rows: u64,
    progress: &'w mut dyn FnMut(u64),
}

impl<'w> Writer<'w> {
    /// Begins the file of a database of the newest schema.
    pub(in crate::store) fn begin(out: &'w mut dyn Write, progress: &'w mut dyn FnMut(u64)) -> Result<Self> {
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
    pub(in crate::store) fn begin_table(&mut self, table: &'static Table) {
        self.counts.push((table.name, 0));
    }

    pub(in crate::store) fn row(&mut self, table: &Table, values: Vec<Value>) -> Result<()> {
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
pub(in crate::store) fn read(
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
