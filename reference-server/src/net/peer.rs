//! Who is at the other end of the connection, or of the proxy's.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use crate::settings::Network;
use crate::state::AppState;

/// The header in which a proxy names the client, behind whoever the client says it speaks for.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address; none in tests without a network. `X-Forwarded-For` counts only as far as proxies of ours wrote
/// it: anybody can send one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl Peer {
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let ours = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
        let Some(ConnectInfo(socket)) = extensions.get::<ConnectInfo<SocketAddr>>() else { return Self(None) };
        let mut client = socket.ip().to_canonical();
        let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
        // From the right: each proxy appends whom it heard.
        for named in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !ours(client) {
                break;
            }
            let Some(address) = address_in(named.trim()) else { break };
            client = address;
        }
        Self(Some(client))
    }
}

/// The address in `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`.
fn address_in(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

impl FromRequestParts<AppState> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions, &parts.headers, &state.settings().trusted_proxies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(socket: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(socket.parse().unwrap(), 1)));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        Peer::of(&extensions, &headers, &trusted).0.unwrap().to_string()
    }

    #[test]
    fn a_header_counts_only_as_far_as_trusted_proxies_wrote_it() {
        let proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"];
        assert_eq!(client("203.0.113.9", &["1.1.1.1"], &proxies), "203.0.113.9", "no proxy of ours");
        assert_eq!(client("127.0.0.1", &["1.1.1.1"], &[]), "127.0.0.1", "none is trusted unless it is named");
        assert_eq!(client("127.0.0.1", &["1.1.1.1"], &proxies), "1.1.1.1");
        assert_eq!(client("127.0.0.1", &["9.9.9.9, 1.1.1.1, 10.2.3.4"], &proxies), "1.1.1.1", "the client's own lie");
        assert_eq!(client("127.0.0.1", &["9.9.9.9", "1.1.1.1"], &proxies), "1.1.1.1", "two lines are one list");
        assert_eq!(client("2001:db8::1", &["[2001:dead::7]:443"], &proxies), "2001:dead::7");
        assert_eq!(client("::ffff:127.0.0.1", &["1.1.1.1:80"], &proxies), "1.1.1.1");
        assert_eq!(client("127.0.0.1", &["unknown"], &proxies), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[], &proxies), "127.0.0.1");
    }
}
