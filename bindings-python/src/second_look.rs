//! Sightings of people who were not believed to be alive.

use faceattend_core::store::{
    SecondLook as CoreLook, SecondLookAnswer, SecondLookState, SecondLookVerdict, SecondLooking as CoreLooking,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::invalid_input;
use crate::records::AttendanceRecord;
use crate::time::{date, datetime};

/// A sighting of somebody whom a camera recognized and did not believe to be alive. There is no picture of it.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct SecondLook(pub(crate) CoreLook);

#[pymethods]
impl SecondLook {
    /// The key.
    #[getter]
    fn id(&self) -> i64 {
        self.0.id
    }

    /// The id of the student.
    #[getter]
    fn student_id(&self) -> i64 {
        self.0.student().0
    }

    /// The student's name.
    #[getter]
    fn student_name(&self) -> &str {
        &self.0.student_name
    }

    /// The student's roll number.
    #[getter]
    fn student_roll_number(&self) -> &str {
        &self.0.student_roll_number
    }

    /// When the student was seen, in UTC: the time of the mark that a confirmation makes.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.sighting.at)
    }

    /// The site's day.
    #[getter]
    fn day<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        date(py, self.0.sighting.day.date)
    }

    /// The part of the day that is marked once.
    #[getter]
    fn period(&self) -> &str {
        &self.0.sighting.period
    }

    /// ``"Present"`` or ``"Late"``: the status of the mark that a confirmation makes.
    #[getter]
    fn status(&self) -> &'static str {
        self.0.sighting.status.as_str()
    }

    /// The similarity of the match, in [0, 1].
    #[getter]
    fn confidence_score(&self) -> Option<f64> {
        self.0.sighting.confidence_score
    }

    /// The place of the camera.
    #[getter]
    fn camera_location(&self) -> Option<&str> {
        self.0.sighting.camera_location.as_deref()
    }

    /// What the camera thought: ``"undecided"`` or ``"spoof"``.
    #[getter]
    fn verdict(&self) -> &'static str {
        self.0.verdict.as_str()
    }

    /// Why, as stable codes such as ``"few_views"``.
    #[getter]
    fn reasons(&self) -> Vec<String> {
        self.0.reasons.clone()
    }

    /// ``"open"``, ``"confirmed"``, ``"refused"``, or ``"settled"`` where the student was marked otherwise.
    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.as_str()
    }

    /// The name of the person who decided; ``None`` until then.
    #[getter]
    fn decided_by(&self) -> Option<&str> {
        self.0.decided_by.as_deref()
    }

    /// When it was decided, in UTC; ``None`` until then.
    #[getter]
    fn decided_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.decided_at.map(|at| datetime(py, at)).transpose()
    }

    /// Returns the sighting as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("id", self.id())?;
        dict.set_item("student_id", self.student_id())?;
        dict.set_item("student_name", self.student_name())?;
        dict.set_item("student_roll_number", self.student_roll_number())?;
        dict.set_item("timestamp", self.0.sighting.at.to_string())?;
        dict.set_item("day", self.0.sighting.day.date.to_string())?;
        dict.set_item("period", self.period())?;
        dict.set_item("status", self.status())?;
        dict.set_item("confidence_score", self.confidence_score())?;
        dict.set_item("camera_location", self.camera_location())?;
        dict.set_item("verdict", self.verdict())?;
        dict.set_item("reasons", self.reasons())?;
        dict.set_item("state", self.state())?;
        dict.set_item("decided_by", self.decided_by())?;
        dict.set_item("decided_at", self.0.decided_at.map(|at| at.to_string()))?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("SecondLook(id={}, student_id={}, state={:?})", self.0.id, self.0.student(), self.state())
    }
}

/// What came of a sighting for the second-look list. It is true where it is a new entry.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct SecondLooking(pub(crate) CoreLooking);

#[pymethods]
impl SecondLooking {
    /// Whether the entry is new.
    #[getter]
    fn is_new(&self) -> bool {
        matches!(self.0, CoreLooking::Added(_))
    }

    /// The entry, new or open before; ``None`` where the student is marked.
    #[getter]
    fn look(&self) -> Option<SecondLook> {
        match &self.0 {
            CoreLooking::Added(look) | CoreLooking::AlreadyOpen(look) => Some(SecondLook(look.clone())),
            CoreLooking::AlreadyMarked(_) => None,
        }
    }

    /// The row that marks the student; ``None`` where the sighting is on the list.
    #[getter]
    fn record(&self) -> Option<AttendanceRecord> {
        match &self.0 {
            CoreLooking::AlreadyMarked(record) => Some(AttendanceRecord::from(record.clone())),
            CoreLooking::Added(_) | CoreLooking::AlreadyOpen(_) => None,
        }
    }

    fn __bool__(&self) -> bool {
        self.is_new()
    }

    fn __repr__(&self) -> String {
        format!("SecondLooking(is_new={})", self.is_new())
    }
}

/// Returns the state with this code.
pub(crate) fn state(py: Python<'_>, code: &str) -> PyResult<SecondLookState> {
    SecondLookState::from_code(code).ok_or_else(|| {
        let codes = SecondLookState::ALL.map(SecondLookState::as_str).join(", ");
        invalid_input(py, "state", format!("{code:?} is none of {codes}"))
    })
}

/// Returns the verdict with this code.
pub(crate) fn verdict(py: Python<'_>, code: &str) -> PyResult<SecondLookVerdict> {
    match code {
        "undecided" => Ok(SecondLookVerdict::Undecided),
        "spoof" => Ok(SecondLookVerdict::Spoof),
        other => Err(invalid_input(py, "verdict", format!("{other:?} is neither \"undecided\" nor \"spoof\""))),
    }
}

/// Returns the answer with this name.
pub(crate) fn answer(py: Python<'_>, name: &str) -> PyResult<SecondLookAnswer> {
    match name {
        "confirm" => Ok(SecondLookAnswer::Confirm),
        "refuse" => Ok(SecondLookAnswer::Refuse),
        other => Err(invalid_input(py, "answer", format!("{other:?} is neither \"confirm\" nor \"refuse\""))),
    }
}
