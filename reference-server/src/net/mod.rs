//! Connections and what applies to every request: limits, addresses, CORS, request ids.

pub(crate) mod cors;
pub mod listen;
pub(crate) mod peer;
pub(crate) mod rate_limit;
pub(crate) mod trace;
