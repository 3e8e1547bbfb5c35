//! The last step of the later version's registration: a completed session's face goes to a student that is there.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::liveness::{DuplicatePolicy, Reason};
use faceattend_core::types::{SessionId, StudentId};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::liveness::SESSION_ID;
use super::students::NO_STUDENT;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Optional, Student};
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::sessions;
use crate::state::AppState;

input! {
    /// A session, and who gets its face.
    pub(crate) struct Completion {
        body Json {
            session_id: String = SESSION_ID,
            /// The student whom the session was started for, where it is left out.
            student_id: Option<StudentId> = Optional(Student),
        }
    }
}

/// The student who got the face.
#[derive(Serialize, ToSchema)]
pub(crate) struct Completed {
    student_id: i64,
    student_name: String,
    roll_number: String,
    roll_no: String,
    embedding_saved: bool,
}

const NO_SESSION: &str = "Liveness session not found";
const NOT_COMPLETED: &str = "Liveness session not completed yet";

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

pub(super) const COMPLETE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/complete",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Liveness,
    summary: "Gives the face of a completed session to a student",
    errors: &[
        (400, NOT_COMPLETED),
        (400, "This face is already enrolled as student 7."),
        (404, NO_SESSION),
        (404, NO_STUDENT),
    ],
};

/// Saves the face. Saying it again for the same student changes nothing.
pub(super) async fn complete(
    State(app): State<AppState>,
    call: Authed<Completion>,
) -> Result<Json<Reply<Completed>>, AppError> {
    const PREFIX: &str = "Error completing liveness session";
    let Completion { session_id, student_id: student } = call.input;
    let unknown = || AppError::not_found(NO_SESSION);
    let id = SessionId::parse(&session_id).ok_or_else(unknown)?;
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
        Ok(Found::NotCompleted) => return Err(AppError::bad_request(NOT_COMPLETED)),
        Ok(Found::NoStudent) => return Err(AppError::not_found(NO_STUDENT)),
        // Used up by somebody else: it proves nothing any more.
        Err(AppError::Core(_, Error::State { .. })) => return Err(unknown()),
        Err(error) => return Err(error),
    };
    if face == Face::New {
        app.student_enrolled(student.id).await;
    }
    let completed = Completed {
        student_id: student.id.0,
        student_name: student.name,
        roll_number: student.roll_number.clone(),
        roll_no: student.roll_number,
        embedding_saved: true,
    };
    Ok(Json(reply("Embeddings saved successfully", completed)))
}
