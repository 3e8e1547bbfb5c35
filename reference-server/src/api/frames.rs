//! Recognizes faces in the pictures that browsers send one by one from their own cameras.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::image_data::{self, INVALID};
use crate::live::browser::BrowserFace;
use crate::live::problems::ProblemItem;
use crate::request::extract::{Authed, Upload};
use crate::request::input::input;
use crate::request::kinds::Picture;
use crate::request::texts;
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, LOADING};

input! {
    /// A picture of a session.
    pub(crate) struct SessionFrame {
        body Json {
            image_data: String = Picture,
            session_id: String = texts::SESSION_ID,
        }
    }
}

/// What a picture of a session shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Seen {
    success: bool,
    message: String,
    faces_detected: usize,
    students_recognized: usize,
    matches: Vec<BrowserFace>,
    /// What keeps people from being named, where something does: such as pictures that are too far apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    problems: Vec<ProblemItem>,
    processing_time_ms: f64,
}

const NO_SESSION: &str = "Invalid session ID";

pub(super) const FRAME: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/frame",
    access: Access::Operator,
    // It comes several times a second; the mark itself is kept.
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Recognizes the faces in a picture of a browser's session and marks attendance",
    errors: &[(400, INVALID), (400, NO_SESSION), (503, "The server is busy"), (503, LOADING)],
};

/// Takes in a picture of a session that `/detection/start` began with `camera_source`. Several pictures have to agree
/// before anybody is named or marked.
pub(super) async fn frame(State(app): State<AppState>, call: Authed<SessionFrame>) -> Result<Json<Seen>, AppError> {
    app.faces_are_known()?;
    let started = Instant::now();
    let SessionFrame { image_data, session_id } = call.input;
    let bytes = image_data::bytes_of(&image_data)?;
    let live = app.clone();
    let sight = app
        .with_frame("Error processing frame", bytes, move |frame, _| {
            live.live().browsers().see(&session_id, &frame.with_captured_at(Timestamp::now())).transpose()
        })
        .await?;
    let sight = sight.ok_or_else(|| AppError::bad_request(NO_SESSION))?;
    Ok(Json(Seen {
        success: true,
        message: format!("Detected {} faces", sight.faces.len()),
        faces_detected: sight.faces.len(),
        students_recognized: sight.recognized,
        matches: sight.faces,
        problems: sight.problems,
        processing_time_ms: started.elapsed().as_secs_f64() * 1000.0,
    }))
}

/// What a picture that was sent as a file shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Recognized {
    faces_detected: usize,
    students_recognized: usize,
    recognized_students: Vec<BrowserFace>,
}

pub(super) const PROCESS_FRAME: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/process-frame",
    access: Access::Operator,
    // It comes several times a second; the mark itself is kept.
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Recognizes the faces in a picture that is sent as a file and marks attendance",
    errors: &[(400, INVALID), (413, "Request body too large"), (503, "The server is busy"), (503, LOADING)],
};

/// Takes in a picture of a page that knows no sessions: each user has one.
pub(super) async fn process_frame(State(app): State<AppState>, upload: Upload) -> Result<Json<Recognized>, AppError> {
    app.faces_are_known()?;
    let Upload { user, frame } = upload;
    let live = app.clone();
    let sight = app
        .with_frame("Error processing frame", frame, move |frame, _| {
            live.live().browsers().see_of_user(&user, &frame.with_captured_at(Timestamp::now()))
        })
        .await?;
    Ok(Json(Recognized {
        faces_detected: sight.faces.len(),
        students_recognized: sight.recognized,
        recognized_students: sight.faces.into_iter().filter(|face| face.student_id.is_some()).collect(),
    }))
}
