//! The accounts, and the audit log of what they changed.

use axum::Json;
use axum::extract::State;
use faceattend_core::Error;
use faceattend_core::store::{AdminChange, AdminUser, AuditEntry, NewAdmin, Page};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::{check_password, hash_password};
use crate::error::{AppError, during};
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input, Nothing};
use crate::request::fields::{Fields, Reader};
use crate::responses::{Reply, naive_utc, page_of, read_page, reply};
use crate::state::AppState;

const ROLES: [&str; 3] = ["viewer", "operator", "admin"];
const ROLE_PATTERN: &str = "^(viewer|operator|admin)$";

fn account(user: &AdminUser) -> Value {
    json!({ "username": user.username, "role": user.role, "is_active": user.is_active })
}

fn account_error(prefix: &'static str) -> impl Fn(AppError) -> AppError {
    move |error| match error {
        AppError::Core(_, Error::Conflict { .. }) => AppError::bad_request("User with this name already exists"),
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found("User not found"),
        AppError::Core(_, Error::State { .. }) => AppError::bad_request("The last active admin must stay one"),
        AppError::Core(_, Error::InvalidInput { reason, .. }) => AppError::bad_request(format!("Password: {reason}")),
        AppError::Core(_, error) => during(prefix)(error),
        other => other,
    }
}

/// `GET /auth/users`.
pub(crate) async fn list(State(app): State<AppState>, _call: Authed<Nothing>) -> Result<Json<Reply<Value>>, AppError> {
    let users = app.with_store("Error retrieving users", |store| store.admins()).await?;
    let users: Vec<Value> = users.iter().map(account).collect();
    Ok(Json(reply("Users retrieved successfully", json!({ "users": users }))))
}

/// An account to be made.
pub(crate) struct NewAccount {
    username: String,
    password: String,
    role: String,
}

fn optional_role(body: &mut Fields<'_>) -> Option<String> {
    if body.has("role") { body.one_of("role", &ROLES, ROLE_PATTERN) } else { None }
}

impl Input for NewAccount {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let username = body.text_of("username", None, 1..=50);
        let password = body.text_of("password", None, 1..=1000);
        let role = body.one_of("role", &ROLES, ROLE_PATTERN);
        Some(Self { username: username?, password: password?, role: role? })
    }
}

/// `POST /auth/users`.
pub(crate) async fn create(
    State(app): State<AppState>,
    call: Authed<NewAccount>,
) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error creating user";
    let NewAccount { username, password, role } = call.input;
    let made = app
        .with_store(PREFIX, move |store| {
            check_password(&password)?;
            let new = NewAdmin { username, hashed_password: hash_password(&password)?, role };
            store.create_admin(&new, Timestamp::now())
        })
        .await
        .map_err(account_error(PREFIX))?;
    Ok(Json(reply(format!("User {} created successfully", made.username), account(&made))))
}

/// A change to the account in the path.
pub(crate) struct Change {
    username: String,
    password: Option<String>,
    change: AdminChange,
}

impl Input for Change {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let username = request.path().text("username");
        let mut body = request.body()?;
        let password = body.optional_text_of("password", None, 1..=1000);
        let role = optional_role(&mut body);
        let is_active = if body.has("is_active") { body.flag_or("is_active", true) } else { None };
        Some(Self { username: username?, password, change: AdminChange { role, is_active } })
    }
}

/// `PUT /auth/users/{username}`: role, activity, password. A new password or a user who becomes inactive ends every
/// login of the user.
pub(crate) async fn update(State(app): State<AppState>, call: Authed<Change>) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error updating user";
    let Change { username, password, change } = call.input;
    let changed = app
        .with_store(PREFIX, move |store| {
            let now = Timestamp::now();
            if let Some(password) = password {
                check_password(&password)?;
                store.set_admin_password(&username, &hash_password(&password)?, now)?;
                store.end_logins_of(&username, now)?;
            }
            store.update_admin(&username, &change, now)
        })
        .await
        .map_err(account_error(PREFIX))?;
    Ok(Json(reply(format!("User {} updated successfully", changed.username), account(&changed))))
}

/// A slice of the audit log.
pub(crate) struct Slice(Page);

impl Input for Slice {
    fn read(request: &mut Reader) -> Option<Self> {
        read_page(&mut request.query()).map(Self)
    }
}

/// `GET /audit`, newest first.
pub(crate) async fn audit(State(app): State<AppState>, call: Authed<Slice>) -> Result<Json<Value>, AppError> {
    let Slice(page) = call.input;
    let entries = app.with_store("Error retrieving the audit log", move |store| store.audit(page)).await?;
    Ok(Json(page_of(&entries, page, audit_item)))
}

fn audit_item(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id,
        "timestamp": naive_utc(entry.entry.at),
        "actor": entry.entry.actor,
        "action": entry.entry.action,
        "subject": entry.entry.subject,
        "details": entry.entry.details,
    })
}
