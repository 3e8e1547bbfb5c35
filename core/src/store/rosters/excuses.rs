//! Excuses of students.

use jiff::Timestamp;

use super::super::limits::{self, fits, is_blank};
use super::super::outbox::statements::{Cells, values};
use super::super::portable::{Kind, Value};
use super::super::{Excuse, ExcuseFilter, NewExcuse};
use super::calendar::span_fits;
use super::changes::must_be_there;
use super::database::RosterDatabase;
use crate::error::{Error, Result};
use crate::types::StudentId;

const NO_EXCUSE: Error = Error::NotFound { what: "excuse" };

const EXCUSE: &str = "id, student_id, first_day, last_day, period, reason, created_at, created_by, withdrawn_at,
    withdrawn_by";
const KINDS: [Kind; 10] = [
    Kind::Int,
    Kind::Int,
    Kind::Date,
    Kind::Date,
    Kind::Text,
    Kind::Text,
    Kind::Micros,
    Kind::Text,
    Kind::Micros,
    Kind::Text,
];

fn excuse_of(row: &Cells) -> Excuse {
    Excuse {
        id: row.int(0),
        student: StudentId(row.int(1)),
        first_day: row.date(2),
        last_day: row.date(3),
        period: row.maybe_text(4),
        reason: row.text(5),
        created_at: row.time(6),
        created_by: row.text(7),
        withdrawn_at: row.maybe_time(8),
        withdrawn_by: row.maybe_text(9),
    }
}

/// The excuses that pass a test in SQL.
pub(super) fn which<D: RosterDatabase>(db: &mut D, test: &str, values: &[Value]) -> Result<Vec<Excuse>, D::Fault> {
    let query = format!("SELECT {EXCUSE} FROM excuses WHERE {test} ORDER BY first_day, id");
    Ok(db.rows(&query, values, &KINDS)?.iter().map(excuse_of).collect())
}

pub(in crate::store) fn list<D: RosterDatabase>(db: &mut D, filter: &ExcuseFilter) -> Result<Vec<Excuse>, D::Fault> {
    let asked = [
        ("student_id =", filter.student.map(|student| Value::from(student.0))),
        ("last_day >=", filter.from.map(Value::from)),
        ("first_day <=", filter.to.map(Value::from)),
    ];
    let (mut tests, mut values) = (vec!["1 = 1".to_owned()], Vec::new());
    for (test, value) in asked {
        if let Some(value) = value {
            values.push(value);
            tests.push(format!("{test} ${}", values.len()));
        }
    }
    which(db, &tests.join(" AND "), &values)
}

pub(in crate::store) fn find<D: RosterDatabase>(db: &mut D, id: i64) -> Result<Option<Excuse>, D::Fault> {
    Ok(which(db, "id = $1", values![id])?.pop())
}

pub(in crate::store) fn add<D: RosterDatabase>(db: &mut D, new: &NewExcuse) -> Result<Excuse, D::Fault> {
    span_fits("excuse", new.first_day, new.last_day)?;
    if is_blank(&new.reason) || is_blank(&new.by) {
        return Err(Error::invalid_input("excuse", "it must say why, and who noted it").into());
    }
    fits("reason of an excuse", &new.reason, limits::REASON)?;
    fits("name of who notes an excuse", &new.by, limits::PERSON)?;
    if let Some(period) = &new.period {
        fits("period", period, limits::PERIOD)?;
    }
    db.hold_roster()?;
    must_be_there(db, new.student)?;
    let made = db.rows(
        "INSERT INTO excuses (student_id, first_day, last_day, period, reason, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        values![
            new.student.0,
            new.first_day,
            new.last_day,
            new.period.as_deref(),
            new.reason.as_str(),
            new.at,
            new.by.as_str()
        ],
        &[Kind::Int],
    )?;
    db.tell_roster()?;
    let id = made.first().map_or(0, |row| row.int(0));
    Ok(find(db, id)?.ok_or(NO_EXCUSE)?)
}

pub(in crate::store) fn withdraw<D: RosterDatabase>(
    db: &mut D,
    id: i64,
    by: &str,
    now: Timestamp,
) -> Result<Excuse, D::Fault> {
    if is_blank(by) {
        return Err(Error::invalid_input("excuse", "it must say who withdraws it").into());
    }
    fits("name of who withdraws an excuse", by, limits::PERSON)?;
    db.hold_roster()?;
    let excuse = find(db, id)?.ok_or(NO_EXCUSE)?;
    if let Some(who) = excuse.withdrawn_by {
        return Err(Error::State { what: "excuse", reason: format!("is withdrawn already, by {who}") }.into());
    }
    db.run("UPDATE excuses SET withdrawn_at = $2, withdrawn_by = $3 WHERE id = $1", values![id, now, by])?;
    db.tell_roster()?;
    Ok(find(db, id)?.ok_or(NO_EXCUSE)?)
}
