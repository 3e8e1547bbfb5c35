//! The conventions of the wire: routing, validation, credentials and cross-origin rules as the replaced service has
//! them, which are not axum's.

pub(crate) mod audit;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod cors;
pub(crate) mod input;
pub(crate) mod lax;
pub(crate) mod peer;
pub(crate) mod rate;
pub(crate) mod routes;
pub(crate) mod trace;
