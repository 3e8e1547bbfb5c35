//! Live detection on the server's cameras.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::error::AppError;
use crate::live::cameras;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input, Nothing};
use crate::request::fields::Reader;
use crate::responses::{Reply, done, naive_utc, reply};
use crate::state::{AppState, blocking};

/// A camera to start.
pub(crate) enum NewCamera {
    /// One of the server.
    Server { url: String, location: Option<String> },
    /// One of a browser, which sends its pictures.
    Browser { source: String },
}

impl Input for NewCamera {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        // Only `camera_source` tells a browser: an empty body lacks its `camera_url`, as recorded.
        if !body.has("camera_url") && body.has("camera_source") {
            return Some(Self::Browser { source: body.text("camera_source")? });
        }
        let url = body.text("camera_url");
        let location = body.optional_text("camera_location");
        Some(Self::Server { url: url?, location })
    }
}

/// `POST /detection/start`: a camera address, a file at the server, or a device number. A camera that runs already goes
/// on as it is. One that cannot be opened is started all the same, and its status says that it does not run. With
/// `camera_source`, a browser's session, whose pictures go to `/detection/frame`.
pub(crate) async fn start(State(app): State<AppState>, call: Authed<NewCamera>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Error starting face detection";
    match call.input {
        NewCamera::Server { url, location } => {
            let name = cameras::shown(&url);
            let message = format!("Face detection started for camera: {name}");
            let data = json!({ "camera_url": name, "camera_location": location });
            // A camera that is replaced is stopped first, which may take a second.
            blocking(PREFIX, move || app.live().start_camera(&url, location.as_deref())).await?;
            Ok(Json(json!({ "success": true, "message": message, "data": data })))
        }
        NewCamera::Browser { source } => {
            let session = app.live().browsers().begin(&source);
            let message = format!("Face detection started for camera: {source}");
            let data = json!({ "camera_source": source, "session_id": session });
            Ok(Json(json!({ "success": true, "message": message, "session_id": session, "data": data })))
        }
    }
}

/// What to stop.
pub(crate) struct Which {
    url: Option<String>,
    session: Option<String>,
}

impl Input for Which {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.dictionary()?;
        Some(Self { url: body.optional_text("camera_url"), session: body.optional_text("session_id") })
    }
}

/// `POST /detection/stop`: a camera, where stopping what does not run is fine, as recorded; or a browser's session.
pub(crate) async fn stop(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Value>, AppError> {
    let Which { url, session } = call.input;
    if let (None, Some(session)) = (&url, session) {
        let stats = app.live().browsers().end(&session).ok_or_else(|| AppError::bad_request("Invalid session ID"))?;
        let message = "Face detection stopped";
        return Ok(Json(json!({ "success": true, "message": message, "session_stats": stats, "data": stats })));
    }
    let url = url.ok_or_else(|| AppError::bad_request("camera_url is required"))?;
    let message = format!("Face detection stopped for camera: {}", cameras::shown(&url));
    blocking("Error stopping face detection", move || app.live().stop_camera(&url)).await?;
    Ok(Json(json!({ "success": true, "message": message, "data": null })))
}

/// `POST /detection/stop-all`.
pub(crate) async fn stop_all(State(app): State<AppState>, _call: Authed<Nothing>) -> Result<Json<Reply<()>>, AppError> {
    blocking("Error stopping face detection", move || app.live().stop_cameras()).await?;
    Ok(Json(done("All face detection processes stopped")))
}

/// `GET /detection/status`.
pub(crate) async fn status(State(app): State<AppState>, _call: Authed<Nothing>) -> Json<Reply<Value>> {
    let cameras = app.live().camera_items();
    let active = cameras.values().filter(|camera| camera["is_running"] == true).count();
    let total = cameras.len();
    let data = json!({ "cameras": cameras, "total_cameras": total, "active_cameras": active });
    Json(reply("Detection status retrieved successfully", data))
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
    const PREFIX: &str = "Error retrieving detection logs";
    let Newest(limit) = call.input;
    let log = app.clone();
    let rows = app
        .with_store(PREFIX, move |store| {
            log.live().log().write();
            store.detection_logs(limit)
        })
        .await?;
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
