//! What holds for any roster.

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;

const FIRST: Date = Date::constant(2026, 3, 20);
const DAYS: i32 = 20;

fn date(offset: i32) -> Date {
    FIRST.checked_add(offset.days()).unwrap()
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..DAYS).prop_map(date)
}

fn any_scope() -> impl Strategy<Value = RosterScope> {
    prop_oneof![Just(RosterScope::Site), (1..4i64).prop_map(RosterScope::Group)]
}

fn any_version() -> impl Strategy<Value = TimetableVersion> {
    let periods = prop_oneof![
        Just(vec![]),
        Just(vec!["am=08:00/08:15/11:00"]),
        Just(vec!["am=08:00/08:15", "pm=12:00//15:00"]),
        Just(vec!["late=20:00/21:00/23:00", "early=06:00"]),
    ];
    (any_scope(), any_day(), periods, 1u8..128).prop_map(|(scope, from, periods, days)| {
        let words = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let days = words.iter().enumerate().filter(|(at, _)| days & (1 << at) != 0).map(|(_, word)| *word);
        let weekdays = days.collect::<Vec<_>>().join(" ").parse().unwrap();
        TimetableVersion { weekdays, ..version(0, scope, &from.to_string(), &periods) }
    })
}

fn any_membership() -> impl Strategy<Value = Membership> {
    (1..4i64, 1..4i64, any_day(), prop::option::of(1..9i32)).prop_map(|(group, who, from, length)| Membership {
        student: StudentId(who),
        until_day: length.map(|length| from.checked_add(length.days()).unwrap()),
        ..membership(group, &from.to_string(), None)
    })
}

fn any_mark() -> impl Strategy<Value = RosterMark> {
    let status = prop::sample::select(vec!["Present", "Late", "Absent", "Left early", "on site"]);
    let period = prop::sample::select(vec![None, Some("day"), Some("am"), Some("pm"), Some("gone")]);
    (1..4i64, 0..DAYS, 0..24 * 60i64, period, status, prop::option::of(0..600i64)).prop_map(
        |(who, offset, minute, period, status, out)| {
            let when = date(offset).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp() + minute.minutes();
            RosterMark {
                student: StudentId(who),
                day: period.map(|_| date(offset)),
                checked_out_at: out.map(|minutes| when + minutes.minutes()),
                at: when,
                ..mark(0, "2026-03-20T00:00:00Z", period, status)
            }
        },
    )
}

fn any_excuse() -> impl Strategy<Value = Excuse> {
    (1..4i64, any_day(), 0..5i32, prop::option::of(Just("am"))).prop_map(|(who, first, more, period)| {
        let last = first.checked_add(more.days()).unwrap();
        Excuse { student: StudentId(who), ..excuse(&first.to_string(), &last.to_string(), period) }
    })
}

fn any_entry() -> impl Strategy<Value = CalendarEntry> {
    let kind = prop_oneof![Just(CalendarKind::Holiday), Just(CalendarKind::ExtraDay)];
    (any_scope(), kind, any_day(), 0..4i32).prop_map(|(scope, kind, first, more)| {
        let last = first.checked_add(more.days()).unwrap();
        entry(0, scope, kind, &first.to_string(), &last.to_string())
    })
}

fn any_withdrawal() -> impl Strategy<Value = Withdrawal> {
    (1..4i64, any_day(), prop::option::of(1..9i32)).prop_map(|(who, from, length)| Withdrawal {
        id: 0,
        student: StudentId(who),
        from_day: from,
        until_day: length.map(|length| from.checked_add(length.days()).unwrap()),
        by: "x".into(),
        at: Timestamp::UNIX_EPOCH,
    })
}

fn any_rows() -> impl Strategy<Value = RosterRows> {
    let some = 0..4usize;
    (
        prop::collection::vec(any_version(), some.clone()),
        prop::collection::vec(any_membership(), some.clone()),
        prop::collection::vec(any_mark(), 0..12),
        prop::collection::vec(any_excuse(), some.clone()),
        prop::collection::vec(any_entry(), some.clone()),
        prop::collection::vec(any_withdrawal(), 0..2),
        any_day(),
    )
        .prop_map(|(timetables, memberships, marks, excuses, calendar, withdrawals, made)| {
            let mut rows = RosterRows {
                students: vec![
                    student(1, "2026-01-01T12:00:00Z"),
                    student(2, "2026-01-01T12:00:00Z"),
                    student(3, &format!("{made}T12:00:00Z")),
                ],
                timetables,
                memberships,
                marks,
                excuses,
                calendar,
                withdrawals,
                ..RosterRows::default()
            };
            // As a database gives them: each row with a key of its own, one version a day.
            let mut begun = std::collections::BTreeSet::new();
            rows.timetables.retain(|version| begun.insert((version.scope, version.valid_from)));
            (1..).zip(&mut rows.timetables).for_each(|(id, row)| row.id = id);
            (1..).zip(&mut rows.marks).for_each(|(id, row)| row.id = id);
            (1..).zip(&mut rows.calendar).for_each(|(id, row)| row.id = id);
            (1..).zip(&mut rows.excuses).for_each(|(id, row)| row.id = id);
            rows
        })
}

fn any_policy() -> impl Strategy<Value = AttendancePolicy> {
    let zones = vec!["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe"];
    (prop::sample::select(zones), prop::sample::select(vec![0i8, 4, 12])).prop_map(|(zone, hour)| {
        AttendancePolicy::in_time_zone(zone).unwrap().with_day_boundary(Time::constant(hour, 0, 0, 0))
    })
}

fn now() -> impl Strategy<Value = Timestamp> {
    (0..i64::from(DAYS) * 24 * 60).prop_map(|minute| at("2026-03-20T00:00:00Z") + minute.minutes())
}

fn read(rows: &RosterRows, policy: &AttendancePolicy, now: Timestamp) -> RosterDays {
    RosterDays::new(rows.clone(), policy, now)
}

fn all_days() -> impl Iterator<Item = Date> {
    (0..=DAYS).map(date)
}

/// Every expected period: who, when, which, how.
type Told = Vec<(i64, Date, String, DayStatus)>;

fn told(roster: &RosterDays, days: impl Fn(Date) -> bool) -> Told {
    let mut told = Vec::new();
    for student in roster.students() {
        for day in all_days().filter(|day| days(*day)) {
            let entries = roster.entries(student, day);
            told.extend(entries.map(|of| (student.id.0, day, of.period.name().to_owned(), of.status)));
        }
    }
    told
}

proptest! {
    #[test]
    fn every_expected_period_has_one_status_and_the_sums_are_the_expected(
        rows in any_rows(), policy in any_policy(), now in now(),
    ) {
        let roster = read(&rows, &policy, now);
        let told = told(&roster, |_| true);
        let mut keys: Vec<_> = told.iter().map(|(who, day, period, _)| (*who, *day, period)).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), told.len());
        let mut counts = StatusCounts::default();
        told.iter().for_each(|(.., status)| counts.add(*status));
        prop_assert_eq!(counts.expected(), told.len() as u64);
        prop_assert_eq!(counts.came() + counts.excused + counts.absent + counts.pending, counts.expected());
        for student in roster.students() {
            for day in all_days() {
                let plan = roster.plan_of(student.id, day);
                let expected = roster.is_there(student.id, day) && plan.kind == DayKind::School;
                let periods = if expected { plan.periods.len() } else { 0 };
                prop_assert_eq!(roster.entries(student, day).count(), periods);
            }
        }
    }

    #[test]
    fn a_sighting_more_never_turns_anybody_absent_or_changes_who_is_expected(
        rows in any_rows(), mut more in any_mark(), policy in any_policy(), now in now(),
    ) {
        if &*more.status == "Absent" {
            more.status = "Present".into();
        }
        let before = told(&read(&rows, &policy, now), |_| true);
        let mut rows = rows;
        more.id = 1000;
        rows.marks.push(more);
        let after = told(&read(&rows, &policy, now), |_| true);
        prop_assert_eq!(before.len(), after.len());
        for ((who, day, period, old), (.., new)) in before.iter().zip(&after) {
            let worse = *new == DayStatus::Absent && *old != DayStatus::Absent;
            prop_assert!(!worse, "{who} on {day} in {period} was {old:?}");
            prop_assert!(!old.came() || new.came(), "{who} on {day} in {period}: {old:?} to {new:?}");
        }
    }

    #[test]
    fn a_newer_version_of_a_timetable_changes_no_earlier_day(
        rows in any_rows(), newer in any_version(), policy in any_policy(), now in now(),
    ) {
        let from = newer.valid_from;
        let before = told(&read(&rows, &policy, now), |day| day < from);
        let mut rows = rows;
        rows.timetables.retain(|version| (version.scope, version.valid_from) != (newer.scope, from));
        rows.timetables.push(TimetableVersion { id: 1000, ..newer });
        prop_assert_eq!(told(&read(&rows, &policy, now), |day| day < from), before);
    }

    #[test]
    fn a_membership_changes_no_day_outside_of_its_own(
        rows in any_rows(), more in any_membership(), policy in any_policy(), now in now(),
    ) {
        let outside = |day: Date| !more.holds_on(day);
        let before = told(&read(&rows, &policy, now), outside);
        let mut rows = rows;
        rows.memberships.push(more);
        prop_assert_eq!(told(&read(&rows, &policy, now), outside), before);
    }

    #[test]
    fn an_excuse_only_makes_who_is_not_there_excused(
        rows in any_rows(), more in any_excuse(), policy in any_policy(), now in now(),
    ) {
        let before = told(&read(&rows, &policy, now), |_| true);
        let mut rows = rows;
        rows.excuses.push(Excuse { id: 1000, ..more.clone() });
        let after = told(&read(&rows, &policy, now), |_| true);
        prop_assert_eq!(before.len(), after.len());
        for ((who, day, period, old), (.., new)) in before.iter().zip(&after) {
            let covered = *who == more.student.0 && more.covers(*day, period);
            let expected = if covered && !old.came() { DayStatus::Excused } else { *old };
            prop_assert_eq!(*new, expected);
        }
    }

    #[test]
    fn time_that_passes_only_turns_pending_to_absent(
        rows in any_rows(), policy in any_policy(), now in now(), later in 0..100_000i64,
    ) {
        let before = told(&read(&rows, &policy, now), |_| true);
        let after = told(&read(&rows, &policy, now + later.seconds()), |_| true);
        prop_assert_eq!(before.len(), after.len());
        for ((.., old), (.., new)) in before.iter().zip(&after) {
            let passes = *old == DayStatus::Pending && *new == DayStatus::Absent;
            prop_assert!(old == new || passes, "{old:?} to {new:?}");
        }
    }

    #[test]
    fn nobody_who_is_withdrawn_is_expected(rows in any_rows(), policy in any_policy(), now in now()) {
        let roster = read(&rows, &policy, now);
        for away in &rows.withdrawals {
            let Some(student) = roster.students().iter().find(|student| student.id == away.student) else { continue };
            for day in all_days().filter(|day| away.holds_on(*day)) {
                prop_assert_eq!(roster.entries(student, day).count(), 0);
                prop_assert!(!roster.is_there(away.student, day));
            }
        }
    }
}
