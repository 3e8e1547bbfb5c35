//! Two records of one person become one.

use jiff::Timestamp;
use jiff::ToSpan as _;

use super::super::super::*;
use super::super::EnrolUnchecked as _;
use super::{at, completed, embedding, enrolment, kind, mark, now, pending, race};
use crate::error::{ErrorKind, Result};
use crate::types::StudentId;

fn merged(store: &dyn Store, kept: StudentId, other: StudentId, face: MergedFace) -> Result<Option<Merged>> {
    let day_of = |at: Timestamp| Some(jiff::tz::TimeZone::UTC.to_datetime(at).date());
    let mut admits = |_| Ok(true);
    let merge = StudentMerge { kept, other, face, day_of: &day_of, admits: &mut admits };
    store.merge_students(merge, "admin", now() + 1.hour())
}

fn two(store: &dyn Store) -> [StudentId; 2] {
    [("Asha Rao", "R1", 1.0), ("Asha R.", "R1-copy", 1.1)].map(|(name, roll, seed)| {
        store.register_student(completed(store, None), name, roll, &enrolment(seed), now()).unwrap().id
    })
}

fn rows(store: &dyn Store) -> Vec<AttendanceRecord> {
    store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items
}

pub(crate) fn of_two_records_one_stays_with_the_marks_of_both(store: &dyn Store) {
    let [kept, other] = two(store);
    let somebody = store.create_student("Ben", "R2", now()).unwrap().id;
    for new in [
        mark(kept, "2026-03-02T09:00:00Z"),
        mark(other, "2026-03-02T08:00:00Z"),
        mark(other, "2026-03-03T08:00:00Z"),
        mark(kept, "2026-03-04T08:00:00Z"),
        mark(other, "2026-03-04T09:00:00Z"),
        mark(somebody, "2026-03-04T09:00:00Z"),
    ] {
        store.mark_attendance(&new).unwrap();
    }
    let done = merged(store, kept, other, MergedFace::Kept).unwrap().unwrap();
    assert_eq!(
        (done.student.id, done.student.name.as_str(), done.student.roll_number.as_str()),
        (kept, "Asha Rao", "R1")
    );
    assert_eq!((done.erasure.student.name.as_str(), done.erasure.templates, done.erasure.sessions), ("Asha R.", 2, 1));
    assert_eq!((done.marks_moved, done.erasure.marks_deleted, done.erasure.marks_anonymised), (2, 2, 0));
    assert!(!done.took_face && !done.took_consent);
    let of_kept: Vec<_> = rows(store).into_iter().filter(|row| row.student == kept).map(|row| row.timestamp).collect();
    assert_eq!(of_kept, ["2026-03-04T08:00:00Z", "2026-03-03T08:00:00Z", "2026-03-02T08:00:00Z"].map(at));
    assert_eq!((rows(store).len(), store.student(other).unwrap()), (4, None));
    assert_eq!((store.templates_of(other).unwrap(), store.sessions_of(other).unwrap()), (vec![], vec![]));
    assert_eq!(store.templates_of(kept).unwrap()[0].embedding, StoredEmbedding::Tagged(embedding(1.0)));
    // The mark that was moved stands: nobody is marked twice for its day.
    assert!(matches!(store.mark_attendance(&mark(kept, "2026-03-02T10:00:00Z")).unwrap(), Marking::AlreadyMarked(_)));
    for (student, words) in [(kept, "was merged into it: 2 marks moved, 2 joined"), (other, "and erased: 2 templates")]
    {
        let entries = store.audit_about(&NewAuditEntry::subject_of(student)).unwrap();
        let entry = &entries.last().unwrap().entry;
        assert_eq!((entry.action.as_str(), entry.actor.as_str()), ("student.merge", "admin"));
        let told = entry.details.as_deref().unwrap();
        assert!(told.contains(words) && !told.contains("Asha"), "{told}");
    }
}

pub(crate) fn a_merge_keeps_what_people_decided(store: &dyn Store) {
    let [kept, other] = two(store);
    let early = store.mark_attendance(&mark(kept, "2026-03-02T08:00:00Z")).unwrap().record().id;
    let late = store.mark_attendance(&mark(other, "2026-03-02T09:00:00Z")).unwrap().record().id;
    let said = |status, reason: &str| Correction::new(status, "teacher", reason);
    store.correct_attendance(early, &said(CorrectedStatus::Late, "bus"), now()).unwrap();
    store.correct_attendance(late, &said(CorrectedStatus::Absent, "went home"), now()).unwrap();
    store.check_out(late, at("2026-03-02T15:00:00Z")).unwrap();
    let consent = Consent { given_at: now(), given_by: "Mother".into(), notice: "2026-1".into() };
    store.set_consent(other, Some(&consent), now()).unwrap();
    let done = merged(store, kept, other, MergedFace::Kept).unwrap().unwrap();
    assert_eq!((done.corrections_moved, done.took_consent), (1, true));
    let row = store.attendance_record(early).unwrap().unwrap();
    assert_eq!((row.status.as_str(), row.checked_out_at), ("Absent", Some(at("2026-03-02T15:00:00Z"))));
    let reasons: Vec<_> = store.corrections(early).unwrap().into_iter().map(|it| it.correction.reason).collect();
    assert_eq!(reasons, ["bus", "went home"]);
    assert_eq!((store.attendance_record(late).unwrap(), store.corrections(late).unwrap()), (None, vec![]));
    assert_eq!(store.consent(kept).unwrap(), Some(consent));
}

pub(crate) fn a_merge_moves_second_looks_and_a_mark_settles_them(store: &dyn Store) {
    let [kept, other] = two(store);
    let look = |student, when: &str| {
        let new =
            NewSecondLook { sighting: mark(student, when), verdict: SecondLookVerdict::Undecided, reasons: vec![] };
        match store.add_second_look(&new).unwrap() {
            SecondLooking::Added(look) => look.id,
            other => panic!("{other:?}"),
        }
    };
    store.mark_attendance(&mark(kept, "2026-03-02T08:00:00Z")).unwrap();
    let settled = look(other, "2026-03-02T09:00:00Z");
    let [mine, same] = [look(kept, "2026-03-03T08:00:00Z"), look(other, "2026-03-03T09:00:00Z")];
    let moved = look(other, "2026-03-04T09:00:00Z");
    let done = merged(store, kept, other, MergedFace::Kept).unwrap().unwrap();
    assert_eq!((done.second_looks_moved, done.erasure.second_looks), (2, 1));
    let state = |id| store.second_look(id).unwrap().map(|look| (look.student(), look.state));
    assert_eq!(state(settled), Some((kept, SecondLookState::Settled)));
    assert_eq!((state(mine), state(same)), (Some((kept, SecondLookState::Open)), None));
    assert_eq!(state(moved), Some((kept, SecondLookState::Open)));
    assert_eq!(store.open_second_looks().unwrap(), 2);
}

pub(crate) fn the_face_of_a_merge_is_chosen(store: &dyn Store) {
    let [kept, other] = two(store);
    let seen = SeenLimits { most: 1, every: jiff::SignedDuration::ZERO };
    let entry = NewAuditEntry { at: now(), actor: "age".into(), action: "x".into(), subject: None, details: None };
    store.keep_seen_template(other, &embedding(5.0), &seen, &entry).unwrap();
    let done = merged(store, kept, other, MergedFace::Other).unwrap().unwrap();
    assert!(done.took_face && done.student.has_face && done.student.liveness_verified);
    let faces: Vec<_> = store.templates_of(kept).unwrap().into_iter().map(|it| it.embedding).collect();
    assert_eq!(faces, [1.1, 2.1].map(|seed| StoredEmbedding::Tagged(embedding(seed))), "without a camera's view");
    // A record without a face takes the other's, whatever was asked for, and one without keeps its own.
    let bare = store.create_student("Asha", "R3", now()).unwrap().id;
    let done = merged(store, bare, kept, MergedFace::Kept).unwrap().unwrap();
    assert!(done.took_face && done.student.has_face);
    let empty = store.create_student("Asha", "R4", now()).unwrap().id;
    let done = merged(store, bare, empty, MergedFace::Other).unwrap().unwrap();
    assert!(!done.took_face && done.student.has_face);
}

pub(crate) fn a_merge_that_is_not_admitted_changes_nothing(store: &dyn Store) {
    let [kept, other] = two(store);
    store.mark_attendance(&mark(other, "2026-03-02T08:00:00Z")).unwrap();
    let mut asked = Vec::new();
    let mut admits = |stored: Vec<StoredTemplate>| {
        asked = stored.iter().map(|template| template.student).collect();
        Ok(false)
    };
    let order = StudentMerge { kept, other, face: MergedFace::Kept, day_of: &|_| None, admits: &mut admits };
    assert_eq!(store.merge_students(order, "admin", now()).unwrap(), None);
    assert_eq!(asked, [kept, kept, other, other]);
    assert_eq!((rows(store)[0].student, store.templates_of(other).unwrap().len()), (other, 2));
    assert_eq!(kind(merged(store, kept, kept, MergedFace::Kept)), ErrorKind::InvalidInput);
    for (one, two) in [(kept, StudentId(999)), (StudentId(999), kept)] {
        assert_eq!(kind(merged(store, one, two, MergedFace::Kept)), ErrorKind::NotFound);
    }
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 2);
    let open = pending(store, Some(kept));
    merged(store, kept, other, MergedFace::Kept).unwrap().unwrap();
    assert!(store.session(open).unwrap().is_some(), "the sessions of the record that stays are its own");
}

pub(crate) fn of_two_merges_at_once_one_wins(store: &dyn Store) {
    let [one, two] = two(store);
    let done = race(2, |n| match n {
        0 => merged(store, one, two, MergedFace::Kept),
        _ => merged(store, two, one, MergedFace::Kept),
    });
    let won = done.iter().filter(|result| matches!(result, Ok(Some(_)))).count();
    assert_eq!((won, store.students(None, Page::ALL).unwrap().total), (1, 1), "{done:?}");
}
