//! Changes of a roster, and what became of them.

use faceattend_core::store::{GroupKind, GroupRef, RosterChange, RosterChanged, RosterOutcome, StudentRef};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::civil::Date;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::given::{self, Row, text, whole, word};
use crate::error::exception;
use crate::time::day;

/// Reads changes: mappings that say in `change` what they are. A day that may be left out is `today`.
pub(super) fn read(changes: &Bound<'_, PyAny>, today: Date) -> PyResult<Vec<RosterChange>> {
    given::each("changes", changes, |row| change(row, today))
}

fn change(row: &Row<'_>, today: Date) -> PyResult<RosterChange> {
    let student = || row.wanted("student", student);
    let group = || row.wanted("group", self::group);
    let from_day = || Ok::<_, PyErr>(row.optional("from_day", day)?.unwrap_or(today));
    let until_day = || row.optional("until_day", day);
    Ok(match row.wanted("change", text)?.as_str() {
        "student" => {
            RosterChange::Student { roll_number: row.wanted("roll_number", text)?, name: row.wanted("name", text)? }
        }
        "group" => RosterChange::Group {
            name: row.wanted("name", text)?,
            kind: row.optional("kind", word)?.unwrap_or(GroupKind::Class),
        },
        "join" => {
            let (student, group, from_day) = (student()?, group()?, from_day()?);
            RosterChange::Join { student, group, from_day, until_day: until_day()? }
        }
        "leave" => {
            RosterChange::Leave { student: student()?, group: group()?, until_day: until_day()?.unwrap_or(today) }
        }
        "redate" => RosterChange::Redate {
            membership: row.wanted("membership", whole)?,
            from_day: row.wanted("from_day", day)?,
            until_day: until_day()?,
        },
        "withdraw" => RosterChange::Withdraw { student: student()?, from_day: from_day()? },
        "readmit" => RosterChange::Readmit { student: student()?, from_day: from_day()? },
        "first_day" => RosterChange::FirstDay { student: student()?, day: row.wanted("day", day)? },
        other => {
            let known = "student, group, join, leave, redate, withdraw, readmit, first_day";
            return Err(row.wrong("change", format!("{other:?} is none of {known}")));
        }
    })
}

/// A student by the key, or by the roll number.
fn student(value: &Bound<'_, PyAny>) -> PyResult<StudentRef> {
    if value.is_instance_of::<PyString>() {
        return text(value).map(StudentRef::RollNumber);
    }
    whole(value).map(|id| StudentRef::Id(StudentId(id)))
}

/// A group by the key, or by the name.
pub(super) fn group(value: &Bound<'_, PyAny>) -> PyResult<GroupRef> {
    if value.is_instance_of::<PyString>() { text(value).map(GroupRef::Name) } else { whole(value).map(GroupRef::Id) }
}

fn changed_word(changed: RosterChanged) -> &'static str {
    match changed {
        RosterChanged::Created => "created",
        RosterChanged::Changed => "changed",
        RosterChanged::Unchanged => "unchanged",
    }
}

/// The answer about several changes.
pub(super) fn shown(py: Python<'_>, outcome: RosterOutcome) -> PyResult<Bound<'_, PyDict>> {
    let (word, changed, refused) = match outcome {
        RosterOutcome::Done(changed) => ("done", changed, Vec::new()),
        RosterOutcome::Refused(refused) => ("refused", Vec::new(), refused),
    };
    let why = |(place, error): (usize, Error)| {
        let dict = PyDict::new(py);
        dict.set_item("place", place)?;
        dict.set_item("error", exception(py, &error))?;
        PyResult::Ok(dict)
    };
    let dict = PyDict::new(py);
    dict.set_item("outcome", word)?;
    dict.set_item("changed", changed.into_iter().map(changed_word).collect::<Vec<_>>())?;
    dict.set_item("refused", refused.into_iter().map(why).collect::<PyResult<Vec<_>>>()?)?;
    Ok(dict)
}

/// The answer about a single change.
///
/// # Errors
/// Why it cannot be made.
pub(super) fn single(outcome: RosterOutcome) -> Result<&'static str> {
    let nothing = || Error::Internal { reason: "a change of a roster has no outcome".into() };
    match outcome {
        RosterOutcome::Done(changed) => changed.first().map(|its| changed_word(*its)).ok_or_else(nothing),
        RosterOutcome::Refused(refused) => Err(refused.into_iter().next().map_or_else(nothing, |(_, error)| error)),
    }
}
