//! Reads requests: bodies, credentials and fields, in the order in which the original checks them. `input`, `kinds`
//! and `texts` declare the fields; the other modules read them.

pub(crate) mod body;
pub(crate) mod coerce;
pub(crate) mod extract;
pub(crate) mod fields;
pub(crate) mod file;
mod form;
pub(crate) mod input;
pub(crate) mod kinds;
pub(crate) mod lists;
pub(crate) mod pace;
pub(crate) mod paired;
pub(crate) mod texts;
