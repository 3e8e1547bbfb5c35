//! Runs the cameras that are plugged into the server, by their numbers.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::camera::devices;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::live::cameras::{Mounted, Starter, Wanted};
use crate::request::body::Expects;
use crate::request::extract::Authed;
use crate::request::fields::Reader;
use crate::request::input::{Input, Nothing, RequestFields, input};
use crate::request::kinds::{Integer, Optional};
use crate::responses::{Done, Reply, done, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, LOADING, blocking};

/// The location that each of them has. They are started as by an admin: a number names no host and no file.
const LOCATION: &str = "Laptop Camera";

input! {
    /// The number of a camera in the query, as the existing pages send it.
    pub(crate) struct InQuery {
        query {
            camera_index: Option<i64> = Optional(Integer),
        }
    }
}

input! {
    /// The number of a camera in the body, as the Django project of the existing service sends it.
    pub(crate) struct InBody {
        body OptionalDictionary {
            camera_index: Option<i64> = Optional(Integer),
        }
    }
}

/// The number of a camera; 0 where neither the query nor the body says it.
pub(crate) struct Index(i64);

impl Input for Index {
    const EXPECTS: Expects = InBody::EXPECTS;

    fn read(request: &mut Reader) -> Option<Self> {
        let index = match InQuery::read(request)?.camera_index {
            Some(index) => Some(index),
            None => InBody::read(request)?.camera_index,
        };
        Some(Self(index.unwrap_or(0)))
    }

    fn describe(fields: &mut RequestFields) {
        InQuery::describe(fields);
        InBody::describe(fields);
    }
}

fn wanted(number: &str) -> Wanted<'_> {
    Wanted { address: number, location: Some(LOCATION), mounted: Mounted::default(), gate: None }
}

fn available() -> Vec<u32> {
    devices().into_iter().map(|device| device.number).collect()
}

/// The camera that was started.
#[derive(Serialize, ToSchema)]
pub(crate) struct LaptopStarted {
    camera_index: i64,
    camera_location: &'static str,
    available_cameras: Vec<u32>,
}

pub(super) const START: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/laptop-camera/start",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Starts a camera that is plugged into the server",
    errors: &[
        (409, "Cameras: this server watches 64 cameras, as many as it may, and what to do"),
        (500, "Error starting laptop camera detection"),
        (503, LOADING),
    ],
};

/// Starts a camera. As recorded, one that is not there is started too; its status says so.
pub(super) async fn start(
    State(app): State<AppState>,
    call: Authed<Index>,
) -> Result<Json<Reply<LaptopStarted>>, AppError> {
    app.faces_are_known()?;
    let (Index(index), user) = (call.input, call.user);
    call.trail.note(format!("camera {index}"));
    let available = blocking("Error starting laptop camera detection", move || {
        let number = index.to_string();
        let turn = app.live().kept().laptop_turn();
        app.live().laptop().must_have_room_for(&number)?;
        turn.keep(wanted(&number), &user)?;
        app.live().laptop().start(wanted(&number), Starter::Admin)?;
        Ok(available())
    })
    .await?;
    let data = LaptopStarted { camera_index: index, camera_location: LOCATION, available_cameras: available };
    Ok(Json(reply(format!("Laptop camera detection started for camera index: {index}"), data)))
}

pub(super) const STOP: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/laptop-camera/stop",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Stops a camera that is plugged into the server",
    errors: &[(404, "No laptop camera processor found for index: 0")],
};

pub(super) async fn stop(State(app): State<AppState>, call: Authed<Index>) -> Result<Json<Done>, AppError> {
    let (Index(index), user) = (call.input, call.user);
    call.trail.note(format!("camera {index}"));
    let stopping = move || {
        let turn = app.live().kept().laptop_turn();
        let stopped = app.live().laptop().stop(&index.to_string());
        turn.pause(&index.to_string(), &user)?;
        Ok(stopped)
    };
    if blocking("Error stopping laptop camera detection", stopping).await? {
        Ok(Json(done(format!("Laptop camera detection stopped for camera index: {index}"))))
    } else {
        Err(AppError::not_found(format!("No laptop camera processor found for index: {index}")))
    }
}

/// The cameras that are plugged into the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct LaptopInfo {
    available_cameras: Vec<u32>,
    /// The one that runs; 0 where none does.
    current_camera: i64,
    camera_location: &'static str,
    /// `running` or `stopped`.
    status: &'static str,
    /// Whether there is no camera.
    mock_mode: bool,
}

pub(super) const INFO: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/detection/laptop-camera/info",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Returns the cameras that are plugged into the server",
    errors: &[],
};

pub(super) async fn info(State(app): State<AppState>, _call: Authed<Nothing>) -> Json<Reply<LaptopInfo>> {
    let running = app.live().laptop().status().into_iter().find(|camera| camera.is_running);
    let current = running.as_ref().and_then(|camera| camera.name.parse::<i64>().ok()).unwrap_or(0);
    let available = available();
    let data = LaptopInfo {
        mock_mode: available.is_empty(),
        available_cameras: available,
        current_camera: current,
        camera_location: LOCATION,
        status: if running.is_some() { "running" } else { "stopped" },
    };
    Json(reply("Laptop camera information retrieved", data))
}

input! {
    /// The number of the camera to switch to.
    pub(crate) struct Other {
        body Dictionary {
            camera_index: i64 = Integer,
        }
    }
}

/// The camera that was switched to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Switched {
    camera_index: i64,
    camera_location: &'static str,
}

const NONE_RUNS: &str = "No running laptop camera processor found";

pub(super) const SWITCH: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/detection/laptop-camera/switch",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::LiveDetection,
    summary: "Switches from the camera that runs to another",
    errors: &[(400, "Failed to switch to camera index: 1"), (404, NONE_RUNS)],
};

/// Whether there is a camera to switch to.
#[derive(Debug, PartialEq, Eq)]
enum Presence {
    Absent,
    /// It is there, and another program may have it.
    Listed,
    /// This system lists no cameras, and one gives pictures: whether there is another shows when it is opened.
    ToBeTried,
    /// No camera gives pictures, so none is lost. As recorded, on a machine that has none.
    Unknown,
}

fn presence(index: i64, available: &[u32], another_gives_pictures: bool) -> Presence {
    let number = u32::try_from(index).ok();
    match (number.is_some_and(|number| available.contains(&number)), another_gives_pictures) {
        (true, true) => Presence::Listed,
        (true, false) => Presence::Unknown,
        (false, another) if available.is_empty() => match (another, number) {
            (false, _) => Presence::Unknown,
            (true, Some(_)) => Presence::ToBeTried,
            (true, None) => Presence::Absent,
        },
        (false, _) => Presence::Absent,
    }
}

/// Switches from the first camera that runs, which goes on where the other is not there or gives no picture. The one
/// left is listed until it is stopped, as pages that started with it still stop it by its number.
pub(super) async fn switch(
    State(app): State<AppState>,
    call: Authed<Other>,
) -> Result<Json<Reply<Switched>>, AppError> {
    let (Other { camera_index: index }, user) = (call.input, call.user);
    call.trail.note(format!("camera {index}"));
    let cameras = app.live().laptop().status();
    let Some(running) = cameras.into_iter().find(|camera| camera.is_running) else {
        return Err(AppError::not_found(NONE_RUNS));
    };
    let switching = move || {
        let turn = app.live().kept().laptop_turn();
        let (cameras, name) = (app.live().laptop(), index.to_string());
        let start = || cameras.start(wanted(&name), Starter::Admin);
        if running.name == name {
            return start();
        }
        match presence(index, &available(), running.health.captured > 0) {
            Presence::Absent => return Ok(false),
            Presence::Unknown => {
                cameras.halt(&running.name);
                start()?;
            }
            Presence::Listed => {
                // Two cameras at once are more than some USB ports carry.
                cameras.halt(&running.name);
                start()?;
                if !cameras.comes_up(&name) {
                    cameras.stop(&name);
                    cameras.start(wanted(&running.name), Starter::Admin)?;
                    return Ok(false);
                }
            }
            Presence::ToBeTried => {
                start()?;
                if !cameras.comes_up(&name) {
                    cameras.stop(&name);
                    return Ok(false);
                }
                cameras.halt(&running.name);
            }
        }
        turn.keep(wanted(&name), &user)?;
        turn.pause(&running.name, &user)?;
        Ok(true)
    };
    let failed = || AppError::bad_request(format!("Failed to switch to camera index: {index}"));
    if !blocking("Error switching laptop camera", switching).await.map_err(|_| failed())? {
        return Err(failed());
    }
    let data = Switched { camera_index: index, camera_location: LOCATION };
    Ok(Json(reply(format!("Switched to laptop camera index: {index}"), data)))
}

/// A camera that is plugged into the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct LaptopCamera {
    running: bool,
    #[schema(required)]
    camera_location: Option<String>,
    frame_count: u64,
    // Ours.
    /// The number for the preview.
    id: u64,
    state: &'static str,
    #[schema(required)]
    last_error: Option<String>,
}

pub(super) const STATUS: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/detection/laptop-camera/status",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::LiveDetection,
    summary: "Returns the status of the cameras that are plugged into the server, by number",
    errors: &[],
};

pub(super) async fn status(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Json<Reply<BTreeMap<String, LaptopCamera>>> {
    let cameras = app.live().laptop().status().into_iter().map(|camera| {
        let state = camera.state().as_str();
        let item = LaptopCamera {
            running: camera.is_running,
            camera_location: camera.location,
            frame_count: camera.health.captured,
            id: camera.id,
            state,
            last_error: camera.health.last_error,
        };
        (camera.name, item)
    });
    Json(reply("Laptop camera status retrieved", cameras.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_is_not_there_is_switched_to_on_machines_without_any_alone() {
        assert_eq!(presence(2, &[0, 2], true), Presence::Listed);
        assert_eq!(presence(2, &[0, 2], false), Presence::Unknown);
        assert_eq!(presence(1, &[0, 2], true), Presence::Absent);
        assert_eq!(presence(1, &[0, 2], false), Presence::Absent, "the other is about to give pictures");
        assert_eq!(presence(-1, &[0], true), Presence::Absent);
        assert_eq!(presence(1 << 40, &[], true), Presence::Absent);
        assert_eq!(presence(1, &[], true), Presence::ToBeTried, "this system lists no cameras");
        assert_eq!(presence(1, &[], false), Presence::Unknown, "as recorded");
    }
}
