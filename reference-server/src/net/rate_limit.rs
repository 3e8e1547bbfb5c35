//! Answers 429 to clients that ask too often.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::AppError;
use crate::net::ALWAYS_ANSWERED;
use crate::net::peer::Peer;
use crate::request::extract::token_in;
use crate::state::AppState;
use crate::state::rates::LOGIN_COST;

/// Passes a request on, or answers 429 with the seconds to wait.
pub(crate) async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if ALWAYS_ANSWERED.contains(&path) {
        return next.run(request).await;
    }
    let Peer(from) = Peer::of(request.extensions(), request.headers(), &state.settings().trusted_proxies);
    let cost = if request.method() == Method::POST && path == "/api/v1/auth/login" { LOGIN_COST } else { 1.0 };
    match state.rates().take(from, login_of(&request, &state), cost, Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(seconds) => {
            state.figures().limited.fetch_add(1, Relaxed);
            tracing::debug!(?from, "too many requests");
            AppError::Later(StatusCode::TOO_MANY_REQUESTS, "Too many requests, try again later", seconds)
                .into_response()
        }
    }
}

/// The login of a token that we signed, or its user; whether it still stands is asked later. Tokens of others have no
/// bucket: inventing them gives nobody more.
fn login_of(request: &Request, state: &AppState) -> Option<String> {
    let bearer = state.tokens().bearer_of(token_in(request.headers())?)?;
    Some(bearer.login.unwrap_or(bearer.user))
}
