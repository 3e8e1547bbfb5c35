//! Versions of timetables.

use jiff::civil::Date;

use super::super::limits::fits;
use super::super::outbox::statements::{Cells, values};
use super::super::portable::Kind;
use super::super::{NewTimetable, RosterScope, TimetableVersion, Weekdays};
use super::database::RosterDatabase;
use super::groups::{must_be_at_work, person_fits};
use crate::error::{Error, Result};

const NO_TIMETABLE: Error = Error::NotFound { what: "timetable" };

const KINDS: [Kind; 7] = [Kind::Int, Kind::Int, Kind::Date, Kind::Text, Kind::Text, Kind::Micros, Kind::Text];

fn version_of(row: &Cells) -> TimetableVersion {
    TimetableVersion {
        id: row.int(0),
        scope: RosterScope::of(row.maybe_int(1)),
        valid_from: row.date(2),
        // What nobody wrote here is what holds where nobody has said anything.
        weekdays: row.text(3).parse().unwrap_or(Weekdays::MONDAY_TO_FRIDAY),
        periods: serde_json::from_str(&row.text(4)).unwrap_or_default(),
        created_at: row.time(5),
        created_by: row.text(6),
    }
}

pub(in crate::store) fn all<D: RosterDatabase>(db: &mut D) -> Result<Vec<TimetableVersion>, D::Fault> {
    let query = "SELECT id, group_id, valid_from, weekdays, periods, created_at, created_by FROM timetables
        ORDER BY COALESCE(group_id, 0), valid_from";
    Ok(db.rows(query, &[], &KINDS)?.iter().map(version_of).collect())
}

pub(in crate::store) fn set<D: RosterDatabase>(
    db: &mut D,
    new: &NewTimetable,
    today: Date,
) -> Result<TimetableVersion, D::Fault> {
    person_fits(&new.by)?;
    for period in new.periods() {
        fits("period", period.name(), super::super::limits::PERIOD)?;
    }
    db.hold_roster()?;
    if let RosterScope::Group(id) = new.scope {
        must_be_at_work(db, id)?;
    }
    let there: Vec<_> = all(db)?.into_iter().filter(|version| version.scope == new.scope).collect();
    if new.valid_from < today && !there.is_empty() {
        let reason = format!("past days keep the timetable that they had: let it begin on {today} or later");
        return Err(Error::State { what: "timetable", reason }.into());
    }
    let periods = serde_json::to_string(new.periods())
        .map_err(|error| Error::Internal { reason: format!("no JSON: {error}") })?;
    if let Some(same) = there.iter().find(|version| version.valid_from == new.valid_from) {
        db.run("DELETE FROM timetables WHERE id = $1", values![same.id])?;
    }
    let made = db.rows(
        "INSERT INTO timetables (group_id, valid_from, weekdays, periods, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        values![new.scope.group(), new.valid_from, new.weekdays.to_string(), periods, new.at, new.by.as_str()],
        &[Kind::Int],
    )?;
    db.tell_roster()?;
    let id = made.first().map_or(0, |row| row.int(0));
    Ok(all(db)?.into_iter().find(|version| version.id == id).ok_or(NO_TIMETABLE)?)
}

pub(in crate::store) fn remove<D: RosterDatabase>(
    db: &mut D,
    id: i64,
    today: Date,
) -> Result<TimetableVersion, D::Fault> {
    db.hold_roster()?;
    let version = all(db)?.into_iter().find(|version| version.id == id).ok_or(NO_TIMETABLE)?;
    if version.valid_from <= today {
        let reason = format!("it holds since {}: make another one that begins later", version.valid_from);
        return Err(Error::State { what: "timetable", reason }.into());
    }
    db.run("DELETE FROM timetables WHERE id = $1", values![id])?;
    db.tell_roster()?;
    Ok(version)
}
