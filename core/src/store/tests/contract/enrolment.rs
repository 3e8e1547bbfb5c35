//! Enrolment.

use super::super::super::*;
use super::super::EnrolUnchecked as _;
use super::completed;
use super::completion;
use super::embedding;
use super::enrolment;
use super::kind;
use super::now;
use super::pending;
use super::race;
use crate::embedding::Embedding;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::liveness::Status;
use crate::types::ModelId;
use crate::types::SessionId;
use crate::types::StudentId;

pub(crate) fn a_completed_session_enrols_once(store: &dyn Store) {
    let session = completed(store, None);
    let student = store.register_student(session, "Cara", "R100", &enrolment(1.0), now()).unwrap();
    assert!(student.liveness_verified);
    assert_eq!(student.liveness_verification_date, Some(now()));
    assert_eq!((student.liveness_confidence_score, student.updated_at), (0.875, None));
    assert_eq!(student.model, Some(ModelId::new("m")));
    let json: Vec<f32> = serde_json::from_str(&store.embedding_json(student.id).unwrap().unwrap()).unwrap();
    assert_eq!(json, embedding(1.0).values());

    let used = store.session(session).unwrap().unwrap();
    assert_eq!((used.consumed_at, used.student), (Some(now()), Some(student.id)));
    assert_eq!(kind(store.register_student(session, "Cara2", "R101", &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(kind(store.enrol_student(session, student.id, &enrolment(1.0), now())), ErrorKind::State);
    // A frame that was judged meanwhile may not bring the session back.
    assert_eq!(store.update_session(session, 1, &completion()).unwrap(), None);
    assert_eq!(store.update_session(session, used.version, &completion()).unwrap(), Some(used.version + 1));
    assert_eq!(kind(store.register_student(session, "Cara2", "R101", &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
}

/// Enrols a new student if `admits` says so of what the check sees.
fn enrol_checked(
    store: &dyn Store,
    roll_number: &str,
    seed: f32,
    (since, of): (TemplateMark, &[StudentId]),
    mut admits: impl FnMut(&[StoredTemplate]) -> bool,
) -> Result<Option<Student>> {
    let session = completed(store, None);
    let who = Enrolee::New { name: "A", roll_number };
    let mut admits =
        |seen: Vec<StoredTemplate>| Ok(if admits(&seen) { Admission::Admitted } else { Admission::Refused });
    let check = FaceCheck { since, of, admits: &mut admits };
    store.enrol(session, &who, &enrolment(seed), Some(check), "test", now())
}

pub(crate) fn a_face_that_is_not_admitted_changes_nothing(store: &dyn Store) {
    let session = completed(store, None);
    let before = store.session(session).unwrap();
    let there = store.create_student("B", "R2", now()).unwrap();
    for who in [Enrolee::New { name: "A", roll_number: "R1" }, Enrolee::Student(there.id)] {
        let mut never = |_: Vec<StoredTemplate>| Ok(Admission::Refused);
        let check = FaceCheck { since: TemplateMark::BEGINNING, of: &[], admits: &mut never };
        assert_eq!(store.enrol(session, &who, &enrolment(1.0), Some(check), "test", now()).unwrap(), None);
        let mut broken = |_: Vec<StoredTemplate>| Err(Error::NotFound { what: "model" });
        let check = FaceCheck { since: TemplateMark::BEGINNING, of: &[], admits: &mut broken };
        assert_eq!(kind(store.enrol(session, &who, &enrolment(1.0), Some(check), "test", now())), ErrorKind::NotFound);
    }
    assert_eq!(store.session(session).unwrap(), before, "the session may still enrol somebody");
    assert_eq!(store.students(None, Page::ALL).unwrap().items, [there]);
    store.register_student(session, "A", "R1", &enrolment(1.0), now()).unwrap();
}

pub(crate) fn a_check_sees_whom_it_names_and_who_was_enrolled_since(store: &dyn Store) {
    let enrol = |roll: &str, seed| store.register_student(completed(store, None), "A", roll, &enrolment(seed), now());
    let [first, second, third] = [1, 2, 3].map(|n: u8| enrol(&format!("R{n}"), f32::from(n)).unwrap().id);
    let mark = store.newest_template().unwrap();
    let seen_by = |since, of: &[StudentId]| {
        let mut seen = Vec::new();
        let refused = enrol_checked(store, "never", 9.0, (since, of), |templates| {
            seen = templates.iter().map(|template| template.student).collect();
            false
        });
        assert_eq!(refused.unwrap(), None);
        seen
    };
    assert_eq!(seen_by(mark, &[]), []);
    assert_eq!(seen_by(mark, &[second]), [second, second], "all its templates, whenever written");
    assert_eq!(seen_by(TemplateMark::BEGINNING, &[]), [first, first, second, second, third, third]);
    // The newest are gone, and what comes next is newer all the same.
    store.erase_student(third, MarksOfErased::Delete, now()).unwrap();
    assert_eq!(seen_by(mark, &[third]), []);
    let fourth = enrol("R4", 4.0).unwrap().id;
    assert_eq!(seen_by(mark, &[]), [fourth, fourth]);
    // Another face of a student who was there before.
    store.enrol_student(completed(store, None), first, &enrolment(5.0), now()).unwrap();
    store.replace_templates(second, &[embedding(6.0)], now()).unwrap();
    assert_eq!(seen_by(mark, &[fourth]), [first, first, second, fourth, fourth]);
    assert!(store.newest_template().unwrap() > mark);
}

pub(crate) fn a_check_of_a_used_session_is_not_asked(store: &dyn Store) {
    let session = completed(store, None);
    store.register_student(session, "A", "R1", &enrolment(1.0), now()).unwrap();
    let mut unasked = |_: Vec<StoredTemplate>| panic!("the session enrols nobody");
    let check = FaceCheck { since: TemplateMark::BEGINNING, of: &[], admits: &mut unasked };
    let who = Enrolee::New { name: "B", roll_number: "R2" };
    assert_eq!(kind(store.enrol(session, &who, &enrolment(1.0), Some(check), "test", now())), ErrorKind::State);
}

/// Enrols one face from eight threads at once, on these stores by turns, where only the first face is admitted.
pub(crate) fn race_for_one_face(stores: &[&dyn Store]) {
    let mark = stores[0].newest_template().unwrap();
    let enrolled = race(8, |n| {
        let store = stores[n % stores.len()];
        enrol_checked(store, &format!("R{n}"), 1.0, (mark, &[]), <[StoredTemplate]>::is_empty).unwrap()
    });
    assert_eq!(enrolled.iter().flatten().count(), 1, "{enrolled:?}");
    assert_eq!(stores[0].students(None, Page::ALL).unwrap().total, 1);
}

pub(crate) fn of_enrolments_at_once_each_sees_those_before_it(store: &dyn Store) {
    race_for_one_face(&[store]);
}

/// Neither waits for what the other holds.
pub(crate) fn an_erasure_and_an_enrolment_at_once_both_end(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap().id;
    for _ in 0..20 {
        let sessions: Vec<_> = (0..4).map(|_| completed(store, Some(student))).collect();
        let ended = race(8, |n| match n % 2 {
            0 => store.erase_student(student, MarksOfErased::Anonymise, now()).map(drop),
            _ => store.enrol_student(sessions[n / 2], student, &enrolment(1.0), now()).map(drop),
        });
        // The session is gone where the erasure was first.
        assert!(ended.iter().all(|end| !matches!(end, Err(e) if e.kind() != ErrorKind::NotFound)), "{ended:?}");
    }
}

pub(crate) fn a_duplicate_roll_number_does_not_cost_the_session(store: &dyn Store) {
    store.create_student("A", "R1", now()).unwrap();
    let session = completed(store, None);
    let refused = store.register_student(session, "B", "R1", &enrolment(1.0), now()).unwrap_err();
    assert_eq!(refused.to_string(), "student with this roll number already exists");
    store.register_student(session, "B", "R2", &enrolment(1.0), now()).unwrap();
    // The roll number is judged before the use, as the existing API answers it.
    assert_eq!(kind(store.register_student(session, "C", "R1", &enrolment(1.0), now())), ErrorKind::Conflict);
}

pub(crate) fn of_two_registrations_with_one_session_one_wins(store: &dyn Store) {
    let session = completed(store, None);
    let results =
        race(8, |n| store.register_student(session, "A", &format!("R{n}"), &enrolment(1.0), now()).map(|s| s.id));
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().all(|r| !matches!(r, Err(e) if e.kind() != ErrorKind::State)), "{results:?}");
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
}

pub(crate) fn of_two_registrations_with_one_roll_number_one_wins(store: &dyn Store) {
    let sessions: Vec<_> = (0..8).map(|_| completed(store, None)).collect();
    let results = race(8, |n| store.register_student(sessions[n], "A", "R1", &enrolment(1.0), now()).map(|s| s.id));
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().all(|r| !matches!(r, Err(e) if e.kind() != ErrorKind::Conflict)), "{results:?}");
}

pub(crate) fn a_session_of_one_student_does_not_enrol_another(store: &dyn Store) {
    let a = store.create_student("A", "R1", now()).unwrap();
    let b = store.create_student("B", "R2", now()).unwrap();
    let session = completed(store, Some(a.id));
    assert_eq!(kind(store.enrol_student(session, b.id, &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(kind(store.register_student(session, "C", "R3", &enrolment(1.0), now())), ErrorKind::State);
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 2, "nothing of a refused registration stays");
    let enrolled = store.enrol_student(session, a.id, &enrolment(1.0), now()).unwrap();
    assert!(enrolled.liveness_verified && enrolled.updated_at.is_some());
    let missing = NewSession {
        id: SessionId::random(),
        student: Some(StudentId(999)),
        state: String::new(),
        created_at: now(),
        expires_at: now(),
    };
    assert_eq!(kind(store.create_session(&missing)), ErrorKind::NotFound);
}

pub(crate) fn an_unfinished_session_enrols_nobody(store: &dyn Store) {
    let unknown = SessionId::random();
    assert_eq!(kind(store.register_student(unknown, "A", "R1", &enrolment(1.0), now())), ErrorKind::NotFound);
    assert_eq!(kind(store.update_session(unknown, 0, &completion())), ErrorKind::NotFound);
    assert_eq!(store.session(unknown).unwrap(), None);
    let session = pending(store, None);
    for (version, status) in [Status::InProgress, Status::Failed, Status::Expired].into_iter().enumerate() {
        let refused = store.register_student(session, "A", "R1", &enrolment(1.0), now());
        assert_eq!(kind(refused), ErrorKind::State);
        let update = SessionUpdate { status, ..completion() };
        assert!(store.update_session(session, version as i64, &update).unwrap().is_some());
        assert_eq!(store.session(session).unwrap().unwrap().status, status);
    }
}

pub(crate) fn an_enrolment_without_a_usable_template_is_refused(store: &dyn Store) {
    let session = completed(store, None);
    let other = Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0]).unwrap();
    for (bad, expected) in [
        (Enrolment { templates: vec![], liveness_score: 0.9 }, ErrorKind::InvalidInput),
        (Enrolment { templates: vec![embedding(1.0), other], liveness_score: 0.9 }, ErrorKind::ModelMismatch),
        (Enrolment { liveness_score: f64::NAN, ..enrolment(1.0) }, ErrorKind::InvalidInput),
    ] {
        assert_eq!(kind(store.register_student(session, "A", "R1", &bad, now())), expected);
    }
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 0);
    store.register_student(session, "A", "R1", &enrolment(1.0), now()).unwrap();
}
