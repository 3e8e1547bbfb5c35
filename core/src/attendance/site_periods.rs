//! The periods of the settings, as a version of the site's timetable.

use jiff::Timestamp;

use super::AttendancePolicy;
use crate::error::Result;
use crate::store::{NewTimetable, RosterScope, Store, TimetableVersion, Weekdays};

/// Who makes the versions that come from settings.
const SETTINGS: &str = "settings";

/// Records the periods of a policy as the site's timetable from today on, where the settings have others than they had
/// when they were recorded last. Days before keep what they had, and what a person chose since then stays.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::attendance::record_periods;
/// use faceattend_core::store::SqliteStore;
/// use faceattend_core::{AttendancePolicy, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let store = SqliteStore::open(path)?;
/// let policy = AttendancePolicy::in_time_zone("UTC")?.with_periods(vec!["am=08:00/08:15".parse()?])?;
/// let now = Timestamp::now();
/// assert!(record_periods(&store, &policy, now)?.is_some());
/// assert!(record_periods(&store, &policy, now)?.is_none());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// Those of the store.
pub fn record_periods(
    store: &dyn Store,
    policy: &AttendancePolicy,
    now: Timestamp,
) -> Result<Option<TimetableVersion>> {
    let today = policy.day(now)?.date;
    let versions = store.timetables()?;
    let of_site = || versions.iter().filter(|version| version.scope == RosterScope::Site);
    let recorded = of_site().filter(|version| version.created_by == SETTINGS).max_by_key(|version| version.created_at);
    // Settings without periods say nothing, unless they said something before.
    if recorded.map_or(&[][..], |version| version.periods.as_slice()) == policy.periods() {
        return Ok(None);
    }
    let before = of_site().filter(|version| version.valid_from <= today).max_by_key(|version| version.valid_from);
    let weekdays = before.map_or(Weekdays::MONDAY_TO_FRIDAY, |version| version.weekdays);
    let (periods, boundary) = (policy.periods().to_vec(), policy.day_boundary());
    let new = NewTimetable::new(RosterScope::Site, today, weekdays, periods, boundary, SETTINGS, now)?;
    store.set_timetable(&new, today).map(Some)
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::{Time, date};

    use super::*;
    use crate::store::{SqliteStore, prelude::*};

    #[test]
    fn settings_that_change_begin_a_version_and_what_a_person_chose_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("a.db")).unwrap();
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let policy = |periods: &[&str]| {
            let periods = periods.iter().map(|text| text.parse().unwrap()).collect();
            AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(periods).unwrap()
        };
        let record = |periods: &[&str], days: i64| {
            let made = record_periods(&store, &policy(periods), now + (24 * days).hours()).unwrap();
            made.map(|version| (version.valid_from, version.periods.len()))
        };
        assert_eq!(record(&[], 0), None, "there is nothing to say");
        assert_eq!(record(&["am=08:00"], 0), Some((date(2026, 3, 2), 1)));
        assert_eq!(record(&["am=08:00"], 1), None);
        let (days, midnight) = ("mon sat".parse().unwrap(), Time::midnight());
        let (scope, from) = (RosterScope::Site, date(2026, 3, 3));
        let chosen = NewTimetable::new(scope, from, days, vec![], midnight, "Ms Rao", now).unwrap();
        store.set_timetable(&chosen, date(2026, 3, 3)).unwrap();
        assert_eq!(record(&["am=08:00"], 1), None, "a person has chosen since");
        assert_eq!(record(&["am=08:00", "pm=12:00"], 2), Some((date(2026, 3, 4), 2)));
        assert_eq!(store.timetables().unwrap().last().unwrap().weekdays, days, "the days of the week stay");
        assert_eq!(record(&[], 3), Some((date(2026, 3, 5), 0)), "the settings have none any more");
        assert_eq!(store.timetables().unwrap().len(), 4);
    }
}
