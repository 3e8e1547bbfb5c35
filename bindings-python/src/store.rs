//! The database, opened at its first use in each process.

use std::ffi::CStr;
use std::path::PathBuf;
use std::sync::Arc;

use faceattend_core::enrolment::Registry;
use faceattend_core::recognition::load_gallery;
use faceattend_core::store::{
    AttendanceRecord as CoreRecord, Erasure as CoreErasure, MarksOfErased, Page, Store as CoreStore, StoreLocation,
    StoredEmbedding, Student as CoreStudent, StudentChange, TemplateKeys,
};
use faceattend_core::types::{ModelId, StudentId};
use jiff::Timestamp;
use pyo3::exceptions::PyDeprecationWarning;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::embedding::Embedding;
use crate::engine::Engine;
use crate::error::invalid_input;
use crate::gallery::{Gallery, templates_of};
use crate::gil::{attached, detached};
use crate::per_process::PerProcess;
use crate::time::{date, datetime};

/// A student of the store, without the face.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Student(CoreStudent);

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
pub(crate) struct Erasure(CoreErasure);

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

    /// Returns the erasure as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("student", self.student().to_dict(py)?)?;
        dict.set_item("templates", self.templates())?;
        dict.set_item("sessions", self.sessions())?;
        dict.set_item("marks_deleted", self.marks_deleted())?;
        dict.set_item("marks_anonymized", self.marks_anonymized())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Erasure(student_id={}, templates={})", self.0.student.id, self.0.templates)
    }
}

/// Students, templates and attendance in a database: the one that the reference server uses.
///
/// It is opened at its first use in each process. Tables, and the file of a SQLite database, are created when they are
/// not there. Every method is one transaction.
///
/// Parameters
/// ----------
/// path : path or str
///     The file of a SQLite database, or ``postgres://USER:PASSWORD@HOST/NAME``. Neither ``repr`` nor an error shows
///     the password.
///
/// Raises
/// ------
/// InvalidInputError
///     For the URL of another kind of database.
///
/// Examples
/// --------
/// >>> store = faceattend.Store("attendance.db")                      # doctest: +SKIP
/// >>> student = store.create_student("Grace Hopper", "R-1")          # doctest: +SKIP
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Store {
    inner: Arc<PerProcess<Arc<dyn CoreStore>>>,
}

impl Store {
    pub(crate) fn shared(&self) -> Arc<PerProcess<Arc<dyn CoreStore>>> {
        Arc::clone(&self.inner)
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&dyn CoreStore) -> faceattend_core::Result<T> + Send,
    ) -> PyResult<T> {
        detached(py, || call(&**self.inner.get()?))
    }
}

#[pymethods]
impl Store {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        // A name that is no text is that of a file.
        let location = match path.to_str() {
            Some(text) => attached(py, || StoreLocation::parse(text))?,
            None => StoreLocation::File(path),
        };
        let make = move || location.open(TemplateKeys::none());
        Ok(Self { inner: Arc::new(PerProcess::new(make)) })
    }

    /// Checks that the database answers.
    ///
    /// Raises
    /// ------
    /// StoreError
    ///     When it does not.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |store| store.check())
    }

    /// Creates a student without a face, and returns it.
    ///
    /// Raises
    /// ------
    /// ConflictError
    ///     When the roll number is taken.
    fn create_student(&self, py: Python<'_>, name: &str, roll_number: &str) -> PyResult<Student> {
        self.with(py, |store| store.create_student(name, roll_number, Timestamp::now())).map(Student)
    }

    /// Returns the student with this id, or ``None``.
    fn student(&self, py: Python<'_>, student_id: i64) -> PyResult<Option<Student>> {
        Ok(self.with(py, |store| store.student(StudentId(student_id)))?.map(Student))
    }

    /// Returns the students by id.
    ///
    /// Parameters
    /// ----------
    /// search : str, optional
    ///     A part of the name or roll number.
    /// skip, limit : int
    ///     Which slice of the list.
    #[pyo3(signature = (search=None, *, skip=0, limit=1000))]
    fn students(&self, py: Python<'_>, search: Option<&str>, skip: u32, limit: u32) -> PyResult<Vec<Student>> {
        let listed = self.with(py, |store| store.students(search, Page { skip, limit }))?;
        Ok(listed.items.into_iter().map(Student).collect())
    }

    /// Changes name and roll number where given, and returns the student as it is now.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    /// ConflictError
    ///     When the roll number is another student's.
    #[pyo3(signature = (student_id, *, name=None, roll_number=None))]
    fn update_student(
        &self,
        py: Python<'_>,
        student_id: i64,
        name: Option<String>,
        roll_number: Option<String>,
    ) -> PyResult<Student> {
        let change = StudentChange { name, roll_number };
        self.with(py, |store| store.update_student(StudentId(student_id), &change, Timestamp::now())).map(Student)
    }

    /// Erases what identifies a student: the face, the templates, and the liveness sessions with the embeddings in
    /// them.
    ///
    /// Take the student out of galleries too (``Gallery.remove``).
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    /// marks : {"delete", "anonymize"}
    ///     Whether the attendance goes too, or stays for the statistics under a student without a name.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    #[pyo3(signature = (student_id, *, marks="delete"))]
    fn erase_student(&self, py: Python<'_>, student_id: i64, marks: &str) -> PyResult<Erasure> {
        let marks = match marks {
            "delete" => MarksOfErased::Delete,
            "anonymize" => MarksOfErased::Anonymise,
            other => {
                let reason = format!("{other:?} is neither \"delete\" nor \"anonymize\"");
                return Err(invalid_input(py, "marks", reason));
            }
        };
        let erasure = detached(py, || {
            let registry = Registry::new(Arc::clone(&*self.inner.get()?));
            registry.erase(StudentId(student_id), marks, Timestamp::now())
        })?;
        Ok(Erasure(erasure))
    }

    /// Erases a student with its attendance, and returns what the student was.
    ///
    /// .. deprecated:: 0.2
    ///     Use ``erase_student``, which this calls.
    fn delete_student(&self, py: Python<'_>, student_id: i64) -> PyResult<Student> {
        const OLD: &CStr = c"Store.delete_student is deprecated: use Store.erase_student";
        PyErr::warn(py, &py.get_type::<PyDeprecationWarning>(), OLD, 1)?;
        self.erase_student(py, student_id, "delete").map(|erasure| Student(erasure.0.student))
    }

    /// Gives a student these templates in place of those it had, for an operator's own import. Liveness then counts as
    /// not verified.
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    /// templates : Embedding or iterable of Embedding
    ///     The first one is the one that other services see.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    fn replace_templates(&self, py: Python<'_>, student_id: i64, templates: &Bound<'_, PyAny>) -> PyResult<Student> {
        let templates = templates_of(templates)?;
        self.with(py, |store| store.replace_templates(StudentId(student_id), &templates, Timestamp::now())).map(Student)
    }

    /// Returns the templates of a student. It leaves out those of the existing service, which name no model.
    fn templates_of(&self, py: Python<'_>, student_id: i64) -> PyResult<Vec<Embedding>> {
        let stored = self.with(py, |store| store.templates_of(StudentId(student_id)))?;
        let tagged = stored.into_iter().filter_map(|template| match template.embedding {
            StoredEmbedding::Tagged(embedding) => Some(Embedding::from(embedding)),
            StoredEmbedding::Legacy(_) => None,
        });
        Ok(tagged.collect())
    }

    /// Replaces what a gallery holds by the stored templates.
    ///
    /// Parameters
    /// ----------
    /// gallery : Gallery
    /// engine : Engine
    ///     Whose embeddings are wanted: those of other models are left out.
    /// legacy_model : str, optional
    ///     The model that made the embeddings of the existing service, on the operator's word.
    ///
    /// Returns
    /// -------
    /// dict
    ///     How many
    ///     ``people`` can be recognized, and how many templates were left out: ``of_other_models``, ``legacy``.
    #[pyo3(signature = (gallery, engine, *, legacy_model=None))]
    fn load_gallery<'py>(
        &self,
        py: Python<'py>,
        gallery: &Gallery,
        engine: &Engine,
        legacy_model: Option<&str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let legacy = legacy_model.map(ModelId::new);
        let load = self.with(py, |store| {
            let gallery = gallery.core(engine.core()?.embedder());
            load_gallery(&gallery, store, legacy.as_ref())
        })?;
        let dict = PyDict::new(py);
        dict.set_item("people", load.people)?;
        dict.set_item("of_other_models", load.of_other_models)?;
        dict.set_item("legacy", load.legacy)?;
        Ok(dict)
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.Store>"
    }
}
