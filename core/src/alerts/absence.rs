//! Who is absent at a time of the day, and when that is told.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use crate::attendance::AttendancePolicy;
use crate::error::Result;
use crate::roster::{DayStatus, RosterDays};
use crate::store::{AlertEvent, AlertFacts, AlertRule};

/// How long after its time it is still told who is absent, where no server was running then. In the evening nobody is
/// helped by a letter about the morning.
pub const ABSENT_TOLD_WITHIN: SignedDuration = SignedDuration::from_hours(6);

/// Returns the days for which it is to be asked at `now` who is absent by this rule, unless that was done: those whose
/// time has come, and is not longer ago than [`ABSENT_TOLD_WITHIN`]. A rule that was made or changed after the time
/// begins with the next day.
///
/// # Errors
/// [`Error::InvalidInput`](crate::Error::InvalidInput) at the ends of the calendar.
pub fn absence_days(rule: &AlertRule, policy: &AttendancePolicy, now: Timestamp) -> Result<Vec<Date>> {
    let Some(at) = rule.settings.at.filter(|_| rule.event == AlertEvent::Absent && !rule.paused) else {
        return Ok(Vec::new());
    };
    let today = policy.day(now)?.date;
    // A time late in the evening may be told after midnight.
    let days = [today.yesterday().ok(), Some(today)];
    let mut due = Vec::new();
    for day in days.into_iter().flatten() {
        let moment = policy.moment(day, at)?;
        if moment <= now && now.duration_since(moment) < ABSENT_TOLD_WITHIN && rule.changed_at <= moment {
            due.push(day);
        }
    }
    Ok(due)
}

/// Returns what there is to tell of everybody who is absent on the day at this time: expected, in a period that has
/// begun by then, with neither a mark nor an excuse. `groups` bounds whom it is about.
///
/// Read `days` as of the moment of the time: see [`AttendancePolicy::moment`]. Marks that came later count too.
///
/// # Errors
/// [`Error::InvalidInput`](crate::Error::InvalidInput) at the ends of the calendar.
pub fn absent_at(
    days: &RosterDays,
    policy: &AttendancePolicy,
    (day, at): (Date, Time),
    groups: Option<&[i64]>,
) -> Result<Vec<AlertFacts>> {
    let moment = policy.moment(day, at)?;
    let mut absent = Vec::new();
    for student in days.students() {
        if groups.is_some_and(|groups| !days.groups_of(student.id, day).any(|group| groups.contains(&group))) {
            continue;
        }
        let has_begun = |begins: Time| policy.moment(day, begins).is_ok_and(|begins| begins <= moment);
        let Some(entry) = days.entries(student, day).filter(|entry| has_begun(entry.period.begins())).last() else {
            continue;
        };
        if matches!(entry.status, DayStatus::Absent | DayStatus::Pending) {
            absent.push(AlertFacts {
                student_id: Some(student.id.0),
                student_name: Some(student.name.clone()),
                roll_number: Some(student.roll_number.clone()),
                day: Some(day),
                period: Some(entry.period.name().to_owned()),
                ..AlertFacts::default()
            });
        }
    }
    Ok(absent)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::time;
    use jiff::{SignedDuration, ToSpan as _};
    use proptest::prelude::*;

    use super::*;
    use crate::attendance::Period;
    use crate::store::{
        AlertRuleSettings, CalendarEntry, CalendarKind, Excuse, Membership, RosterMark, RosterRows, RosterScope,
        RosterStudent,
    };
    use crate::types::StudentId;

    fn rule(at: Time, changed_at: Timestamp) -> AlertRule {
        AlertRule {
            id: 1,
            name: "Absent".into(),
            event: AlertEvent::Absent,
            settings: AlertRuleSettings {
                groups: None,
                channels: vec![1],
                addresses: vec![],
                guardians: false,
                language: "en".into(),
                at: Some(at),
                after_minutes: None,
            },
            paused: false,
            created_at: changed_at,
            created_by: "admin".into(),
            changed_at,
            changed_by: "admin".into(),
        }
    }

    fn policy(zone: &str, boundary: Time) -> AttendancePolicy {
        AttendancePolicy::in_time_zone(zone).unwrap().with_day_boundary(boundary)
    }

    fn days_at(rule: &AlertRule, policy: &AttendancePolicy, now: &str) -> Vec<String> {
        absence_days(rule, policy, now.parse().unwrap()).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn it_is_told_from_its_time_on_for_six_hours_by_the_sites_clocks() {
        let (kolkata, long_ago) = (policy("Asia/Kolkata", Time::midnight()), "2026-01-01T00:00:00Z".parse().unwrap());
        let nine = rule(time(9, 0, 0, 0), long_ago);
        // 03:30 UTC is 09:00 there.
        assert_eq!(days_at(&nine, &kolkata, "2026-03-02T03:29:59Z"), [""; 0]);
        assert_eq!(days_at(&nine, &kolkata, "2026-03-02T03:30:00Z"), ["2026-03-02"]);
        assert_eq!(days_at(&nine, &kolkata, "2026-03-02T09:29:59Z"), ["2026-03-02"]);
        assert_eq!(days_at(&nine, &kolkata, "2026-03-02T09:30:00Z"), [""; 0]);
        let late = rule(time(22, 0, 0, 0), long_ago);
        assert_eq!(days_at(&late, &policy("UTC", Time::midnight()), "2026-03-03T01:00:00Z"), ["2026-03-02"]);
        let night = policy("UTC", time(4, 0, 0, 0));
        assert_eq!(days_at(&rule(time(2, 0, 0, 0), long_ago), &night, "2026-03-03T02:00:00Z"), ["2026-03-02"]);
        let paused = AlertRule { paused: true, ..nine };
        assert_eq!(days_at(&paused, &kolkata, "2026-03-02T03:30:00Z"), [""; 0]);
    }

    #[test]
    fn a_rule_that_comes_after_its_time_begins_with_the_next_day() {
        let utc = policy("UTC", Time::midnight());
        let nine = rule(time(9, 0, 0, 0), "2026-03-02T09:00:01Z".parse().unwrap());
        assert_eq!(days_at(&nine, &utc, "2026-03-02T09:05:00Z"), [""; 0]);
        assert_eq!(days_at(&nine, &utc, "2026-03-03T09:05:00Z"), ["2026-03-03"]);
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_the_first_moment_after_the_gap() {
        let berlin = policy("Europe/Berlin", Time::midnight());
        let moment = berlin.moment("2026-03-29".parse().unwrap(), time(2, 30, 0, 0)).unwrap();
        assert_eq!(moment.to_string(), "2026-03-29T01:30:00Z");
    }

    const DAY: Date = jiff::civil::date(2026, 3, 2);

    fn at(clock: Time) -> Timestamp {
        policy("UTC", Time::midnight()).moment(DAY, clock).unwrap()
    }

    fn student(id: i64) -> RosterStudent {
        let created_at = "2026-01-01T00:00:00Z".parse().unwrap();
        RosterStudent { id: StudentId(id), name: format!("S{id}"), roll_number: format!("R{id}"), created_at }
    }

    fn mark(id: i64, clock: Time, status: &str) -> RosterMark {
        RosterMark {
            id,
            student: StudentId(id),
            at: at(clock),
            status: status.into(),
            day: Some(DAY),
            period: Some("morning".into()),
            checked_out_at: None,
            is_corrected: status == "Absent",
        }
    }

    fn excuse(id: i64) -> Excuse {
        Excuse {
            id,
            student: StudentId(id),
            first_day: DAY,
            last_day: DAY,
            period: None,
            reason: "ill".into(),
            created_at: at(time(7, 0, 0, 0)),
            created_by: "office".into(),
            withdrawn_at: None,
            withdrawn_by: None,
        }
    }

    fn school() -> AttendancePolicy {
        let morning = Period::new("morning", time(8, 0, 0, 0)).with_late_after(time(8, 30, 0, 0));
        let noon = Period::new("noon", time(13, 0, 0, 0));
        policy("UTC", Time::midnight()).with_periods(vec![morning, noon]).unwrap()
    }

    fn absent(rows: RosterRows, clock: Time, groups: Option<&[i64]>) -> BTreeSet<i64> {
        let policy = school();
        let days = RosterDays::new(rows, &policy, at(clock));
        let absent = absent_at(&days, &policy, (DAY, clock), groups).unwrap();
        absent.iter().filter_map(|facts| facts.student_id).collect()
    }

    #[test]
    fn nobody_is_absent_before_school_begins_and_who_only_may_be_late_is() {
        let rows = || RosterRows { students: vec![student(1)], ..RosterRows::default() };
        assert_eq!(absent(rows(), time(7, 59, 0, 0), None), BTreeSet::new());
        assert_eq!(absent(rows(), time(8, 10, 0, 0), None), BTreeSet::from([1]));
        assert_eq!(absent(rows(), time(9, 0, 0, 0), None), BTreeSet::from([1]));
        // The morning's mark does not stand for noon.
        let marked = RosterRows { marks: vec![mark(1, time(8, 5, 0, 0), "Present")], ..rows() };
        assert_eq!(absent(marked.clone(), time(9, 0, 0, 0), None), BTreeSet::new());
        assert_eq!(absent(marked, time(13, 30, 0, 0), None), BTreeSet::from([1]));
    }

    #[test]
    fn only_the_groups_of_the_rule_are_told_of() {
        let member =
            |group: i64, id: i64| Membership { id, group, student: StudentId(id), from_day: DAY, until_day: None };
        let rows = RosterRows {
            students: (1..=3).map(student).collect(),
            memberships: vec![member(7, 1), member(8, 2)],
            ..RosterRows::default()
        };
        assert_eq!(absent(rows.clone(), time(9, 0, 0, 0), Some(&[7])), BTreeSet::from([1]));
        assert_eq!(absent(rows, time(9, 0, 0, 0), None), BTreeSet::from([1, 2, 3]));
    }

    proptest! {
        /// Of each student at most one thing is known: a mark before or after the time, one that was corrected to
        /// absent, an excuse, or nothing.
        #[test]
        fn exactly_those_are_absent_who_neither_came_nor_were_excused(
            known in prop::collection::vec(0_u8..5, 0..40), holiday in any::<bool>(),
        ) {
            let mut rows = RosterRows::default();
            let mut expected = BTreeSet::new();
            for (id, what) in (1..).zip(&known) {
                rows.students.push(student(id));
                match what {
                    0 => rows.marks.push(mark(id, time(8, 5, 0, 0), "Present")),
                    1 => rows.marks.push(mark(id, time(9, 30, 0, 0), "Late")),
                    2 => rows.marks.push(mark(id, time(8, 5, 0, 0), "Absent")),
                    3 => rows.excuses.push(excuse(id)),
                    _ => {}
                }
                if matches!(what, 2 | 4) {
                    expected.insert(id);
                }
            }
            if holiday {
                rows.calendar.push(CalendarEntry {
                    id: 1,
                    scope: RosterScope::Site,
                    kind: CalendarKind::Holiday,
                    first_day: DAY,
                    last_day: DAY,
                    name: "Holi".into(),
                    created_at: at(time(0, 0, 0, 0)),
                    created_by: "office".into(),
                });
                expected.clear();
            }
            prop_assert_eq!(absent(rows, time(9, 0, 0, 0), None), expected);
        }

        /// A server that is down at any times, for any time, tells each day once and within the limit.
        #[test]
        fn each_day_is_due_once_whenever_a_server_looks(
            hour in 0_i8..24, boundary in 0_i8..24, looks in prop::collection::vec(0_i64..10 * 24 * 60, 1..200),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"]),
        ) {
            let policy = policy(zone, Time::constant(boundary, 0, 0, 0));
            // The clocks change in Berlin, in the middle of these days.
            let begin: Timestamp = "2026-03-24T00:00:00Z".parse().unwrap();
            let rule = rule(Time::constant(hour, 0, 0, 0), begin);
            let mut looks = looks;
            looks.sort_unstable();
            let mut told = BTreeSet::new();
            for minute in looks {
                let now = begin + minute.minutes();
                for day in absence_days(&rule, &policy, now).unwrap() {
                    let moment = policy.moment(day, Time::constant(hour, 0, 0, 0)).unwrap();
                    let late = now.duration_since(moment);
                    prop_assert!(SignedDuration::ZERO <= late && late < ABSENT_TOLD_WITHIN);
                    told.insert(day);
                }
            }
            prop_assert!(told.len() <= 11);
        }
    }
}
