//! Every request has an id, in the log and in the answer, and counts in the figures.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::state::AppState;

/// The header by which a proxy hands an id on, and by which the answer tells it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// An id from outside is taken when it is short and plain: it goes into the log.
const LONGEST: usize = 64;

/// Names the request, counts it, and logs one line when it is answered.
pub(crate) async fn trace(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=LONGEST).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let id = given.filter(plain).map_or_else(|| crate::auth::random_key()[..16].to_owned(), str::to_owned);
    // The path without its query, which may hold a token.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id, %method, path);
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status();
    state.figures().answered(status, took);
    span.in_scope(|| tracing::debug!(status = status.as_u16(), milliseconds = took.as_secs_f64() * 1000.0, "answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
