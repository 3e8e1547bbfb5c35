//! Rows that other programs wrote: times that are spelled otherwise are written anew, and what cannot be read or stands
//! in the way of a unique key is named.

use jiff::{SignedDuration, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::super::naive_time::{parse, to_bound};
use super::super::rules::doubled;
use super::super::schema::odd;
use super::super::text_keys::roll_key;
use super::Outcome;

/// The columns with times of the existing service.
const TIMES: [(&str, &[&str]); 5] = [
    ("attendance_log", &["timestamp", "created_at"]),
    ("students", &["created_at", "updated_at", "liveness_verification_date"]),
    ("admin_users", &["created_at", "updated_at"]),
    ("liveness_detection_sessions", &["created_at", "completed_at", "expires_at"]),
    ("detection_logs", &["timestamp"]),
];
/// What must be unique, and what it is to a reader.
const UNIQUE: [(&str, &str, &str); 3] = [
    ("students", "roll_number", "roll number"),
    ("admin_users", "username", "name"),
    ("liveness_detection_sessions", "session_id", "session id"),
];
/// How many rows a message names.
const NAMED: usize = 10;
/// Numbers from here on, and below the other one, are Unix seconds: of 1973 to 5138. Smaller ones are years and days.
const UNIX_SECONDS: std::ops::Range<f64> = 1e8..1e11;
/// The same in milliseconds.
const UNIX_MILLISECONDS: std::ops::Range<f64> = 1e11..1e14;

/// That no two rows share what is to be unique: the keys could not be made.
pub(super) fn refuse_doubles(db: &Connection) -> Outcome<()> {
    for (table, column, what) in UNIQUE {
        let query = format!(
            "SELECT {column}, group_concat(id, ', '), max(id) FROM (SELECT id, {column} FROM {table} ORDER BY id)
             GROUP BY {column} HAVING count(*) > 1 ORDER BY min(id)"
        );
        let found: Vec<(String, String, i64)> = db
            .prepare(&query)?
            .query_map([], |row| Ok((super::connection::text(row, 0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        doubled(table, (column, what), &found)?;
    }
    Ok(())
}

/// Writes every time of the existing service's tables as it spells them.
pub(super) fn mend_all_times(db: &Connection) -> rusqlite::Result<()> {
    for (table, columns) in TIMES {
        columns.iter().try_for_each(|column| mend(db, table, column).map(drop))?;
    }
    Ok(())
}

/// The same for the times by which attendance is listed, which other programs may have written since. Cheap: an index
/// holds what is spelled otherwise. Returns the keys of the rows whose time cannot be read.
pub(super) fn mend_attendance(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    mend(db, "attendance_log", "timestamp")
}

fn mend(db: &Connection, table: &str, column: &str) -> rusqlite::Result<Vec<i64>> {
    let mut update = db.prepare(&format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1"))?;
    let mut unreadable = Vec::new();
    for (id, at) in spelled_otherwise(db, table, column)? {
        match at {
            Some(at) => drop(update.execute(params![id, to_bound(at)])?),
            None => unreadable.push(id),
        }
    }
    Ok(unreadable)
}

/// The rows whose time is spelled otherwise, and the times that can be read. Only the time of a mark or a log must be
/// there.
fn spelled_otherwise(db: &Connection, table: &str, column: &str) -> rusqlite::Result<Vec<(i64, Option<Timestamp>)>> {
    let given = if column == "timestamp" { String::new() } else { format!("{column} IS NOT NULL AND ") };
    let query = format!("SELECT id, {column} FROM {table} WHERE {given}{} ORDER BY id", odd(column));
    db.prepare(&query)?.query_map([], |row| Ok((row.get(0)?, instant(row.get_ref(1)?))))?.collect()
}

/// The time of a value, in any spelling that says one: text with a space or a `T`, with an offset in any form or in
/// UTC, with slashes, a date alone, or Unix seconds or milliseconds.
fn instant(value: ValueRef<'_>) -> Option<Timestamp> {
    match value {
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).ok()?.trim();
            parse(text).or_else(|| parse(&respelled(text))).or_else(|| of_number(text.parse().ok()?))
        }
        #[expect(clippy::cast_precision_loss, reason = "the range of times is far below 2^52 milliseconds")]
        ValueRef::Integer(number) => of_number(number as f64),
        ValueRef::Real(number) => of_number(number),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

fn of_number(number: f64) -> Option<Timestamp> {
    let seconds = if UNIX_MILLISECONDS.contains(&number) { number / 1000.0 } else { number };
    let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
    UNIX_SECONDS.contains(&seconds).then(|| Timestamp::UNIX_EPOCH.checked_add(since).ok())?
}

/// A time as ISO 8601 has it, where it is spelled as Go's or a spreadsheet's: `2026/03/02 20:00:00 +0000 UTC`.
fn respelled(text: &str) -> String {
    let text = ["UTC", "GMT"].iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(text).trim_end();
    let (day, time) = text.split_once([' ', 'T', 't']).unwrap_or((text, ""));
    let time = time.replace(" +", "+").replace(" -", "-");
    format!("{} {time}", day.replace('/', "-")).trim_end().to_owned()
}

/// What a person has to look at, a sentence each: rows whose time cannot be read, and students whose roll numbers are
/// one. Changes nothing.
pub(super) fn to_mend(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut told = Vec::new();
    for (table, columns) in TIMES {
        for column in columns {
            // A database of an earlier schema may lack it.
            let query = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)";
            if !db.query_row(query, [table, column], |row| row.get(0))? {
                continue;
            }
            let found = spelled_otherwise(db, table, column)?;
            let ids: Vec<i64> = found.into_iter().filter(|(_, at)| at.is_none()).map(|(id, _)| id).collect();
            if !ids.is_empty() {
                told.push(format!("{} rows of {table} hold no time in {column}: {}", ids.len(), named(&ids)));
            }
        }
    }
    let mut by_key: std::collections::BTreeMap<String, Vec<i64>> = std::collections::BTreeMap::new();
    let mut statement = db.prepare("SELECT id, roll_number FROM students ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        by_key.entry(roll_key(&super::connection::text(row, 1)?)).or_default().push(row.get(0)?);
    }
    for ids in by_key.values().filter(|ids| ids.len() > 1) {
        told.push(format!("the students {} have one roll number, written differently", named(ids)));
    }
    Ok(told)
}

/// The first keys of rows as a list.
pub(super) fn named(ids: &[i64]) -> String {
    let mut text = ids.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if ids.len() > NAMED {
        text += &format!(" and {} more", ids.len() - NAMED);
    }
    text
}
