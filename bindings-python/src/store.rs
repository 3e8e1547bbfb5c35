//! The database, opened at its first use in each process.

use std::path::PathBuf;
use std::sync::Arc;

use faceattend_core::enrolment::Registry;
use faceattend_core::recognition::load_gallery;
use faceattend_core::store::{
    AttendanceRecord as CoreRecord, MarksOfErased, Page, SqliteStore, Store as CoreStore, StoredEmbedding,
    Student as CoreStudent, StudentChange,
};
use faceattend_core::types::{ModelId, StudentId};
use jiff::Timestamp;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::embedding::Embedding;
use crate::engine::Engine;
use crate::gallery::{Gallery, templates_of};
use crate::gil::detached;
use crate::per_process::PerProcess;
use crate::time::{date, datetime};

/// A student of the store, without the face.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Student(CoreStudent);

#[pymethods]
impl Student {
    /// Its key.
    #[getter]
    fn id(&self) -> i64 {
        self.0.id.0
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its roll number, unique.
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

    /// The student as a dictionary that ``json.dumps`` takes.
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
    /// Its key.
    #[getter]
    fn id(&self) -> i64 {
        self.0.id
    }

    /// Whose.
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

    /// The camera's place.
    #[getter]
    fn camera_location(&self) -> Option<&str> {
        self.0.camera_location.as_deref()
    }

    /// The site's day.
    #[getter]
    fn local_day<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.local_day.map(|day| date(py, day)).transpose()
    }

    /// The mark as a dictionary that ``json.dumps`` takes.
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

/// Students, templates and attendance in one SQLite file: the one that the reference server uses.
///
/// Opened at its first use in each process; the file and its tables are made when they are not there.
///
/// Parameters
/// ----------
/// path : path
///     The database's file.
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
    fn new(path: PathBuf) -> Self {
        let make = move || Ok(Arc::new(SqliteStore::open(&path)?) as Arc<dyn CoreStore>);
        Self { inner: Arc::new(PerProcess::new(make)) }
    }

    /// Whether the database answers; raises ``StoreError`` when it does not.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |store| store.check())
    }

    /// A new student without a face.
    ///
    /// Raises
    /// ------
    /// ConflictError
    ///     When the roll number is taken.
    fn create_student(&self, py: Python<'_>, name: &str, roll_number: &str) -> PyResult<Student> {
        self.with(py, |store| store.create_student(name, roll_number, Timestamp::now())).map(Student)
    }

    /// The student with this id, or ``None``.
    fn student(&self, py: Python<'_>, student_id: i64) -> PyResult<Option<Student>> {
        Ok(self.with(py, |store| store.student(StudentId(student_id)))?.map(Student))
    }

    /// The students by id.
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

    /// Changes name and roll number where given; returns the student as it is now.
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

    /// Erases the student with its templates, its liveness sessions and its attendance; returns what it was.
    fn delete_student(&self, py: Python<'_>, student_id: i64) -> PyResult<Student> {
        let erasure = detached(py, || {
            let registry = Registry::new(Arc::clone(&*self.inner.get()?));
            registry.erase(StudentId(student_id), MarksOfErased::Delete, Timestamp::now())
        })?;
        Ok(Student(erasure.student))
    }

    /// Gives a student these templates in place of those it had, for an operator's own import: liveness counts as not
    /// verified.
    fn replace_templates(&self, py: Python<'_>, student_id: i64, templates: &Bound<'_, PyAny>) -> PyResult<Student> {
        let templates = templates_of(templates)?;
        self.with(py, |store| store.replace_templates(StudentId(student_id), &templates, Timestamp::now())).map(Student)
    }

    /// The templates of a student. Those of the existing service, which do not say which model made them, are left out.
    fn templates_of(&self, py: Python<'_>, student_id: i64) -> PyResult<Vec<Embedding>> {
        let stored = self.with(py, |store| store.templates_of(StudentId(student_id)))?;
        let tagged = stored.into_iter().filter_map(|template| match template.embedding {
            StoredEmbedding::Tagged(embedding) => Some(Embedding::from(embedding)),
            StoredEmbedding::Legacy(_) => None,
        });
        Ok(tagged.collect())
    }

    /// Puts the stored templates in place of what a gallery holds.
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
    ///     How many ``people`` can be recognized, and how many templates were left out: ``of_other_models``, ``legacy``.
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
