//! Times: JavaScript's `Date`, in milliseconds, and the core's timestamp; days and clock times as text.

use chrono::{DateTime, Datelike, Utc};
use faceattend_core::Result;
use jiff::Timestamp;
use jiff::civil::{Date as Day, Time};

use crate::error::invalid;

/// A JavaScript `Date`.
pub(crate) type Date = DateTime<Utc>;

/// The moment that `date` names, in the years that a store can keep.
pub(crate) fn moment(date: Date) -> Result<Timestamp> {
    let moment = Timestamp::from_millisecond(date.timestamp_millis()).ok();
    let in_store = moment.filter(|_| (1..=9999).contains(&date.year()));
    in_store.ok_or_else(|| invalid("date", "its year is not between 1 and 9999"))
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

/// The day of the site that `text` names.
pub(crate) fn day(text: &str) -> Result<Day> {
    text.parse().map_err(|_| invalid("day", format!("{text:?} is no date like 2026-03-31")))
}

/// The time of the site's clocks that `text` names.
pub(crate) fn clock(what: &'static str, text: &str) -> Result<Time> {
    text.parse().map_err(|_| invalid(what, format!("{text:?} is no time like 08:15")))
}

/// A time of the site's clocks as text.
pub(crate) fn clock_text(time: Time) -> String {
    let form = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    time.strftime(form).to_string()
}
