//! When back-ups are due, what their files are called, and which of them stay.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::error::{Error, Result};

/// The time of day at which a back-up is made, by the clocks of the site.
///
/// ```
/// use faceattend_core::backup::Clock;
/// use jiff::tz::TimeZone;
///
/// let clock = Clock::new("02:30".parse().unwrap(), TimeZone::UTC);
/// let at = |text: &str| text.parse().unwrap();
/// assert!(clock.is_due(None, at("2026-03-02T12:00:00Z")), "there is none yet");
/// assert!(!clock.is_due(Some(at("2026-03-02T02:30:05Z")), at("2026-03-03T02:29:59Z")));
/// assert!(clock.is_due(Some(at("2026-03-02T02:30:05Z")), at("2026-03-03T02:30:00Z")));
/// ```
#[derive(Debug, Clone)]
pub struct Clock {
    at: Time,
    zone: TimeZone,
}

impl Clock {
    /// Returns the clock.
    #[must_use]
    pub fn new(at: Time, zone: TimeZone) -> Self {
        Self { at, zone }
    }

    /// Returns whether a back-up is due: the time of day has come since the last one, or there is none. One that was
    /// missed because no server ran is due too.
    #[must_use]
    pub fn is_due(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        last.is_none_or(|last| last < self.latest(now) || last > now + SignedDuration::from_hours(24))
    }

    /// Returns the latest moment at or before `now` at which the time of day came. In the night in which clocks skip
    /// it, it comes with the first moment after.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        let today = self.zone.to_datetime(now).date();
        let on = |day: jiff::civil::Date| self.zone.to_timestamp(day.to_datetime(self.at)).unwrap_or(now);
        let today_at = on(today);
        if today_at <= now { today_at } else { today.yesterday().map_or(today_at, on) }
    }

    /// Returns the next moment after `now` at which the time of day comes.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let latest = self.zone.to_datetime(self.latest(now)).date();
        let day = latest.checked_add(1.day()).unwrap_or(latest);
        self.zone.to_timestamp(day.to_datetime(self.at)).unwrap_or(now)
    }
}

/// Which back-ups stay.
///
/// ```
/// use faceattend_core::backup::Keep;
///
/// assert_eq!("14".parse::<Keep>()?, Keep::Newest(14));
/// assert_eq!("30d".parse::<Keep>()?, Keep::Days(30));
/// assert!("0".parse::<Keep>().is_err());
/// # Ok::<_, faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many of the newest.
    Newest(u32),
    /// Those of so many days.
    Days(u32),
}

impl Default for Keep {
    /// Two weeks of daily ones.
    fn default() -> Self {
        Self::Newest(14)
    }
}

impl std::fmt::Display for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Newest(number) => write!(f, "{number}"),
            Self::Days(days) => write!(f, "{days}d"),
        }
    }
}

impl std::str::FromStr for Keep {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let number = |text: &str| text.parse().ok().filter(|number| (1..=10_000).contains(number));
        let keep = match text.strip_suffix('d') {
            Some(days) => number(days).map(Self::Days),
            None => number(text).map(Self::Newest),
        };
        keep.ok_or_else(|| Error::InvalidInput {
            what: "number of back-ups",
            reason: format!("{text}: expected a number such as 14, or days such as 30d"),
        })
    }
}

const BEGINNING: &str = "faceattend-";
const ENDING: &str = ".backup";
const TIME: &str = "%Y-%m-%dT%H%M%SZ";

/// Returns the name of the file of a scheduled back-up.
///
/// ```
/// use faceattend_core::backup::{name_of, time_of};
///
/// let at = "2026-03-02T02:30:00Z".parse().unwrap();
/// assert_eq!(name_of(at), "faceattend-2026-03-02T023000Z.backup");
/// assert_eq!(time_of(&name_of(at)), Some(at));
/// assert_eq!(time_of("holidays.backup"), None);
/// ```
#[must_use]
pub fn name_of(at: Timestamp) -> String {
    format!("{BEGINNING}{}{ENDING}", at.strftime(TIME))
}

/// Returns the time in the name of a scheduled back-up; `None` for every other file.
#[must_use]
pub fn time_of(name: &str) -> Option<Timestamp> {
    let time = name.strip_prefix(BEGINNING)?.strip_suffix(ENDING)?;
    TimeZone::UTC.to_timestamp(DateTime::strptime(TIME, time).ok()?).ok()
}

/// Returns which of these files go: only those with names of scheduled back-ups, and never the newest.
///
/// ```
/// use faceattend_core::backup::{Keep, old};
///
/// let names = ["faceattend-2026-03-02T023000Z.backup", "faceattend-2026-03-03T023000Z.backup", "mine.backup"];
/// let now = "2026-03-09T12:00:00Z".parse().unwrap();
/// assert_eq!(old(names.iter().copied(), Keep::Newest(1), now), [names[0]]);
/// assert_eq!(old(names.iter().copied(), Keep::Days(2), now), [names[0]]);
/// assert!(old(names.iter().copied(), Keep::Newest(2), now).is_empty());
/// ```
pub fn old<'n>(names: impl Iterator<Item = &'n str>, keep: Keep, now: Timestamp) -> Vec<&'n str> {
    let mut ours: Vec<_> = names.filter_map(|name| Some((time_of(name)?, name))).collect();
    ours.sort_unstable();
    ours.reverse();
    let goes = |(number, (at, _)): &(usize, (Timestamp, &str))| match keep {
        Keep::Newest(most) => *number >= most as usize,
        Keep::Days(days) => *number > 0 && *at < now - SignedDuration::from_hours(24 * i64::from(days)),
    };
    ours.into_iter().enumerate().filter(goes).map(|(_, (_, name))| name).collect()
}
