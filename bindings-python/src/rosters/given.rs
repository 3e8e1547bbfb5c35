//! Rows of a roster that a program keeps itself, as mappings of Python: their keys are the fields of the core's types.

use std::str::FromStr;

use faceattend_core::attendance::Period;
use faceattend_core::store::{
    CalendarEntry, Excuse, Group, GroupKind, Membership, RosterMark, RosterScope, RosterStudent, TimetableVersion,
    Weekdays, Withdrawal,
};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::invalid_input;
use crate::gil::attached;
use crate::time::{clock, day, moment};

/// When a row was made that does not say it.
pub(crate) const UNSAID: Timestamp = Timestamp::UNIX_EPOCH;

type Given<'a, 'py> = &'a Bound<'py, PyAny>;

/// A mapping of a list, and its place there.
pub(crate) struct Row<'py> {
    list: &'static str,
    at: usize,
    row: Bound<'py, PyAny>,
}

/// Reads each mapping of a list.
pub(crate) fn each<'py, T>(
    list: &'static str,
    rows: Given<'_, 'py>,
    read: impl Fn(&Row<'py>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    let py = rows.py();
    let rows = rows.try_iter().map_err(|_| invalid_input(py, list, "expected an iterable of mappings"))?;
    rows.enumerate().map(|(at, row)| read(&Row { list, at, row: row? })).collect()
}

/// Reads each mapping of a list that may be left out.
pub(crate) fn rows<'py, T>(
    list: &'static str,
    rows: Option<Given<'_, 'py>>,
    read: impl Fn(&Row<'py>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    rows.map_or_else(|| Ok(Vec::new()), |rows| each(list, rows, read))
}

impl<'py> Row<'py> {
    pub(crate) fn wrong(&self, key: &str, reason: impl std::fmt::Display) -> PyErr {
        let Self { list, at, row } = self;
        invalid_input(row.py(), list, format!("{list}[{at}][{key:?}]: {reason}"))
    }

    /// Returns the text that stands in the place of a mapping.
    pub(crate) fn text(&self) -> Option<String> {
        self.row.extract().ok()
    }

    /// Returns the value of a key; `None` where it is not there, or is `None`.
    pub(crate) fn given(&self, key: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = match self.row.cast::<PyDict>() {
            Ok(dict) => dict.get_item(key)?,
            Err(_) => match self.row.getattr("get") {
                Ok(get) => Some(get.call1((key,))?),
                Err(_) => {
                    let reason = format!("{}[{}] is no mapping", self.list, self.at);
                    return Err(invalid_input(self.row.py(), self.list, reason));
                }
            },
        };
        Ok(found.filter(|value| !value.is_none()))
    }

    pub(crate) fn optional<T>(&self, key: &str, read: impl Fn(Given<'_, 'py>) -> PyResult<T>) -> PyResult<Option<T>> {
        let found = self.given(key)?;
        let read = |value| read(&value).map_err(|error| self.wrong(key, error.value(self.row.py())));
        found.map(read).transpose()
    }

    pub(crate) fn wanted<T>(&self, key: &str, read: impl Fn(Given<'_, 'py>) -> PyResult<T>) -> PyResult<T> {
        self.optional(key, read)?.ok_or_else(|| self.wrong(key, "it is missing"))
    }
}

pub(crate) fn whole(value: Given<'_, '_>) -> PyResult<i64> {
    value.extract()
}

pub(crate) fn text(value: Given<'_, '_>) -> PyResult<String> {
    // A translated text of a framework is no `str` until it is asked to be one.
    if value.is_instance_of::<PyString>() { value.extract() } else { value.str()?.extract() }
}

/// Reads a word of the core, such as that of a kind.
pub(crate) fn word<T: FromStr<Err = faceattend_core::Error>>(value: Given<'_, '_>) -> PyResult<T> {
    let word = text(value)?;
    attached(value.py(), || word.parse())
}

pub(crate) fn student_id(value: Given<'_, '_>) -> PyResult<StudentId> {
    whole(value).map(StudentId)
}

/// Reads the days of the week: the first three letters of each, in a text or in a list.
pub(crate) fn weekdays(value: Given<'_, '_>) -> PyResult<Weekdays> {
    let py = value.py();
    if value.is_instance_of::<PyString>() {
        return word(value);
    }
    let days = value.try_iter()?.map(|one| {
        let one = one?;
        match one.extract::<i8>() {
            // As `date.weekday` counts.
            Ok(number) => Weekday::from_monday_zero_offset(number)
                .map_err(|_| invalid_input(py, "timetable", format!("{number} is no day of the week from 0 to 6"))),
            Err(_) => {
                let days: Weekdays = word(&one)?;
                days.iter().next().ok_or_else(|| invalid_input(py, "timetable", "it has no day of the week"))
            }
        }
    });
    let days = days.collect::<PyResult<Vec<_>>>()?;
    attached(py, || Weekdays::new(days))
}

/// Reads periods: each a mapping, or a text such as `morning=07:30/08:15`.
pub(crate) fn periods(value: Given<'_, '_>) -> PyResult<Vec<Period>> {
    let py = value.py();
    let read = |row: &Row<'_>| {
        if let Some(text) = row.text() {
            return attached(py, || text.parse());
        }
        let mut period = Period::new(row.wanted("name", text)?, row.wanted("begins", clock)?);
        if let Some(time) = row.optional("late_after", clock)? {
            period = period.with_late_after(time);
        }
        if let Some(time) = row.optional("check_out_from", clock)? {
            period = period.with_check_out_from(time);
        }
        Ok(period)
    };
    each("periods", value, read)
}

pub(crate) fn student(row: &Row<'_>) -> PyResult<RosterStudent> {
    Ok(RosterStudent {
        id: row.wanted("id", student_id)?,
        name: row.wanted("name", text)?,
        roll_number: row.wanted("roll_number", text)?,
        created_at: row.wanted("created_at", moment)?,
    })
}

pub(crate) fn group(row: &Row<'_>) -> PyResult<Group> {
    Ok(Group {
        id: row.wanted("id", whole)?,
        name: row.wanted("name", text)?,
        kind: row.optional("kind", word)?.unwrap_or(GroupKind::Class),
        archived_at: row.optional("archived_at", moment)?,
        created_at: made(row)?,
        created_by: maker(row)?,
    })
}

pub(crate) fn membership(row: &Row<'_>) -> PyResult<Membership> {
    Ok(Membership {
        id: key(row)?,
        group: row.wanted("group", whole)?,
        student: row.wanted("student_id", student_id)?,
        from_day: row.wanted("from_day", day)?,
        until_day: row.optional("until_day", day)?,
    })
}

pub(crate) fn withdrawal(row: &Row<'_>) -> PyResult<Withdrawal> {
    Ok(Withdrawal {
        id: key(row)?,
        student: row.wanted("student_id", student_id)?,
        // None is the time before a student's first day.
        from_day: row.optional("from_day", day)?.unwrap_or(Withdrawal::BEGINNING),
        until_day: row.optional("until_day", day)?,
        by: row.optional("by", text)?.unwrap_or_default(),
        at: row.optional("at", moment)?.unwrap_or(UNSAID),
    })
}

pub(crate) fn timetable(row: &Row<'_>) -> PyResult<TimetableVersion> {
    Ok(TimetableVersion {
        id: key(row)?,
        scope: scope(row)?,
        valid_from: row.wanted("valid_from", day)?,
        weekdays: row.wanted("weekdays", weekdays)?,
        periods: row.optional("periods", periods)?.unwrap_or_default(),
        created_at: made(row)?,
        created_by: maker(row)?,
    })
}

pub(crate) fn calendar_entry(row: &Row<'_>) -> PyResult<CalendarEntry> {
    let first_day = row.wanted("first_day", day)?;
    Ok(CalendarEntry {
        id: row.wanted("id", whole)?,
        scope: scope(row)?,
        kind: row.wanted("kind", word)?,
        first_day,
        last_day: last_day(row, first_day)?,
        name: row.optional("name", text)?.unwrap_or_default(),
        created_at: made(row)?,
        created_by: maker(row)?,
    })
}

pub(crate) fn excuse(row: &Row<'_>) -> PyResult<Excuse> {
    let first_day = row.wanted("first_day", day)?;
    Ok(Excuse {
        id: row.wanted("id", whole)?,
        student: row.wanted("student_id", student_id)?,
        first_day,
        last_day: last_day(row, first_day)?,
        period: period(row)?,
        reason: row.optional("reason", text)?.unwrap_or_default(),
        created_at: made(row)?,
        created_by: maker(row)?,
        withdrawn_at: row.optional("withdrawn_at", moment)?,
        withdrawn_by: row.optional("withdrawn_by", text)?,
    })
}

pub(crate) fn mark(row: &Row<'_>) -> PyResult<RosterMark> {
    Ok(RosterMark {
        id: row.wanted("id", whole)?,
        student: row.wanted("student_id", student_id)?,
        at: row.wanted("at", moment)?,
        status: row.wanted("status", text)?.into(),
        day: row.optional("day", day)?,
        period: period(row)?.map(Into::into),
        checked_out_at: row.optional("checked_out_at", moment)?,
        is_corrected: row.optional("is_corrected", PyAnyMethods::is_truthy)?.unwrap_or(false),
    })
}

/// The key of a row that no rule looks at.
fn key(row: &Row<'_>) -> PyResult<i64> {
    Ok(row.optional("id", whole)?.unwrap_or_default())
}

fn made(row: &Row<'_>) -> PyResult<Timestamp> {
    Ok(row.optional("created_at", moment)?.unwrap_or(UNSAID))
}

fn maker(row: &Row<'_>) -> PyResult<String> {
    Ok(row.optional("created_by", text)?.unwrap_or_default())
}

fn scope(row: &Row<'_>) -> PyResult<RosterScope> {
    row.optional("group", whole).map(RosterScope::of)
}

/// The period; none where it is not said, and where a form left it empty.
fn period(row: &Row<'_>) -> PyResult<Option<String>> {
    Ok(row.optional("period", text)?.filter(|name| !name.is_empty()))
}

fn last_day(row: &Row<'_>, first_day: Date) -> PyResult<Date> {
    Ok(row.optional("last_day", day)?.unwrap_or(first_day))
}
