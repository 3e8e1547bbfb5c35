//! What `faceattend.contrib.django` asks of the core for the rows that it keeps: nothing here is public.

use faceattend_core::attendance::{Period, Timetables};
use faceattend_core::roster::StatusCounts as CoreCounts;
use faceattend_core::store::Weekdays;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::days::RosterDays;
use super::entry::{StatusCounts, status};
use super::{given, shown};
use crate::attendance::AttendancePolicy;
use crate::gil::attached;
use crate::time::{Day, moment};

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(own_place, module)?)?;
    module.add_function(wrap_pyfunction!(timetable_periods, module)?)?;
    module.add_function(wrap_pyfunction!(period_now, module)?)?;
    module.add_function(wrap_pyfunction!(count_statuses, module)?)
}

/// Returns where a moment lies in the timetable of somebody who is in these groups: the period, how an arrival counts,
/// and whether a marked person who is seen is leaving.
#[pyfunction]
fn own_place(
    py: Python<'_>,
    policy: &AttendancePolicy,
    timetables: &Bound<'_, PyAny>,
    groups: Vec<i64>,
    at: &Bound<'_, PyAny>,
) -> PyResult<(String, &'static str, bool)> {
    let (policy, at) = (&policy.inner, moment(at)?);
    let versions = given::each("timetables", timetables, given::timetable)?;
    attached(py, || {
        let timetables = Timetables::new(versions, policy);
        let own = timetables.on(groups, policy.day(at)?.date);
        Ok((own.period(policy, at).to_owned(), own.status(policy, at).as_str(), own.checks_out(policy, at)))
    })
}

/// Returns the periods of a timetable that is to be kept, in order.
#[pyfunction]
fn timetable_periods<'py>(
    py: Python<'py>,
    policy: &AttendancePolicy,
    weekdays: &str,
    periods: &Bound<'py, PyAny>,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let periods = given::periods(periods)?;
    let periods = attached(py, || {
        weekdays.parse::<Weekdays>()?;
        Period::in_order(periods, policy.inner.day_boundary())
    })?;
    periods.iter().map(|period| shown::period(py, period)).collect()
}

/// Returns the name of the period that is now, on the day that is now, for the site, a group or a student: the last one
/// that has begun. On every other day it is the first one.
#[pyfunction]
#[pyo3(signature = (days, day, *, group=None, student_id=None))]
fn period_now(days: &RosterDays, day: Day, group: Option<i64>, student_id: Option<i64>) -> Option<String> {
    days.period_now(day.date(), group, student_id)
}

/// Returns how many of these statuses there are of each kind.
#[pyfunction]
fn count_statuses(py: Python<'_>, statuses: Vec<String>) -> PyResult<StatusCounts> {
    let mut counts = CoreCounts::default();
    for name in &statuses {
        counts.add(status(py, name)?);
    }
    Ok(StatusCounts(counts))
}
