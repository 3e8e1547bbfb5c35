//! The rows of a store: students, marks, what an erasure erased and what a merge moved.

use faceattend_core::store::{
    AttendanceRecord as CoreRecord, Erasure as CoreErasure, Merged as CoreMerged, Student as CoreStudent,
};
use faceattend_core::types::ModelId;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::time::{date, datetime};

/// A student of the store, without the face.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Student(pub(crate) CoreStudent);

#[pymethods]
impl Student {
    /// The key.
    #[getter]
    fn id(&self) -> i64 {
        self.0.id.0
    }

    /// The name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The roll number; no two students have the same.
    #[getter]
    fn roll_number(&self) -> &str {
        &self.0.roll_number
    }

    /// Whether a liveness session proved the stored face.
    #[getter]
    fn liveness_verified(&self) -> bool {
        self.0.liveness_verified
    }

    /// The score of that session, in [0, 1]; 0 without one.
    #[getter]
    fn liveness_confidence_score(&self) -> f64 {
        self.0.liveness_confidence_score
    }

    /// When that session was, in UTC; ``None`` without one.
    #[getter]
    fn liveness_verification_date<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.liveness_verification_date.map(|at| datetime(py, at)).transpose()
    }

    /// Whether the student has a stored face.
    #[getter]
    fn has_face(&self) -> bool {
        self.0.has_face
    }

    /// The model of the stored embedding; ``None`` without one, and for one that the existing service made.
    #[getter]
    fn model(&self) -> Option<&str> {
        self.0.model.as_ref().map(ModelId::as_str)
    }

    /// When the row was made, in UTC.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.created_at)
    }

    /// When the row was last changed, in UTC; ``None`` until then.
    #[getter]
    fn updated_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.updated_at.map(|at| datetime(py, at)).transpose()
    }

    /// Returns the student as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("id", self.id())?;
        dict.set_item("name", self.name())?;
        dict.set_item("roll_number", self.roll_number())?;
        dict.set_item("liveness_verified", self.liveness_verified())?;
        dict.set_item("liveness_confidence_score", self.liveness_confidence_score())?;
        dict.set_item("model", self.model())?;
        dict.set_item("created_at", self.0.created_at.to_string())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Student(id={}, roll_number={:?})", self.0.id, self.0.roll_number)
    }
}

/// A mark of attendance.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct AttendanceRecord(CoreRecord);

impl From<CoreRecord> for AttendanceRecord {
    fn from(record: CoreRecord) -> Self {
        Self(record)
    }
}

#[pymethods]
impl AttendanceRecord {
    /// The key.
    #[getter]
    fn id(&self) -> i64 {
        self.0.id
    }

    /// The id of the student.
    #[getter]
    fn student_id(&self) -> i64 {
        self.0.student.0
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

    /// When the student was seen, in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.timestamp)
    }

    /// ``"Present"`` or ``"Late"``.
    #[getter]
    fn status(&self) -> &str {
        &self.0.status
    }

    /// The similarity of the match, in [0, 1].
    #[getter]
    fn confidence_score(&self) -> Option<f64> {
        self.0.confidence_score
    }

    /// The place of the camera.
    #[getter]
    fn camera_location(&self) -> Option<&str> {
        self.0.camera_location.as_deref()
    }

    /// The site's day.
    #[getter]
    fn local_day<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.local_day.map(|day| date(py, day)).transpose()
    }

    /// When the row was made, in UTC.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.created_at)
    }

    /// Returns the mark as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("id", self.id())?;
        dict.set_item("student_id", self.student_id())?;
        dict.set_item("student_name", self.student_name())?;
        dict.set_item("student_roll_number", self.student_roll_number())?;
        dict.set_item("timestamp", self.0.timestamp.to_string())?;
        dict.set_item("status", self.status())?;
        dict.set_item("confidence_score", self.confidence_score())?;
        dict.set_item("camera_location", self.camera_location())?;
        dict.set_item("local_day", self.0.local_day.map(|day| day.to_string()))?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("AttendanceRecord(student_id={}, timestamp={})", self.0.student, self.0.timestamp)
    }
}

/// What an erasure erased.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Erasure(pub(crate) CoreErasure);

#[pymethods]
impl Erasure {
    /// The student as it was.
    #[getter]
    fn student(&self) -> Student {
        Student(self.0.student.clone())
    }

    /// How many templates are gone.
    #[getter]
    fn templates(&self) -> u64 {
        self.0.templates
    }

    /// How many liveness sessions are gone.
    #[getter]
    fn sessions(&self) -> u64 {
        self.0.sessions
    }

    /// How many attendance rows are gone.
    #[getter]
    fn marks_deleted(&self) -> u64 {
        self.0.marks_deleted
    }

    /// How many attendance rows stayed, without a name.
    #[getter]
    fn marks_anonymized(&self) -> u64 {
        self.0.marks_anonymised
    }

    /// How many entries of the second-look list are gone.
    #[getter]
    fn second_looks(&self) -> u64 {
        self.0.second_looks
    }

    /// Returns the erasure as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("student", self.student().to_dict(py)?)?;
        dict.set_item("templates", self.templates())?;
        dict.set_item("sessions", self.sessions())?;
        dict.set_item("marks_deleted", self.marks_deleted())?;
        dict.set_item("marks_anonymized", self.marks_anonymized())?;
        dict.set_item("second_looks", self.second_looks())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Erasure(student_id={}, templates={})", self.0.student.id, self.0.templates)
    }
}

/// What a merge of two records moved and erased.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Merged(pub(crate) CoreMerged);

#[pymethods]
impl Merged {
    /// The student who stayed, as it is now.
    #[getter]
    fn student(&self) -> Student {
        Student(self.0.student.clone())
    }

    /// What was erased with the other record. ``marks_deleted`` counts the later one of two marks of one period.
    #[getter]
    fn erasure(&self) -> Erasure {
        Erasure(self.0.erasure.clone())
    }

    /// How many attendance rows are the student's now.
    #[getter]
    fn marks_moved(&self) -> u64 {
        self.0.marks_moved
    }

    /// How many corrections were moved from a row that is gone to the one that stayed.
    #[getter]
    fn corrections_moved(&self) -> u64 {
        self.0.corrections_moved
    }

    /// How many entries of the second-look list are the student's now.
    #[getter]
    fn second_looks_moved(&self) -> u64 {
        self.0.second_looks_moved
    }

    /// Whether the face is that of the record that was erased.
    #[getter]
    fn took_face(&self) -> bool {
        self.0.took_face
    }

    /// Whether the consent is.
    #[getter]
    fn took_consent(&self) -> bool {
        self.0.took_consent
    }

    /// Returns the merge as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("student", self.student().to_dict(py)?)?;
        dict.set_item("erasure", self.erasure().to_dict(py)?)?;
        dict.set_item("marks_moved", self.marks_moved())?;
        dict.set_item("corrections_moved", self.corrections_moved())?;
        dict.set_item("second_looks_moved", self.second_looks_moved())?;
        dict.set_item("took_face", self.took_face())?;
        dict.set_item("took_consent", self.took_consent())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Merged(student_id={}, other_student_id={})", self.0.student.id, self.0.erasure.student.id)
    }
}
