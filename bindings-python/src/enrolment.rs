//! Enrolment for programs that write the reference server's tables themselves, such as the Django app: what a row
//! holds, how often a frame is applied again, and what may be enrolled.

use faceattend_core::enrolment::session::{ColumnValue, ROUNDS, columns_of, update_of, use_up};
use faceattend_core::enrolment::{DuplicatePolicy, duplicates, known_as};
use faceattend_core::gallery::Match as CoreMatch;
use faceattend_core::liveness::Reason;
use faceattend_core::types::StudentId;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::embedding::Embedding;
use crate::error::invalid_input;
use crate::gallery::Gallery;
use crate::gil::attached;
use crate::liveness::LivenessSession;
use crate::time::{datetime, moment, moment_or_now};

/// Adds what this file has to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SESSION_ROUNDS", ROUNDS)?;
    module.add("ENROLMENT_LOCK", faceattend_core::store::ENROLMENT_LOCK)?;
    let unlike = Reason::UnlikeFace;
    module.add("UNLIKE_FACE", (unlike.code(), unlike.advice()))?;
    module.add_class::<KnownFace>()?;
    module.add_function(wrap_pyfunction!(session_columns, module)?)?;
    module.add_function(wrap_pyfunction!(use_up_session, module)?)?;
    module.add_function(wrap_pyfunction!(similar_students, module)?)?;
    module.add_function(wrap_pyfunction!(known_face, module)?)?;
    module.add_function(wrap_pyfunction!(is_unlike_face, module)?)
}

/// Another student whose face a session shows.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct KnownFace {
    found: CoreMatch,
    is_refused: bool,
}

#[pymethods]
impl KnownFace {
    /// The id of the other student.
    #[getter]
    fn student_id(&self) -> i64 {
        self.found.student.0
    }

    /// How similar the faces are, in [0, 1].
    #[getter]
    fn similarity(&self) -> f32 {
        self.found.similarity.value()
    }

    /// Whether the policy refuses the enrolment.
    #[getter]
    fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// The code of the reason, as in ``Outcome.reasons``.
    #[getter]
    fn code(&self) -> &'static str {
        known_as(&self.found).code()
    }

    /// One sentence for the person in front of the camera.
    #[getter]
    fn advice(&self) -> String {
        known_as(&self.found).advice().into_owned()
    }

    fn __repr__(&self) -> String {
        format!("KnownFace(student_id={}, similarity={:.3})", self.student_id(), self.similarity())
    }
}

/// Returns the columns of a session's row that change with the session, by their names in the table. Add one to
/// ``version``, and write them on condition that ``version`` is still the one that was read.
///
/// Parameters
/// ----------
/// session : LivenessSession
/// completed_at : datetime or float, optional
///     What the row says so far.
/// now : datetime or float, optional
///     Default: now.
#[pyfunction]
#[pyo3(signature = (session, *, completed_at=None, now=None))]
fn session_columns<'py>(
    py: Python<'py>,
    session: &LivenessSession,
    completed_at: Option<&Bound<'py, PyAny>>,
    now: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let completed_at = completed_at.map(moment).transpose()?;
    let now = moment_or_now(now)?;
    let update = attached(py, || session.with(|session| update_of(session, completed_at, now)))?;
    let columns = PyDict::new(py);
    for (name, value) in columns_of(&update) {
        match value {
            ColumnValue::Text(text) => columns.set_item(name, text)?,
            ColumnValue::Number(number) => columns.set_item(name, number)?,
            ColumnValue::Count(count) => columns.set_item(name, count)?,
            ColumnValue::Flag(flag) => columns.set_item(name, flag)?,
            ColumnValue::Time(time) => columns.set_item(name, time.map(|time| datetime(py, time)).transpose()?)?,
        }
    }
    Ok(columns)
}

/// Uses a session up for a student; returns the templates, the final one first, and the liveness score.
///
/// Parameters
/// ----------
/// session : LivenessSession
/// student_id : int
/// is_used : bool
///     Whether the session's row has a ``consumed_at`` already.
///
/// Raises
/// ------
/// ConflictError
///     When the session has enrolled somebody.
/// StateError
///     When it is not completed, or was begun for another student.
#[pyfunction]
#[pyo3(signature = (session, student_id, *, is_used=false))]
fn use_up_session(
    py: Python<'_>,
    session: &LivenessSession,
    student_id: i64,
    is_used: bool,
) -> PyResult<(Vec<Embedding>, f64)> {
    let enrolment = attached(py, || session.with(|session| use_up(session, is_used, StudentId(student_id))))?;
    Ok((enrolment.templates.into_iter().map(Embedding::from).collect(), enrolment.liveness_score))
}

/// Returns the ids of the students whom a face has to be compared with in the database, as far as a gallery knows them.
#[pyfunction]
fn similar_students(py: Python<'_>, gallery: &Gallery, template: &Embedding) -> PyResult<Vec<i64>> {
    let Some(gallery) = gallery.if_made() else { return Ok(Vec::new()) };
    let found = attached(py, || duplicates::proposed(&gallery, &template.inner))?;
    Ok(found.into_iter().map(|student| student.0).collect())
}

/// Returns the student of a gallery, other than ``student_id``, whose face a completed session shows, or ``None``.
///
/// Parameters
/// ----------
/// session : LivenessSession
/// gallery : Gallery
///     The students to compare with.
/// policy : {"refuse", "warn", "allow"}
///     What to do with a face that is another student's: ``"allow"`` compares with nobody.
/// student_id : int, optional
///     Who is to be enrolled.
#[pyfunction]
#[pyo3(signature = (session, gallery, *, policy="refuse", student_id=None))]
fn known_face(
    py: Python<'_>,
    session: &LivenessSession,
    gallery: &Gallery,
    policy: &str,
    student_id: Option<i64>,
) -> PyResult<Option<KnownFace>> {
    let policy = DuplicatePolicy::parse(policy)
        .ok_or_else(|| invalid_input(py, "policy", format!("{policy:?} is not refuse, warn or allow")))?;
    let Some(gallery) = gallery.if_made() else { return Ok(None) };
    let student = student_id.map(StudentId);
    let known = attached(py, || session.with(|session| policy.known(&gallery, session, student)))?;
    Ok(known.map(|found| KnownFace { found, is_refused: policy.refuses(Some(&found)) }))
}

/// Returns whether a completed session shows another face than the one that a student has.
///
/// Parameters
/// ----------
/// session : LivenessSession
/// own : Gallery
///     The templates of the student, of this model, and of nobody else. An empty gallery is unlike nothing.
#[pyfunction]
fn is_unlike_face(py: Python<'_>, session: &LivenessSession, own: &Gallery) -> PyResult<bool> {
    let Some(own) = own.if_made() else { return Ok(false) };
    attached(py, || session.with(|session| duplicates::is_unlike(&own, session)))
}
