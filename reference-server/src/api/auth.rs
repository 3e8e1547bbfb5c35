//! Logs users in and out.

use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::store::{NewAuditEntry, NewLogin, Store};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::hashing::Turn;
use crate::auth::throttle::{Device, Guesser};
use crate::auth::{
    Compared, LONGEST_NAME, LONGEST_PASSWORD, check_login, clock, hash_of_key, is_random_key, random_key, token_seconds,
};
use crate::error::{AppError, during};
use crate::net::forwarded::{is_https, prefix};
use crate::net::origin::{DOCUMENTED_PASSWORD, Origin};
use crate::net::peer::Peer;
use crate::request::extract::{Authed, Open};
use crate::request::input::{Nothing, input};
use crate::request::texts;
use crate::responses::{Done, Reply, done, reply};
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::settings::Logout;
use crate::state::AppState;

/// How long a login lasts without being renewed: a working day, so that a daily user logs in once a day.
const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

input! {
    /// Name and password, as JSON or as a form.
    pub(crate) struct Credentials {
        body JsonOrForm {
            username: String = texts::USER_NAME,
            password: String = texts::PASSWORD,
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
    errors: &[(401, WRONG_PASSWORD), (403, DOCUMENTED_PASSWORD), (429, TOO_MANY_FAILED), (503, "The server is busy")],
};

/// The cookie of a device that has logged in. It opens nothing: tokens travel in headers.
const DEVICE_COOKIE: &str = "faceattend_device";
/// How long a browser keeps it: half a year of holidays.
const DEVICE_SECONDS: u32 = 180 * 24 * 3600;

/// The tokens of a login, and the cookie of the device.
pub(crate) struct LoggedIn {
    tokens: Tokens,
    cookie: Option<HeaderValue>,
}

impl IntoResponse for LoggedIn {
    fn into_response(self) -> Response {
        let mut response = Json(self.tokens).into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl Answer for LoggedIn {
    fn describe(described: &mut Described) {
        <Json<Tokens> as Answer>::describe(described);
    }
}

/// Logs in. The password is compared in a turn of its own, and the login begins only if the password is still the one
/// that was compared.
pub(super) async fn login(
    State(app): State<AppState>,
    Peer(from): Peer,
    headers: HeaderMap,
    call: Open<Credentials>,
) -> Result<LoggedIn, AppError> {
    const PREFIX: &str = "Login failed";
    let Credentials { username, password } = call.0;
    Origin::of(&headers).may_send(&password)?;
    let refused = || {
        app.figures().failed_logins.fetch_add(1, Relaxed);
        AppError::Unauthorized(WRONG_PASSWORD)
    };
    // No account has such a name or password, so there is nothing to compare, to count or to keep. PostgreSQL takes no
    // NUL in a text.
    if username.contains('\0') || username.chars().count() > LONGEST_NAME || password.chars().count() > LONGEST_PASSWORD
    {
        return Err(refused());
    }
    let secret = &app.settings().secret;
    let known = device_in(&headers).and_then(|cookie| Device::of_cookie(secret, &username, cookie));
    let guesser = Guesser::new(&username, from, known.as_ref());
    let turn = app.turn_to_hash().await?;
    let (name, now) = (username.clone(), clock::now());
    let came_to =
        app.with_store(PREFIX, move |store| try_to_log_in(store, turn, &guesser, [&name, &password], from, now));
    let (user, id, refresh_token) = match came_to.await? {
        Tried::Wait(seconds) => {
            return Err(AppError::Later(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_FAILED, seconds));
        }
        Tried::Wrong => return Err(refused()),
        Tried::LoggedIn { user, id, refresh_token } => (user, id, refresh_token),
    };
    let token = app.tokens().issue(&user, &id, now).map_err(during(PREFIX))?;
    let cookie = known.is_none().then(|| cookie_of(&Device::new(secret, &user), &headers)).flatten();
    Ok(LoggedIn { tokens: tokens(token, refresh_token), cookie })
}

/// What a try to log in came to.
enum Tried {
    /// Too many have failed: seconds until the next one.
    Wait(u64),
    Wrong,
    LoggedIn {
        user: String,
        id: String,
        refresh_token: String,
    },
}

fn try_to_log_in(
    store: &dyn Store,
    turn: Turn,
    guesser: &Guesser,
    [username, password]: [&str; 2],
    from: Option<IpAddr>,
    now: Timestamp,
) -> faceattend_core::Result<Tried> {
    if let Some(seconds) = guesser.wait(store, now)? {
        return Ok(Tried::Wait(seconds));
    }
    let user = match turn.run(|| check_login(store, username, password))? {
        Compared::Right(user) => user,
        Compared::Wrong { is_known } => {
            guesser.failed(store, now)?;
            if !is_known && !guesser.named_nobody(store, now)? {
                return Ok(Tried::Wrong);
            }
            // A name that is nobody's may be a password in the wrong field.
            let actor = if is_known { username } else { "unknown" };
            let details = from.map(|address| format!("from {address}"));
            let (actor, action) = (actor.to_owned(), "login failed".into());
            store.add_audit(&NewAuditEntry { at: now, actor, action, subject: None, details })?;
            return Ok(Tried::Wrong);
        }
    };
    let (id, secret) = (random_key(), random_key());
    let login = NewLogin {
        id: id.clone(),
        username: user.username.clone(),
        refresh_hash: hash_of_key(&secret),
        created_at: now,
        expires_at: now + LOGIN_LIFETIME,
    };
    if !store.begin_login(&login, &user.hashed_password)? {
        // Changed or disabled meanwhile.
        return Ok(Tried::Wrong);
    }
    guesser.passed(store)?;
    let actor = user.username.clone();
    store.add_audit(&NewAuditEntry { at: now, actor, action: "login".into(), subject: None, details: None })?;
    Ok(Tried::LoggedIn { user: user.username, refresh_token: format!("{id}.{secret}"), id })
}

/// Returns the device that a browser names.
fn device_in(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find_map(|(name, value)| (name == DEVICE_COOKIE).then_some(value))
}

fn cookie_of(device: &Device, headers: &HeaderMap) -> Option<HeaderValue> {
    let (secure, prefix) = (if is_https(headers) { "; Secure" } else { "" }, prefix(headers));
    let cookie = device.cookie();
    let text = format!(
        "{DEVICE_COOKIE}={cookie}; Path={prefix}/api/v1/auth; Max-Age={DEVICE_SECONDS}; HttpOnly; \
         SameSite=Strict{secure}"
    );
    HeaderValue::from_str(&text).ok()
}

fn tokens(access_token: String, refresh_token: String) -> Tokens {
    Tokens { access_token, token_type: "bearer", expires_in: token_seconds(), refresh_token }
}

input! {
    /// A refresh token.
    pub(crate) struct Refresh {
        body JsonOrForm {
            refresh_token: String = texts::REFRESH_TOKEN,
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
    // What no login has is refused before the database is asked to write.
    if !is_random_key(id) || !is_random_key(secret) {
        return Err(refused());
    }
    let (id, old, fresh) = (id.to_owned(), hash_of_key(secret), random_key());
    let (login, fresh_hash, now) = (id.clone(), hash_of_key(&fresh), clock::now());
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
