//! The marks of a span of days, from which statuses are derived.

use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::Date;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};

use super::super::naive_time::{Times, parse_day, to_bound};
use super::super::rosters::rows::MEMBERS;
use super::super::rosters::words::Words;
use super::super::schema::ODD_TIME_OF_A;
use super::super::{RosterMark, RosterOf, RosterQuery};
use super::connection::{Outcome, Time, maybe_text, maybe_time, readable};
use crate::types::StudentId;

/// A few days of everybody lie together by their day; more of them are read student by student, from an index that
/// holds all that is asked for.
const FEW_DAYS: i64 = 3;

pub(super) fn marks(db: &Connection, query: &RosterQuery) -> Outcome<Vec<RosterMark>> {
    let mut reading = Reading::default();
    let mut found = Vec::new();
    // Two queries, so that each has its index: days are in rows of this library, times in those of others.
    for (sql, values) in [of_days(query), of_times(query)] {
        let mut statement = db.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            found.extend(readable(reading.mark(row))?);
        }
    }
    Ok(found)
}

/// The columns of a mark, with those of its day.
fn columns(day: &str) -> String {
    format!(
        "a.id, a.student_id, a.timestamp, a.status, {day}, a.checked_out_at, a.checked_out_at IS NOT NULL
             AND EXISTS (SELECT 1 FROM attendance_corrections c WHERE c.attendance_id = a.id)"
    )
}

/// The query of the rows that name their day, and its values. The index is named: the planner knows nothing of how
/// many rows there are before somebody has counted them.
pub(super) fn of_days(query: &RosterQuery) -> (String, Vec<Value>) {
    let (about, values) = about("a.student_id", query);
    let few = query.first_day.saturating_add((FEW_DAYS - 1).days()) >= query.last_day;
    let (index, about) = match query.of {
        RosterOf::Everybody if few => ("ix_attendance_log_local_day", about),
        // Ordered by student, as statuses are looked up.
        RosterOf::Everybody => ("ix_attendance_log_roster", "AND a.student_id IN (SELECT id FROM students)".to_owned()),
        RosterOf::Group(_) | RosterOf::Student(_) => ("ix_attendance_log_roster", about),
    };
    let sql = format!(
        "SELECT {} FROM attendance_log a INDEXED BY {index} WHERE a.local_day >= ?1 AND a.local_day <= ?2 {about}",
        columns("a.local_day, a.period")
    );
    (sql, values)
}

/// The query of the rows that name no day, and its values.
pub(super) fn of_times(query: &RosterQuery) -> (String, Vec<Value>) {
    let (about, mut values) = about("a.student_id", query);
    let (from, until) = (values.len() + 1, values.len() + 2);
    values.extend([query.starts_at, query.ends_at].map(|at| Value::from(to_bound(at))));
    let index = match query.of {
        RosterOf::Everybody => "ix_attendance_log_no_day",
        // The rows of a few students are few.
        RosterOf::Group(_) | RosterOf::Student(_) => "ix_attendance_log_roster",
    };
    let sql = format!(
        "SELECT {} FROM attendance_log a INDEXED BY {index} WHERE a.local_day IS NULL AND a.timestamp >= ?{from}
             AND a.timestamp < ?{until} AND NOT {ODD_TIME_OF_A} AND ?1 IS NOT NULL AND ?2 IS NOT NULL {about}",
        columns("NULL, NULL")
    );
    (sql, values)
}

/// The test that a column names a student of the query, and the values of `?1` to `?3`: the days, and who it is.
pub(super) fn about(column: &str, query: &RosterQuery) -> (String, Vec<Value>) {
    let mut values: Vec<Value> =
        [query.first_day, query.last_day].into_iter().map(|day| Value::from(day.to_string())).collect();
    let test = match query.of {
        RosterOf::Everybody => "AND ?1 IS NOT NULL AND ?2 IS NOT NULL".to_owned(),
        RosterOf::Group(id) => {
            values.push(id.into());
            format!("AND {column} IN {}", MEMBERS.replace('$', "?"))
        }
        RosterOf::Student(id) => {
            values.push(id.0.into());
            format!("AND {column} = ?3 AND ?1 IS NOT NULL AND ?2 IS NOT NULL")
        }
    };
    (test, values)
}

/// What the rows before have said: theirs is mostly what the next one says.
#[derive(Default)]
struct Reading {
    words: Words,
    day: Option<(Vec<u8>, Date)>,
    times: Times,
}

impl Reading {
    fn mark(&mut self, row: &Row<'_>) -> rusqlite::Result<RosterMark> {
        let day = self.day(row, 4)?;
        let checked_out_at = maybe_time(row, 6)?;
        let at = match row.get_ref(2)? {
            ValueRef::Text(text) => self.times.read(text),
            _ => None,
        };
        Ok(RosterMark {
            id: row.get(0)?,
            student: StudentId(row.get(1)?),
            at: at.map_or_else(|| row.get::<_, Time>(2).map(|time| time.0), Ok)?,
            status: self.word(row, 3)?.unwrap_or_else(|| self.words.of("")),
            period: if day.is_some() { self.word(row, 5)? } else { None },
            day,
            checked_out_at,
            // It decides nothing for who was not checked out.
            is_corrected: checked_out_at.is_some() && row.get(7)?,
        })
    }

    fn word(&mut self, row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Arc<str>>> {
        if let ValueRef::Text(bytes) = row.get_ref(column)?
            && let Some(known) = self.words.known(bytes)
        {
            return Ok(Some(known));
        }
        Ok(maybe_text(row, column)?.map(|text| self.words.of(&text)))
    }

    fn day(&mut self, row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Date>> {
        if let ValueRef::Text(bytes) = row.get_ref(column)?
            && let Some((_, day)) = self.day.as_ref().filter(|(known, _)| known == bytes)
        {
            return Ok(Some(*day));
        }
        let text = maybe_text(row, column)?;
        let day = text.as_deref().and_then(parse_day);
        self.day = day.zip(text).map(|(day, text)| (text.into_bytes(), day));
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::super::SqliteStore;
    use super::*;

    fn asked(of: RosterOf, days: i64) -> RosterQuery {
        let first_day = date(2026, 3, 2);
        let last_day = first_day.saturating_add((days - 1).days());
        RosterQuery { of, first_day, last_day, starts_at: Timestamp::UNIX_EPOCH, ends_at: Timestamp::MAX }
    }

    /// How SQLite reads what is asked for.
    fn plan(store: &SqliteStore, (sql, values): (String, Vec<Value>)) -> String {
        let lines = store.read("explain", |db| {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let lines = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3))?;
            Ok(lines.collect::<rusqlite::Result<Vec<_>>>()?)
        });
        lines.unwrap().join("\n")
    }

    #[test]
    fn marks_are_read_from_an_index_whoever_is_asked_about() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("plan.db")).unwrap();
        let by_student = "SEARCH a USING COVERING INDEX ix_attendance_log_roster (student_id=? AND local_day>? AND \
                          local_day<?)";
        for of in [RosterOf::Everybody, RosterOf::Group(7), RosterOf::Student(StudentId(77))] {
            let told = plan(&store, of_days(&asked(of, 57)));
            assert!(told.contains(by_student), "{of:?}: {told}");
            assert!(!told.contains("TEMP B-TREE"), "{of:?}: {told}");
        }
        let by_day = "SEARCH a USING INDEX ix_attendance_log_local_day (local_day>? AND local_day<?)";
        let told = plan(&store, of_days(&asked(RosterOf::Everybody, 1)));
        assert!(told.contains(by_day), "{told}");
    }

    #[test]
    fn rows_without_a_day_are_found_by_their_time_or_their_student() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("plan.db")).unwrap();
        let told = plan(&store, of_times(&asked(RosterOf::Everybody, 57)));
        let by_time = "SEARCH a USING COVERING INDEX ix_attendance_log_no_day (timestamp>? AND timestamp<?)";
        assert!(told.contains(by_time), "{told}");
        for of in [RosterOf::Group(7), RosterOf::Student(StudentId(77))] {
            let told = plan(&store, of_times(&asked(of, 57)));
            let by_student = "SEARCH a USING COVERING INDEX ix_attendance_log_roster (student_id=? AND local_day=?)";
            assert!(told.contains(by_student), "{of:?}: {told}");
        }
    }
}
