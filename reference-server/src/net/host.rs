//! Answers only under names that are the server's own.

use std::sync::Once;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::error::detail_response;
use crate::settings::AllowedHosts;
use crate::state::AppState;

/// Passes a request on, or answers 421 (RFC 9110, 15.5.20) to one that is addressed to another name. A request without
/// a name is passed on: browsers send one.
pub(crate) async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(other) = other_name(request.uri(), request.headers(), &state.settings().allowed_hosts) else {
        return next.run(request).await;
    };
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!("refused a request to the name {other:?}: if it is this server's, add it to --allowed-hosts");
    });
    let detail = format!(
        "This server does not answer to the name {other:?}: use its IP address, or add the name to --allowed-hosts"
    );
    detail_response(StatusCode::MISDIRECTED_REQUEST, &detail)
}

/// Returns the name in a request that is not the server's.
fn other_name(uri: &Uri, headers: &HeaderMap, allowed: &AllowedHosts) -> Option<String> {
    let in_line = uri.authority().map(|authority| authority.as_str().as_bytes());
    let in_headers = headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    in_line.into_iter().chain(in_headers).filter(|name| !name.is_empty()).find_map(|name| {
        let name = String::from_utf8_lossy(name);
        (!allowed.hold(&name)).then(|| name.chars().take(LONGEST_NAME).collect())
    })
}

/// The longest name in DNS (RFC 1035, 2.3.4), and a port.
const LONGEST_NAME: usize = 253 + 6;
