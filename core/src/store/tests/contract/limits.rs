//! How long the texts are that a store keeps.

use super::super::super::limits;
use super::super::super::*;
use super::{completed, enrolment, kind, mark, now};
use crate::error::ErrorKind;

fn letters(count: usize) -> String {
    // Two bytes each: the limits count characters.
    "é".repeat(count)
}

pub(crate) fn a_text_beyond_its_limit_is_refused_and_changes_nothing(store: &dyn Store) {
    let (name, roll) = (letters(limits::STUDENT_NAME), letters(limits::ROLL_NUMBER));
    let student = store.create_student(&name, &roll, now()).unwrap();
    assert_eq!((&student.name, &student.roll_number), (&name, &roll), "the limit itself is kept whole");
    let (long_name, long_roll) = (format!("{name}é"), format!("{roll}é"));
    let session = completed(store, None);
    for (name, roll_number) in [(long_name.as_str(), "R2"), ("B", long_roll.as_str())] {
        assert_eq!(kind(store.create_student(name, roll_number, now())), ErrorKind::InvalidInput);
        let who = Enrolee::New { name, roll_number };
        assert_eq!(kind(store.enrol(session, &who, &enrolment(0.0), None, "test", now())), ErrorKind::InvalidInput);
    }
    for change in [
        StudentChange { name: Some(long_name), roll_number: None },
        StudentChange { name: None, roll_number: Some(long_roll) },
    ] {
        assert_eq!(kind(store.update_student(student.id, &change, now())), ErrorKind::InvalidInput);
    }
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);

    let consent = |given_by: usize, notice: usize| Consent {
        given_at: now(),
        given_by: letters(given_by),
        notice: letters(notice),
    };
    for long in [consent(limits::PERSON + 1, 1), consent(1, limits::NOTICE + 1)] {
        assert_eq!(kind(store.set_consent(student.id, Some(&long), now())), ErrorKind::InvalidInput);
    }
    store.set_consent(student.id, Some(&consent(limits::PERSON, limits::NOTICE)), now()).unwrap();

    let new = |location: usize, period: usize| NewAttendance {
        camera_location: Some(letters(location)),
        period: letters(period),
        ..mark(student.id, "2026-03-02T08:00:00Z")
    };
    for long in [new(limits::CAMERA_LOCATION + 1, 1), new(1, limits::PERIOD + 1), new(40_000, 1)] {
        assert_eq!(kind(store.mark_attendance(&long)), ErrorKind::InvalidInput);
    }
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 0);
    let row = store.mark_attendance(&new(limits::CAMERA_LOCATION, limits::PERIOD)).unwrap().record().id;

    let correction = |by: usize, reason: usize| Correction::new(CorrectedStatus::Absent, letters(by), letters(reason));
    for long in [correction(limits::PERSON + 1, 1), correction(1, limits::REASON + 1)] {
        assert_eq!(kind(store.correct_attendance(row, &long, now())), ErrorKind::InvalidInput);
    }
    assert!(store.corrections(row).unwrap().is_empty());
    store.correct_attendance(row, &correction(limits::PERSON, limits::REASON), now()).unwrap();
}

pub(crate) fn a_log_with_a_long_text_is_kept_with_its_beginning(store: &dyn Store) {
    let row = |location: &str, error: &str| NewDetectionLog {
        timestamp: now(),
        faces_detected: 1,
        students_recognized: 0,
        processing_time: None,
        camera_location: Some(location.into()),
        error_message: Some(error.into()),
    };
    store.add_detection_logs(&[row(&letters(40_000), &letters(40_000)), row("Gate", "store")]).unwrap();
    store.add_detection_log(&row(&letters(300), "store")).unwrap();
    let kept: Vec<_> = store.detection_logs(3).unwrap().into_iter().map(|log| log.entry).collect();
    let gate = letters(limits::CAMERA_LOCATION);
    assert_eq!(kept, [row(&gate, "store"), row("Gate", "store"), row(&gate, &letters(limits::LOGGED_ERROR))]);
}
