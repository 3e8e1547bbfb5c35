//! Tells what the service is and whether it works.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::Nothing;
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const DATABASE_DOWN: &str = "The database does not answer";

/// The name and the features of the service.
#[derive(Serialize, ToSchema)]
pub(crate) struct About {
    message: &'static str,
    version: &'static str,
    /// Where the document is shown.
    docs: &'static str,
    features: [&'static str; 5],
}

/// The recorded JSON, or the way to the pages for whoever accepts HTML.
pub(crate) enum Root {
    Script(Json<About>),
    Browser,
}

impl IntoResponse for Root {
    fn into_response(self) -> Response {
        match self {
            Self::Script(about) => about.into_response(),
            Self::Browser => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/ui/")]).into_response(),
        }
    }
}

impl Answer for Root {
    fn describe(described: &mut Described) {
        Json::<About>::describe(described);
    }
}

pub(super) const ROOT: Endpoint = Endpoint {
    method: Method::GET,
    path: "/",
    access: Access::Anyone,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns the name and the features of the service",
    errors: &[(307, "A browser is sent to /ui/")],
};

pub(super) async fn root(headers: HeaderMap) -> Root {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        return Root::Browser;
    }
    Root::Script(Json(About {
        message: "Face Attendance System API",
        version: "2.0.0",
        docs: "/docs",
        features: [
            "Face Recognition",
            "Liveness Detection",
            "Student Management",
            "Attendance Tracking",
            "Real-time Detection",
        ],
    }))
}

/// The recorded constant, which pages probe for `ok`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
    timestamp: &'static str,
    services: Services,
}

#[derive(Serialize, ToSchema)]
struct Services {
    database: &'static str,
    ai_models: &'static str,
    liveness_detection: &'static str,
}

pub(super) const HEALTH: Endpoint = Endpoint {
    method: Method::GET,
    path: "/health",
    access: Access::Anyone,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Checks the service and its database",
    errors: &[(503, DATABASE_DOWN)],
};

pub(super) async fn health(State(app): State<AppState>) -> Result<Json<Health>, AppError> {
    let database = app.with_store("Health check failed", |store| store.check()).await;
    if database.is_err() {
        return Err(AppError::Detail(StatusCode::SERVICE_UNAVAILABLE, DATABASE_DOWN.into()));
    }
    Ok(Json(Health {
        status: "healthy",
        timestamp: "2024-01-01T00:00:00Z",
        services: Services { database: "connected", ai_models: "initialized", liveness_detection: "ready" },
    }))
}

/// The status and the features of the service.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceStatus {
    status: &'static str,
    authenticated_user: String,
    features: Features,
}

#[derive(Serialize, ToSchema)]
struct Features {
    face_recognition: bool,
    liveness_detection: bool,
    student_management: bool,
    attendance_tracking: bool,
}

pub(super) const STATUS: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/status",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns the service status",
    errors: &[],
};

pub(super) async fn status(call: Authed<Nothing>) -> Json<ServiceStatus> {
    Json(ServiceStatus {
        status: "operational",
        authenticated_user: call.user,
        features: Features {
            face_recognition: true,
            liveness_detection: true,
            student_management: true,
            attendance_tracking: true,
        },
    })
}
