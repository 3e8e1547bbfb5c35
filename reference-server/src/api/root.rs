//! The service itself: what it is and whether it is well.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::AppError;
use crate::request::extract::{Authed, Nothing};
use crate::state::AppState;

/// `GET /`: the recorded JSON, or the pages for who asks for HTML.
pub(crate) async fn root(headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/ui/")]).into_response();
    }
    Json(json!({
        "message": "Face Attendance System API",
        "version": "2.0.0",
        "docs": "/docs",
        "features": [
            "Face Recognition", "Liveness Detection", "Student Management", "Attendance Tracking", "Real-time Detection"
        ],
    }))
    .into_response()
}

/// `GET /health`: the recorded constant, which pages probe for `ok`; 503 when the database does not answer.
pub(crate) async fn health(State(app): State<AppState>) -> Result<Json<Value>, AppError> {
    let database = app.with_store("Health check failed", |store| store.check()).await;
    if database.is_err() {
        return Err(AppError::Detail(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer".into()));
    }
    Ok(Json(json!({
        "status": "healthy",
        "timestamp": "2024-01-01T00:00:00Z",
        "services": { "database": "connected", "ai_models": "initialized", "liveness_detection": "ready" },
    })))
}

/// `GET /api/v1/status`.
pub(crate) async fn status(call: Authed<Nothing>) -> Json<Value> {
    Json(json!({
        "status": "operational",
        "authenticated_user": call.user,
        "features": {
            "face_recognition": true,
            "liveness_detection": true,
            "student_management": true,
            "attendance_tracking": true,
        },
    }))
}
