//! The last step of the later version's registration: a completed session's face goes to a student that is there.

use axum::Json;
use axum::extract::State;
use faceattend_core::Error;
use faceattend_core::liveness::{DuplicatePolicy, Reason};
use faceattend_core::types::{SessionId, StudentId};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::AppError;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input};
use crate::request::fields::Reader;
use crate::responses::{Reply, reply};
use crate::sessions;
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

enum Found {
    NoSession,
    NotCompleted,
    NoStudent,
    /// The face is enrolled as somebody else already, and the policy refuses it.
    Refused(Reason),
    Saved(Box<faceattend_core::store::Student>, Face),
}

#[derive(PartialEq)]
enum Face {
    New,
    AsBefore,
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
    let options = app.settings().liveness;
    let gallery = app.live().gallery();
    let policy = app.settings().duplicates;
    let found = app
        .with_store(PREFIX, move |store| {
            let Some(stored) = sessions::load(store, id, options)? else { return Ok(Found::NoSession) };
            let Some(enrolment) = sessions::enrolment_of(&stored.session) else { return Ok(Found::NotCompleted) };
            let Some(student) = student.or(stored.record.student) else { return Ok(Found::NoStudent) };
            let Some(there) = store.student(student)? else { return Ok(Found::NoStudent) };
            if stored.record.consumed_at.is_some() && stored.record.student == Some(student) {
                return Ok(Found::Saved(Box::new(there), Face::AsBefore));
            }
            let known = sessions::already_known(&gallery, &stored, Some(student), policy)?;
            if let (Some(known), DuplicatePolicy::Refuse) = (known, policy) {
                return Ok(Found::Refused(sessions::known_as(&known)));
            }
            let student = store.enrol_student(id, student, &enrolment, Timestamp::now())?;
            Ok(Found::Saved(Box::new(student), Face::New))
        })
        .await;
    let (student, face) = match found {
        Ok(Found::Saved(student, face)) => (student, face),
        Ok(Found::Refused(reason)) => return Err(AppError::bad_request(reason.advice())),
        Ok(Found::NoSession) => return Err(unknown()),
        Ok(Found::NotCompleted) => return Err(AppError::bad_request("Liveness session not completed yet")),
        Ok(Found::NoStudent) => return Err(AppError::not_found("Student not found")),
        // Used up by somebody else: it proves nothing any more.
        Err(AppError::Core(_, Error::State { .. })) => return Err(unknown()),
        Err(error) => return Err(error),
    };
    if face == Face::New {
        app.student_enrolled(student.id).await;
    }
    let data = json!({
        "student_id": student.id,
        "student_name": student.name,
        "roll_number": student.roll_number,
        "roll_no": student.roll_number,
        "embedding_saved": true,
    });
    Ok(Json(reply("Embeddings saved successfully", data)))
}
