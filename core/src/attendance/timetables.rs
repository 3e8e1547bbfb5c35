//! Which timetable holds for whom on a day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use super::timetable::Timetable;
use super::{AttendancePolicy, Period, Status};
use crate::store::{RosterScope, TimetableVersion, Weekdays};

/// What holds on a day: the days of the week, and the periods.
///
/// ```
/// use faceattend_core::attendance::{AttendancePolicy, Timetables};
/// use jiff::civil::{Weekday, date};
///
/// let policy = AttendancePolicy::in_time_zone("UTC")?;
/// // Nobody has said anything: Monday to Friday, marked once a day.
/// let timetables = Timetables::new(Vec::new(), &policy);
/// let timetable = timetables.on([], date(2026, 3, 2));
/// assert!(timetable.weekdays().has(Weekday::Monday) && !timetable.weekdays().has(Weekday::Sunday));
/// assert_eq!(timetable.periods()[0].name(), "day");
/// assert!(timetable.version().is_none());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DayTimetable {
    weekdays: Weekdays,
    order: Timetable,
    version: Option<(i64, RosterScope, Date)>,
}

impl DayTimetable {
    /// Returns the days of the week on which people are expected.
    #[must_use]
    pub fn weekdays(&self) -> Weekdays {
        self.weekdays
    }

    /// Returns the periods, in order; one for a day that is marked once.
    #[must_use]
    pub fn periods(&self) -> &[Period] {
        self.order.periods()
    }

    /// Returns the stored version that this is: its key, whose it is, and since when it holds. `None` where nobody has
    /// kept one.
    #[must_use]
    pub fn version(&self) -> Option<(i64, RosterScope, Date)> {
        self.version
    }

    /// Returns the name of the period that a moment falls into.
    #[must_use]
    pub fn period(&self, policy: &AttendancePolicy, at: Timestamp) -> &str {
        policy.place_in(&self.order, at).period
    }

    /// Returns how an arrival at that time counts.
    #[must_use]
    pub fn status(&self, policy: &AttendancePolicy, at: Timestamp) -> Status {
        if policy.place_in(&self.order, at).late { Status::Late } else { Status::Present }
    }

    /// Returns whether a marked person who is seen at that time is leaving.
    #[must_use]
    pub fn checks_out(&self, policy: &AttendancePolicy, at: Timestamp) -> bool {
        policy.place_in(&self.order, at).checks_out
    }

    /// Returns whether people are expected on this day of the week.
    #[must_use]
    pub fn has(&self, day: Weekday) -> bool {
        self.weekdays.has(day)
    }

    fn of(weekdays: Weekdays, periods: Vec<Period>, policy: &AttendancePolicy) -> Self {
        let boundary = policy.day_boundary();
        let periods = if periods.is_empty() { vec![Period::whole_day(boundary)] } else { periods };
        Self { weekdays, order: Timetable::stored(periods, boundary), version: None }
    }
}

/// Every version of the timetables of a site and its groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetables {
    /// In the order in which they hold.
    versions: BTreeMap<RosterScope, Vec<(Date, DayTimetable)>>,
    /// Where nobody has kept one: the policy's periods, from Monday to Friday.
    otherwise: DayTimetable,
}

impl Timetables {
    /// Returns these versions, for the site of this policy. Where none holds, it is the policy's own periods from
    /// Monday to Friday, and one period for the whole day where it has none.
    #[must_use]
    pub fn new(versions: Vec<TimetableVersion>, policy: &AttendancePolicy) -> Self {
        let mut ordered: BTreeMap<RosterScope, Vec<(Date, DayTimetable)>> = BTreeMap::new();
        for version in versions {
            let TimetableVersion { id, scope, valid_from, weekdays, periods, .. } = version;
            let mut timetable = DayTimetable::of(weekdays, periods, policy);
            timetable.version = Some((id, scope, valid_from));
            ordered.entry(scope).or_default().push((valid_from, timetable));
        }
        for versions in ordered.values_mut() {
            versions.sort_by_key(|(from, _)| *from);
        }
        let otherwise = DayTimetable::of(Weekdays::MONDAY_TO_FRIDAY, policy.periods().to_vec(), policy);
        Self { versions: ordered, otherwise }
    }

    /// Returns the timetable of somebody who is a member of these groups on a day: that of the first one that has one
    /// then, else the site's. The groups are in the order of their keys.
    ///
    /// ```
    /// use faceattend_core::attendance::{AttendancePolicy, Timetables};
    /// use faceattend_core::store::{RosterScope, TimetableVersion, Weekdays};
    /// use jiff::civil::date;
    ///
    /// let policy = AttendancePolicy::in_time_zone("UTC")?;
    /// let night = TimetableVersion {
    ///     id: 1,
    ///     scope: RosterScope::Group(7),
    ///     valid_from: date(2026, 3, 2),
    ///     weekdays: Weekdays::MONDAY_TO_FRIDAY,
    ///     periods: vec!["night=22:00/22:15".parse()?],
    ///     created_at: jiff::Timestamp::UNIX_EPOCH,
    ///     created_by: "Ms Rao".into(),
    /// };
    /// let timetables = Timetables::new(vec![night], &policy);
    /// let period = |groups: [i64; 2], day| timetables.on(groups, day).periods()[0].name().to_owned();
    /// assert_eq!(period([3, 7], date(2026, 3, 2)), "night");
    /// assert_eq!(period([3, 7], date(2026, 3, 1)), "day");
    /// assert_eq!(period([3, 4], date(2026, 3, 2)), "day");
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn on(&self, groups: impl IntoIterator<Item = i64>, day: Date) -> &DayTimetable {
        let of = |scope| {
            let versions = self.versions.get(&scope)?;
            let holds = versions.partition_point(|(from, _)| *from <= day);
            versions.get(holds.checked_sub(1)?).map(|(_, timetable)| timetable)
        };
        let own = groups.into_iter().find_map(|group| of(RosterScope::Group(group)));
        own.or_else(|| of(RosterScope::Site)).unwrap_or(&self.otherwise)
    }

    /// Returns whether a group has a timetable of its own.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        self.versions.keys().any(|scope| scope.group().is_some())
    }
}
