//! The second-look list.

use jiff::civil::Date;
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::super::naive_time::{to_bound, to_micros};
use super::super::notices::text;
use super::super::outbox::events;
use super::super::rules::{
    NO_SECOND_LOOK, NO_STUDENT, decision_fits, must_be_open, reasons_of, reasons_text, second_look_fits,
    second_look_words,
};
use super::super::{
    DayWindow, DecidedSecondLook, Listed, Marking, NewAttendance, NewSecondLook, Page, SecondLook, SecondLookAnswer,
    SecondLookDecision, SecondLookFilter, SecondLooking, SecondLooks,
};
use super::attendance::{mark, standing};
use super::connection::{Outcome, Time, time};
use super::outbox::Shared;
use super::students::student;
use super::{SqliteStore, notices};
use crate::error::Result;
use crate::types::StudentId;

impl SecondLooks for SqliteStore {
    fn add_second_look(&self, new: &NewSecondLook) -> Result<SecondLooking> {
        second_look_fits(new)?;
        self.write("note a sighting for a second look", |db| add(db, new))
    }

    fn second_looks(&self, filter: &SecondLookFilter, page: Page) -> Result<Listed<SecondLook>> {
        self.read("list second looks", |db| {
            let (from, mut values) = from_where(filter);
            let total =
                db.query_row(&format!("SELECT count(*) {from}"), params_from_iter(&values), |row| row.get(0))?;
            values.extend([Value::from(page.limit), Value::from(page.skip)]);
            let items = db
                .prepare_cached(&format!("SELECT {LOOK} {from} ORDER BY l.seen_at DESC, l.id DESC LIMIT ? OFFSET ?"))?
                .query_map(params_from_iter(&values), from_row)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Listed { items, total })
        })
    }

    fn second_look(&self, id: i64) -> Result<Option<SecondLook>> {
        self.read("read a second look", |db| Ok(find(db, id)?))
    }

    fn open_second_looks(&self) -> Result<u64> {
        self.read("count the open second looks", |db| {
            Ok(db
                .prepare_cached("SELECT count(*) FROM second_looks WHERE state = 'open'")?
                .query_row([], |row| row.get(0))?)
        })
    }

    fn decide_second_look(&self, id: i64, decision: &SecondLookDecision) -> Result<DecidedSecondLook> {
        decision_fits(decision)?;
        self.write("decide a second look", |db| {
            let look = find(db, id)?.ok_or(NO_SECOND_LOOK)?;
            must_be_open(&look)?;
            let state = decision.answer.state();
            // Closed first: the mark settles what is open.
            db.execute(
                "UPDATE second_looks SET state = ?2, decided_by = ?3, decided_at = ?4 WHERE id = ?1",
                params![id, state.as_str(), decision.by, to_micros(decision.at)],
            )?;
            let marking = match decision.answer {
                SecondLookAnswer::Confirm => Some(mark(db, &look.sighting)?),
                SecondLookAnswer::Refuse => None,
            };
            match &marking {
                Some(Marking::Marked(record)) => notices::leave(db, &text::marked(&self.name, record.id))?,
                // What markers remember of the student is no longer true.
                _ => notices::leave(db, text::ATTENDANCE)?,
            }
            Ok(DecidedSecondLook { look: find(db, id)?.ok_or(NO_SECOND_LOOK)?, marking })
        })
    }
}

const LOOK: &str = "l.id, l.student_id, s.name, s.roll_number, l.seen_at, l.local_day, l.day_starts_at, l.day_ends_at,
    l.period, l.status, l.confidence_score, l.camera_location, l.verdict, l.reasons, l.state, l.decided_by,
    l.decided_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<SecondLook> {
    let date = row.get::<_, String>(5)?.parse::<Date>();
    let text = |column| row.get::<_, String>(column);
    let (verdict, state, status) = second_look_words(&text(12)?, &text(14)?, &text(9)?);
    Ok(SecondLook {
        id: row.get(0)?,
        student_name: row.get(2)?,
        student_roll_number: row.get(3)?,
        sighting: NewAttendance {
            student: StudentId(row.get(1)?),
            at: row.get::<_, Time>(4)?.0,
            day: DayWindow {
                date: date.map_err(|_| rusqlite::Error::InvalidColumnType(5, "local_day".to_owned(), Type::Text))?,
                starts_at: row.get::<_, Time>(6)?.0,
                ends_at: row.get::<_, Time>(7)?.0,
            },
            period: row.get(8)?,
            status,
            confidence_score: row.get(10)?,
            camera_location: row.get(11)?,
        },
        verdict,
        reasons: reasons_of(&text(13)?),
        state,
        decided_by: row.get(15)?,
        decided_at: time(row, 16)?,
    })
}

fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<SecondLook>> {
    db.prepare_cached(&format!(
        "SELECT {LOOK} FROM second_looks l JOIN students s ON s.id = l.student_id WHERE l.id = ?1"
    ))?
    .query_row([id], from_row)
    .optional()
}

/// The open entry that stands for this sighting: the one of the unique key.
fn open_like(db: &Connection, new: &NewSecondLook) -> rusqlite::Result<Option<SecondLook>> {
    let sighting = &new.sighting;
    db.prepare_cached(&format!(
        "SELECT {LOOK} FROM second_looks l JOIN students s ON s.id = l.student_id
         WHERE l.student_id = ?1 AND l.local_day = ?2 AND l.period = ?3 AND l.verdict = ?4 AND l.state = 'open'"
    ))?
    .query_row(
        params![sighting.student.0, sighting.day.date.to_string(), sighting.period, new.verdict.as_str()],
        from_row,
    )
    .optional()
}

pub(super) fn add(db: &Connection, new: &NewSecondLook) -> Outcome<SecondLooking> {
    let sighting = &new.sighting;
    student(db, sighting.student)?.ok_or(NO_STUDENT)?;
    if let Some(record) = standing(db, sighting)? {
        return Ok(SecondLooking::AlreadyMarked(record));
    }
    if let Some(look) = open_like(db, new)? {
        return Ok(SecondLooking::AlreadyOpen(look));
    }
    db.prepare_cached(
        "INSERT INTO second_looks (student_id, seen_at, local_day, day_starts_at, day_ends_at, period, status,
             confidence_score, camera_location, verdict, reasons)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        sighting.student.0,
        to_micros(sighting.at),
        sighting.day.date.to_string(),
        to_bound(sighting.day.starts_at),
        to_bound(sighting.day.ends_at),
        sighting.period,
        sighting.status.as_str(),
        sighting.confidence_score,
        sighting.camera_location,
        new.verdict.as_str(),
        reasons_text(&new.reasons),
    ])?;
    let look = find(db, db.last_insert_rowid())?.ok_or(NO_SECOND_LOOK)?;
    events::second_look(&mut Shared(db), &look)?;
    Ok(SecondLooking::Added(look))
}

/// The entries that pass the filter, as the FROM and WHERE of a query and the values of its parameters.
fn from_where(filter: &SecondLookFilter) -> (String, Vec<Value>) {
    let mut tests = vec!["1".to_owned()];
    // As a literal, so that the index of the open entries answers.
    tests.extend(filter.state.map(|state| format!("l.state = '{}'", state.as_str())));
    let mut values = Vec::new();
    let conditions = [
        ("l.local_day = ?", filter.day.map(|day| Value::from(day.to_string()))),
        ("l.student_id = ?", filter.student.map(|id| Value::from(id.0))),
    ];
    for (test, value) in conditions {
        if let Some(value) = value {
            tests.push(test.to_owned());
            values.push(value);
        }
    }
    let tests = tests.join(" AND ");
    (format!("FROM second_looks l JOIN students s ON s.id = l.student_id WHERE {tests}"), values)
}
