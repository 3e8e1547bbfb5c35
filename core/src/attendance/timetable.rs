//! The periods of a day that are marked separately: lessons, shifts, or the whole day.

use std::str::FromStr;

use jiff::civil::Time;

use crate::error::{Error, Result};
use crate::store::limits;

/// The period of a site that marks once a day.
pub const WHOLE_DAY: &str = "day";

/// A part of the day that is marked once, such as a lesson. It lasts until the next one begins, so an arrival after
/// its end still counts, as late.
///
/// ```
/// use faceattend_core::attendance::Period;
/// use jiff::civil::time;
///
/// let morning = Period::new("morning", time(7, 30, 0, 0))
///     .with_late_after(time(8, 15, 0, 0))
///     .with_check_out_from(time(12, 0, 0, 0));
/// assert_eq!(morning.name(), "morning");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    name: String,
    begins: Time,
    late_after: Option<Time>,
    check_out_from: Option<Time>,
}

impl Period {
    /// Creates a period that begins at this time of the site's clocks: from then on an arrival is one for it, so
    /// choose the time at which the doors open rather than the bell.
    #[must_use]
    pub fn new(name: impl Into<String>, begins: Time) -> Self {
        Self { name: name.into(), begins, late_after: None, check_out_from: None }
    }

    /// Creates the period of a whole day, for a site that marks once a day and knows late from early.
    #[must_use]
    pub fn whole_day(day_boundary: Time) -> Self {
        Self::new(WHOLE_DAY, day_boundary)
    }

    /// Returns the period with arrivals from this time on marked late.
    #[must_use]
    pub fn with_late_after(mut self, late_after: Time) -> Self {
        self.late_after = Some(late_after);
        self
    }

    /// Returns the period with a check-out: a marked person who is seen from this time on is checked out, and the last
    /// sighting counts.
    #[must_use]
    pub fn with_check_out_from(mut self, check_out_from: Time) -> Self {
        self.check_out_from = Some(check_out_from);
        self
    }

    /// Its name, under which it is stored.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the time at which it begins.
    #[must_use]
    pub fn begins(&self) -> Time {
        self.begins
    }
}

/// Reads a period as settings write it: its name and when it begins, then from when on arrivals are late, then from
/// when on a sighting is a check-out. The last two may be left out.
///
/// ```
/// use faceattend_core::attendance::Period;
/// use jiff::civil::time;
///
/// let night: Period = "night=22:00/22:15/05:30".parse()?;
/// let expected = Period::new("night", time(22, 0, 0, 0)).with_late_after(time(22, 15, 0, 0));
/// assert_eq!(night, expected.with_check_out_from(time(5, 30, 0, 0)));
/// assert_eq!("early=06:00".parse::<Period>()?, Period::new("early", time(6, 0, 0, 0)));
/// assert!("early".parse::<Period>().is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let reason = format!("{text:?} is no name and times such as night=22:00, or night=22:00/22:15/05:30");
            Error::invalid_input("period", reason)
        };
        let (name, times) = text.rsplit_once('=').ok_or_else(wrong)?;
        let mut times = times.split('/').map(str::trim);
        let time = |text: &str| text.parse::<Time>().map_err(|_| wrong());
        let optional = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(time).transpose();
        let begins = time(times.next().unwrap_or_default())?;
        let (late_after, check_out_from) = (optional(times.next())?, optional(times.next())?);
        if times.next().is_some() || name.trim().is_empty() {
            return Err(wrong());
        }
        Ok(Self { name: name.trim().to_owned(), begins, late_after, check_out_from })
    }
}

/// The periods of a day, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Timetable(Vec<Period>);

/// The place of a moment in a day.
pub(super) struct Place<'a> {
    pub(super) period: &'a str,
    pub(super) late: bool,
    pub(super) checks_out: bool,
}

impl Timetable {
    pub(super) fn new(mut periods: Vec<Period>, boundary: Time) -> Result<Self> {
        let wrong = |reason: String| Err(Error::invalid_input("timetable", reason));
        periods.sort_by_key(|period| since(boundary, period.begins));
        for (at, period) in periods.iter().enumerate() {
            let Period { name, begins, .. } = period;
            if name.trim().is_empty() {
                return wrong(format!("the period that begins at {begins} has no name"));
            }
            if limits::cut(name, limits::PERIOD).len() < name.len() {
                return wrong(format!("the name of the period that begins at {begins} is too long"));
            }
            if periods[..at].iter().any(|other| other.name == *name) {
                return wrong(format!("there are two periods named {name:?}"));
            }
            let next = periods.get(at + 1).map(|next| since(boundary, next.begins));
            if next == Some(since(boundary, *begins)) {
                return wrong(format!("two periods begin at {begins}"));
            }
            for (what, time) in [("late_after", period.late_after), ("check_out_from", period.check_out_from)] {
                let Some(time) = time else { continue };
                let offset = since(boundary, time);
                if offset < since(boundary, *begins) || next.is_some_and(|next| offset >= next) {
                    return wrong(format!("{what} {time} of {name:?} does not lie in it"));
                }
            }
        }
        Ok(Self(periods))
    }

    pub(super) fn periods(&self) -> &[Period] {
        &self.0
    }

    /// Returns where `time` lies. What comes before the first period is early for it.
    pub(super) fn place(&self, time: Time, boundary: Time) -> Place<'_> {
        let offset = since(boundary, time);
        let current = self.0.iter().rev().find(|period| since(boundary, period.begins) <= offset).or(self.0.first());
        let reached = |limit: Option<Time>| limit.is_some_and(|limit| since(boundary, limit) <= offset);
        match current {
            Some(period) => Place {
                period: &period.name,
                late: reached(period.late_after),
                checks_out: reached(period.check_out_from),
            },
            None => Place { period: WHOLE_DAY, late: false, checks_out: false },
        }
    }
}

/// Returns the time since the day's beginning, by the clocks.
fn since(boundary: Time, time: Time) -> i64 {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
    let nanoseconds = |t: Time| {
        (i64::from(t.hour()) * 3600 + i64::from(t.minute()) * 60 + i64::from(t.second())) * 1_000_000_000
            + i64::from(t.subsec_nanosecond())
    };
    (nanoseconds(time) - nanoseconds(boundary)).rem_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i8, minute: i8) -> Time {
        Time::constant(hour, minute, 0, 0)
    }

    fn school() -> Timetable {
        let periods = vec![
            Period::new("second", at(10, 0)).with_late_after(at(10, 5)),
            Period::new("first", at(8, 0)).with_late_after(at(8, 15)).with_check_out_from(at(9, 30)),
        ];
        Timetable::new(periods, Time::midnight()).unwrap()
    }

    #[test]
    fn every_moment_lies_in_one_period() {
        let school = school();
        for (time, expected) in [
            (at(6, 0), ("first", false, false)),
            (at(8, 14), ("first", false, false)),
            (at(8, 15), ("first", true, false)),
            (at(9, 30), ("first", true, true)),
            (at(10, 0), ("second", false, false)),
            (at(23, 59), ("second", true, false)),
        ] {
            let place = school.place(time, Time::midnight());
            assert_eq!((place.period, place.late, place.checks_out), expected, "{time}");
        }
    }

    #[test]
    fn a_night_shift_goes_over_midnight() {
        let boundary = at(12, 0);
        let night = Period::new("night", at(21, 0)).with_late_after(at(22, 0)).with_check_out_from(at(5, 0));
        let shifts = Timetable::new(vec![night], boundary).unwrap();
        let place = |hour| shifts.place(at(hour, 30), boundary);
        assert!(!place(21).late && place(23).late && place(1).late);
        assert!(!place(1).checks_out && place(5).checks_out);
    }

    #[test]
    fn a_timetable_that_contradicts_itself_is_refused() {
        let midnight = Time::midnight();
        for periods in [
            vec![Period::new(" ", at(8, 0))],
            vec![Period::new("a".repeat(limits::PERIOD + 1), at(8, 0))],
            vec![Period::new("a", at(8, 0)), Period::new("a", at(9, 0))],
            vec![Period::new("a", at(8, 0)), Period::new("b", at(8, 0))],
            vec![Period::new("a", at(8, 0)).with_late_after(at(7, 0))],
            vec![Period::new("a", at(8, 0)).with_check_out_from(at(9, 0)), Period::new("b", at(9, 0))],
        ] {
            assert!(Timetable::new(periods.clone(), midnight).is_err(), "{periods:?}");
        }
    }
}
