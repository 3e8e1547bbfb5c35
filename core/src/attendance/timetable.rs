//! The order of the periods of a day, and where a moment lies among them.

use jiff::civil::Time;

use crate::error::Result;
use crate::store::{Period, WHOLE_DAY, since};

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
    pub(super) fn new(periods: Vec<Period>, boundary: Time) -> Result<Self> {
        Period::in_order(periods, boundary).map(Self)
    }

    /// Puts periods in order that were checked before, perhaps for a day that began at another time.
    pub(super) fn stored(mut periods: Vec<Period>, boundary: Time) -> Self {
        periods.sort_by_key(|period| since(boundary, period.begins()));
        Self(periods)
    }

    pub(super) fn periods(&self) -> &[Period] {
        &self.0
    }

    /// Returns where `time` lies. What comes before the first period is early for it.
    pub(super) fn place(&self, time: Time, boundary: Time) -> Place<'_> {
        let offset = since(boundary, time);
        let current = self.0.iter().rev().find(|period| since(boundary, period.begins()) <= offset).or(self.0.first());
        let reached = |limit: Option<Time>| limit.is_some_and(|limit| since(boundary, limit) <= offset);
        match current {
            Some(period) => Place {
                period: period.name(),
                late: reached(period.late_after()),
                checks_out: reached(period.check_out_from()),
            },
            None => Place { period: WHOLE_DAY, late: false, checks_out: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::limits;

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
