//! Starts and stops live detection on cameras, and shows its status and its log.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use faceattend_core::backlog::BacklogStatus;
use faceattend_core::camera::{Orientation, redacted};
use faceattend_core::store::{DetectionLog, StoreTrouble};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::AppError;
use crate::live::browser::SessionStats;
use crate::live::camera_status::CameraItem;
use crate::live::cameras::{Mounted, Starter, Wanted, shown_place};
use crate::request::body::Expects;
use crate::request::extract::Authed;
use crate::request::fields::Reader;
use crate::request::input::{Input, Nothing, RequestFields, input};
use crate::request::kinds::{Count, Flag, Integer, Optional};
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, LOADING, blocking};

input! {
    /// A camera of the server to start.
    pub(crate) struct ServerCamera {
        body Json {
            /// The address of a stream, the path of a recording at the server, or the number of a device.
            camera_url: String = texts::CAMERA_ADDRESS,
            camera_location: Option<String> = Optional(texts::CAMERA_LOCATION),
            /// By how many degrees clockwise its pictures are turned: 0, 90, 180 or 270. Without it, as
            /// `--camera-orientation-at` says of its location.
            orientation: Option<i64> = Optional(Integer),
            /// Whether they are mirrored left to right then. Without it, as `--camera-mirror-at` says.
            mirror: Option<bool> = Optional(Flag),
        }
    }
}

input! {
    /// A camera of a browser, which sends its pictures.
    pub(crate) struct BrowserCamera {
        body Json {
            /// The name of the camera.
            camera_source: String = texts::CAMERA_LOCATION,
        }
    }
}

/// A camera to start.
pub(crate) enum NewCamera {
    Server(ServerCamera),
    Browser(BrowserCamera),
}

impl Input for NewCamera {
    const EXPECTS: Expects = Expects::Json;

    /// Only `camera_source` tells a browser: an empty body lacks its `camera_url`, as recorded.
    fn read(request: &mut Reader) -> Option<Self> {
        let body = request.body(Self::EXPECTS)?;
        if !body.has("camera_url") && body.has("camera_source") {
            return BrowserCamera::read(request).map(Self::Browser);
        }
        ServerCamera::read(request).map(Self::Server)
    }

    fn describe(fields: &mut RequestFields) {
        ServerCamera::describe(fields);
        BrowserCamera::describe(fields);
    }
}

/// The camera that was started.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Started {
    Server(Reply<ServerStarted>),
    Browser(BrowserStarted),
}

/// A camera of the server, without its credentials.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerStarted {
    camera_url: String,
    #[schema(required)]
    camera_location: Option<String>,
}

/// The session of a browser.
#[derive(Serialize, ToSchema)]
pub(crate) struct BrowserStarted {
    success: bool,
    message: String,
    session_id: String,
    data: BrowserSession,
}

#[derive(Serialize, ToSchema)]
struct BrowserSession {
    camera_source: String,
    session_id: String,
}

/// Returns what the audit log says of a camera: its address without credentials, and its place.
pub(super) fn place(address: &str, location: Option<&str>) -> String {
    location.map_or_else(|| address.to_owned(), |location| format!("{address} at {}", shown_place(location)))
}

/// The text names how many.
const NO_ROOM: &str = "Cameras: this server watches 64 cameras, as many as it may, and what to do";

/// One text for all that an operator may not open, there or not.
pub(super) const NOT_PERMITTED: &str = "This camera or recording is not there, or only an admin may start it";

pub(super) const START: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/start",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Starts a camera of the server, or a session for the pictures of a browser",
    errors: &[
        (400, "Error starting face detection: no camera's address"),
        (403, NOT_PERMITTED),
        (409, NO_ROOM),
        (503, LOADING),
    ],
};

/// Starts a camera. An operator starts those of `--camera-hosts` and `--camera-folders`, an admin any. One that runs
/// already goes on as it is, unless it is said to be mounted otherwise. One that cannot be opened is started all the
/// same, and its status says that it does not run. One more than `--max-cameras` is refused, or left to another server
/// of the database. With `camera_source` it is a browser's session, whose pictures go to
/// `/detection/frame`.
pub(super) async fn start(State(app): State<AppState>, call: Authed<NewCamera>) -> Result<Json<Started>, AppError> {
    const PREFIX: &str = "Error starting face detection";
    app.faces_are_known()?;
    let Authed { trail, role, user, input, .. } = call;
    match input {
        NewCamera::Server(ServerCamera { camera_url: url, camera_location: location, orientation, mirror }) => {
            let turned = orientation.map(Orientation::from_degrees).transpose();
            let turned = turned.map_err(|error| AppError::bad_request(format!("{PREFIX}: {error}")))?;
            let mounted = Mounted { turned, mirror };
            let name = redacted(&url);
            trail.note(place(&name, location.as_deref()));
            let message = format!("Face detection started for camera: {name}");
            let started = ServerStarted { camera_url: name, camera_location: location.clone() };
            // A camera that is replaced is stopped first, which may take a second.
            let starter = Starter::of(role);
            let starting = move || {
                let wanted = Wanted { address: &url, location: location.as_deref(), mounted, gate: None };
                app.live().start_camera(wanted, starter, &user)
            };
            if !blocking(PREFIX, starting).await? {
                return Err(AppError::Detail(StatusCode::FORBIDDEN, NOT_PERMITTED.into()));
            }
            Ok(Json(Started::Server(reply(message, started))))
        }
        NewCamera::Browser(BrowserCamera { camera_source }) => {
            let camera_source = shown_place(&camera_source);
            trail.note(place("a browser", Some(&camera_source)));
            let session_id = app.live().browsers().begin(&camera_source);
            Ok(Json(Started::Browser(BrowserStarted {
                success: true,
                message: format!("Face detection started for camera: {camera_source}"),
                session_id: session_id.clone(),
                data: BrowserSession { camera_source, session_id },
            })))
        }
    }
}

input! {
    /// The camera or the session to stop.
    pub(crate) struct Which {
        body Dictionary {
            camera_url: Option<String> = Optional(texts::CAMERA_ADDRESS),
            /// A session of a browser.
            session_id: Option<String> = Optional(texts::SESSION_ID),
        }
    }
}

/// What was stopped.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Stopped {
    Server(Done),
    Browser(BrowserStopped),
}

/// What the session of a browser came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct BrowserStopped {
    success: bool,
    message: &'static str,
    session_stats: SessionStats,
    /// The same figures.
    data: SessionStats,
}

const NO_SESSION: &str = "Invalid session ID";
const NO_URL: &str = "camera_url is required";

pub(super) const STOP: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/stop",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Stops a camera of the server or a session of a browser",
    errors: &[(400, NO_URL), (400, NO_SESSION)],
};

/// Stops a camera. As recorded, one that does not run is stopped with success too.
pub(super) async fn stop(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Stopped>, AppError> {
    let (Which { camera_url, session_id }, user) = (call.input, call.user);
    if let (None, Some(session)) = (&camera_url, session_id) {
        let stats = app.live().browsers().end(&session).ok_or_else(|| AppError::bad_request(NO_SESSION))?;
        return Ok(Json(Stopped::Browser(BrowserStopped {
            success: true,
            message: "Face detection stopped",
            session_stats: stats.clone(),
            data: stats,
        })));
    }
    let url = camera_url.ok_or_else(|| AppError::bad_request(NO_URL))?;
    call.trail.note(redacted(&url));
    let message = format!("Face detection stopped for camera: {}", redacted(&url));
    blocking("Error stopping face detection", move || app.live().stop_camera(&url, &user)).await?;
    Ok(Json(Stopped::Server(done(message))))
}

pub(super) const STOP_ALL: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/stop-all",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Stops every camera",
    errors: &[],
};

pub(super) async fn stop_all(State(app): State<AppState>, call: Authed<Nothing>) -> Result<Json<Done>, AppError> {
    blocking("Error stopping face detection", move || app.live().stop_cameras(&call.user)).await?;
    Ok(Json(done("All face detection processes stopped")))
}

/// The cameras, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct DetectionStatus {
    #[schema(value_type = BTreeMap<String, CameraItem>)]
    cameras: Map<String, Value>,
    total_cameras: usize,
    active_cameras: usize,
    /// What waits for the database, of this server; absent while nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingWrites>,
}

/// What waits for a database that another program holds, or that is away.
#[derive(Serialize, ToSchema)]
struct WaitingWrites {
    /// Sightings of people who may be marked.
    marks: u64,
    /// Sightings for the second-look list.
    second_looks: u64,
    /// Rows of the detection log.
    detection_logs: u64,
    /// Entries of the audit log.
    audit_entries: u64,
    #[schema(required)]
    since: Option<String>,
    /// What is wrong with the database, and what to do.
    #[schema(required)]
    reason: Option<&'static str>,
    /// Whether all of it is in a file, and so survives the death of the server.
    kept: bool,
    /// How many were lost since the start, because too many waited.
    lost: u64,
}

impl WaitingWrites {
    fn of(status: &BacklogStatus) -> Option<Self> {
        (!status.is_empty()).then(|| Self {
            marks: status.marks,
            second_looks: status.second_looks,
            detection_logs: status.detection_logs,
            audit_entries: status.audit_entries,
            since: status.since.map(naive_utc),
            reason: status.trouble.map(StoreTrouble::advice),
            kept: status.is_kept,
            lost: status.lost,
        })
    }
}

pub(super) const STATUS: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/detection/status",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Returns the status of every camera",
    errors: &[],
};

pub(super) async fn status(State(app): State<AppState>, _call: Authed<Nothing>) -> Json<Reply<DetectionStatus>> {
    let cameras = app.live().camera_items();
    let active_cameras = cameras.values().filter(|camera| camera["is_running"] == true).count();
    let waiting = WaitingWrites::of(&app.live().backlog().status());
    let status = DetectionStatus { total_cameras: cameras.len(), active_cameras, cameras, waiting };
    Json(reply("Detection status retrieved successfully", status))
}

input! {
    /// How many log rows to list.
    pub(crate) struct Newest {
        query {
            limit: u32 = Count { least: 0, default: 100 },
        }
    }
}

/// Rows of the detection log.
#[derive(Serialize, ToSchema)]
pub(crate) struct DetectionLogs {
    logs: Vec<LogItem>,
    total: usize,
}

/// A row of the detection log.
#[derive(Serialize, ToSchema)]
struct LogItem {
    id: i64,
    timestamp: String,
    faces_detected: u32,
    students_recognized: u32,
    /// In seconds.
    #[schema(required)]
    processing_time: Option<f64>,
    #[schema(required)]
    camera_location: Option<String>,
    #[schema(required)]
    error_message: Option<String>,
}

impl LogItem {
    fn of(DetectionLog { id, entry }: &DetectionLog) -> Self {
        Self {
            id: *id,
            timestamp: naive_utc(entry.timestamp),
            faces_detected: entry.faces_detected,
            students_recognized: entry.students_recognized,
            processing_time: entry.processing_time,
            camera_location: entry.camera_location.clone(),
            error_message: entry.error_message.clone(),
        }
    }
}

pub(super) const LOGS: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/detection/logs",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Lists the detection log, newest first",
    errors: &[],
};

pub(super) async fn logs(
    State(app): State<AppState>,
    call: Authed<Newest>,
) -> Result<Json<Reply<DetectionLogs>>, AppError> {
    const PREFIX: &str = "Error retrieving detection logs";
    let Newest { limit } = call.input;
    let log = app.clone();
    let rows = app
        .with_store(PREFIX, move |store| {
            log.live().log().write();
            store.detection_logs(limit)
        })
        .await?;
    let logs: Vec<LogItem> = rows.iter().map(LogItem::of).collect();
    Ok(Json(reply("Detection logs retrieved successfully", DetectionLogs { total: logs.len(), logs })))
}
