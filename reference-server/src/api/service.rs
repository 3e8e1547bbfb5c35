//! What later versions of the existing service answer about themselves, without credentials: no name, no secret.

use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::store::{AttendanceFilter, Page};
use serde_json::{Value, json};

use crate::error::{AppError, json_response};
use crate::metrics::Gauges;
use crate::request::extract::{Input, Open};
use crate::request::fields::Reader;
use crate::state::AppState;

/// Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /api/v1/ping`.
pub(crate) async fn ping() -> Json<Value> {
    Json(json!({ "status": "ok", "message": "pong" }))
}

/// `GET /ready`: 503 until requests can be answered, for a proxy that chooses among servers.
pub(crate) async fn ready(State(app): State<AppState>) -> Response {
    let database = app.with_store("Readiness check failed", |store| store.check()).await.is_ok();
    let (status, word) =
        if database { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    let answer = json!({
        "status": word,
        "checks": { "database": database, "models": true },
        "known_faces": app.live().gallery().people(),
    });
    json_response(status, &answer)
}

/// `GET /api/v1/models`.
pub(crate) async fn models(State(app): State<AppState>) -> Json<Value> {
    let embedder = app.engine().embedder();
    Json(json!({
        "models": [{ "name": embedder.model.as_str(), "type": "embedding", "dimension": embedder.dimension }],
        "threshold": app.settings().threshold,
    }))
}

/// In which form the figures are asked for.
pub(crate) struct Form {
    prometheus: bool,
}

impl Input for Form {
    fn read(request: &mut Reader) -> Option<Self> {
        let form = request.query().optional_text("format");
        Some(Self { prometheus: form.is_some_and(|form| form == "prometheus") })
    }
}

/// `GET /metrics`: the numbers that the existing dashboard reads, as JSON; for whoever asks for text, as Prometheus does,
/// its exposition format.
pub(crate) async fn metrics(
    State(app): State<AppState>,
    headers: HeaderMap,
    Open(Form { prometheus }): Open<Form>,
) -> Result<Response, AppError> {
    let (students, attendance) = app
        .with_store("Error retrieving metrics", |store| {
            let one = Page { skip: 0, limit: 1 };
            Ok((store.students(None, one)?.total, store.attendance_summary(&AttendanceFilter::default())?.total))
        })
        .await?;
    let cameras = app.live().cameras().status();
    let gallery = app.live().gallery();
    let gauges = Gauges {
        students,
        attendance,
        people: gallery.people(),
        templates: gallery.templates(),
        cameras: cameras.len(),
        active_cameras: cameras.iter().filter(|camera| camera.is_running).count(),
    };
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if prometheus || accepted.contains("text/plain") || accepted.contains("openmetrics") {
        let text = app.figures().prometheus(&gauges);
        return Ok(([(header::CONTENT_TYPE, EXPOSITION)], text).into_response());
    }
    let answer = json!({
        "students_count": students,
        "embeddings_count": gauges.templates,
        "attendance_logs_count": attendance,
        "recognition_count": app.figures().recognitions.load(Relaxed),
        "active_cameras": gauges.active_cameras,
        "prometheus": "/metrics?format=prometheus",
    });
    Ok(Json(answer).into_response())
}
