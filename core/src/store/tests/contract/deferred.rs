//! Records that wait for the database.

use super::super::super::*;
use super::{at, mark, now};

fn log(when: &str) -> NewDetectionLog {
    NewDetectionLog {
        timestamp: at(when),
        faces_detected: 2,
        students_recognized: 1,
        processing_time: Some(0.25),
        camera_location: Some("Gate\0".into()),
        error_message: None,
    }
}

pub(crate) fn records_of_a_journal_are_written_once(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap().id;
    let gone = store.create_student("B", "R2", now()).unwrap().id;
    store.erase_student(gone, MarksOfErased::Delete, now()).unwrap();
    let journal = JournalId::random();
    store.begin_journal(journal, now()).unwrap();
    let seen = |student, when: &str| Deferred::Sighting { mark: mark(student, when), checks_out: false };
    let left = Deferred::Sighting { mark: mark(student, "2026-03-02T16:00:00Z"), checks_out: true };
    let look = NewSecondLook {
        sighting: mark(student, "2026-03-03T08:00:00Z"),
        verdict: SecondLookVerdict::Undecided,
        reasons: vec!["few_views".into()],
    };
    let entry = NewAuditEntry {
        at: at("2026-03-02T09:00:00Z"),
        actor: "retention".into(),
        action: "delete old rows".into(),
        subject: None,
        details: None,
    };
    let records = [
        (1, seen(student, "2026-03-02T08:00:00Z")),
        (2, seen(gone, "2026-03-02T08:00:00Z")),
        (4, left),
        (5, Deferred::SecondLook(look)),
        (6, Deferred::DetectionLogs(vec![log("2026-03-02T08:00:00Z"), log("2026-03-02T08:00:05Z")])),
        (7, Deferred::Audit(entry.clone())),
    ];
    let outcomes = store.write_deferred(journal, &records[..3], now()).unwrap();
    let [
        DeferredOutcome::Marking(Marking::Marked(first)),
        DeferredOutcome::StudentGone,
        DeferredOutcome::Marking(last),
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(first.timestamp, at("2026-03-02T08:00:00Z"), "with its own time");
    assert_eq!((last.record().id, last.record().checked_out_at), (first.id, Some(at("2026-03-02T16:00:00Z"))));
    assert_eq!(store.journal_position(journal).unwrap(), Some(4));
    // A person deletes the mark: what was written does not come back, and the rest is written.
    store.delete_attendance(first.id).unwrap();
    let outcomes = store.write_deferred(journal, &records, now()).unwrap();
    assert_eq!(outcomes[..3], [const { DeferredOutcome::WrittenBefore }; 3]);
    assert!(matches!(outcomes[3], DeferredOutcome::SecondLook(SecondLooking::Added(_))), "{outcomes:?}");
    assert_eq!(outcomes[4..], [DeferredOutcome::Written, DeferredOutcome::Written]);
    assert_eq!(store.write_deferred(journal, &records, now()).unwrap(), vec![DeferredOutcome::WrittenBefore; 6]);
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 0);
    assert_eq!(store.open_second_looks().unwrap(), 1);
    let logs = store.detection_logs(10).unwrap();
    assert_eq!((logs.len(), logs[0].entry.camera_location.as_deref()), (2, Some("Gate")));
    let written: Vec<_> = store.audit(Page::ALL).unwrap().items.into_iter().map(|item| item.entry).collect();
    assert_eq!(written.iter().filter(|item| **item == entry).count(), 1);
}

pub(crate) fn a_journal_is_of_one_database(store: &dyn Store) {
    let journal = JournalId::random();
    assert_eq!(store.journal_position(journal).unwrap(), None);
    store.begin_journal(journal, now()).unwrap();
    assert_eq!(store.journal_position(journal).unwrap(), Some(0));
    let entry = Deferred::DetectionLogs(vec![log("2026-03-02T08:00:00Z")]);
    store.write_deferred(journal, &[(9, entry)], now()).unwrap();
    store.begin_journal(journal, now()).unwrap();
    assert_eq!(store.journal_position(journal).unwrap(), Some(9), "one that is known stays as it is");
}
