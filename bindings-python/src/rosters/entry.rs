//! What is derived of a roster: how somebody attended, sums of it, and what a day is.

use faceattend_core::attendance::Period;
use faceattend_core::roster::{DayKind, DayPlan as CorePlan, DayStatus, Entry, StatusCounts as CoreCounts};
use faceattend_core::store::Excuse;
use jiff::Timestamp;
use jiff::civil::Date;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::shown;
use crate::error::invalid_input;
use crate::time::{date, datetime};

const STATUSES: [DayStatus; 6] = [
    DayStatus::Present,
    DayStatus::Late,
    DayStatus::LeftEarly,
    DayStatus::Excused,
    DayStatus::Absent,
    DayStatus::Pending,
];

/// Returns the status with this name.
pub(super) fn status(py: Python<'_>, name: &str) -> PyResult<DayStatus> {
    STATUSES.into_iter().find(|status| status.as_str() == name).ok_or_else(|| {
        let known = STATUSES.map(DayStatus::as_str).join(", ");
        invalid_input(py, "status", format!("{name:?} is none of {known}"))
    })
}

/// How a student attended a period of a day in which the student was expected.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct RosterEntry {
    student_id: i64,
    name: String,
    roll_number: String,
    day: Date,
    period: String,
    status: DayStatus,
    at: Option<Timestamp>,
    excuse: Option<Excuse>,
}

impl RosterEntry {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        Self {
            student_id: entry.student.id.0,
            name: entry.student.name.clone(),
            roll_number: entry.student.roll_number.clone(),
            day: entry.day,
            period: entry.period.name().to_owned(),
            status: entry.status,
            at: entry.mark.map(|mark| mark.at),
            excuse: entry.excuse.cloned(),
        }
    }
}

#[pymethods]
impl RosterEntry {
    /// The id of the student.
    #[getter]
    fn student_id(&self) -> i64 {
        self.student_id
    }

    /// The student's name.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The student's roll number.
    #[getter]
    fn roll_number(&self) -> &str {
        &self.roll_number
    }

    /// The day.
    #[getter]
    fn day<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        date(py, self.day)
    }

    /// The period; ``"day"`` of a day that is marked once.
    #[getter]
    fn period(&self) -> &str {
        &self.period
    }

    /// ``"Present"``, ``"Late"``, ``"LeftEarly"``, ``"Excused"``, ``"Absent"``, or ``"Pending"`` for who is not there
    /// yet, and not late yet.
    #[getter]
    fn status(&self) -> &'static str {
        self.status.as_str()
    }

    /// When the student was marked, in UTC; ``None`` without a mark.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.at.map(|at| datetime(py, at)).transpose()
    }

    /// The excuse of one who was not there, as ``Rosters.excuses`` returns it; ``None`` without one. Its reason may
    /// tell of an illness.
    #[getter]
    fn excuse<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.excuse.as_ref().map(|excuse| shown::excuse(py, excuse)).transpose()
    }

    /// Returns the entry as a dictionary that ``json.dumps`` takes, without the excuse.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("student_id", self.student_id)?;
        dict.set_item("name", &self.name)?;
        dict.set_item("roll_number", &self.roll_number)?;
        dict.set_item("day", self.day.to_string())?;
        dict.set_item("period", &self.period)?;
        dict.set_item("status", self.status())?;
        dict.set_item("at", self.at.map(|at| at.to_string()))?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("RosterEntry(student_id={}, day={}, status={:?})", self.student_id, self.day, self.status())
    }
}

/// How many of those who were expected came, and how: each student once for each period of each day.
#[pyclass(module = "faceattend", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct StatusCounts(pub(super) CoreCounts);

#[pymethods]
impl StatusCounts {
    /// In time.
    #[getter]
    fn present(&self) -> u64 {
        self.0.present
    }

    /// Late.
    #[getter]
    fn late(&self) -> u64 {
        self.0.late
    }

    /// Gone before the end.
    #[getter]
    fn left_early(&self) -> u64 {
        self.0.left_early
    }

    /// Not there, and excused.
    #[getter]
    fn excused(&self) -> u64 {
        self.0.excused
    }

    /// Not there.
    #[getter]
    fn absent(&self) -> u64 {
        self.0.absent
    }

    /// Expected, and not late yet.
    #[getter]
    fn pending(&self) -> u64 {
        self.0.pending
    }

    /// How many were expected.
    #[getter]
    fn expected(&self) -> u64 {
        self.0.expected()
    }

    /// How many came, in time or not, and stayed or not.
    #[getter]
    fn came(&self) -> u64 {
        self.0.came()
    }

    /// The part of those expected who came, from 0 to 1. An excused absence is an absence; who may still come is left
    /// out. ``None`` where nobody is left.
    #[getter]
    fn rate(&self) -> Option<f64> {
        self.0.rate()
    }

    /// Returns ``count`` as a part of those expected, without those who may still come; ``None`` where nobody is left.
    fn part(&self, count: u64) -> Option<f64> {
        self.0.part(count)
    }

    /// Returns the counts as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("present", self.present())?;
        dict.set_item("late", self.late())?;
        dict.set_item("left_early", self.left_early())?;
        dict.set_item("excused", self.excused())?;
        dict.set_item("absent", self.absent())?;
        dict.set_item("pending", self.pending())?;
        dict.set_item("expected", self.expected())?;
        dict.set_item("came", self.came())?;
        dict.set_item("rate", self.rate())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("StatusCounts(came={}, expected={})", self.came(), self.expected())
    }
}

/// What a day is for the site, a group or a student.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct DayPlan {
    kind: DayKind,
    name: Option<String>,
    periods: Vec<Period>,
}

impl DayPlan {
    pub(super) fn of(plan: &CorePlan<'_>) -> Self {
        Self { kind: plan.kind, name: plan.name.map(str::to_owned), periods: plan.periods.to_vec() }
    }
}

#[pymethods]
impl DayPlan {
    /// ``"school"`` where people are expected, else ``"holiday"``, or ``"free"`` for a day of the week without school.
    #[getter]
    fn kind(&self) -> &'static str {
        self.kind.as_str()
    }

    /// The name in the calendar, such as that of the holiday; ``None`` without an entry.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The periods in order, also of a day without school: one named ``"day"`` where the day is marked once.
    #[getter]
    fn periods<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.periods.iter().map(|period| shown::period(py, period)).collect()
    }

    fn __repr__(&self) -> String {
        format!("DayPlan(kind={:?})", self.kind())
    }
}
