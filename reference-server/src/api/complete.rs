//! The last step of the later version's registration: a completed session's face goes to a student that is there.

use axum::Json;
use axum::extract::State;
use faceattend_core::enrolment::{EnrolmentOutcome, known_as};
use faceattend_core::types::{SessionId, StudentId};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::AppError;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input};
use crate::request::fields::Reader;
use crate::responses::{Reply, reply};
use crate::state::AppState;

/// A session, and who gets its face.
pub(crate) struct Completion {
    session: String,
    student: Option<StudentId>,
}

impl Input for Completion {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let session = body.text("session_id");
        let student = body.optional_integer("student_id").map(StudentId);
        Some(Self { session: session?, student })
    }
}

/// `POST /liveness/complete`. Without a `student_id` it is the student whom the session was begun for. To say it again
/// for the same student changes nothing.
pub(crate) async fn complete(
    State(app): State<AppState>,
    call: Authed<Completion>,
) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error completing liveness session";
    let Completion { session, student } = call.input;
    let unknown = || AppError::not_found("Liveness session not found");
    let id = SessionId::parse(&session).ok_or_else(unknown)?;
    let enrolled = app.with_registry(PREFIX, move |registry| registry.enrol(id, student, Timestamp::now())).await?;
    let enrolled = match enrolled {
        EnrolmentOutcome::Enrolled(enrolled) => *enrolled,
        EnrolmentOutcome::Refused(found) => return Err(AppError::bad_request(known_as(&found).advice())),
        // Used up by somebody else: it proves nothing any more.
        EnrolmentOutcome::UnknownSession | EnrolmentOutcome::UsedUp => return Err(unknown()),
        EnrolmentOutcome::NotCompleted => return Err(AppError::bad_request("Liveness session not completed yet")),
        EnrolmentOutcome::UnknownStudent => return Err(AppError::not_found("Student not found")),
    };
    if enrolled.is_new {
        app.live().student_enrolled();
    }
    let student = enrolled.student;
    let data = json!({
        "student_id": student.id,
        "student_name": student.name,
        "roll_number": student.roll_number,
        "roll_no": student.roll_number,
        "embedding_saved": true,
    });
    Ok(Json(reply("Embeddings saved successfully", data)))
}
