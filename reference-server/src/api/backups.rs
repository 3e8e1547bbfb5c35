//! How it stands with the back-ups.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::request::extract::Authed;
use crate::request::input::Nothing;
use crate::responses::{Reply, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// The back-ups that the server makes every day.
#[derive(Serialize, ToSchema)]
pub(crate) struct BackupItem {
    /// Whether a folder is set, and so back-ups are made.
    is_scheduled: bool,
    folder: Option<String>,
    /// The newest back-up.
    last: Option<LastBackup>,
    /// Why the latest try failed; none once one has succeeded.
    failed: Option<FailedBackup>,
    /// When the next one is made, in UTC.
    next_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct LastBackup {
    /// When it was made, in UTC.
    made_at: String,
    /// Its file; where another server made it, that server's name and the file there.
    file: String,
    /// Its size, where this server has it.
    bytes: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct FailedBackup {
    /// When, in UTC.
    at: String,
    reason: String,
}

pub(super) const STATE: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/backups",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns when the last back-up was made, and why one failed",
    errors: &[],
};

pub(super) async fn state(State(app): State<AppState>, _call: Authed<Nothing>) -> Json<Reply<BackupItem>> {
    let Some(backups) = app.live().backups() else {
        let none = BackupItem { is_scheduled: false, folder: None, last: None, failed: None, next_at: None };
        return Json(reply("No back-ups are scheduled", none));
    };
    let state = backups.state();
    let item = BackupItem {
        is_scheduled: true,
        folder: Some(backups.folder().display().to_string()),
        last: state.last.map(|last| LastBackup { made_at: naive_utc(last.at), file: last.file, bytes: last.bytes }),
        failed: state.failed.map(|(at, reason)| FailedBackup { at: naive_utc(at), reason }),
        next_at: Some(naive_utc(backups.next(Timestamp::now()))),
    };
    Json(reply("Back-ups retrieved successfully", item))
}
