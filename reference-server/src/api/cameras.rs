//! Keeps the cameras that are to be watched, also after a restart: lists, adds, tries, changes, pauses and removes
//! them.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use faceattend_core::Error;
use faceattend_core::camera::{Orientation, typed_address};
use faceattend_core::gate::GatePolicy;
use faceattend_core::store::{CameraGroup, CameraSettings, KeptCamera};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::detection::{NOT_PERMITTED, place};
use crate::error::AppError;
use crate::live::camera_status::{CameraItem, CameraStatus};
use crate::live::cameras::{Mounted, Starter, shown_place};
use crate::live::refusals::Refusal;
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{Flag, FlagOr, Integer, Optional, Word};
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, blocking};

const NO_CAMERA: &str = "Camera not found";
const TAKEN: &str = "A camera with this name or this address is there already";
const NOT_KEPT: &str = "Error keeping the camera: what is wrong with its name or its address";

pub(super) const GATE: Word<GatePolicy> = Word(&[
    ("off", GatePolicy::Off),
    ("observe", GatePolicy::Observe),
    ("require", GatePolicy::Require),
    ("ask", GatePolicy::Ask),
]);

/// A camera that is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeptItem {
    camera_id: i64,
    name: String,
    /// Its address without credentials, as `/detection/status` calls it.
    camera_url: String,
    /// Whether its address holds what could be a password.
    has_password: bool,
    #[schema(required)]
    camera_location: Option<String>,
    /// By how many degrees clockwise its pictures are turned; null where `--camera-orientation-at` says it.
    #[schema(required)]
    orientation: Option<u16>,
    /// Whether they are mirrored then; null where `--camera-mirror-at` says it.
    #[schema(required)]
    mirror: Option<bool>,
    /// `off`, `observe`, `require` or `ask`; null where `--gate` and `--gate-at` say it.
    #[schema(required)]
    gate: Option<&'static str>,
    /// Whether it is not watched for now.
    paused: bool,
    /// Whether it was started by its number, as the laptop's own.
    laptop: bool,
    /// The one server that reaches it, where several share a database.
    #[schema(required)]
    only_at: Option<String>,
    /// Why it is not watched although it is not paused: a password that cannot be read, a place that is no longer
    /// permitted, no room.
    #[schema(required)]
    problem: Option<String>,
    /// The same as a word: `no_room` for one that waits until the server watches fewer cameras than `--max-cameras`,
    /// `not_permitted` or `other`.
    #[schema(required)]
    problem_code: Option<&'static str>,
    created_at: String,
    created_by: String,
    changed_at: String,
    changed_by: String,
    /// How it is doing, as `/detection/status` tells it; null while it is not watched.
    #[schema(required, value_type = Option<CameraItem>)]
    status: Value,
}

impl KeptItem {
    fn of(app: &AppState, kept: KeptCamera, problem: Option<Refusal>, watched: &Map<String, Value>) -> Self {
        let laptop = kept.group == CameraGroup::Laptop;
        let status = if kept.paused {
            Value::Null
        } else if laptop {
            let all = app.live().laptop().status();
            all.iter().find(|camera| camera.name == kept.key.name).map_or(Value::Null, CameraStatus::item)
        } else {
            watched.get(&app.live().name_of(&kept.key)).cloned().unwrap_or(Value::Null)
        };
        Self {
            camera_id: kept.id,
            has_password: kept.address.known() != Some(kept.key.name.as_str()),
            name: kept.name,
            camera_url: kept.key.name,
            camera_location: kept.location,
            orientation: kept.turned.map(Orientation::degrees),
            mirror: kept.mirror,
            gate: kept.gate.map(GatePolicy::as_str),
            paused: kept.paused,
            laptop,
            only_at: kept.key.only_at,
            problem_code: problem.as_ref().map(|problem| problem.code.as_str()),
            problem: problem.map(|problem| problem.text),
            created_at: naive_utc(kept.created_at),
            created_by: kept.created_by,
            changed_at: naive_utc(kept.changed_at),
            changed_by: kept.changed_by,
            status,
        }
    }
}

/// Every camera that is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeptItems {
    cameras: Vec<KeptItem>,
}

fn camera_error(error: AppError) -> AppError {
    match error {
        AppError::Core(_, Error::Conflict { .. }) => AppError::Detail(StatusCode::CONFLICT, TAKEN.into()),
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_CAMERA),
        other => other,
    }
}

async fn item(app: &AppState, kept: KeptCamera) -> Result<KeptItem, AppError> {
    let app = app.clone();
    let listing = move || {
        let problem = app.live().kept().problem(&kept);
        Ok(KeptItem::of(&app, kept, problem, &app.live().camera_items()))
    };
    blocking("Error retrieving the camera", listing).await
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/cameras",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Lists the cameras that are kept, watched or paused",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<KeptItems>>, AppError> {
    let listing = move || {
        let (kept, watched) = (app.live().kept().cameras()?, app.live().camera_items());
        Ok(kept.into_iter().map(|(kept, problem)| KeptItem::of(&app, kept, problem, &watched)).collect())
    };
    let cameras = blocking("Error retrieving cameras", listing).await?;
    Ok(Json(reply("Cameras retrieved successfully", KeptItems { cameras })))
}

input! {
    /// A camera to keep.
    pub(crate) struct NewKept {
        body Json {
            name: String = texts::CAMERA_NAME,
            /// The address of a stream, the path of a recording at the server, or the number of a device.
            camera_url: String = texts::CAMERA_ADDRESS,
            user: Option<String> = Optional(texts::CAMERA_LOGIN),
            password: Option<String> = Optional(texts::CAMERA_LOGIN),
            camera_location: Option<String> = Optional(texts::CAMERA_LOCATION),
            /// By how many degrees clockwise its pictures are turned: 0, 90, 180 or 270.
            orientation: Option<i64> = Optional(Integer),
            mirror: Option<bool> = Optional(Flag),
            /// What it asks of a face before its person is marked.
            gate: Option<GatePolicy> = Optional(GATE),
            /// Whether it is kept without being watched.
            paused: bool = FlagOr(false),
        }
    }
}

fn turned(orientation: Option<i64>, prefix: &str) -> Result<Option<Orientation>, AppError> {
    let turned = orientation.map(Orientation::from_degrees).transpose();
    turned.map_err(|error| AppError::bad_request(format!("{prefix}: {error}")))
}

/// A place that is none: the page sends what its field holds.
fn not_blank(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

const KEEPING: &str = "Error keeping the camera";

pub(super) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/cameras",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Keeps a camera and has it watched",
    errors: &[(400, NOT_KEPT), (403, NOT_PERMITTED), (409, TAKEN)],
};

pub(super) async fn create(
    State(app): State<AppState>,
    call: Authed<NewKept>,
) -> Result<Json<Reply<KeptItem>>, AppError> {
    let Authed { trail, role, user: by, input, .. } = call;
    let NewKept { name, camera_url, user, password, camera_location, orientation, mirror, gate, paused } = input;
    let turned = turned(orientation, KEEPING)?;
    let location = not_blank(camera_location);
    let (adding, starter) = (app.clone(), Starter::of(role));
    let kept = blocking(KEEPING, move || {
        let address = typed_address(&camera_url, user.as_deref(), password.as_deref(), None)?;
        let settings = CameraSettings { name: Some(name.trim().to_owned()), address, location, turned, mirror, gate };
        adding.live().kept().add(settings, paused, (starter, &by))
    })
    .await
    .map_err(camera_error)?;
    let kept = kept.ok_or(AppError::Detail(StatusCode::FORBIDDEN, NOT_PERMITTED.into()))?;
    trail.note(told_of(&kept));
    let message = format!("Camera {} kept", shown_place(&kept.name));
    Ok(Json(reply(message, item(&app, kept).await?)))
}

/// Returns what the audit log says of a camera.
fn told_of(kept: &KeptCamera) -> String {
    format!("{}: {}", shown_place(&kept.name), place(&kept.key.name, kept.location.as_deref()))
}

input! {
    /// The camera in the path as it is to be from now on. What is left out is not set any more, but for the password.
    pub(crate) struct ChangedKept {
        path {
            camera_id: i64 = Integer,
        }
        body Json {
            name: String = texts::CAMERA_NAME,
            /// Its address. Where it shows `***` in place of the password that is kept, and no password is given, the
            /// password stays as it is, for the same host and user.
            camera_url: String = texts::CAMERA_ADDRESS,
            user: Option<String> = Optional(texts::CAMERA_LOGIN),
            password: Option<String> = Optional(texts::CAMERA_LOGIN),
            camera_location: Option<String> = Optional(texts::CAMERA_LOCATION),
            orientation: Option<i64> = Optional(Integer),
            mirror: Option<bool> = Optional(Flag),
            gate: Option<GatePolicy> = Optional(GATE),
        }
    }
}

pub(super) const UPDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/cameras/{camera_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Changes a camera, which is started anew where that makes it another",
    errors: &[(400, NOT_KEPT), (403, NOT_PERMITTED), (404, NO_CAMERA), (409, TAKEN)],
};

pub(super) async fn update(
    State(app): State<AppState>,
    call: Authed<ChangedKept>,
) -> Result<Json<Reply<KeptItem>>, AppError> {
    let Authed { trail, role, user: by, input, .. } = call;
    let ChangedKept { camera_id, name, camera_url, user, password, camera_location, orientation, mirror, gate } = input;
    let turned = turned(orientation, KEEPING)?;
    let location = not_blank(camera_location);
    let (changing, starter) = (app.clone(), Starter::of(role));
    let (before, changed) = blocking(KEEPING, move || {
        let list = changing.live().kept();
        let kept = list.camera(camera_id)?.ok_or(Error::NotFound { what: "camera" })?;
        let address = typed_address(&camera_url, user.as_deref(), password.as_deref(), kept.address.known())?;
        let settings = CameraSettings { name: Some(name.trim().to_owned()), address, location, turned, mirror, gate };
        let changed = list.change(&kept, settings, (starter, &by))?;
        Ok((kept, changed))
    })
    .await
    .map_err(camera_error)?;
    let changed = changed.ok_or(AppError::Detail(StatusCode::FORBIDDEN, NOT_PERMITTED.into()))?;
    trail.note(changes(&before, &changed));
    let message = format!("Camera {} changed", shown_place(&changed.name));
    Ok(Json(reply(message, item(&app, changed).await?)))
}

/// Returns what the audit log says of a change: the words for what changed, and the camera as it is.
fn changes(before: &KeptCamera, after: &KeptCamera) -> String {
    let words = [
        ("name", before.name != after.name),
        ("address", before.key != after.key),
        ("credentials", before.address != after.address && before.key == after.key),
        ("location", before.location != after.location),
        ("mounting", (before.turned, before.mirror) != (after.turned, after.mirror)),
        ("gate", before.gate != after.gate),
    ];
    let changed: Vec<&str> = words.iter().filter(|(_, changed)| *changed).map(|(word, _)| *word).collect();
    let changed = if changed.is_empty() { "nothing".to_owned() } else { changed.join(", ") };
    format!("{changed} of {}", told_of(after))
}

input! {
    /// The camera in the path.
    pub(crate) struct Which {
        path {
            camera_id: i64 = Integer,
        }
    }
}

pub(super) const PAUSE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/cameras/{camera_id}/pause",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Pauses a camera: it is kept and not watched",
    errors: &[(404, NO_CAMERA)],
};

pub(super) async fn pause(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<KeptItem>>, AppError> {
    set_paused(&app, call, true).await
}

pub(super) const RESUME: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/cameras/{camera_id}/resume",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Has a paused camera watched again",
    errors: &[(404, NO_CAMERA)],
};

pub(super) async fn resume(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> Result<Json<Reply<KeptItem>>, AppError> {
    set_paused(&app, call, false).await
}

async fn set_paused(app: &AppState, call: Authed<Which>, paused: bool) -> Result<Json<Reply<KeptItem>>, AppError> {
    let Authed { trail, user: by, input: Which { camera_id }, .. } = call;
    let changing = app.clone();
    let changed = blocking(KEEPING, move || changing.live().kept().pause(camera_id, paused, &by)).await;
    let changed = changed.map_err(camera_error)?;
    trail.note(told_of(&changed));
    let message = format!("Camera {} {}", shown_place(&changed.name), if paused { "paused" } else { "resumed" });
    Ok(Json(reply(message, item(app, changed).await?)))
}

pub(super) const REMOVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/cameras/{camera_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Removes a camera, which is watched no longer",
    errors: &[(404, NO_CAMERA)],
};

pub(super) async fn remove(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Done>, AppError> {
    let Which { camera_id } = call.input;
    let removed = blocking(KEEPING, move || app.live().kept().remove(camera_id)).await.map_err(camera_error)?;
    call.trail.note(told_of(&removed));
    Ok(Json(done(format!("Camera {} removed", shown_place(&removed.name)))))
}

input! {
    /// A camera to try out.
    pub(crate) struct Tried {
        body Json {
            /// The camera that is changed: its password is taken where none is given, for the same host and user.
            camera_id: Option<i64> = Optional(Integer),
            camera_url: String = texts::CAMERA_ADDRESS,
            user: Option<String> = Optional(texts::CAMERA_LOGIN),
            password: Option<String> = Optional(texts::CAMERA_LOGIN),
            camera_location: Option<String> = Optional(texts::CAMERA_LOCATION),
            orientation: Option<i64> = Optional(Integer),
            mirror: Option<bool> = Optional(Flag),
        }
    }
}

/// What a camera gave when it was opened once.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialItem {
    /// Whether it gave a picture.
    works: bool,
    /// Why it gave none.
    #[schema(required)]
    reason: Option<String>,
    #[schema(required)]
    width: Option<u32>,
    #[schema(required)]
    height: Option<u32>,
    /// Null where it gave one picture alone.
    #[schema(required)]
    frames_per_second: Option<f64>,
    /// A small JPEG as a data URL, turned upright.
    #[schema(required)]
    picture: Option<String>,
}

pub(super) const TEST: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/cameras/test",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Opens a camera once and tells what it gives, without keeping it",
    errors: &[(400, "Error trying the camera: no camera's address"), (403, NOT_PERMITTED), (404, NO_CAMERA)],
};

/// Opens a camera for some ten seconds at most. Who may start it may try it.
pub(super) async fn test(State(app): State<AppState>, call: Authed<Tried>) -> Result<Json<Reply<TrialItem>>, AppError> {
    const PREFIX: &str = "Error trying the camera";
    let Authed { trail, role, input, .. } = call;
    let Tried { camera_id, camera_url, user, password, camera_location, orientation, mirror } = input;
    trail.note(place(&faceattend_core::camera::redacted(&camera_url), camera_location.as_deref()));
    let mounted = Mounted { turned: turned(orientation, PREFIX)?, mirror };
    let _place = app.place_to_try()?;
    let (trying, starter) = (app.clone(), Starter::of(role));
    let tried = blocking(PREFIX, move || {
        let list = trying.live().kept();
        let kept = match camera_id {
            Some(id) => Some(list.camera(id)?.ok_or(Error::NotFound { what: "camera" })?),
            None => None,
        };
        let known = kept.as_ref().and_then(|kept| kept.address.known());
        let address = typed_address(&camera_url, user.as_deref(), password.as_deref(), known)?;
        match list.try_out(&address, (mounted, camera_location.as_deref()), kept.as_ref(), starter) {
            Ok(trial) => Ok(trial.map(Ok)),
            Err(error @ Error::InvalidInput { .. }) => Err(error),
            // As the status of a camera tells it that was started and cannot be opened.
            Err(error) => Ok(Some(Err(error.to_string()))),
        }
    })
    .await
    .map_err(camera_error)?;
    let tried = tried.ok_or(AppError::Detail(StatusCode::FORBIDDEN, NOT_PERMITTED.into()))?;
    Ok(Json(match tried {
        Ok(trial) => {
            let rate = trial.frames_per_second.map(|rate| (rate * 10.0).round() / 10.0);
            let picture = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(&trial.picture));
            let item = TrialItem {
                works: true,
                reason: None,
                width: Some(trial.width),
                height: Some(trial.height),
                frames_per_second: rate,
                picture: Some(picture),
            };
            reply("The camera gives pictures", item)
        }
        Err(reason) => {
            let (width, height, frames_per_second, picture) = (None, None, None, None);
            let item = TrialItem { works: false, reason: Some(reason), width, height, frames_per_second, picture };
            reply("The camera gives no picture", item)
        }
    }))
}
