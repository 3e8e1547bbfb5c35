//! Holidays and extra days.

use jiff::civil::Date;

use super::super::limits::{self, fits, has_no_control_character, is_blank};
use super::super::outbox::statements::{Cells, values};
use super::super::portable::{Kind, Value};
use super::super::{CalendarEntry, CalendarKind, NewCalendarEntry, RosterScope};
use super::database::RosterDatabase;
use super::groups::{must_be_at_work, person_fits};
use crate::error::{Error, Result};

const NO_ENTRY: Error = Error::NotFound { what: "calendar entry" };

const KINDS: [Kind; 8] =
    [Kind::Int, Kind::Int, Kind::Text, Kind::Date, Kind::Date, Kind::Text, Kind::Micros, Kind::Text];

fn entry_of(row: &Cells) -> CalendarEntry {
    CalendarEntry {
        id: row.int(0),
        scope: RosterScope::of(row.maybe_int(1)),
        kind: row.text(2).parse().unwrap_or(CalendarKind::Holiday),
        first_day: row.date(3),
        last_day: row.date(4),
        name: row.text(5),
        created_at: row.time(6),
        created_by: row.text(7),
    }
}

fn which<D: RosterDatabase>(db: &mut D, test: &str, values: &[Value]) -> Result<Vec<CalendarEntry>, D::Fault> {
    let query = format!(
        "SELECT id, group_id, kind, first_day, last_day, name, created_at, created_by FROM calendar_entries
         WHERE {test} ORDER BY first_day, id"
    );
    Ok(db.rows(&query, values, &KINDS)?.iter().map(entry_of).collect())
}

pub(in crate::store) fn between<D: RosterDatabase>(
    db: &mut D,
    first: Date,
    last: Date,
) -> Result<Vec<CalendarEntry>, D::Fault> {
    which(db, "last_day >= $1 AND first_day <= $2", values![first, last])
}

/// Checks that a span of days does not end before it begins.
pub(super) fn span_fits(what: &'static str, first: Date, last: Date) -> Result<()> {
    if last < first {
        return Err(Error::invalid_input(what, format!("its last day {last} is before its first day {first}")));
    }
    Ok(())
}

pub(in crate::store) fn add<D: RosterDatabase>(db: &mut D, new: &NewCalendarEntry) -> Result<CalendarEntry, D::Fault> {
    span_fits("calendar entry", new.first_day, new.last_day)?;
    if is_blank(&new.name) {
        return Err(Error::invalid_input("calendar entry", "it has no name").into());
    }
    has_no_control_character("name of a calendar entry", &new.name)?;
    fits("name of a calendar entry", &new.name, limits::CALENDAR_NAME)?;
    person_fits(&new.by)?;
    db.hold_roster()?;
    if let RosterScope::Group(id) = new.scope {
        must_be_at_work(db, id)?;
    }
    let made = db.rows(
        "INSERT INTO calendar_entries (group_id, kind, first_day, last_day, name, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        values![
            new.scope.group(),
            new.kind.as_str(),
            new.first_day,
            new.last_day,
            new.name.trim(),
            new.at,
            new.by.as_str()
        ],
        &[Kind::Int],
    )?;
    db.tell_roster()?;
    let id = made.first().map_or(0, |row| row.int(0));
    Ok(which(db, "id = $1", values![id])?.pop().ok_or(NO_ENTRY)?)
}

pub(in crate::store) fn remove<D: RosterDatabase>(db: &mut D, id: i64) -> Result<CalendarEntry, D::Fault> {
    db.hold_roster()?;
    let entry = which(db, "id = $1", values![id])?.pop().ok_or(NO_ENTRY)?;
    db.run("DELETE FROM calendar_entries WHERE id = $1", values![id])?;
    db.tell_roster()?;
    Ok(entry)
}
