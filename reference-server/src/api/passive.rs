//! Tells whether the passive antispoof models run, and downloads them when an admin asks for it.

use axum::Json;
use axum::extract::State;
use axum::http::Method;

use crate::error::{AppError, during};
use crate::passive::{PassiveNetworks, Standing};
use crate::request::extract::Authed;
use crate::request::input::Nothing;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_FETCHING: &str = "This server does not fetch models";

type Answer = Result<Json<Reply<Standing>>, AppError>;

fn networks(app: &AppState) -> Result<&PassiveNetworks, AppError> {
    app.settings().passive.as_ref().ok_or_else(|| AppError::not_found(NO_FETCHING))
}

pub(super) const STANDING: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/models/antispoof",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns whether the passive antispoof models run, and how far their download is",
    errors: &[],
};

pub(super) async fn standing(State(app): State<AppState>, _call: Authed<Nothing>) -> Answer {
    let standing = app.settings().passive.as_ref().map_or_else(Standing::unknown, PassiveNetworks::standing);
    Ok(Json(reply("Antispoof models retrieved successfully", standing)))
}

pub(super) const FETCH: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/models/antispoof",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Service,
    summary: "Downloads the passive antispoof models, which run as soon as they are here",
    errors: &[(404, NO_FETCHING)],
};

/// Starts the download or resumes it. One that is under way goes on.
pub(super) async fn fetch(State(app): State<AppState>, _call: Authed<Nothing>) -> Answer {
    let networks = networks(&app)?;
    networks.fetch().map_err(during("Error fetching models"))?;
    Ok(Json(reply("Antispoof models are being fetched", networks.standing())))
}

pub(super) const STOP: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/models/antispoof",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Service,
    summary: "Stops the download of the passive antispoof models and keeps what has arrived",
    errors: &[(404, NO_FETCHING)],
};

/// Stops the download. Networks that run already go on.
pub(super) async fn stop(State(app): State<AppState>, _call: Authed<Nothing>) -> Answer {
    let networks = networks(&app)?;
    networks.stop();
    Ok(Json(reply("The download is being stopped", networks.standing())))
}
