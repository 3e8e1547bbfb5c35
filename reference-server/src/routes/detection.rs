//! Live detection on the server's cameras.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use crate::error::{AppError, during};
use crate::http::body::Expects;
use crate::http::call::{Authed, Input, Nothing};
use crate::http::input::Reader;
use crate::live::cameras::CameraStatus;
use crate::state::{AppState, blocking};
use crate::wire::{Reply, done, naive_utc, reply};

/// A camera to start.
pub(crate) struct NewCamera {
    url: String,
    location: Option<String>,
}

impl Input for NewCamera {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let url = body.text("camera_url");
        let location = body.optional_text("camera_location");
        Some(Self { url: url?, location })
    }
}

/// `POST /detection/start`: a camera address, a file at the server, or a device number. A camera that runs already goes
/// on as it is. One that cannot be opened is started all the same, and its status says that it does not run.
pub(crate) async fn start(
    State(app): State<AppState>,
    call: Authed<NewCamera>,
) -> Result<Json<Reply<Value>>, AppError> {
    let NewCamera { url, location } = call.input;
    app.live().cameras().start(&url, location.as_deref()).map_err(during("Error starting face detection"))?;
    let message = format!("Face detection started for camera: {url}");
    Ok(Json(reply(message, json!({ "camera_url": url, "camera_location": location }))))
}

/// The camera to stop.
pub(crate) struct Which(Option<String>);

impl Input for Which {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        Some(Self(request.dictionary()?.optional_text("camera_url")))
    }
}

/// `POST /detection/stop`. Stopping what does not run is fine, as recorded.
pub(crate) async fn stop(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<()>>, AppError> {
    let url = call.input.0.ok_or_else(|| AppError::bad_request("camera_url is required"))?;
    let message = format!("Face detection stopped for camera: {url}");
    blocking("Error stopping face detection", move || {
        app.live().cameras().stop(&url);
        Ok(())
    })
    .await?;
    Ok(Json(done(message)))
}

/// `POST /detection/stop-all`.
pub(crate) async fn stop_all(State(app): State<AppState>, _call: Authed<Nothing>) -> Result<Json<Reply<()>>, AppError> {
    blocking("Error stopping face detection", move || {
        app.live().cameras().stop_all();
        Ok(())
    })
    .await?;
    Ok(Json(done("All face detection processes stopped")))
}

/// `GET /detection/status`.
pub(crate) async fn status(State(app): State<AppState>, _call: Authed<Nothing>) -> Json<Reply<Value>> {
    let cameras = app.live().cameras().status();
    let active = cameras.iter().filter(|camera| camera.is_running).count();
    let total = cameras.len();
    let data = json!({ "cameras": cameras_item(&cameras), "total_cameras": total, "active_cameras": active });
    Json(reply("Detection status retrieved successfully", data))
}

/// The cameras by address, as the status and the WebSocket show them.
pub(crate) fn cameras_item(cameras: &[CameraStatus]) -> Map<String, Value> {
    cameras.iter().map(|camera| (camera.url.clone(), camera_item(camera))).collect()
}

fn camera_item(camera: &CameraStatus) -> Value {
    json!({
        "is_running": camera.is_running,
        "camera_location": camera.location.as_deref().unwrap_or("Unknown"),
        "frame_count": camera.frame_count,
        // Ours: connecting, running, reconnecting, stopped or failed.
        "state": camera.state.as_str(),
    })
}

/// How many log rows to list.
pub(crate) struct Newest(u32);

impl Input for Newest {
    fn read(request: &mut Reader) -> Option<Self> {
        let limit = request.query().integer_in("limit", 100, 0..=i64::from(u32::MAX))?;
        Some(Self(u32::try_from(limit).ok()?))
    }
}

/// `GET /detection/logs`, newest first.
pub(crate) async fn logs(State(app): State<AppState>, call: Authed<Newest>) -> Result<Json<Reply<Value>>, AppError> {
    let Newest(limit) = call.input;
    let rows = app.with_store("Error retrieving detection logs", move |store| store.detection_logs(limit)).await?;
    let logs: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "timestamp": naive_utc(row.entry.timestamp),
                "faces_detected": row.entry.faces_detected,
                "students_recognized": row.entry.students_recognized,
                "processing_time": row.entry.processing_time,
                "camera_location": row.entry.camera_location,
                "error_message": row.entry.error_message,
            })
        })
        .collect();
    let total = logs.len();
    Ok(Json(reply("Detection logs retrieved successfully", json!({ "logs": logs, "total": total }))))
}
