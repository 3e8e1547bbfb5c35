//! Cross-origin answers as the original gives them: every origin may ask, since the credential is a header that a page
//! must put there itself, never a cookie. The operator can [narrow](crate::AllowedOrigins) the origins.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::settings::AllowedOrigins;
use crate::state::AppState;

const METHODS: [&str; 8] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY"];
const PREFLIGHT_VARY: &str =
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network";

/// Answers preflights and lets the asking origin read every other answer.
pub(crate) async fn cross_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let allowed = &state.settings().allowed_origins;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD);
    if let (Some(origin), Some(method)) = (&origin, asked)
        && request.method() == Method::OPTIONS
    {
        return preflight(origin, method, request.headers(), allowed);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|origin| allowed.hold(origin.as_bytes())) {
        allow(headers, origin);
    }
    response
}

fn preflight(origin: &HeaderValue, method: &HeaderValue, asked: &HeaderMap, allowed: &AllowedOrigins) -> Response {
    let mut refused = Vec::new();
    let may_ask = allowed.hold(origin.as_bytes());
    if !may_ask {
        refused.push("origin");
    }
    if !METHODS.iter().any(|known| method == known) {
        refused.push("method");
    }
    if asked.get("access-control-request-private-network").is_some_and(|value| value == "true") {
        refused.push("private-network");
    }
    let (status, text) = if refused.is_empty() {
        (StatusCode::OK, "OK".to_owned())
    } else {
        (StatusCode::BAD_REQUEST, format!("Disallowed CORS {}", refused.join(", ")))
    };
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static(PREFLIGHT_VARY));
    if let Ok(methods) = HeaderValue::from_str(&METHODS.join(", ")) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    if may_ask {
        allow(headers, origin.clone());
    }
    response
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
}
