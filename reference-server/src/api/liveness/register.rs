//! Creates a student with the face of a session.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::enrolment::{EnrolmentOutcome, known_as};
use faceattend_core::types::SessionId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ENROLLED_ALREADY, ReasonItem, Resembled, receipt_of};
use crate::api::students::{ROLL_TAKEN, student_error};
use crate::auth::clock;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::texts;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NOT_COMPLETED: &str = "Completed liveness detection session not found";

input! {
    /// A student to create with the face of a completed session.
    pub(crate) struct Registration {
        body Json {
            name: String = texts::STUDENT_NAME,
            roll_number: String = texts::ROLL_NUMBER,
            session_id: String = texts::SESSION_ID,
        }
    }
}

/// A student who was created with a face.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewlyRegistered {
    student_id: i64,
    name: String,
    roll_number: String,
    liveness_verified: bool,
    embedding_saved: bool,
    // Ours.
    roll_no: String,
    /// The signed receipt; null where the server signs none.
    #[schema(required)]
    receipt: Option<String>,
    warnings: Vec<ReasonItem>,
    /// The student who has this face already; null where nobody has. Cameras may name neither of the two until they
    /// are merged.
    #[schema(required)]
    resembles: Option<Resembled>,
}

pub(crate) const REGISTER: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/register-student",
    access: Access::Operator,
    // The enrolment writes an entry of its own.
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Creates a student with the face of a completed session",
    errors: &[(400, ROLL_TAKEN), (400, ENROLLED_ALREADY), (404, NOT_COMPLETED)],
};

/// Enrols one student with the face of a session, once.
pub(crate) async fn register(
    State(app): State<AppState>,
    call: Authed<Registration>,
) -> Result<Json<Reply<NewlyRegistered>>, AppError> {
    const PREFIX: &str = "Error completing student registration";
    let Authed { user, role, input: Registration { name, roll_number, session_id }, .. } = call;
    let unknown = || AppError::not_found(NOT_COMPLETED);
    let id = SessionId::parse(&session_id).ok_or_else(unknown)?;
    let outcome = app
        .with_registry(PREFIX, move |registry| {
            registry.register(id, &name, &roll_number, role.enrols_as(&user), clock::now())
        })
        .await
        .map_err(student_error(PREFIX))?;
    let enrolled = match outcome {
        EnrolmentOutcome::Enrolled(enrolled) => *enrolled,
        EnrolmentOutcome::Refused(found) => return Err(AppError::bad_request(known_as(&found).advice())),
        EnrolmentOutcome::UnknownSession
        | EnrolmentOutcome::NotCompleted
        | EnrolmentOutcome::UsedUp
        | EnrolmentOutcome::Unlike
        | EnrolmentOutcome::UnknownStudent => return Err(unknown()),
    };
    let resembles = Resembled::of(&app, PREFIX, enrolled.resembles).await?;
    let (student, session) = (enrolled.student, enrolled.session);
    app.live().student_enrolled();
    let registered = NewlyRegistered {
        student_id: student.id.0,
        receipt: receipt_of(&app, &session, student.id)?,
        warnings: enrolled.resembles.iter().map(|found| ReasonItem::of(&known_as(found))).collect(),
        name: student.name,
        roll_number: student.roll_number.clone(),
        roll_no: student.roll_number,
        liveness_verified: student.liveness_verified,
        embedding_saved: true,
        resembles,
    };
    Ok(Json(reply("Student registration completed successfully", registered)))
}
