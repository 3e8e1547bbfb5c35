//! Answers about the service without credentials, as later versions of the existing service do. No answer holds a name
//! or a secret.

use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::store::{AttendanceFilter, Page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{AppError, RETRY_AFTER};
use crate::live::gallery_start::Loaded;
use crate::metrics::Gauges;
use crate::request::extract::Open;
use crate::request::input::input;
use crate::request::kinds::Optional;
use crate::request::texts;
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer to a ping.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pong {
    status: &'static str,
    message: &'static str,
}

pub(super) const PING: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/ping",
    access: Access::Anyone,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Answers a ping",
    errors: &[],
};

pub(super) async fn ping() -> Json<Pong> {
    Json(Pong { status: "ok", message: "pong" })
}

/// Whether requests can be answered.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ready` or `not ready`.
    status: &'static str,
    checks: Checks,
    /// How many people the server recognizes.
    known_faces: usize,
    /// How far the known faces are loaded, while they are: until then nobody is recognized.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    gallery: Option<Loaded>,
    /// How many marks, sightings and log entries of this server wait for the database.
    writes_waiting: u64,
}

#[derive(Serialize, ToSchema)]
struct Checks {
    database: bool,
    models: bool,
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        if self.checks.database && self.gallery.is_none() {
            return (StatusCode::OK, Json(self)).into_response();
        }
        let later = [(header::RETRY_AFTER, RETRY_AFTER.to_string())];
        (StatusCode::SERVICE_UNAVAILABLE, later, Json(self)).into_response()
    }
}

impl Answer for Readiness {
    fn describe(described: &mut Described) {
        described.json::<Self>(StatusCode::OK);
        described.json::<Self>(StatusCode::SERVICE_UNAVAILABLE);
    }
}

pub(super) const READY: Endpoint = Endpoint {
    method: Method::GET,
    path: "/ready",
    access: Access::Anyone,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Tells a proxy whether this server can answer requests",
    errors: &[(503, "The database does not answer, or the known faces are still being loaded")],
};

pub(super) async fn ready(State(app): State<AppState>) -> Readiness {
    let database = app.with_store("Readiness check failed", |store| store.check()).await.is_ok();
    let gallery = app.live().gallery_start().progress();
    Readiness {
        status: if database && gallery.is_none() { "ready" } else { "not ready" },
        checks: Checks { database, models: true },
        known_faces: app.live().gallery().people(),
        gallery,
        writes_waiting: app.live().backlog().status().total(),
    }
}

/// The models that run.
#[derive(Serialize, ToSchema)]
pub(crate) struct Models {
    models: [Model; 1],
    /// The least similarity at which two faces are one person's.
    threshold: f64,
}

#[derive(Serialize, ToSchema)]
struct Model {
    name: String,
    r#type: &'static str,
    /// How many values an embedding has.
    dimension: usize,
}

pub(super) const MODELS: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/models",
    access: Access::Anyone,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns the models that run",
    errors: &[],
};

pub(super) async fn models(State(app): State<AppState>) -> Json<Models> {
    let embedder = app.engine().embedder();
    Json(Models {
        models: [Model {
            name: embedder.model.as_str().to_owned(),
            r#type: "embedding",
            dimension: embedder.dimension,
        }],
        threshold: f64::from(app.settings().threshold.value()),
    })
}

/// The figures that the existing dashboard reads.
#[derive(Serialize, ToSchema)]
pub(crate) struct Figures {
    students_count: u64,
    embeddings_count: usize,
    attendance_logs_count: u64,
    recognition_count: u64,
    active_cameras: usize,
    /// Where the same and more stand in Prometheus' format.
    prometheus: &'static str,
}

/// The figures as JSON, or in Prometheus' format.
pub(crate) enum Metrics {
    Json(Json<Figures>),
    Prometheus(String),
}

impl IntoResponse for Metrics {
    fn into_response(self) -> Response {
        match self {
            Self::Json(figures) => figures.into_response(),
            Self::Prometheus(text) => ([(header::CONTENT_TYPE, EXPOSITION)], text).into_response(),
        }
    }
}

impl Answer for Metrics {
    fn describe(described: &mut Described) {
        Json::<Figures>::describe(described);
        described.file(EXPOSITION);
    }
}

input! {
    /// In which form the figures are asked for.
    pub(crate) struct Form {
        query {
            /// `prometheus` for Prometheus' text format.
            format: Option<String> = Optional(texts::FORMAT),
        }
    }
}

pub(super) const METRICS: Endpoint = Endpoint {
    method: Method::GET,
    path: "/metrics",
    access: Access::Anyone,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns figures as JSON, or in Prometheus' format for clients that accept text/plain",
    errors: &[],
};

pub(super) async fn metrics(
    State(app): State<AppState>,
    headers: HeaderMap,
    Open(Form { format }): Open<Form>,
) -> Result<Metrics, AppError> {
    // Anybody may ask, as often as they like, and counting reads whole tables: one at a time.
    let turn = app.turn_to_count().await;
    let (students, attendance, second_looks_open, outbox) = app
        .with_store("Error retrieving metrics", |store| {
            let one = Page { skip: 0, limit: 1 };
            let attendance = store.attendance_summary(&AttendanceFilter::default())?.total;
            let students = store.students(None, one)?.total;
            Ok((students, attendance, store.open_second_looks()?, store.outbox_state()?))
        })
        .await?;
    drop(turn);
    let cameras = app.live().cameras().status();
    let backlog = app.live().backlog().status();
    let gallery = app.live().gallery();
    let notices = app.live().notices().figures();
    let gauges = Gauges {
        students,
        attendance,
        second_looks_open,
        people: gallery.people(),
        templates: gallery.templates(),
        cameras: cameras.len(),
        active_cameras: cameras.iter().filter(|camera| camera.is_running).count(),
        spoofs_suspected: app.live().gate_figures().suspected.load(Relaxed),
        second_looks: app.live().gate_figures().second_looks.load(Relaxed),
        writes_waiting: backlog.total(),
        writes_lost: backlog.lost,
        notices_waiting: outbox.waiting,
        notices_dead: outbox.dead,
        notices_sent: notices.sent.load(Relaxed),
        notice_tries_failed: notices.failed_tries.load(Relaxed),
        notices_given_up: notices.given_up.load(Relaxed),
        backup: app.live().backups().map(|backups| {
            let state = backups.state();
            let last = state.last.as_ref();
            let bytes = last.and_then(|last| last.bytes).unwrap_or(0);
            (last.map_or(0, |last| last.at.as_second()), bytes, state.failed.is_some())
        }),
    };
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let prometheus = format.is_some_and(|format| format == "prometheus");
    if prometheus || accepted.contains("text/plain") || accepted.contains("openmetrics") {
        return Ok(Metrics::Prometheus(app.figures().prometheus(&gauges)));
    }
    Ok(Metrics::Json(Json(Figures {
        students_count: students,
        embeddings_count: gauges.templates,
        attendance_logs_count: attendance,
        recognition_count: app.figures().recognitions.load(Relaxed),
        active_cameras: gauges.active_cameras,
        prometheus: "/metrics?format=prometheus",
    })))
}
