//! The cameras that are plugged into the server, by their numbers.

use axum::Json;
use axum::extract::State;
use faceattend_core::camera::devices;
use serde_json::{Map, Value, json};

use crate::error::AppError;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input, Nothing};
use crate::request::fields::Reader;
use crate::responses::{Reply, done, reply};
use crate::state::{AppState, blocking};

/// The place of every one of them.
const LOCATION: &str = "Laptop Camera";

/// The number of a camera; 0 when it is not said.
pub(crate) struct Index(i64);

impl Input for Index {
    const EXPECTS: Expects = Expects::Json;

    /// From the query or the body: the existing pages use the one, its Django project the other, and some send neither.
    fn read(request: &mut Reader) -> Option<Self> {
        if request.query().has("camera_index") {
            return request.query().integer("camera_index").map(Self);
        }
        let mut body = request.optional_dictionary()?;
        if body.has("camera_index") { body.integer("camera_index").map(Self) } else { Some(Self(0)) }
    }
}

fn available() -> Vec<u32> {
    devices().into_iter().map(|device| device.number).collect()
}

/// `POST /detection/laptop-camera/start`. It is started whether it is there or not, as recorded: its status tells.
pub(crate) async fn start(State(app): State<AppState>, call: Authed<Index>) -> Result<Json<Reply<Value>>, AppError> {
    let Index(index) = call.input;
    let available = blocking("Error starting laptop camera detection", move || {
        app.live().laptop().start(&index.to_string(), Some(LOCATION))?;
        Ok(available())
    })
    .await?;
    let data = json!({ "camera_index": index, "camera_location": LOCATION, "available_cameras": available });
    Ok(Json(reply(format!("Laptop camera detection started for camera index: {index}"), data)))
}

/// `POST /detection/laptop-camera/stop`.
pub(crate) async fn stop(State(app): State<AppState>, call: Authed<Index>) -> Result<Json<Reply<()>>, AppError> {
    let Index(index) = call.input;
    let stopping = move || Ok(app.live().laptop().stop(&index.to_string()));
    if blocking("Error stopping laptop camera detection", stopping).await? {
        Ok(Json(done(format!("Laptop camera detection stopped for camera index: {index}"))))
    } else {
        Err(AppError::not_found(format!("No laptop camera processor found for index: {index}")))
    }
}

/// `GET /detection/laptop-camera/info`.
pub(crate) async fn info(State(app): State<AppState>, _call: Authed<Nothing>) -> Json<Reply<Value>> {
    let running = app.live().laptop().status().into_iter().find(|camera| camera.is_running);
    let current = running.as_ref().and_then(|camera| camera.name.parse::<i64>().ok()).unwrap_or(0);
    let available = available();
    let data = json!({
        "mock_mode": available.is_empty(),
        "available_cameras": available,
        "current_camera": current,
        "camera_location": LOCATION,
        "status": if running.is_some() { "running" } else { "stopped" },
    });
    Json(reply("Laptop camera information retrieved", data))
}

/// The number of the camera to switch to.
pub(crate) struct Other(i64);

impl Input for Other {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        request.dictionary()?.integer("camera_index").map(Self)
    }
}

/// `POST /detection/laptop-camera/switch`: from the first that runs to another. The one left is listed until it is
/// stopped, as pages that began with it still stop it by its number.
pub(crate) async fn switch(State(app): State<AppState>, call: Authed<Other>) -> Result<Json<Reply<Value>>, AppError> {
    let Other(index) = call.input;
    let cameras = app.live().laptop().status();
    let Some(running) = cameras.into_iter().find(|camera| camera.is_running) else {
        return Err(AppError::not_found("No running laptop camera processor found"));
    };
    let switching = move || {
        let cameras = app.live().laptop();
        if running.name != index.to_string() {
            cameras.halt(&running.name);
        }
        cameras.start(&index.to_string(), Some(LOCATION))
    };
    blocking("Error switching laptop camera", switching)
        .await
        .map_err(|_| AppError::bad_request(format!("Failed to switch to camera index: {index}")))?;
    let data = json!({ "camera_index": index, "camera_location": LOCATION });
    Ok(Json(reply(format!("Switched to laptop camera index: {index}"), data)))
}

/// `GET /detection/laptop-camera/status`.
pub(crate) async fn status(State(app): State<AppState>, _call: Authed<Nothing>) -> Json<Reply<Value>> {
    let cameras: Map<String, Value> = app
        .live()
        .laptop()
        .status()
        .into_iter()
        .map(|camera| {
            let item = json!({
                "running": camera.is_running,
                "camera_location": camera.location,
                "frame_count": camera.health.captured,
                // Ours.
                "id": camera.id,
                "state": camera.health.state.as_str(),
                "last_error": camera.health.last_error,
            });
            (camera.name, item)
        })
        .collect();
    Json(reply("Laptop camera status retrieved", Value::Object(cameras)))
}
