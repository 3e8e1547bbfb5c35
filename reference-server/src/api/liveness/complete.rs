//! Gives the face of a session to a student who is there: the last step of a registration in later versions of the
//! existing service.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use faceattend_core::enrolment::{EnrolmentOutcome, known_as};
use faceattend_core::types::{SessionId, StudentId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ENROLLED_ALREADY, Resembled};
use crate::api::students::NO_STUDENT;
use crate::auth::clock;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Optional, Student};
use crate::request::texts;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

input! {
    /// A session, and who gets its face.
    pub(crate) struct Completion {
        body Json {
            session_id: String = texts::SESSION_ID,
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
    // Ours.
    /// Another student who has this face; null where nobody has, and when the face was saved before.
    #[schema(required)]
    resembles: Option<Resembled>,
}

const NO_SESSION: &str = "Liveness session not found";
const UNLIKE: &str = "This face is unlike the one that is stored for the student: an administrator must replace it";
const NOT_COMPLETED: &str = "Liveness session not completed yet";

pub(crate) const COMPLETE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/complete",
    access: Access::Operator,
    // The enrolment writes an entry of its own.
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Gives the face of a completed session to a student",
    errors: &[(400, NOT_COMPLETED), (400, ENROLLED_ALREADY), (403, UNLIKE), (404, NO_SESSION), (404, NO_STUDENT)],
};

/// Saves the face. Saying it again for the same student changes nothing.
pub(crate) async fn complete(
    State(app): State<AppState>,
    call: Authed<Completion>,
) -> Result<Json<Reply<Completed>>, AppError> {
    const PREFIX: &str = "Error completing liveness session";
    let Authed { user, role, input: Completion { session_id, student_id: student }, .. } = call;
    let unknown = || AppError::not_found(NO_SESSION);
    let id = SessionId::parse(&session_id).ok_or_else(unknown)?;
    let enrolled = app
        .with_registry(PREFIX, move |registry| registry.enrol(id, student, role.enrols_as(&user), clock::now()))
        .await?;
    let enrolled = match enrolled {
        EnrolmentOutcome::Enrolled(enrolled) => *enrolled,
        EnrolmentOutcome::Refused(found) => return Err(AppError::bad_request(known_as(&found).advice())),
        // Used up by somebody else: it proves nothing any more.
        EnrolmentOutcome::UnknownSession | EnrolmentOutcome::UsedUp => return Err(unknown()),
        EnrolmentOutcome::Unlike => return Err(AppError::Detail(StatusCode::FORBIDDEN, UNLIKE.into())),
        EnrolmentOutcome::NotCompleted => return Err(AppError::bad_request(NOT_COMPLETED)),
        EnrolmentOutcome::UnknownStudent => return Err(AppError::not_found(NO_STUDENT)),
    };
    if enrolled.is_new {
        app.live().student_enrolled();
    }
    let resembles = Resembled::of(&app, PREFIX, enrolled.resembles).await?;
    let student = enrolled.student;
    let completed = Completed {
        student_id: student.id.0,
        student_name: student.name,
        roll_number: student.roll_number.clone(),
        roll_no: student.roll_number,
        embedding_saved: true,
        resembles,
    };
    Ok(Json(reply("Embeddings saved successfully", completed)))
}
