//! Statuses of hand-made rows, and the laws that hold for any.

mod laws;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::*;
use crate::attendance::AttendancePolicy;
use crate::store::{
    CalendarEntry, CalendarKind, Excuse, Membership, RosterMark, RosterRows, RosterScope, RosterStudent,
    TimetableVersion, Weekdays, Withdrawal,
};
use crate::types::StudentId;

const ONE: StudentId = StudentId(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn student(id: i64, made: &str) -> RosterStudent {
    RosterStudent { id: StudentId(id), name: format!("S{id}"), roll_number: id.to_string(), created_at: at(made) }
}

fn mark(id: i64, when: &str, period: Option<&str>, status: &str) -> RosterMark {
    RosterMark {
        id,
        student: ONE,
        at: at(when),
        status: status.into(),
        day: period.map(|_| day(&when[..10])),
        period: period.map(Into::into),
        checked_out_at: None,
        is_corrected: false,
    }
}

fn version(id: i64, scope: RosterScope, from: &str, periods: &[&str]) -> TimetableVersion {
    TimetableVersion {
        id,
        scope,
        valid_from: day(from),
        weekdays: Weekdays::MONDAY_TO_FRIDAY,
        periods: periods.iter().map(|text| text.parse().unwrap()).collect(),
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "x".into(),
    }
}

fn membership(group: i64, from: &str, until: Option<&str>) -> Membership {
    Membership { id: group, group, student: ONE, from_day: day(from), until_day: until.map(day) }
}

fn entry(id: i64, scope: RosterScope, kind: CalendarKind, first: &str, last: &str) -> CalendarEntry {
    CalendarEntry {
        id,
        scope,
        kind,
        first_day: day(first),
        last_day: day(last),
        name: "Holi".into(),
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "x".into(),
    }
}

fn excuse(first: &str, last: &str, period: Option<&str>) -> Excuse {
    Excuse {
        id: 1,
        student: ONE,
        first_day: day(first),
        last_day: day(last),
        period: period.map(Into::into),
        reason: "ill".into(),
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "x".into(),
        withdrawn_at: None,
        withdrawn_by: None,
    }
}

/// One student since January, with a morning and a noon from Monday to Friday.
fn school() -> RosterRows {
    RosterRows {
        students: vec![student(1, "2026-01-01T12:00:00Z")],
        timetables: vec![version(1, RosterScope::Site, "2026-01-01", &["am=08:00/08:15/11:00", "pm=12:00/12:10"])],
        ..RosterRows::default()
    }
}

fn roster_in(zone: &str, boundary: Time, rows: RosterRows, now: &str) -> RosterDays {
    let policy = AttendancePolicy::in_time_zone(zone).unwrap().with_day_boundary(boundary);
    RosterDays::new(rows, &policy, at(now))
}

fn roster(rows: RosterRows, now: &str) -> RosterDays {
    roster_in("UTC", Time::midnight(), rows, now)
}

fn statuses(roster: &RosterDays, text: &str) -> Vec<&'static str> {
    roster.entries(&roster.students()[0], day(text)).map(|entry| entry.status.as_str()).collect()
}

const NOBODY: [&str; 0] = [];

#[test]
fn who_has_not_come_is_pending_until_late_and_absent_then() {
    let at_time = |now: &str| statuses(&roster(school(), now), "2026-03-02");
    assert_eq!(at_time("2026-03-01T23:00:00Z"), ["Pending", "Pending"]);
    assert_eq!(at_time("2026-03-02T08:14:59Z"), ["Pending", "Pending"]);
    assert_eq!(at_time("2026-03-02T08:15:00Z"), ["Absent", "Pending"]);
    assert_eq!(at_time("2026-03-02T12:10:00Z"), ["Absent", "Absent"]);
    assert_eq!(at_time("2026-03-03T00:00:00Z"), ["Absent", "Absent"]);
}

#[test]
fn a_mark_wins_over_an_excuse_and_one_that_says_absent_does_not() {
    let mut rows = school();
    rows.excuses = vec![excuse("2026-03-02", "2026-03-02", Some("am"))];
    rows.marks = vec![
        mark(1, "2026-03-02T08:05:00Z", Some("am"), "Present"),
        mark(2, "2026-03-02T12:05:00Z", Some("pm"), "Absent"),
    ];
    let present = roster(rows.clone(), "2026-03-02T12:06:00Z");
    assert_eq!(statuses(&present, "2026-03-02"), ["Present", "Absent"], "what a person said needs no waiting");
    rows.marks[0].status = "Absent".into();
    assert_eq!(statuses(&roster(rows.clone(), "2026-03-02T12:06:00Z"), "2026-03-02"), ["Excused", "Absent"]);
    rows.marks.clear();
    rows.excuses[0].period = None;
    assert_eq!(statuses(&roster(rows, "2026-03-01T00:00:00Z"), "2026-03-02"), ["Excused", "Excused"]);
}

#[test]
fn who_is_checked_out_before_the_time_has_left_early_unless_a_person_says_otherwise() {
    let mut rows = school();
    rows.marks = vec![mark(1, "2026-03-02T08:20:00Z", Some("am"), "Late")];
    rows.marks[0].checked_out_at = Some(at("2026-03-02T10:59:59Z"));
    let read = |rows: &RosterRows| statuses(&roster(rows.clone(), "2026-03-02T11:30:00Z"), "2026-03-02")[0];
    assert_eq!(read(&rows), "LeftEarly");
    rows.marks[0].is_corrected = true;
    assert_eq!(read(&rows), "Late");
    rows.marks[0].is_corrected = false;
    rows.marks[0].checked_out_at = Some(at("2026-03-02T11:00:00Z"));
    assert_eq!(read(&rows), "Late");
    rows.marks[0].status = "Left early".into();
    assert_eq!(read(&rows), "LeftEarly");
}

#[test]
fn a_row_of_the_existing_service_stands_for_its_day_and_an_unknown_period_for_its_time() {
    let mut rows = school();
    rows.marks = vec![mark(1, "2026-03-02T07:59:00Z", None, "Present")];
    assert_eq!(statuses(&roster(rows.clone(), "2026-03-02T20:00:00Z"), "2026-03-02"), ["Present", "Present"]);
    rows.marks = vec![mark(1, "2026-03-02T12:30:00Z", Some("lesson 9"), "Late")];
    assert_eq!(statuses(&roster(rows.clone(), "2026-03-02T20:00:00Z"), "2026-03-02"), ["Absent", "Late"]);
    // The day of the existing service's row is the site's.
    rows.marks = vec![mark(1, "2026-03-02T01:00:00Z", None, "Present")];
    let los_angeles = roster_in("America/Los_Angeles", Time::midnight(), rows, "2026-03-04T00:00:00Z");
    assert_eq!(statuses(&los_angeles, "2026-03-01"), NOBODY, "a Sunday");
    assert_eq!(statuses(&los_angeles, "2026-03-02"), ["Absent", "Absent"]);
}

#[test]
fn nobody_is_expected_on_days_off_and_a_group_knows_its_own_better() {
    use CalendarKind::{ExtraDay, Holiday};
    let (site, group) = (RosterScope::Site, RosterScope::Group(7));
    let mut rows = school();
    rows.calendar = vec![
        entry(1, site, Holiday, "2026-03-02", "2026-03-03"),
        entry(2, site, ExtraDay, "2026-03-07", "2026-03-07"),
        entry(3, group, ExtraDay, "2026-03-03", "2026-03-03"),
        entry(4, group, Holiday, "2026-03-05", "2026-03-05"),
        entry(5, site, Holiday, "2026-03-06", "2026-03-06"),
        entry(6, site, ExtraDay, "2026-03-06", "2026-03-06"),
    ];
    let expected = |rows: &RosterRows| {
        let roster = roster(rows.clone(), "2026-04-01T00:00:00Z");
        (2..=8).map(|date| !statuses(&roster, &format!("2026-03-0{date}")).is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(expected(&rows), [false, false, true, true, true, true, false], "the later entry of one day holds");
    rows.memberships = vec![membership(7, "2026-03-01", None)];
    assert_eq!(expected(&rows), [false, true, true, false, true, true, false]);
}

#[test]
fn late_enrolment_and_withdrawal_are_dates() {
    let mut rows = school();
    rows.students = vec![student(1, "2026-03-04T12:00:00Z")];
    rows.memberships = vec![membership(7, "2026-03-03", Some("2026-03-05"))];
    rows.withdrawals = vec![Withdrawal {
        id: 1,
        student: ONE,
        from_day: day("2026-03-06"),
        until_day: Some(day("2026-03-10")),
        by: "x".into(),
        at: Timestamp::UNIX_EPOCH,
    }];
    let read = roster(rows.clone(), "2026-04-01T00:00:00Z");
    let of = |text: &str| statuses(&read, text).first().copied();
    assert_eq!((of("2026-03-02"), of("2026-03-03")), (None, Some("Absent")), "a member before the row was made");
    assert_eq!((of("2026-03-05"), of("2026-03-06"), of("2026-03-09")), (Some("Absent"), None, None));
    assert_eq!(of("2026-03-10"), Some("Absent"));
    rows.withdrawals[0].from_day = Withdrawal::BEGINNING;
    assert_eq!(statuses(&roster(rows, "2026-04-01T00:00:00Z"), "2026-03-09"), NOBODY);
    let groups = |text: &str| read.groups_of(ONE, day(text)).collect::<Vec<_>>();
    assert_eq!((groups("2026-03-02"), groups("2026-03-04"), groups("2026-03-05")), (vec![], vec![7], vec![]));
}

#[test]
fn the_first_group_that_has_a_timetable_decides_and_a_past_day_keeps_its_own() {
    let mut rows = school();
    rows.memberships =
        vec![membership(9, "2026-01-01", None), membership(3, "2026-01-01", None), membership(8, "2026-03-04", None)];
    rows.timetables.extend([
        version(2, RosterScope::Group(9), "2026-03-02", &["nine=10:00"]),
        version(3, RosterScope::Group(8), "2026-01-01", &["eight=10:00"]),
        version(4, RosterScope::Site, "2026-03-01", &["new=10:00"]),
    ]);
    let roster = roster(rows, "2026-04-01T00:00:00Z");
    let of = |text: &str| roster.plan_of(ONE, day(text)).periods[0].name().to_owned();
    assert_eq!(["2026-02-27", "2026-03-01", "2026-03-03", "2026-03-04"].map(of), ["am", "new", "nine", "eight"]);
}

#[test]
fn a_night_shift_is_one_day_and_each_change_of_the_clocks_is_passed() {
    let noon = Time::constant(12, 0, 0, 0);
    let mut rows = school();
    rows.timetables = vec![version(1, RosterScope::Site, "2026-01-01", &["night=22:00/02:30/05:00"])];
    // The clocks of Berlin go from 03:00 back to 02:00 on 25 October, and from 02:00 to 03:00 on 29 March. Friday's and
    // Saturday's nights end then.
    rows.timetables[0].weekdays = "mon tue wed thu fri sat sun".parse().unwrap();
    let pending =
        |text: &str, now: &str| statuses(&roster_in("Europe/Berlin", noon, rows.clone(), now), text) == ["Pending"];
    assert!(pending("2026-10-24", "2026-10-25T00:29:59Z"));
    assert!(!pending("2026-10-24", "2026-10-25T00:30:00Z"));
    assert!(!pending("2026-10-24", "2026-10-25T01:05:00Z"), "02:05 is shown again, and it stays late");
    assert!(pending("2026-03-28", "2026-03-29T01:29:59Z"));
    assert!(!pending("2026-03-28", "2026-03-29T01:30:00Z"), "02:30 is skipped: 03:30 by the rule of the gap");
    rows.marks = vec![mark(1, "2026-10-25T00:10:00Z", None, "Present")];
    let roster = roster_in("Europe/Berlin", noon, rows, "2026-10-26T12:00:00Z");
    assert_eq!(statuses(&roster, "2026-10-24"), ["Present"]);
    assert_eq!(statuses(&roster, "2026-10-25"), ["Absent"]);
}
