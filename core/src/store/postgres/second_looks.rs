//! The second-look list.

use jiff::civil::Date;
use postgres::types::ToSql;
use postgres::{Row, Transaction};

use super::super::notices::text;
use super::super::outbox::events;
use super::super::rules::{
    NO_SECOND_LOOK, decision_fits, must_be_open, reasons_of, reasons_text, second_look_fits, second_look_words,
};
use super::super::{
    DayWindow, DecidedSecondLook, Listed, Marking, NewAttendance, NewSecondLook, Page, SecondLook, SecondLookAnswer,
    SecondLookDecision, SecondLookFilter, SecondLooking, SecondLooks,
};
use super::attendance::{as_params, mark, standing};
use super::outbox::Shared;
use super::{Outcome, PostgresStore, certain_time, count, micros, notices, students, time};
use crate::error::Result;
use crate::types::StudentId;

impl SecondLooks for PostgresStore {
    fn add_second_look(&self, new: &NewSecondLook) -> Result<SecondLooking> {
        second_look_fits(new)?;
        self.write("note a sighting for a second look", |db| add(db, new))
    }

    fn second_looks(&self, filter: &SecondLookFilter, page: Page) -> Result<Listed<SecondLook>> {
        self.read("list second looks", |db| list(db, filter, page))
    }

    fn second_look(&self, id: i64) -> Result<Option<SecondLook>> {
        self.read("read a second look", |db| find(db, id))
    }

    fn open_second_looks(&self) -> Result<u64> {
        self.read("count the open second looks", |db| {
            count(&db.query_one("SELECT count(*) FROM second_looks WHERE state = 'open'", &[])?, 0)
        })
    }

    fn decide_second_look(&self, id: i64, decision: &SecondLookDecision) -> Result<DecidedSecondLook> {
        decision_fits(decision)?;
        self.write("decide a second look", |db| {
            let decided = decide(db, id, decision)?;
            match &decided.marking {
                Some(Marking::Marked(record)) => notices::leave(db, &text::marked(&self.name, record.id))?,
                // What markers remember of the student is no longer true.
                _ => notices::leave(db, text::ATTENDANCE)?,
            }
            Ok(decided)
        })
    }
}

const LOOK: &str = "l.id, l.student_id, s.name, s.roll_number, l.seen_at, l.local_day, l.day_starts_at, l.day_ends_at,
    l.period, l.status, l.confidence_score, l.camera_location, l.verdict, l.reasons, l.state, l.decided_by,
    l.decided_at";

fn from_row(row: &Row) -> Outcome<SecondLook> {
    let (verdict, state, status) = second_look_words(row.try_get(12)?, row.try_get(14)?, row.try_get(9)?);
    Ok(SecondLook {
        id: row.try_get(0)?,
        student_name: row.try_get(2)?,
        student_roll_number: row.try_get(3)?,
        sighting: NewAttendance {
            student: StudentId(row.try_get(1)?),
            at: certain_time(row, 4)?,
            day: DayWindow {
                date: row.try_get::<_, Date>(5)?,
                starts_at: certain_time(row, 6)?,
                ends_at: certain_time(row, 7)?,
            },
            period: row.try_get(8)?,
            status,
            confidence_score: row.try_get(10)?,
            camera_location: row.try_get(11)?,
        },
        verdict,
        reasons: reasons_of(row.try_get(13)?),
        state,
        decided_by: row.try_get(15)?,
        decided_at: time(row, 16)?,
    })
}

fn find(db: &mut Transaction<'_>, id: i64) -> Outcome<Option<SecondLook>> {
    let row = db.query_opt(
        &format!("SELECT {LOOK} FROM second_looks l JOIN students s ON s.id = l.student_id WHERE l.id = $1"),
        &[&id],
    )?;
    row.as_ref().map(from_row).transpose()
}

/// The open entry that stands for this sighting: the one of the unique key.
fn open_like(db: &mut Transaction<'_>, new: &NewSecondLook) -> Outcome<Option<SecondLook>> {
    let sighting = &new.sighting;
    let row = db.query_opt(
        &format!(
            "SELECT {LOOK} FROM second_looks l JOIN students s ON s.id = l.student_id
             WHERE l.student_id = $1 AND l.local_day = $2 AND l.period = $3 AND l.verdict = $4 AND l.state = 'open'"
        ),
        &[&sighting.student.0, &sighting.day.date, &sighting.period, &new.verdict.as_str()],
    )?;
    row.as_ref().map(from_row).transpose()
}

pub(super) fn add(db: &mut Transaction<'_>, new: &NewSecondLook) -> Outcome<SecondLooking> {
    let sighting = &new.sighting;
    // Held against marks, which hold the student too: without it, a mark that is not committed yet would not be seen
    // here, and its trigger would not see this entry.
    students::lock(db, sighting.student)?;
    if let Some(record) = standing(db, sighting)? {
        return Ok(SecondLooking::AlreadyMarked(record));
    }
    if let Some(look) = open_like(db, new)? {
        return Ok(SecondLooking::AlreadyOpen(look));
    }
    let made = db.query_one(
        "INSERT INTO second_looks (student_id, seen_at, local_day, day_starts_at, day_ends_at, period, status,
             confidence_score, camera_location, verdict, reasons)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        &[
            &sighting.student.0,
            &micros(sighting.at),
            &sighting.day.date,
            &micros(sighting.day.starts_at),
            &micros(sighting.day.ends_at),
            &sighting.period,
            &sighting.status.as_str(),
            &sighting.confidence_score,
            &sighting.camera_location,
            &new.verdict.as_str(),
            &reasons_text(&new.reasons),
        ],
    )?;
    let look = find(db, made.try_get(0)?)?.ok_or(NO_SECOND_LOOK)?;
    events::second_look(&mut Shared::of(db), &look)?;
    Ok(SecondLooking::Added(look))
}

fn decide(db: &mut Transaction<'_>, id: i64, decision: &SecondLookDecision) -> Outcome<DecidedSecondLook> {
    // The student first, as everybody does who adds or marks: nobody waits for one who waits.
    let row = db.query_opt("SELECT student_id FROM second_looks WHERE id = $1", &[&id])?.ok_or(NO_SECOND_LOOK)?;
    students::lock(db, StudentId(row.try_get(0)?))?;
    let look = find(db, id)?.ok_or(NO_SECOND_LOOK)?;
    must_be_open(&look)?;
    let state = decision.answer.state().as_str();
    // Closed first: the mark settles what is open.
    db.execute(
        "UPDATE second_looks SET state = $2, decided_by = $3, decided_at = $4 WHERE id = $1",
        &[&id, &state, &decision.by, &micros(decision.at)],
    )?;
    let marking = match decision.answer {
        SecondLookAnswer::Confirm => Some(mark(db, &look.sighting)?),
        SecondLookAnswer::Refuse => None,
    };
    Ok(DecidedSecondLook { look: find(db, id)?.ok_or(NO_SECOND_LOOK)?, marking })
}

fn list(db: &mut Transaction<'_>, filter: &SecondLookFilter, page: Page) -> Outcome<Listed<SecondLook>> {
    let mut tests = vec!["true".to_owned()];
    // As a literal, so that the index of the open entries answers.
    tests.extend(filter.state.map(|state| format!("l.state = '{}'", state.as_str())));
    let mut values: Vec<Box<dyn ToSql + Sync>> = Vec::new();
    if let Some(day) = filter.day {
        values.push(Box::new(day));
        tests.push(format!("l.local_day = ${}", values.len()));
    }
    if let Some(student) = filter.student {
        values.push(Box::new(student.0));
        tests.push(format!("l.student_id = ${}", values.len()));
    }
    let from = format!("FROM second_looks l JOIN students s ON s.id = l.student_id WHERE {}", tests.join(" AND "));
    let total = count(&db.query_one(&format!("SELECT count(*) {from}"), &as_params(&values))?, 0)?;
    let rows = db.query(
        &format!("SELECT {LOOK} {from} ORDER BY l.seen_at DESC, l.id DESC LIMIT {} OFFSET {}", page.limit, page.skip),
        &as_params(&values),
    )?;
    Ok(Listed { items: rows.iter().map(from_row).collect::<Outcome<_>>()?, total })
}
