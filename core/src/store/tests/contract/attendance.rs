//! Attendance and the detection log.

use jiff::ToSpan as _;

use super::super::super::*;
use super::at;
use super::kind;
use super::mark;
use super::now;
use super::race;
use super::window;
use crate::error::ErrorKind;
use crate::types::StudentId;

pub(crate) fn attendance_is_marked_once_for_a_day_and_period(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap();
    let first = mark(student.id, "2026-03-02T08:15:30.25Z");
    let Marking::Marked(row) = store.mark_attendance(&first).unwrap() else { panic!("the first mark must count") };
    assert_eq!((row.student_name.as_str(), row.student_roll_number.as_str()), ("A", "R1"));
    assert_eq!((row.timestamp, row.status.as_str()), (first.at, "Present"));
    assert_eq!((row.confidence_score, row.camera_location.as_deref()), (Some(0.91), Some("Gate 1")));
    assert_eq!(row.local_day, Some(first.day.date));
    let again = NewAttendance { confidence_score: None, ..mark(student.id, "2026-03-02T17:00:00Z") };
    assert_eq!(store.mark_attendance(&again).unwrap(), Marking::AlreadyMarked(row.clone()));
    assert_eq!(store.attendance_record(row.id).unwrap(), Some(row.clone()));

    let lesson = NewAttendance { period: "lesson 2".into(), status: AttendanceStatus::Late, ..again.clone() };
    assert!(matches!(store.mark_attendance(&lesson).unwrap(), Marking::Marked(r) if r.status == "Late"));
    let tomorrow = mark(student.id, "2026-03-03T00:00:00Z");
    assert!(matches!(store.mark_attendance(&tomorrow).unwrap(), Marking::Marked(_)));
    assert_eq!(kind(store.mark_attendance(&mark(StudentId(999), "2026-03-02T08:00:00Z"))), ErrorKind::NotFound);

    store.delete_attendance(row.id).unwrap();
    assert_eq!(kind(store.delete_attendance(row.id)), ErrorKind::NotFound);
    assert!(matches!(store.mark_attendance(&again).unwrap(), Marking::Marked(_)), "a deleted mark can be made again");
}

pub(crate) fn threads_that_mark_the_same_student_leave_one_row(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap().id;
    let marked: usize = race(2, |_| {
        (0..50)
            .map(|n| store.mark_attendance(&mark(student, &format!("2026-03-02T08:00:{:02}Z", n % 60))).unwrap())
            .filter(|marking| matches!(marking, Marking::Marked(_)))
            .count()
    })
    .iter()
    .sum();
    assert_eq!(marked, 1);
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
}

pub(crate) fn attendance_is_filtered_and_newest_first(store: &dyn Store) {
    let a = store.create_student("A", "R1", now()).unwrap().id;
    let b = store.create_student("B", "R2", now()).unwrap().id;
    for (student, when) in
        [(a, "2026-03-01T08:00:00Z"), (b, "2026-03-03T00:00:00Z"), (a, "2026-03-02T23:59:59.999999Z")]
    {
        store.mark_attendance(&mark(student, when)).unwrap();
    }
    store
        .mark_attendance(&NewAttendance { status: AttendanceStatus::Late, ..mark(b, "2026-03-04T08:00:00Z") })
        .unwrap();
    let rows = |filter: AttendanceFilter, page| {
        let listed = store.attendance(&filter, page).unwrap();
        (listed.items.iter().map(|r| (r.student, r.timestamp.to_string())).collect::<Vec<_>>(), listed.total)
    };
    let all = AttendanceFilter::default;
    let (newest_first, total) = rows(all(), Page { skip: 1, limit: 2 });
    assert_eq!(total, 4);
    assert_eq!(newest_first, [(b, "2026-03-03T00:00:00Z".into()), (a, "2026-03-02T23:59:59.999999Z".into())]);
    let day = window("2026-03-02");
    let one_day = AttendanceFilter { from: Some(day.starts_at), until: Some(day.ends_at), ..all() };
    assert_eq!(rows(one_day.clone(), Page::ALL), (vec![(a, "2026-03-02T23:59:59.999999Z".into())], 1));
    assert_eq!(rows(AttendanceFilter { from: Some(at("2026-03-03T00:00:00Z")), ..all() }, Page::ALL).1, 2);
    assert_eq!(rows(AttendanceFilter { student: Some(a), ..all() }, Page::ALL).1, 2);
    assert_eq!(rows(AttendanceFilter { status: Some("Late".into()), ..all() }, Page::ALL).1, 1);
    assert_eq!(rows(AttendanceFilter { status: Some("Absent".into()), ..all() }, Page::ALL), (vec![], 0));
    let summary = |filter| store.attendance_summary(&filter).unwrap();
    assert_eq!(summary(all()), AttendanceSummary { total: 4, present: 3, absent: 0, late: 1, unique_students: 2 });
    assert_eq!(summary(one_day).total, 1);
    // All rows are counted another way than those of a filter.
    let looked_at = AttendanceFilter { from: Some(at("0001-01-01T00:00:00Z")), ..all() };
    let absent = Correction { status: CorrectedStatus::Absent, by: "Ms Rao".into(), reason: "ill".into() };
    let rows = store.attendance(&all(), Page::ALL).unwrap().items;
    for row in &rows[..2] {
        store.correct_attendance(row.id, &absent, now()).unwrap();
        assert_eq!(summary(all()), summary(looked_at.clone()));
    }
    store.delete_attendance(rows[3].id).unwrap();
    assert_eq!(summary(all()), AttendanceSummary { total: 3, present: 1, absent: 2, late: 0, unique_students: 2 });
    assert_eq!(summary(all()), summary(looked_at));
}

pub(crate) fn logs_are_newest_first(store: &dyn Store) {
    let entry = |n: u32| NewDetectionLog {
        timestamp: now() + i64::from(n).seconds(),
        faces_detected: n,
        students_recognized: 1,
        processing_time: Some(0.25),
        camera_location: Some("Gate".into()),
        error_message: (n == 2).then(|| "no frame".into()),
    };
    let ids: Vec<_> = (0..3).map(|n| store.add_detection_log(&entry(n)).unwrap()).collect();
    let expected: Vec<_> = [2, 1].map(|n: u32| DetectionLog { id: ids[n as usize], entry: entry(n) }).into();
    assert_eq!(store.detection_logs(2).unwrap(), expected);
}
