//! Pictures that browsers send, one by one, from a camera of their own.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::AppError;
use crate::image_data;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input, Upload};
use crate::request::fields::Reader;
use crate::state::AppState;

/// A picture of a session.
pub(crate) struct SessionFrame {
    image_data: String,
    session: String,
}

impl Input for SessionFrame {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let image_data = body.text("image_data");
        let session = body.text("session_id");
        Some(Self { image_data: image_data?, session: session? })
    }
}

/// `POST /detection/frame`: a picture of a session that `/detection/start` began with `camera_source`. Several pictures
/// have to agree before anybody is named or marked.
pub(crate) async fn frame(State(app): State<AppState>, call: Authed<SessionFrame>) -> Result<Json<Value>, AppError> {
    let started = Instant::now();
    let SessionFrame { image_data, session } = call.input;
    let bytes = image_data::bytes_of(&image_data)?;
    let live = app.clone();
    let sight = app
        .with_frame("Error processing frame", bytes, move |frame, _| {
            live.live().browsers().see(&session, &frame.with_captured_at(Timestamp::now())).transpose()
        })
        .await?;
    let sight = sight.ok_or_else(|| AppError::bad_request("Invalid session ID"))?;
    Ok(Json(json!({
        "success": true,
        "message": format!("Detected {} faces", sight.faces.len()),
        "faces_detected": sight.faces.len(),
        "students_recognized": sight.recognized,
        "matches": sight.faces,
        "processing_time_ms": started.elapsed().as_secs_f64() * 1000.0,
    })))
}

/// `POST /detection/process-frame`: the same for a page that knows no sessions and sends a file.
pub(crate) async fn process_frame(State(app): State<AppState>, upload: Upload) -> Result<Json<Value>, AppError> {
    let Upload { user, frame } = upload;
    let live = app.clone();
    let sight = app
        .with_frame("Error processing frame", frame, move |frame, _| {
            live.live().browsers().see_of_user(&user, &frame.with_captured_at(Timestamp::now()))
        })
        .await?;
    let recognized: Vec<_> = sight.faces.iter().filter(|face| !face["student_id"].is_null()).collect();
    Ok(Json(json!({
        "faces_detected": sight.faces.len(),
        "students_recognized": sight.recognized,
        "recognized_students": recognized,
    })))
}
