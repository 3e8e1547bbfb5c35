//! Logging in and out.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::check_login;
use crate::error::{AppError, during};
use crate::http::body::Expects;
use crate::http::call::{Authed, Input, Nothing, Open};
use crate::http::input::Reader;
use crate::state::AppState;
use crate::wire::{Reply, done, reply};

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
pub(crate) async fn login(State(app): State<AppState>, call: Open<Credentials>) -> Result<Json<Value>, AppError> {
    let Credentials { username, password } = call.0;
    let admin = app.with_store("Login failed", move |store| check_login(store, &username, &password)).await?;
    let admin = admin.ok_or(AppError::Unauthorized("Incorrect username or password"))?;
    let token = app.tokens().issue(&admin.username, Timestamp::now()).map_err(during("Login failed"))?;
    Ok(Json(json!({ "access_token": token, "token_type": "bearer" })))
}

/// `GET /auth/me`.
pub(crate) async fn me(call: Authed<Nothing>) -> Json<Reply<Value>> {
    let data = json!({ "username": call.user, "role": "admin" });
    Json(reply("Admin user information retrieved successfully", data))
}

/// `POST /auth/logout`: the client forgets its token; it stays good until it ends.
pub(crate) async fn logout(_call: Authed<Nothing>) -> Json<Reply<()>> {
    Json(done("Logout successful"))
}
