//! Lists the people whom cameras saw and nobody knows, and enrols or dismisses them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::enrolment::{UnprovenOutcome, known_as};
use faceattend_core::recognition::{UnknownFace, UnknownFaces, UnknownId};
use faceattend_core::store::Enrolee;
use serde::Serialize;
use utoipa::ToSchema;

use super::students::{ROLL_TAKEN, student_error};
use crate::auth::clock;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::Integer;
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, blocking};

const NOT_LISTED: &str = "Unknown face not found: it was not seen for long enough, or is enrolled by now";
const NOT_ASKED_FOR: &str = "Unknown faces are not listed: start the server with --list-unknown-faces HOURS";

/// The people whom the cameras of this server saw and nobody knows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    /// Whether the operator asked for the list.
    listed: bool,
    /// After how many hours without being seen a face is forgotten; null where nothing is listed.
    #[schema(required)]
    hours: Option<i64>,
    /// Last seen first.
    faces: Vec<UnknownItem>,
}

/// Somebody whom cameras saw and nobody knows. There is no picture.
#[derive(Serialize, ToSchema)]
struct UnknownItem {
    id: u64,
    first_seen: String,
    last_seen: String,
    /// How often the person came into view.
    visits: u32,
    /// Where the person was last seen.
    #[schema(required)]
    camera_location: Option<String>,
}

impl UnknownItem {
    fn of(face: UnknownFace) -> Self {
        Self {
            id: face.id.0,
            first_seen: naive_utc(face.first_seen),
            last_seen: naive_utc(face.last_seen),
            visits: face.visits,
            camera_location: face.place,
        }
    }
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/detection/unknown-faces",
    access: Access::Operator,
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Lists the people whom this server's cameras saw and nobody knows",
    errors: &[],
};

pub(super) async fn list(State(app): State<AppState>, _call: Authed<Nothing>) -> Result<Json<Reply<Listed>>, AppError> {
    let (unknown, gallery) = (app.live().unknown_faces(), app.live().gallery());
    let faces = match unknown.clone() {
        // Each is compared with everybody who was enrolled meanwhile.
        Some(unknown) => {
            blocking("Error listing unknown faces", move || unknown.list(Some(&gallery), clock::now())).await?
        }
        None => Vec::new(),
    };
    let listed = Listed {
        listed: unknown.is_some(),
        hours: app.settings().live.unknown_faces.map(|hours| hours.as_hours()),
        faces: faces.into_iter().map(UnknownItem::of).collect(),
    };
    Ok(Json(reply("Unknown faces retrieved successfully", listed)))
}

input! {
    /// The face in the path.
    pub(crate) struct Which {
        path {
            unknown_id: i64 = Integer,
        }
    }
}

input! {
    /// The student to create with the face in the path.
    pub(crate) struct NewStudent {
        path {
            unknown_id: i64 = Integer,
        }
        body Json {
            name: String = texts::STUDENT_NAME,
            roll_number: String = texts::ROLL_NUMBER,
        }
    }
}

/// The student who was created with the face of a camera.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrolledUnknown {
    student_id: i64,
    name: String,
    roll_number: String,
    /// Always false: no liveness session proved the face.
    liveness_verified: bool,
}

pub(super) const ENROL: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/unknown-faces/{unknown_id}/enrol",
    access: Access::Operator,
    // The enrolment writes an entry of its own.
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Creates a student with the face that cameras saw, which no liveness session proved",
    errors: &[(400, ROLL_TAKEN), (400, "The face is another student's"), (404, NOT_LISTED)],
};

pub(super) async fn enrol(
    State(app): State<AppState>,
    call: Authed<NewStudent>,
) -> Result<Json<Reply<EnrolledUnknown>>, AppError> {
    const PREFIX: &str = "Error enrolling an unknown face";
    let Authed { user, role, input: NewStudent { unknown_id, name, roll_number }, .. } = call;
    let (unknown, id) = (asked_for(&app)?, number(unknown_id)?);
    let (face, view) = unknown.face(id, clock::now()).ok_or_else(|| AppError::not_found(NOT_LISTED))?;
    let place = face.place.as_deref().unwrap_or("no place");
    let origin = format!("seen {} times by cameras, last at {place}, without liveness", face.visits);
    let outcome = app
        .with_registry(PREFIX, move |registry| {
            let who = Enrolee::New { name: &name, roll_number: &roll_number };
            registry.enrol_unproven(&who, &[view], &origin, role.enrols_as(&user), clock::now())
        })
        .await
        .map_err(student_error(PREFIX))?;
    let student = match outcome {
        UnprovenOutcome::Enrolled { student, .. } => *student,
        UnprovenOutcome::Refused(found) => return Err(AppError::bad_request(known_as(&found).advice())),
        UnprovenOutcome::Unlike | UnprovenOutcome::UnknownStudent => return Err(AppError::not_found(NOT_LISTED)),
    };
    unknown.forget(id);
    app.live().student_enrolled();
    let enrolled = EnrolledUnknown {
        student_id: student.id.0,
        name: student.name,
        roll_number: student.roll_number,
        liveness_verified: student.liveness_verified,
    };
    Ok(Json(reply("Student created with the face that cameras saw", enrolled)))
}

pub(super) const DISMISS: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/detection/unknown-faces/{unknown_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Takes an unknown face off the list",
    errors: &[(404, NOT_LISTED)],
};

pub(super) async fn dismiss(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Done>, AppError> {
    let unknown = asked_for(&app)?;
    if !unknown.dismiss(number(call.input.unknown_id)?) {
        return Err(AppError::not_found(NOT_LISTED));
    }
    Ok(Json(done("Unknown face dismissed")))
}

fn asked_for(app: &AppState) -> Result<Arc<UnknownFaces>, AppError> {
    app.live().unknown_faces().ok_or_else(|| AppError::not_found(NOT_ASKED_FOR))
}

fn number(id: i64) -> Result<UnknownId, AppError> {
    u64::try_from(id).map(UnknownId).map_err(|_| AppError::not_found(NOT_LISTED))
}
