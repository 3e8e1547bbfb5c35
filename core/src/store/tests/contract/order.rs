//! The orders of lists.

use super::super::super::*;
use super::super::EnrolUnchecked as _;
use super::{completed, enrolment, mark, now};
use crate::types::StudentId;

/// What is compared, from the smallest on, and how ties are told apart.
fn orders<By: Copy>(by: By) -> [Order<By>; 2] {
    [false, true].map(|descending| Order { by, descending })
}

pub(crate) fn students_come_in_the_order_that_is_asked_for(store: &dyn Store) {
    // Capitals, accents and other scripts: a database's own collation would order them otherwise.
    for (name, roll) in [("Özil", "10"), ("anna", "9"), ("Zoe", "8"), ("Bob", "A-1"), ("\u{5b66}\u{751f}", "7")] {
        store.create_student(name, roll, now()).unwrap();
    }
    let rolls = |order, page| {
        let filter = StudentFilter { order, ..StudentFilter::default() };
        let listed = store.students_listed(&filter, page).unwrap();
        assert_eq!(listed.total, 5);
        listed.items.into_iter().map(|student| student.roll_number).collect::<Vec<_>>()
    };
    let expected = [
        (StudentsBy::Id, ["10", "9", "8", "A-1", "7"]),
        (StudentsBy::Name, ["9", "A-1", "10", "8", "7"]),
        (StudentsBy::RollNumber, ["7", "8", "9", "10", "A-1"]),
    ];
    for (by, mut wanted) in expected {
        let [up, down] = orders(by);
        assert_eq!(rolls(up, Page::ALL), wanted, "{by:?}");
        assert_eq!(rolls(up, Page { skip: 1, limit: 2 }), wanted[1..3], "a slice of {by:?}");
        wanted.reverse();
        assert_eq!(rolls(down, Page::ALL), wanted, "{by:?}, the largest first");
    }
    assert_eq!(StudentFilter::default().order, Order { by: StudentsBy::Id, descending: false });
}

pub(crate) fn who_has_no_face_is_listed(store: &dyn Store) {
    let without = store.create_student("Without", "1", now()).unwrap().id;
    let with = store.create_student("With", "2", now()).unwrap().id;
    let session = completed(store, Some(with));
    store.enrol_student(session, with, &enrolment(1.0), now()).unwrap();
    let listed = |filter| store.students_listed(&filter, Page::ALL).unwrap();
    let found = listed(StudentFilter { without_face: true, ..StudentFilter::default() });
    assert_eq!((found.total, found.items[0].id), (1, without));
    let searched = StudentFilter { without_face: true, search: Some("With".into()), ..StudentFilter::default() };
    assert_eq!(listed(searched).total, 1, "with a search beside it");
    let by_face = |descending| {
        let order = Order { by: StudentsBy::Face, descending };
        let found = listed(StudentFilter { order, ..StudentFilter::default() });
        found.items.into_iter().map(|student| student.id).collect::<Vec<StudentId>>()
    };
    assert_eq!(by_face(false), [without, with]);
    assert_eq!(by_face(true), [with, without]);
}

pub(crate) fn attendance_comes_in_the_order_that_is_asked_for(store: &dyn Store) {
    let a = store.create_student("bea", "10", now()).unwrap().id;
    let b = store.create_student("Ada", "9", now()).unwrap().id;
    let mut rows = Vec::new();
    for (student, when, status, score, place) in [
        (a, "2026-03-01T08:00:00Z", AttendanceStatus::Present, Some(0.7), Some("Gate 2")),
        (b, "2026-03-02T08:00:00Z", AttendanceStatus::Late, None, None),
        (a, "2026-03-03T08:00:00Z", AttendanceStatus::Late, Some(0.5), Some("Gate 1")),
    ] {
        let new = NewAttendance {
            status,
            confidence_score: score,
            camera_location: place.map(str::to_owned),
            ..mark(student, when)
        };
        rows.push(store.mark_attendance(&new).unwrap().record().id);
    }
    let [first, second, third] = rows[..] else { panic!("{rows:?}") };
    let listed = |order| {
        let found = store.attendance_in_order(&AttendanceFilter::default(), order, Page::ALL).unwrap();
        found.items.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    // Rows that are equal come newest first, from whichever end.
    for (by, up, down) in [
        (AttendanceBy::Time, [first, second, third], [third, second, first]),
        (AttendanceBy::Name, [second, third, first], [third, first, second]),
        (AttendanceBy::RollNumber, [second, third, first], [third, first, second]),
        (AttendanceBy::Status, [third, second, first], [first, third, second]),
        (AttendanceBy::Similarity, [second, third, first], [first, third, second]),
        (AttendanceBy::Place, [second, third, first], [first, third, second]),
    ] {
        assert_eq!(orders(by).map(listed), [up.to_vec(), down.to_vec()], "{by:?}");
    }
    let as_ever = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap();
    assert_eq!(as_ever.items.iter().map(|row| row.id).collect::<Vec<_>>(), listed(Order::NEWEST_FIRST));
}
