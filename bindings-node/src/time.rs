//! Times: JavaScript's `Date`, in milliseconds, and the core's timestamp.

use chrono::{DateTime, Utc};
use faceattend_core::Result;
use jiff::Timestamp;

use crate::error::invalid;

/// A JavaScript `Date`.
pub(crate) type Date = DateTime<Utc>;

/// The moment that `date` names.
pub(crate) fn moment(date: Date) -> Result<Timestamp> {
    Timestamp::from_millisecond(date.timestamp_millis()).map_err(|_| invalid("date", "it lies beyond the calendar"))
}

/// The moment that `date` names, or now.
pub(crate) fn moment_or_now(date: Option<Date>) -> Result<Timestamp> {
    date.map_or_else(|| Ok(Timestamp::now()), moment)
}

/// The `Date` of `moment`, to the millisecond.
pub(crate) fn date(moment: Timestamp) -> Date {
    // Every timestamp of jiff lies within chrono's calendar.
    DateTime::from_timestamp_millis(moment.as_millisecond()).unwrap_or_default()
}
