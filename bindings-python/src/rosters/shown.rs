//! Rows of a roster as dictionaries, with the keys that `given` reads.

use faceattend_core::attendance::Period;
use faceattend_core::roster::ArrivalBin;
use faceattend_core::store::{
    CalendarEntry, Excuse, Group, GroupSize, Membership, RosterStudent, TimetableVersion, Withdrawal,
};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::given::UNSAID;
use crate::time::{date, datetime, time};

type Shown<'py> = PyResult<Bound<'py, PyDict>>;

fn moment(py: Python<'_>, at: Option<Timestamp>) -> PyResult<Option<Bound<'_, PyAny>>> {
    at.map(|at| datetime(py, at)).transpose()
}

fn said(at: Timestamp) -> Option<Timestamp> {
    Some(at).filter(|at| *at != UNSAID)
}

fn day(py: Python<'_>, day: Option<Date>) -> PyResult<Option<Bound<'_, PyAny>>> {
    day.map(|day| date(py, day)).transpose()
}

pub(super) fn student<'py>(py: Python<'py>, student: &RosterStudent) -> Shown<'py> {
    let dict = PyDict::new(py);
    dict.set_item("id", student.id.0)?;
    dict.set_item("name", &student.name)?;
    dict.set_item("roll_number", &student.roll_number)?;
    dict.set_item("created_at", datetime(py, student.created_at)?)?;
    Ok(dict)
}

pub(super) fn group<'py>(py: Python<'py>, group: &Group) -> Shown<'py> {
    let dict = PyDict::new(py);
    dict.set_item("id", group.id)?;
    dict.set_item("name", &group.name)?;
    dict.set_item("kind", group.kind.as_str())?;
    dict.set_item("archived_at", moment(py, group.archived_at)?)?;
    dict.set_item("created_at", moment(py, said(group.created_at))?)?;
    dict.set_item("created_by", &group.created_by)?;
    Ok(dict)
}

pub(super) fn group_size<'py>(py: Python<'py>, size: &GroupSize) -> Shown<'py> {
    let dict = PyDict::new(py);
    dict.set_item("group", group(py, &size.group)?)?;
    dict.set_item("members", size.members)?;
    Ok(dict)
}

pub(super) fn membership<'py>(py: Python<'py>, membership: &Membership) -> Shown<'py> {
    let dict = PyDict::new(py);
    dict.set_item("id", membership.id)?;
    dict.set_item("group", membership.group)?;
    dict.set_item("student_id", membership.student.0)?;
    dict.set_item("from_day", date(py, membership.from_day)?)?;
    dict.set_item("until_day", day(py, membership.until_day)?)?;
    Ok(dict)
}

pub(super) fn withdrawal<'py>(py: Python<'py>, withdrawal: &Withdrawal) -> Shown<'py> {
    let dict = PyDict::new(py);
    let from_day = Some(withdrawal.from_day).filter(|day| *day != Withdrawal::BEGINNING);
    dict.set_item("id", withdrawal.id)?;
    dict.set_item("student_id", withdrawal.student.0)?;
    dict.set_item("from_day", day(py, from_day)?)?;
    dict.set_item("until_day", day(py, withdrawal.until_day)?)?;
    dict.set_item("by", &withdrawal.by)?;
    dict.set_item("at", datetime(py, withdrawal.at)?)?;
    Ok(dict)
}

pub(super) fn period<'py>(py: Python<'py>, period: &Period) -> Shown<'py> {
    let clock = |at: Option<Time>| at.map(|at| time(py, at)).transpose();
    let dict = PyDict::new(py);
    dict.set_item("name", period.name())?;
    dict.set_item("begins", time(py, period.begins())?)?;
    dict.set_item("late_after", clock(period.late_after())?)?;
    dict.set_item("check_out_from", clock(period.check_out_from())?)?;
    Ok(dict)
}

pub(super) fn timetable<'py>(py: Python<'py>, version: &TimetableVersion) -> Shown<'py> {
    let dict = PyDict::new(py);
    let weekdays = version.weekdays.to_string();
    dict.set_item("id", version.id)?;
    dict.set_item("group", version.scope.group())?;
    dict.set_item("valid_from", date(py, version.valid_from)?)?;
    dict.set_item("weekdays", weekdays.split(' ').collect::<Vec<_>>())?;
    let periods = version.periods.iter().map(|its| period(py, its));
    dict.set_item("periods", periods.collect::<PyResult<Vec<_>>>()?)?;
    dict.set_item("created_at", datetime(py, version.created_at)?)?;
    dict.set_item("created_by", &version.created_by)?;
    Ok(dict)
}

pub(super) fn calendar_entry<'py>(py: Python<'py>, entry: &CalendarEntry) -> Shown<'py> {
    let dict = PyDict::new(py);
    dict.set_item("id", entry.id)?;
    dict.set_item("group", entry.scope.group())?;
    dict.set_item("kind", entry.kind.as_str())?;
    dict.set_item("name", &entry.name)?;
    dict.set_item("first_day", date(py, entry.first_day)?)?;
    dict.set_item("last_day", date(py, entry.last_day)?)?;
    dict.set_item("created_at", datetime(py, entry.created_at)?)?;
    dict.set_item("created_by", &entry.created_by)?;
    Ok(dict)
}

pub(super) fn excuse<'py>(py: Python<'py>, excuse: &Excuse) -> Shown<'py> {
    let dict = PyDict::new(py);
    dict.set_item("id", excuse.id)?;
    dict.set_item("student_id", excuse.student.0)?;
    dict.set_item("first_day", date(py, excuse.first_day)?)?;
    dict.set_item("last_day", date(py, excuse.last_day)?)?;
    dict.set_item("period", &excuse.period)?;
    dict.set_item("reason", &excuse.reason)?;
    dict.set_item("created_at", moment(py, said(excuse.created_at))?)?;
    dict.set_item("created_by", &excuse.created_by)?;
    dict.set_item("withdrawn_at", moment(py, excuse.withdrawn_at)?)?;
    dict.set_item("withdrawn_by", &excuse.withdrawn_by)?;
    Ok(dict)
}

pub(super) fn arrivals<'py>(py: Python<'py>, (minutes, bins): (u16, Vec<ArrivalBin>)) -> Shown<'py> {
    let bin = |its: &ArrivalBin| {
        let dict = PyDict::new(py);
        dict.set_item("begins", time(py, its.begins)?)?;
        dict.set_item("in_time", its.in_time)?;
        dict.set_item("late", its.late)?;
        PyResult::Ok(dict)
    };
    let dict = PyDict::new(py);
    dict.set_item("minutes", minutes)?;
    dict.set_item("bins", bins.iter().map(bin).collect::<PyResult<Vec<_>>>()?)?;
    Ok(dict)
}
