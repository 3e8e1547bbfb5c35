//! The address of the server as its clients see it: over TLS or not, and where proxies publish it under a path.
//!
//! A proxy says so in `Forwarded` (RFC 7239), `X-Forwarded-Proto` and `X-Forwarded-Prefix`. Anybody can send these, so
//! they count from the proxies that are named in `--trusted-proxies` and from this machine alone. Whatever comes after
//! [`hear`] finds the two `X-` headers only where they count.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::net::transport::Transport;
use crate::settings::{BasePath, Network};
use crate::state::AppState;

const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Returns whether the client's connection, to the proxy where there is one, is encrypted.
pub(crate) fn is_https(headers: &HeaderMap) -> bool {
    headers.get(PROTO).is_some_and(|scheme| scheme == "https")
}

/// Returns the path under which the client sees the server, without a slash at its end.
pub(crate) fn prefix(headers: &HeaderMap) -> &str {
    headers.get(PREFIX).and_then(|path| path.to_str().ok()).unwrap_or_default()
}

/// Takes in how the client sees the server, and answers it in these terms: paths under the base path are taken for the
/// server's own, and a redirect leads to where the client finds it.
pub(crate) async fn hear(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let settings = state.settings();
    let (base, trusted) = (&settings.base_path, believed(request.extensions(), &settings.trusted_proxies));
    let path = request.uri().path();
    if !base.as_str().is_empty() && path == base.as_str() {
        return Redirect::temporary(&format!("{base}/")).into_response();
    }
    let inner = base.within(path).and_then(|path| with_path(request.uri(), path));
    if let Some(uri) = inner {
        *request.uri_mut() = uri;
    }
    let told = if trusted { told(request.headers()) } else { Told::default() };
    let is_https = told.is_https.unwrap_or(Transport::of(&request) == Transport::Encrypted);
    let prefix = told.prefix.unwrap_or_else(|| base.clone());
    let headers = request.headers_mut();
    headers.remove(PROTO);
    headers.remove(PREFIX);
    if is_https {
        headers.insert(PROTO, HeaderValue::from_static("https"));
    }
    if let Ok(path) = HeaderValue::from_str(prefix.as_str()) {
        headers.insert(PREFIX, path);
    }
    let mut response = next.run(request).await;
    let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    // An address with a host is whole already.
    let outside = location.filter(|to| to.starts_with('/')).map(|to| format!("{prefix}{to}"));
    if let Some(Ok(outside)) = outside.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LOCATION, outside);
    }
    response
}

/// What a proxy tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// `None` where it says nothing about it.
    is_https: Option<bool>,
    prefix: Option<BasePath>,
}

/// Returns whether the other end of the connection is a proxy whose word counts. Whoever speaks from this machine may
/// tell the server what it likes; there is no connection in tests without a network.
fn believed(extensions: &Extensions, trusted: &[Network]) -> bool {
    let Some(ConnectInfo(socket)) = extensions.get::<ConnectInfo<SocketAddr>>() else { return true };
    let address = socket.ip().to_canonical();
    address.is_loopback() || trusted.iter().any(|network| network.holds(address))
}

fn told(headers: &HeaderMap) -> Told {
    // The nearest proxy writes last.
    let last = |name: &HeaderName| {
        let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        line.rsplit(',').next().map(|part| part.trim().to_owned())
    };
    let in_forwarded = last(&header::FORWARDED).and_then(|element| {
        let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let (_, proto) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("proto"))?;
        Some(proto.trim().trim_matches('"').to_owned())
    });
    let proto = last(&PROTO).or(in_forwarded);
    Told {
        is_https: proto.map(|proto| proto.eq_ignore_ascii_case("https")),
        prefix: last(&PREFIX).and_then(|path| path.parse().ok()),
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[(&'static str, &str)]) -> (bool, Option<String>) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let Told { is_https, prefix } = told(&headers);
        (is_https.unwrap_or(false), prefix.map(|path| path.to_string()))
    }

    #[test]
    fn the_nearest_proxy_tells_scheme_and_path() {
        assert_eq!(heard(&[]), (false, None));
        assert_eq!(
            heard(&[("x-forwarded-proto", "https"), ("x-forwarded-prefix", "/face/")]),
            (true, Some("/face".into()))
        );
        assert_eq!(heard(&[("x-forwarded-proto", "https, http")]), (false, None), "the client's own lie comes first");
        assert_eq!(heard(&[("forwarded", "for=192.0.2.1;proto=http, for=10.0.0.1; Proto=\"https\"")]), (true, None));
        assert_eq!(heard(&[("x-forwarded-prefix", "//evil.example")]), (false, None), "no path");
    }

    #[test]
    fn only_trusted_proxies_and_this_machine_are_believed() {
        let from = |address: &str| {
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(SocketAddr::new(address.parse().unwrap(), 1)));
            believed(&extensions, &["10.0.0.0/8".parse().unwrap()])
        };
        assert!(from("127.0.0.1") && from("::1") && from("::ffff:127.0.0.1") && from("10.2.3.4"));
        assert!(!from("192.168.1.9") && !from("2001:db8::1"));
    }
}
