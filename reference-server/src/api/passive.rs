//! The passive antispoof networks: whether they run, and fetching them at the press of a button.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::error::{AppError, during};
use crate::passive::{PassiveNetworks, Standing};
use crate::request::extract::{Authed, Nothing};
use crate::responses::{Reply, reply};
use crate::state::AppState;

type Answer = Result<Json<Reply<Standing>>, AppError>;

fn networks(app: &AppState) -> Result<&PassiveNetworks, AppError> {
    let cannot = || AppError::Detail(StatusCode::NOT_FOUND, "This server does not fetch models".into());
    app.settings().passive.as_ref().ok_or_else(cannot)
}

/// `GET /models/antispoof`.
pub(crate) async fn standing(State(app): State<AppState>, _call: Authed<Nothing>) -> Answer {
    let standing = app.settings().passive.as_ref().map_or_else(Standing::unknown, PassiveNetworks::standing);
    Ok(Json(reply("Antispoof models retrieved successfully", standing)))
}

/// `POST /models/antispoof`: begins the download, or goes on with it; one that is under way goes on.
pub(crate) async fn fetch(State(app): State<AppState>, _call: Authed<Nothing>) -> Answer {
    let networks = networks(&app)?;
    networks.fetch().map_err(during("Error fetching models"))?;
    Ok(Json(reply("Antispoof models are being fetched", networks.standing())))
}

/// `DELETE /models/antispoof`: stops the download. What has arrived is kept, and so are networks that run.
pub(crate) async fn stop(State(app): State<AppState>, _call: Authed<Nothing>) -> Answer {
    let networks = networks(&app)?;
    networks.stop();
    Ok(Json(reply("The download is being stopped", networks.standing())))
}
