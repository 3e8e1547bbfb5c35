//! Logging in and out.

use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use faceattend_core::store::{NewAuditEntry, NewLogin};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::auth::{check_login, hash_of_refresh, random_key, token_seconds};
use crate::error::{AppError, during};
use crate::net::peer::Peer;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input, Nothing, Open};
use crate::request::fields::Reader;
use crate::responses::{Reply, done, reply};
use crate::state::{AppState, Logout};

/// How long a login lasts without being renewed: a working day, so that whoever comes every day logs in once a day.
const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// Name and password, as JSON or as a form.
pub(crate) struct Credentials {
    username: String,
    password: String,
}

impl Input for Credentials {
    const EXPECTS: Expects = Expects::JsonOrForm;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let username = body.text_of("username", None, 1..=usize::MAX);
        let password = body.text_of("password", None, 1..=usize::MAX);
        Some(Self { username: username?, password: password? })
    }
}

/// `POST /auth/login`.
pub(crate) async fn login(
    State(app): State<AppState>,
    Peer(from): Peer,
    call: Open<Credentials>,
) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Login failed";
    let Credentials { username, password } = call.0;
    let now = Timestamp::now();
    if let Some(seconds) = app.throttle().wait(&username, from, now) {
        return Err(AppError::Later(StatusCode::TOO_MANY_REQUESTS, "Too many failed logins, try again later", seconds));
    }
    let name = username.clone();
    let user = app.with_store(PREFIX, move |store| check_login(store, &name, &password)).await?;
    let Some(user) = user else {
        app.throttle().failed(&username, from, now);
        app.figures().failed_logins.fetch_add(1, Relaxed);
        return Err(AppError::Unauthorized("Incorrect username or password"));
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
    Ok(Json(tokens_answer(&token, &format!("{id}.{secret}"))))
}

fn tokens_answer(access: &str, refresh: &str) -> Value {
    json!({
        "access_token": access,
        "token_type": "bearer",
        // Ours: existing clients read the two above.
        "expires_in": token_seconds(),
        "refresh_token": refresh,
    })
}

/// A refresh token.
pub(crate) struct Refresh(String);

impl Input for Refresh {
    const EXPECTS: Expects = Expects::JsonOrForm;

    fn read(request: &mut Reader) -> Option<Self> {
        request.body()?.text("refresh_token").map(Self)
    }
}

/// `POST /auth/refresh`: fresh tokens for a refresh token, which is good once. An old one ends its login.
pub(crate) async fn refresh(State(app): State<AppState>, call: Open<Refresh>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Refresh failed";
    let refused = || AppError::Unauthorized("Could not validate credentials");
    let Open(Refresh(token)) = call;
    let (id, secret) = token.split_once('.').ok_or_else(refused)?;
    let (id, old, fresh) = (id.to_owned(), hash_of_refresh(secret), random_key());
    let (login, fresh_hash, now) = (id.clone(), hash_of_refresh(&fresh), Timestamp::now());
    let user = app
        .with_store(PREFIX, move |store| store.renew_login(&login, &old, &fresh_hash, now + LOGIN_LIFETIME, now))
        .await?
        .ok_or_else(refused)?;
    let access = app.tokens().issue(&user.username, &id, now).map_err(during(PREFIX))?;
    Ok(Json(tokens_answer(&access, &format!("{id}.{fresh}"))))
}

/// `GET /auth/me`.
pub(crate) async fn me(call: Authed<Nothing>) -> Json<Reply<Value>> {
    let data = json!({ "username": call.user, "role": call.role.as_str() });
    Json(reply("Admin user information retrieved successfully", data))
}

/// `POST /auth/logout`: ends the login, so that its tokens are good no more. A token of the existing service names no
/// login and stays good until it ends.
pub(crate) async fn logout(State(app): State<AppState>, call: Authed<Nothing>) -> Result<Json<Reply<()>>, AppError> {
    if let Some(login) = call.login.filter(|_| app.settings().logout == Logout::EndsLogin) {
        app.with_store("Logout failed", move |store| store.end_login(&login, Timestamp::now())).await?;
    }
    Ok(Json(done("Logout successful")))
}
