//! The tables of notices to people: rules, channels and what is to be sent.

pub(in crate::store) const NAME: &str = "notices to people, and what is still to be sent";

pub(in crate::store) const SQLITE: &str = "";

pub(in crate::store) const SQLITE_AFTER: &str = "";

#[cfg(feature = "postgres")]
pub(in crate::store) const POSTGRES: &str = "";
