//! The rules of the site: the day that a moment belongs to, and how an arrival counts.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::timetable::{Place, Timetable};
use super::{DayWindow, Period, Status};
use crate::error::{Error, Result};

/// The rules of the site.
///
/// A day begins at `day_boundary` by the site's own clocks and ends when the next begins: 23, 24 or 25 hours later, as
/// summer time comes and goes. With a boundary of 04:00, a moment at 02:00 still belongs to the day before.
///
/// ```
/// use faceattend_core::attendance::AttendancePolicy;
///
/// let policy = AttendancePolicy::in_time_zone("Asia/Kolkata")?;
/// // 19:00 UTC is half past midnight there.
/// assert_eq!(policy.day("2026-03-02T19:00:00Z".parse().unwrap())?.date.to_string(), "2026-03-03");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AttendancePolicy {
    time_zone: TimeZone,
    day_boundary: Time,
    timetable: Timetable,
}

impl AttendancePolicy {
    /// Days from midnight to midnight in the time zone of this IANA name, such as `Europe/Berlin` or `UTC`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name that is no time zone.
    pub fn in_time_zone(name: &str) -> Result<Self> {
        let time_zone = TimeZone::get(name).map_err(|_| {
            Error::invalid_input("time zone", format!("{name:?} is no IANA name such as Europe/Berlin"))
        })?;
        Ok(Self { time_zone, day_boundary: Time::midnight(), timetable: Timetable::default() })
    }

    /// Days in the time zone that this machine is set to, UTC when it is set to none.
    #[must_use]
    pub fn in_system_time_zone() -> Self {
        Self { time_zone: TimeZone::system(), day_boundary: Time::midnight(), timetable: Timetable::default() }
    }

    /// Returns the policy with days that begin at `day_boundary` instead of midnight, for sites that work into the
    /// night.
    ///
    /// ```
    /// use faceattend_core::AttendancePolicy;
    /// use jiff::civil::time;
    ///
    /// // A night shift: two in the morning belongs to the day before.
    /// let policy = AttendancePolicy::in_time_zone("UTC")?.with_day_boundary(time(4, 0, 0, 0));
    /// let day = policy.day("2026-03-03T02:00:00Z".parse().expect("a time"))?;
    /// assert_eq!(day.date.to_string(), "2026-03-02");
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_day_boundary(mut self, day_boundary: Time) -> Self {
        self.day_boundary = day_boundary;
        self
    }

    /// Returns the policy with a timetable: each period is marked once a day. Call it after
    /// [`with_day_boundary`](Self::with_day_boundary), by which the periods are put in order.
    ///
    /// ```
    /// use faceattend_core::attendance::{AttendancePolicy, Period, Status};
    /// use jiff::civil::time;
    ///
    /// let morning = Period::new("morning", time(7, 30, 0, 0)).with_late_after(time(8, 10, 0, 0));
    /// let policy = AttendancePolicy::in_time_zone("Europe/Berlin")?.with_periods(vec![morning])?;
    /// // 07:20 UTC is 08:20 there.
    /// assert_eq!(policy.status("2026-03-02T07:20:00Z".parse().unwrap()), Status::Late);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for two periods with one name or one beginning, and for times that lie outside theirs.
    pub fn with_periods(mut self, periods: Vec<Period>) -> Result<Self> {
        self.timetable = Timetable::new(periods, self.day_boundary)?;
        Ok(self)
    }

    /// Returns the periods of a day, in order; none for a site that marks once a day.
    #[must_use]
    pub fn periods(&self) -> &[Period] {
        self.timetable.periods()
    }

    /// Returns the time zone.
    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// Returns the day that `at` belongs to.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] at the ends of the calendar, in the years -9999 and 9999.
    pub fn day(&self, at: Timestamp) -> Result<DayWindow> {
        let clock = self.time_zone.to_datetime(at);
        let window = self.window(clock.date())?;
        if at < window.starts_at {
            self.window(clock.date().yesterday().map_err(beyond_calendar)?)
        } else if at >= window.ends_at {
            // Clocks that fall back over the boundary show the old date again after the new day has begun.
            self.window(clock.date().tomorrow().map_err(beyond_calendar)?)
        } else {
            Ok(window)
        }
    }

    /// Returns the beginning and the end of the day of this date, for filters.
    ///
    /// ```
    /// use faceattend_core::AttendancePolicy;
    /// use jiff::civil::date;
    ///
    /// let day = AttendancePolicy::in_time_zone("Europe/Berlin")?.window(date(2026, 3, 29))?;
    /// // The clocks go forward that night: the day has 23 hours.
    /// assert_eq!(day.ends_at.duration_since(day.starts_at).as_hours(), 23);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] at the ends of the calendar.
    pub fn window(&self, date: Date) -> Result<DayWindow> {
        let begin = |date: Date| {
            // A boundary that the clocks skip counts as the first moment after the gap; one that they show twice, as
            // the first time.
            let begin = self.time_zone.to_ambiguous_zoned(date.to_datetime(self.day_boundary)).compatible();
            begin.map(|zoned| zoned.timestamp()).map_err(beyond_calendar)
        };
        let next = date.checked_add(1.day()).map_err(beyond_calendar)?;
        Ok(DayWindow { date, starts_at: begin(date)?, ends_at: begin(next)? })
    }

    /// Returns the moment at which the site's clocks show `time` on a day: a time before the day boundary is one of the
    /// next date. A time that the clocks skip counts as the first moment after the gap; one that they show twice, as
    /// the first time.
    ///
    /// ```
    /// use faceattend_core::AttendancePolicy;
    /// use jiff::civil::{date, time};
    ///
    /// let policy = AttendancePolicy::in_time_zone("UTC")?.with_day_boundary(time(4, 0, 0, 0));
    /// assert_eq!(policy.moment(date(2026, 3, 2), time(2, 30, 0, 0))?.to_string(), "2026-03-03T02:30:00Z");
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] at the ends of the calendar.
    pub fn moment(&self, day: Date, time: Time) -> Result<Timestamp> {
        let date = if time < self.day_boundary { day.tomorrow().map_err(beyond_calendar)? } else { day };
        let shown = self.time_zone.to_ambiguous_zoned(date.to_datetime(time)).compatible();
        shown.map(|zoned| zoned.timestamp()).map_err(beyond_calendar)
    }

    /// Returns the time at which a day begins.
    #[must_use]
    pub fn day_boundary(&self) -> Time {
        self.day_boundary
    }

    /// Returns how an arrival at that time counts: late from the period's own time on. In time for a site without a
    /// timetable.
    ///
    /// ```
    /// use faceattend_core::attendance::{AttendancePolicy, Period, Status};
    /// use jiff::civil::time;
    ///
    /// let period = Period::new("morning", time(7, 30, 0, 0)).with_late_after(time(8, 15, 0, 0));
    /// let policy = AttendancePolicy::in_time_zone("UTC")?.with_periods(vec![period])?;
    /// let at = |text: &str| text.parse().expect("a time");
    /// assert_eq!(policy.status(at("2026-03-02T08:00:00Z")), Status::Present);
    /// assert_eq!(policy.status(at("2026-03-02T08:20:00Z")), Status::Late);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn status(&self, at: Timestamp) -> Status {
        if self.place(at).late { Status::Late } else { Status::Present }
    }

    /// Returns the period of the day that a moment falls into: the part that is marked once. The whole day for a site
    /// without a timetable.
    #[must_use]
    pub fn period(&self, at: Timestamp) -> &str {
        self.place(at).period
    }

    /// Returns whether a marked person who is seen at that time is leaving.
    #[must_use]
    pub fn checks_out(&self, at: Timestamp) -> bool {
        self.place(at).checks_out
    }

    fn place(&self, at: Timestamp) -> Place<'_> {
        self.place_in(&self.timetable, at)
    }

    /// Returns where a moment lies in a timetable.
    pub(super) fn place_in<'a>(&self, timetable: &'a Timetable, at: Timestamp) -> Place<'a> {
        timetable.place(self.time_zone.to_datetime(at).time(), self.day_boundary)
    }
}

/// The time zone of this machine.
impl Default for AttendancePolicy {
    fn default() -> Self {
        Self::in_system_time_zone()
    }
}

fn beyond_calendar<E>(_: E) -> Error {
    Error::invalid_input("date", "it lies beyond the calendar")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(zone: &str, boundary_hour: i8) -> AttendancePolicy {
        AttendancePolicy::in_time_zone(zone).unwrap().with_day_boundary(Time::constant(boundary_hour, 0, 0, 0))
    }

    fn day_of(policy: &AttendancePolicy, at: &str) -> String {
        policy.day(at.parse().unwrap()).unwrap().date.to_string()
    }

    fn hours(policy: &AttendancePolicy, date: &str) -> i64 {
        let day = policy.window(date.parse().unwrap()).unwrap();
        day.ends_at.duration_since(day.starts_at).as_hours()
    }

    #[test]
    fn a_day_is_the_sites_own() {
        assert_eq!(day_of(&policy("UTC", 0), "2026-03-02T23:59:59.999Z"), "2026-03-02");
        assert_eq!(day_of(&policy("America/Los_Angeles", 0), "2026-03-02T07:59:59Z"), "2026-03-01");
        assert_eq!(day_of(&policy("Pacific/Kiritimati", 0), "2026-03-02T10:00:00Z"), "2026-03-03");
    }

    #[test]
    fn a_boundary_moves_the_night_to_the_day_before() {
        let policy = policy("UTC", 4);
        assert_eq!(day_of(&policy, "2026-03-02T03:59:59Z"), "2026-03-01");
        assert_eq!(day_of(&policy, "2026-03-02T04:00:00Z"), "2026-03-02");
    }

    #[test]
    fn a_day_of_the_change_to_or_from_summer_time_has_its_own_length() {
        let berlin = policy("Europe/Berlin", 0);
        assert_eq!(hours(&berlin, "2026-03-29"), 23);
        assert_eq!(hours(&berlin, "2026-10-25"), 25);
        assert_eq!(hours(&berlin, "2026-06-01"), 24);
        assert_eq!(day_of(&berlin, "2026-10-25T22:59:59Z"), "2026-10-25");
        assert_eq!(day_of(&berlin, "2026-10-25T23:00:00Z"), "2026-10-26");
    }

    #[test]
    fn a_midnight_that_the_clocks_skip_is_the_first_moment_after_it() {
        // Cuba's clocks go from 23:59:59 to 01:00:00.
        let havana = policy("America/Havana", 0);
        assert_eq!(hours(&havana, "2026-03-08"), 23);
        assert_eq!(day_of(&havana, "2026-03-08T04:59:59Z"), "2026-03-07");
        assert_eq!(day_of(&havana, "2026-03-08T05:00:00Z"), "2026-03-08");
    }

    #[test]
    fn a_midnight_that_the_clocks_show_twice_begins_one_day() {
        // Cuba's clocks go from 00:59:59 back to 00:00:00 of the same date; Beirut's from 23:59:59 back to 23:00:00 of
        // the day before.
        assert_eq!(day_of(&policy("America/Havana", 0), "2026-11-01T04:30:00Z"), "2026-11-01");
        assert_eq!(day_of(&policy("America/Havana", 0), "2026-11-01T05:30:00Z"), "2026-11-01");
        assert_eq!(hours(&policy("Asia/Beirut", 0), "2026-10-24"), 25);
    }

    #[test]
    fn a_date_line_that_moves_leaves_no_moment_without_a_day() {
        // Samoa had no 30 December 2011.
        let apia = policy("Pacific/Apia", 0);
        assert_eq!(day_of(&apia, "2011-12-30T09:59:59Z"), "2011-12-29");
        assert_eq!(day_of(&apia, "2011-12-30T10:00:00Z"), "2011-12-31");
    }

    #[test]
    fn what_is_no_time_zone_is_refused() {
        for bad in ["", "Mars/Olympus", "../etc/passwd"] {
            assert!(AttendancePolicy::in_time_zone(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_own_day(
            second in 0i64..4_000_000_000,
            boundary in 0i8..24,
            zone in prop::sample::select(vec![
                "UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut",
            ]),
        ) {
            let at = Timestamp::from_second(second).unwrap();
            let day = policy(zone, boundary).day(at).unwrap();
            prop_assert!(day.starts_at <= at && at < day.ends_at, "{at} is not in {day:?}");
        }
    }
}
