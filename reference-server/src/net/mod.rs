//! Connections and what applies to every request: limits, addresses, names, CORS, request ids.

pub(crate) mod cors;
pub(crate) mod encryption;
pub(crate) mod forwarded;
pub(crate) mod host;
pub(crate) mod in_flight;
pub mod listen;
pub(crate) mod origin;
pub(crate) mod peer;
pub(crate) mod private;
pub(crate) mod rate_limit;
pub(crate) mod trace;
pub(crate) mod transport;

/// What is answered to everybody at any time: whoever watches over the server must always reach it.
pub(crate) const ALWAYS_ANSWERED: [&str; 3] = ["/health", "/ready", "/metrics"];
