//! The tables of groups of students, their timetables and their calendar.

pub(in crate::store) const NAME: &str = "groups, timetables, calendar, excuses";

pub(in crate::store) const SQLITE: &str = "";

pub(in crate::store) const SQLITE_AFTER: &str = "";

#[cfg(feature = "postgres")]
pub(in crate::store) const POSTGRES: &str = "";
