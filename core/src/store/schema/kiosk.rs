//! The tables of paired kiosks.

pub(in crate::store) const NAME: &str = "kiosks that are paired";

pub(in crate::store) const SQLITE: &str = "";

pub(in crate::store) const SQLITE_AFTER: &str = "";

#[cfg(feature = "postgres")]
pub(in crate::store) const POSTGRES: &str = "";
