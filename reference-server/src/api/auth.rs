//! Logs users in and out.

use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use faceattend_core::store::{NewAuditEntry, NewLogin};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{check_login, clock, hash_of_refresh, random_key, token_seconds};
use crate::error::{AppError, during};
use crate::net::peer::Peer;
use crate::request::extract::{Authed, Open};
use crate::request::input::{Nothing, input};
use crate::request::kinds::TEXT;
use crate::responses::{Done, Reply, done, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::settings::Logout;
use crate::state::AppState;

/// How long a login lasts without being renewed: a working day, so that a daily user logs in once a day.
const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

input! {
    /// Name and password, as JSON or as a form.
    pub(crate) struct Credentials {
        body JsonOrForm {
            username: String = TEXT.of(1, usize::MAX).example("admin"),
            password: String = TEXT.of(1, usize::MAX).example("correct horse"),
        }
    }
}

/// The tokens of a login.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    access_token: String,
    token_type: &'static str,
    // Ours: existing clients read the two above.
    /// How many seconds the access token lasts.
    expires_in: i64,
    /// Valid once, for new tokens.
    refresh_token: String,
}

const NOT_VALID: &str = "Could not validate credentials";
const WRONG_PASSWORD: &str = "Incorrect username or password";
const TOO_MANY_FAILED: &str = "Too many failed logins, try again later";

pub(super) const LOGIN: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/auth/login",
    access: Access::Anyone,
    // It writes its own entry, with the name of the user.
    audit: Audit::None,
    tag: Tag::Accounts,
    summary: "Logs in with JSON or a form",
    errors: &[(401, WRONG_PASSWORD), (429, TOO_MANY_FAILED)],
};

pub(super) async fn login(
    State(app): State<AppState>,
    Peer(from): Peer,
    call: Open<Credentials>,
) -> Result<Json<Tokens>, AppError> {
    const PREFIX: &str = "Login failed";
    let Credentials { username, password } = call.0;
    let now = clock::now();
    if let Some(seconds) = app.throttle().wait(&username, from, now) {
        return Err(AppError::Later(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_FAILED, seconds));
    }
    let name = username.clone();
    let user = app.with_store(PREFIX, move |store| check_login(store, &name, &password)).await?;
    let Some(user) = user else {
        app.throttle().failed(&username, from, now);
        app.figures().failed_logins.fetch_add(1, Relaxed);
        return Err(AppError::Unauthorized(WRONG_PASSWORD));
    };
    app.throttle().succeeded(&username, from);
    let (id, secret) = (random_key(), random_key());
    let login = NewLogin {
        id: id.clone(),
        username: username.clone(),
        refresh_hash: hash_of_refresh(&secret),
        created_at: now,
        expires_at: now + LOGIN_LIFETIME,
    };
    let entry = NewAuditEntry { at: now, actor: username, action: "login".into(), subject: None, details: None };
    app.with_store(PREFIX, move |store| {
        store.begin_login(&login)?;
        store.add_audit(&entry)
    })
    .await?;
    let token = app.tokens().issue(&user.username, &id, now).map_err(during(PREFIX))?;
    Ok(Json(tokens(token, format!("{id}.{secret}"))))
}

fn tokens(access_token: String, refresh_token: String) -> Tokens {
    Tokens { access_token, token_type: "bearer", expires_in: token_seconds(), refresh_token }
}

input! {
    /// A refresh token.
    pub(crate) struct Refresh {
        body JsonOrForm {
            refresh_token: String = TEXT,
        }
    }
}

pub(super) const REFRESH: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/auth/refresh",
    access: Access::Anyone,
    // It goes on with a login that has its entry.
    audit: Audit::None,
    tag: Tag::Accounts,
    summary: "Returns new tokens for a refresh token, which is valid once",
    errors: &[(401, NOT_VALID)],
};

/// Returns new tokens. A refresh token that was used before ends its login.
pub(super) async fn refresh(State(app): State<AppState>, call: Open<Refresh>) -> Result<Json<Tokens>, AppError> {
    const PREFIX: &str = "Refresh failed";
    let refused = || AppError::Unauthorized(NOT_VALID);
    let Open(Refresh { refresh_token }) = call;
    let (id, secret) = refresh_token.split_once('.').ok_or_else(refused)?;
    let (id, old, fresh) = (id.to_owned(), hash_of_refresh(secret), random_key());
    let (login, fresh_hash, now) = (id.clone(), hash_of_refresh(&fresh), clock::now());
    let user = app
        .with_store(PREFIX, move |store| store.renew_login(&login, &old, &fresh_hash, now + LOGIN_LIFETIME, now))
        .await?
        .ok_or_else(refused)?;
    let access = app.tokens().issue(&user.username, &id, now).map_err(during(PREFIX))?;
    Ok(Json(tokens(access, format!("{id}.{fresh}"))))
}

/// An account as its own user sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    username: String,
    role: &'static str,
}

pub(super) const ME: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/auth/me",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Accounts,
    summary: "Returns the user who is logged in",
    errors: &[],
};

pub(super) async fn me(call: Authed<Nothing>) -> Json<Reply<Me>> {
    let me = Me { username: call.user, role: call.role.as_str() };
    Json(reply("Admin user information retrieved successfully", me))
}

pub(super) const LOGOUT: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/auth/logout",
    access: Access::Viewer,
    audit: Audit::Entry,
    tag: Tag::Accounts,
    summary: "Ends the login",
    errors: &[],
};

/// Ends the login and with it its tokens. A token of the existing service names no login and stays valid until it
/// expires.
pub(super) async fn logout(State(app): State<AppState>, call: Authed<Nothing>) -> Result<Json<Done>, AppError> {
    if let Some(login) = call.login.filter(|_| app.settings().logout == Logout::EndsLogin) {
        app.with_store("Logout failed", move |store| store.end_login(&login, Timestamp::now())).await?;
    }
    Ok(Json(done("Logout successful")))
}
