//! Marks, and when the store is asked.

use jiff::ToSpan as _;
use jiff::civil::date;

use super::*;
use crate::attendance::Period;
use crate::store::prelude::*;
use crate::store::{
    AttendanceFilter, CorrectedStatus, GroupKind, GroupRef, NewGroup, NewTimetable, Page, RosterChange, RosterOf,
    RosterQuery, RosterRun, RosterScope, SecondLookAnswer, SecondLookDecision, SqliteStore, StudentRef, Weekdays,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn marker(zone: &str) -> (Marker, Arc<SqliteStore>, StudentId, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
    let student = store.create_student("A", "R1", at("2026-03-01T00:00:00Z")).unwrap().id;
    let policy = AttendancePolicy::in_time_zone(zone).unwrap();
    (Marker::new(store.clone(), policy), store, student, folder)
}

fn newly_marked(marker: &Marker, student: StudentId, at: Timestamp) -> bool {
    matches!(marker.mark(student, Similarity::new(0.91), Some("Gate"), at).unwrap(), Marking::Marked(_))
}

#[test]
fn a_student_is_marked_once_in_the_sites_own_day() {
    let (marker, store, student, _folder) = marker("Asia/Kolkata");
    // 18:29 and 18:31 UTC are on either side of that midnight.
    assert!(newly_marked(&marker, student, at("2026-03-02T03:00:00Z")));
    assert!(!newly_marked(&marker, student, at("2026-03-02T18:29:59Z")));
    assert!(newly_marked(&marker, student, at("2026-03-02T18:30:00Z")));
    let rows = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
    assert_eq!(rows.iter().map(|r| r.local_day.unwrap().to_string()).collect::<Vec<_>>(), ["2026-03-03", "2026-03-02"]);
    assert_eq!((rows[0].confidence_score, rows[0].camera_location.as_deref()), (Some(0.91), Some("Gate")));
}

#[test]
fn the_second_before_midnight_is_forgotten_at_midnight() {
    let (marker, _store, student, _folder) = marker("UTC");
    assert!(newly_marked(&marker, student, at("2026-03-02T23:59:59Z")));
    assert!(newly_marked(&marker, student, at("2026-03-03T00:00:00Z")));
}

#[test]
fn a_remembered_mark_asks_the_store_once_a_minute() {
    let (marker, store, student, _folder) = marker("UTC");
    let first = at("2026-03-02T08:00:00Z");
    assert!(newly_marked(&marker, student, first));
    let row = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items[0].id;
    store.delete_attendance(row).unwrap();
    // What was deleted behind its back shows whether it asked.
    assert!(!newly_marked(&marker, student, first + 59.seconds()), "it asked within the minute");
    assert!(newly_marked(&marker, student, first + 61.seconds()), "it did not ask after the minute");
    store.delete_attendance(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items[0].id).unwrap();
    marker.forget();
    assert!(newly_marked(&marker, student, first + 62.seconds()));
}

#[test]
fn two_markers_on_one_store_mark_once() {
    let (one, store, student, _folder) = marker("UTC");
    let other = Marker::new(store, AttendancePolicy::in_time_zone("UTC").unwrap());
    let now = at("2026-03-02T08:00:00Z");
    assert!(newly_marked(&one, student, now));
    assert!(!newly_marked(&other, student, now));
}

#[test]
fn who_is_seen_late_in_a_period_is_checked_out_by_the_last_time() {
    let (_, store, student, _folder) = marker("UTC");
    let time = |hour| jiff::civil::Time::constant(hour, 0, 0, 0);
    let morning = Period::new("morning", time(7)).with_late_after(time(8)).with_check_out_from(time(11));
    let afternoon = Period::new("afternoon", time(13));
    let policy = AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(vec![morning, afternoon]).unwrap();
    let marker = Marker::new(store.clone(), policy);
    let seen = |time: &str| {
        let marking = marker.mark(student, Similarity::new(0.9), None, at(&format!("2026-03-02T{time}Z"))).unwrap();
        (matches!(marking, Marking::Marked(_)), marking.record().clone())
    };
    let (new, first) = seen("08:30:00");
    assert!(new && first.status == "Late" && first.checked_out_at.is_none());
    assert_eq!(seen("10:59:00").1.checked_out_at, None);
    let (new, left) = seen("11:30:00");
    assert_eq!((new, left.id, left.checked_out_at), (false, first.id, Some(at("2026-03-02T11:30:00Z"))));
    assert_eq!(seen("12:30:00").1.checked_out_at, Some(at("2026-03-02T12:30:00Z")));
    assert!(seen("13:05:00").0, "the afternoon is marked by itself");
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 2);
}

#[test]
fn a_clock_that_jumps_marks_nobody_twice_on_a_day() {
    let (first, store, student, _folder) = marker("Asia/Kolkata");
    let restarted = Marker::new(store.clone(), first.policy().clone());
    let noon = at("2026-03-02T06:30:00Z");
    // Hours by which the clock is wrong: set back over midnight, corrected, ahead by days, and back again.
    for (turn, wrong) in [0, -3, -13, 0, 1, 49, 0, -13, 49, 25, 0].into_iter().enumerate() {
        let marker = if turn % 2 == 0 { &first } else { &restarted };
        marker.mark(student, Similarity::new(0.9), None, noon + wrong.hours()).unwrap();
    }
    let rows = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
    let mut days: Vec<_> = rows.iter().map(|row| row.local_day.unwrap().to_string()).collect();
    days.sort();
    assert_eq!(days, ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"], "each day once");
}

#[test]
fn a_correction_says_who_and_why_and_is_not_undone_by_the_next_camera() {
    let (marker, store, student, _folder) = marker("UTC");
    let now = at("2026-03-02T08:00:00Z");
    let row = marker.mark(student, Similarity::new(0.9), None, now).unwrap().record().id;
    for (by, reason) in [("", "not here"), ("teacher", " ")] {
        assert!(marker.correct(row, &Correction::new(CorrectedStatus::Absent, by, reason), now).is_err());
    }
    let wrong = Correction::new(CorrectedStatus::Absent, "teacher", "it was the twin");
    assert_eq!(marker.correct(row, &wrong, now + 5.minutes()).unwrap().status, "Absent");
    assert!(!newly_marked(&marker, student, now + 10.minutes()));
    let [kept] = &store.corrections(row).unwrap()[..] else { panic!() };
    assert_eq!((kept.status_before.as_str(), kept.correction.by.as_str()), ("Present", "teacher"));
    assert_eq!((kept.correction.reason.as_str(), kept.at), ("it was the twin", now + 5.minutes()));
    assert!(marker.correct(row + 1, &wrong, now).is_err());
}

#[test]
fn a_sighting_for_a_second_look_is_written_once_and_not_for_who_is_marked() {
    let (_, store, student, _folder) = marker("UTC");
    let time = |hour| jiff::civil::Time::constant(hour, 0, 0, 0);
    let morning = Period::new("morning", time(7)).with_late_after(time(8));
    let policy = AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(vec![morning]).unwrap();
    let marker = Marker::new(store.clone(), policy);
    let first = at("2026-03-02T08:30:00Z");
    let seen = |verdict, now| {
        marker.second_look(student, Similarity::new(0.91), Some("Gate"), verdict, vec!["flat".into()], now).unwrap()
    };
    let undecided = SecondLookVerdict::Undecided;
    let SecondLooking::Added(look) = seen(undecided, first) else { panic!("it is new") };
    let sighting = &look.sighting;
    assert_eq!((sighting.at, sighting.period.as_str(), sighting.status.as_str()), (first, "morning", "Late"));
    assert_eq!((sighting.day.date.to_string().as_str(), sighting.confidence_score), ("2026-03-02", Some(0.91)));
    assert_eq!(look.reasons, ["flat"]);
    // An entry that somebody decides behind its back shows whether it asked.
    let refusal = SecondLookDecision::new(SecondLookAnswer::Refuse, "admin", first);
    store.decide_second_look(look.id, &refusal).unwrap();
    let is_new = |looking| matches!(looking, SecondLooking::Added(_));
    assert!(!is_new(seen(undecided, first + 59.seconds())), "it asked within the minute");
    assert!(is_new(seen(undecided, first + 61.seconds())), "it did not ask after the minute");
    assert!(is_new(seen(SecondLookVerdict::Spoof, first + 62.seconds())), "another verdict is another entry");
    store.decide_second_look(look.id + 1, &refusal).unwrap();
    marker.forget();
    assert!(is_new(seen(undecided, first + 63.seconds())));

    assert!(newly_marked(&marker, student, first + 64.seconds()));
    assert_eq!(store.open_second_looks().unwrap(), 0, "the mark settles what is open");
    assert!(matches!(seen(undecided, first + 65.seconds()), SecondLooking::AlreadyMarked(_)));
    marker.forget();
    assert!(matches!(seen(undecided, first + 66.seconds()), SecondLooking::AlreadyMarked(_)));
}

#[test]
fn an_unknown_student_is_not_remembered() {
    let (marker, store, _student, _folder) = marker("UTC");
    let now = at("2026-03-02T08:00:00Z");
    assert!(marker.mark(StudentId(2), Similarity::new(0.9), None, now).is_err());
    let next = store.create_student("B", "R2", now).unwrap().id;
    assert!(newly_marked(&marker, next, now));
}

fn group(store: &SqliteStore, name: &str, periods: &[&str], students: &[StudentId]) -> i64 {
    let (by, at) = ("Ms Rao".to_owned(), at("2026-03-01T00:00:00Z"));
    let new = NewGroup { name: name.into(), kind: GroupKind::Class, by: by.clone(), at };
    let group = store.create_group(&new).unwrap().id;
    let from_day = date(2026, 3, 2);
    let join = |student: &StudentId| RosterChange::Join {
        student: StudentRef::Id(*student),
        group: GroupRef::Id(group),
        from_day,
        until_day: None,
    };
    let changes: Vec<_> = students.iter().map(join).collect();
    store.change_roster(&changes, RosterRun::Apply, &by, at).unwrap();
    set(store, RosterScope::Group(group), from_day, periods);
    group
}

fn set(store: &SqliteStore, scope: RosterScope, from: jiff::civil::Date, periods: &[&str]) {
    let periods = periods.iter().map(|text| text.parse().unwrap()).collect();
    let (days, midnight) = (Weekdays::MONDAY_TO_FRIDAY, jiff::civil::Time::midnight());
    let at = at("2026-03-01T00:00:00Z");
    let new = NewTimetable::new(scope, from, days, periods, midnight, "Ms Rao", at).unwrap();
    store.set_timetable(&new, date(2026, 3, 1)).unwrap();
}

fn told(marking: &Marking, store: &SqliteStore) -> (String, String) {
    let window = |day: &str| at(&format!("{day}T00:00:00Z"));
    let day = marking.record().local_day.unwrap();
    let query = RosterQuery {
        of: RosterOf::Everybody,
        first_day: day,
        last_day: day,
        starts_at: window(&day.to_string()),
        ends_at: window(&day.tomorrow().unwrap().to_string()),
    };
    let rows = store.roster_rows(&query).unwrap();
    let row = rows.marks.into_iter().find(|mark| mark.id == marking.record().id).unwrap();
    (row.period.unwrap().to_string(), row.status.to_string())
}

#[test]
fn a_students_own_timetable_decides_the_period_and_who_is_late() {
    let (marker, store, early, _folder) = marker("UTC");
    let late = store.create_student("B", "R2", at("2026-03-01T00:00:00Z")).unwrap().id;
    let other = store.create_student("C", "R3", at("2026-03-01T00:00:00Z")).unwrap().id;
    group(&store, "Early", &["early=06:00/07:00/12:00"], &[early]);
    group(&store, "Late", &["late=09:00/10:00/18:00"], &[late]);
    let mark = |student, when: &str| marker.mark(student, Similarity::new(0.9), None, at(when)).unwrap();
    let word = |period: &str, status: &str| (period.to_owned(), status.to_owned());
    assert_eq!(told(&mark(early, "2026-03-02T08:00:00Z"), &store), word("early", "Late"));
    assert_eq!(told(&mark(late, "2026-03-02T08:00:00Z"), &store), word("late", "Present"));
    assert_eq!(told(&mark(other, "2026-03-02T08:00:00Z"), &store), word("day", "Present"));
    // Each is checked out by the own time.
    let out = |student| mark(student, "2026-03-02T13:00:00Z").record().checked_out_at.is_some();
    assert_eq!((out(early), out(late), out(other)), (true, false, false));
    assert_eq!(told(&mark(late, "2026-03-01T08:00:00Z"), &store), word("day", "Present"), "it was no member yet");
    let spoof = SecondLookVerdict::Spoof;
    let look =
        |student| marker.second_look(student, Similarity::new(0.9), None, spoof, vec![], at("2026-03-03T11:00:00Z"));
    let SecondLooking::Added(look) = look(late).unwrap() else { panic!("it is new") };
    assert_eq!((look.sighting.period.as_str(), look.sighting.status), ("late", Status::Late));
}

#[test]
fn another_timetable_holds_when_it_is_told_of_or_after_a_minute() {
    let (marker, store, student, _folder) = marker("UTC");
    let mark = |when: &str| marker.mark(student, Similarity::new(0.9), None, at(when)).unwrap();
    assert_eq!(told(&mark("2026-03-02T08:00:00Z"), &store).0, "day");
    set(&store, RosterScope::Site, date(2026, 3, 2), &["am=06:00", "pm=12:00"]);
    assert_eq!(told(&mark("2026-03-02T08:00:59Z"), &store).0, "day");
    assert_eq!(told(&mark("2026-03-02T08:01:00Z"), &store).0, "am", "a minute later");
    set(&store, RosterScope::Site, date(2026, 3, 2), &["dawn=05:00"]);
    marker.forget_rosters();
    assert_eq!(told(&mark("2026-03-02T08:01:01Z"), &store).0, "dawn");
}
