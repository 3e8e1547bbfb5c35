//! Limits how many requests of one client are answered at the same time.
//!
//! A request whose body arrives drop by drop holds a connection for as long as the body may take. Without this limit
//! one client holds them all.

use std::sync::atomic::Ordering::Relaxed;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::AppError;
use crate::net::ALWAYS_ANSWERED;
use crate::net::peer::Peer;
use crate::state::AppState;

/// Passes a request on, or answers 429 where its client has too many that are not answered yet.
pub(crate) async fn limit(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Peer(from) = Peer::of(request.extensions(), request.headers(), &state.settings().trusted_proxies);
    let Some(from) = from.filter(|_| !ALWAYS_ANSWERED.contains(&request.uri().path())) else {
        return next.run(request).await;
    };
    let Some(turn) = state.in_flight().enter(from) else {
        state.figures().limited.fetch_add(1, Relaxed);
        tracing::debug!(%from, "too many requests at the same time");
        let refused = AppError::Later(StatusCode::TOO_MANY_REQUESTS, "Too many requests, try again later", 1);
        let mut response = refused.into_response();
        // The body that may follow is not read.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return response;
    };
    // A WebSocket that no token guards keeps its turn.
    request.extensions_mut().insert(turn.clone());
    let response = next.run(request).await;
    drop(turn);
    response
}
