//! What a day is for a group or for the site: school or not, and its periods.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::attendance::{AttendancePolicy, Period, Timetables};
use crate::store::{CalendarEntry, CalendarKind, RosterScope, TimetableVersion};

/// What a day is.
///
/// ```
/// use faceattend_core::roster::DayKind;
///
/// fn is_school(day: DayKind) -> bool {
///     day == DayKind::School
/// }
/// assert!(!is_school(DayKind::Holiday));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// People are expected.
    School,
    /// A holiday of the calendar.
    Holiday,
    /// A day of the week on which nobody is expected.
    Free,
}

impl DayKind {
    /// Returns the spelling in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::School => "school",
            Self::Holiday => "holiday",
            Self::Free => "free",
        }
    }
}

/// A day as its timetable and its calendar have it.
#[derive(Debug, Clone, Copy)]
pub struct DayPlan<'a> {
    /// What the day is.
    pub kind: DayKind,
    /// The name of its entry in the calendar.
    pub name: Option<&'a str>,
    /// The periods of the timetable, in order, also of a day without school.
    pub periods: &'a [Period],
}

impl<'a> DayPlan<'a> {
    /// Returns the period of this name; the first one without a name.
    #[must_use]
    pub fn chosen(&self, name: Option<&str>) -> Option<&'a Period> {
        match name {
            Some(name) => self.periods.iter().find(|period| period.name() == name),
            None => self.periods.first(),
        }
    }
}

/// Timetables and calendars, by whom they are for.
#[derive(Debug)]
pub(super) struct Plans {
    timetables: Timetables,
    calendar: BTreeMap<RosterScope, Vec<CalendarEntry>>,
}

impl Plans {
    pub(super) fn new(versions: Vec<TimetableVersion>, entries: Vec<CalendarEntry>, policy: &AttendancePolicy) -> Self {
        let mut calendar: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in entries {
            calendar.entry(entry.scope).or_default().push(entry);
        }
        calendar.values_mut().for_each(|entries| entries.sort_by_key(|entry| entry.id));
        Self { timetables: Timetables::new(versions, policy), calendar }
    }

    /// Returns the entry that holds on this day: the later one of two.
    fn entry(&self, scope: RosterScope, day: Date) -> Option<&CalendarEntry> {
        let entries = self.calendar.get(&scope)?;
        entries.iter().rev().find(|entry| entry.first_day <= day && day <= entry.last_day)
    }

    /// Returns the plan of a student who is in these groups on this day, in the order of their ids: the first one that
    /// has a timetable decides, and the first one that has an entry in the calendar.
    pub(super) fn of(&self, groups: impl Iterator<Item = i64> + Clone, day: Date) -> DayPlan<'_> {
        let timetable = self.timetables.on(groups.clone(), day);
        let entry = groups.map(RosterScope::Group).chain([RosterScope::Site]).find_map(|scope| self.entry(scope, day));
        let kind = match entry.map(|entry| entry.kind) {
            Some(CalendarKind::Holiday) => DayKind::Holiday,
            Some(CalendarKind::ExtraDay) => DayKind::School,
            None if timetable.weekdays().has(day.weekday()) => DayKind::School,
            None => DayKind::Free,
        };
        DayPlan { kind, name: entry.map(|entry| entry.name.as_str()), periods: timetable.periods() }
    }
}
