//! Runs liveness sessions: they begin, take frames, and give their face to a student.

pub(super) mod complete;
pub(super) mod frame;
pub(super) mod register;
pub(super) mod session;

use faceattend_core::gallery::Match;
use faceattend_core::liveness::{LivenessSession, Reason};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::state::AppState;

const TOO_MANY: &str = "Too many frames at once";
/// The answer to a face that the policy on duplicates refuses, as an example for the document.
const ENROLLED_ALREADY: &str = "This face is already enrolled as student 7.";

/// How many steps a session has passed.
#[derive(Serialize, ToSchema)]
struct Steps {
    passed: usize,
    all: usize,
}

impl Steps {
    fn of((passed, all): (usize, usize)) -> Self {
        Self { passed, all }
    }
}

/// Why a frame was refused, or a remark on it.
#[derive(Serialize, ToSchema)]
struct ReasonItem {
    code: &'static str,
    /// A sentence for the person.
    advice: String,
    /// The student that the face is enrolled as already.
    #[serde(skip_serializing_if = "Option::is_none")]
    student_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
}

impl ReasonItem {
    fn of(reason: &Reason) -> Self {
        let known = match reason {
            Reason::AlreadyEnrolled { student, similarity } => Some((student.0, f64::from(similarity.value()))),
            _ => None,
        };
        Self {
            code: reason.code(),
            advice: reason.advice().into_owned(),
            student_id: known.map(|(student, _)| student),
            similarity: known.map(|(_, similarity)| similarity),
        }
    }
}

/// Another student who has the face that was enrolled.
#[derive(Serialize, ToSchema)]
struct Resembled {
    student_id: i64,
    name: String,
    roll_number: String,
    /// From 0 to 1, on the scale of every threshold.
    similarity: f64,
    /// What to do about it.
    advice: &'static str,
}

const TWICE: &str = "If both are one person, merge them on the page Students. Until then cameras may mark neither.";

impl Resembled {
    /// Returns the student whom `found` names, unless it was erased a moment ago.
    async fn of(app: &AppState, prefix: &'static str, found: Option<Match>) -> Result<Option<Self>, AppError> {
        let Some(found) = found else { return Ok(None) };
        let student = app.with_store(prefix, move |store| store.student(found.student)).await?;
        Ok(student.map(|student| Self {
            student_id: student.id.0,
            name: student.name,
            roll_number: student.roll_number,
            similarity: f64::from(found.similarity.value()),
            advice: TWICE,
        }))
    }
}

/// Returns the signed receipt for the enrolment of `student`; `None` where the operator signs none.
fn receipt_of(app: &AppState, session: &LivenessSession, student: StudentId) -> Result<Option<String>, AppError> {
    let Some(key) = &app.settings().receipts else { return Ok(None) };
    let signed = session.receipt(student, Timestamp::now()).map(|receipt| key.sign(&receipt)).transpose();
    signed.map_err(|error| AppError::Core("Error signing the receipt", error))
}
