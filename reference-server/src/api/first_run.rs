//! Tells what is still to be done before a new server marks anybody.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::passive::PassiveNetworks;
use crate::request::extract::Authed;
use crate::request::input::Nothing;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, blocking};

/// What is done, by the server's real state.
#[derive(Serialize, ToSchema)]
pub(crate) struct FirstRun {
    /// Whether no account has the documented password any more.
    password_changed: bool,
    /// The site's time zone: its days and times are those of the attendance.
    time_zone: String,
    /// Whether `--time-zone` names it; otherwise it is the machine's.
    time_zone_chosen: bool,
    /// The time there, such as `2026-03-02 14:05`.
    local_time: String,
    /// How many cameras are kept.
    cameras: usize,
    /// How many people the cameras recognize.
    people: usize,
    /// Whether the passive antispoof models run, or this server has no use for them.
    passive_models: bool,
}

pub(super) const FIRST_RUN: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/first-run",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns what is done of what a new server needs",
    errors: &[],
};

pub(super) async fn first_run(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<FirstRun>>, AppError> {
    let password_changed = app.password_is_changed().await?;
    let zone = app.settings().policy.time_zone().clone();
    let local_time = Timestamp::now().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let counting = app.clone();
    let cameras = blocking("Error retrieving cameras", move || Ok(counting.live().kept().cameras()?.len())).await?;
    let data = FirstRun {
        password_changed,
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        time_zone_chosen: app.settings().time_zone_chosen,
        local_time,
        cameras,
        // Whoever is still being loaded is registered.
        people: match app.live().gallery_start().progress() {
            Some(loading) => usize::try_from(loading.of).unwrap_or(usize::MAX),
            None => app.live().gallery().people(),
        },
        passive_models: app.settings().passive.as_ref().is_none_or(PassiveNetworks::is_settled),
    };
    Ok(Json(reply("First steps retrieved successfully", data)))
}
