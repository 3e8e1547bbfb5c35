//! Whether a request came over TLS, and what is answered to plain HTTP where the server speaks TLS.
//!
//! Both come to one port: whoever types the server's address without a scheme, as people do, is led to its pages over
//! TLS. A second port for that would be one more to open, to tell and to have taken by somebody else.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::error::detail_response;
use crate::net::ALWAYS_ANSWERED;
use crate::net::forwarded::prefix;
use crate::net::transport::Transport;
use crate::state::AppState;

/// Passes on what came as the server speaks. Where it speaks TLS, a plain request for a page is sent to the same page
/// over TLS. One that carries a token or a body is refused: a client that was led on would send them in plain text every
/// time, and nobody would notice. Programs of this machine, such as a container's health check, may ask how the server
/// is: that goes over no network.
pub(crate) async fn require(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match Transport::of(&request) {
        Transport::Plain => next.run(request).await,
        Transport::Encrypted => {
            let mut response = next.run(request).await;
            if let Some(seconds) = state.settings().tls.as_ref().and_then(|tls| tls.strict_for())
                && let Ok(value) = HeaderValue::from_str(&format!("max-age={seconds}"))
            {
                response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
            }
            response
        }
        Transport::PlainBesideTls { from_this_machine: true } if asks_how_it_is(&request) => next.run(request).await,
        Transport::PlainBesideTls { .. } => lead_to_tls(&request),
    }
}

fn asks_how_it_is(request: &Request) -> bool {
    request.method() == Method::GET && ALWAYS_ANSWERED.contains(&request.uri().path())
}

fn lead_to_tls(request: &Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let address = host_of(request.headers()).map(|host| format!("https://{host}{}{path}", prefix(request.headers())));
    let asks_for_a_page = matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.headers().contains_key(header::AUTHORIZATION)
        && !request.headers().contains_key(header::UPGRADE);
    match address {
        // Not for good: browsers would remember it after the operator has taken TLS away.
        Some(address) if asks_for_a_page => Redirect::temporary(&address).into_response(),
        _ => detail_response(
            StatusCode::FORBIDDEN,
            "This server speaks HTTPS: ask it at https://. What was sent here in plain text, others on the network \
             could read",
        ),
    }
}

/// Returns the host of the request, which [`host::check`](crate::net::host::check) has found to be the server's.
fn host_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok().filter(|host| !host.is_empty())
}
