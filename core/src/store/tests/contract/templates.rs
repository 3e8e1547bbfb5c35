//! Templates.

use jiff::Timestamp;
use jiff::ToSpan as _;

use super::super::super::*;
use super::super::EnrolUnchecked as _;
use super::completed;
use super::embedding;
use super::enrolment;
use super::kind;
use super::now;
use crate::embedding::Embedding;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::types::StudentId;

pub(crate) fn templates_come_back_with_their_model(store: &dyn Store) {
    let a = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap();
    let b = store.create_student("B", "R2", now()).unwrap();
    let imported = store.replace_templates(b.id, &[embedding(5.0)], now()).unwrap();
    assert!(!imported.liveness_verified && imported.liveness_verification_date.is_none());
    let mut seen = Vec::new();
    store
        .for_each_template(&mut |template| {
            seen.push(template);
            Ok(())
        })
        .unwrap();
    let expected = [(a.id, 1.0), (a.id, 2.0), (b.id, 5.0)];
    assert_eq!(seen.len(), expected.len());
    assert_eq!(store.template_count().unwrap(), 3);
    for (template, (student, seed)) in seen.iter().zip(expected) {
        assert_eq!(template.student, student);
        let StoredEmbedding::Tagged(found) = &template.embedding else { panic!("{template:?} has no model") };
        assert!(found.cosine(&embedding(seed)).unwrap().0 > 0.999_999);
    }
    // The newer face replaces the older one.
    store.enrol_student(completed(store, None), a.id, &enrolment(9.0), now()).unwrap();
    let now_stored = store.templates_of(a.id).unwrap();
    assert_eq!(now_stored.len(), 2);
    let StoredEmbedding::Tagged(found) = &now_stored[0].embedding else { panic!("no model") };
    assert!(found.cosine(&embedding(9.0)).unwrap().0 > 0.999_999);
    // An error of the visitor ends the visit and arrives.
    let stopped = store.for_each_template(&mut |_| Err(Error::NotFound { what: "reason to go on" }));
    assert_eq!(kind(stopped), ErrorKind::NotFound);
}

const MONTHLY: SeenLimits = SeenLimits { most: 3, every: jiff::SignedDuration::from_hours(30 * 24) };

fn seen_at(when: Timestamp) -> NewAuditEntry {
    NewAuditEntry {
        at: when,
        actor: "camera".into(),
        action: "template.seen".into(),
        subject: Some("student 1".into()),
        details: None,
    }
}

/// The student's templates, as first value and origin.
fn views(store: &dyn Store, student: StudentId) -> Vec<(Embedding, TemplateOrigin)> {
    let found = store.templates_of(student).unwrap().into_iter();
    found
        .map(|template| match template.embedding {
            StoredEmbedding::Tagged(embedding) => (embedding, template.origin),
            StoredEmbedding::Legacy(_) => panic!("a template of ours names its model"),
        })
        .collect()
}

pub(crate) fn a_view_is_kept_beside_the_registration_once_a_month(store: &dyn Store) {
    use TemplateOrigin::{Registered, Seen};
    let student = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap().id;
    let month = |n: i64| now() + (n * 30 * 24).hours();
    let keep = |seed: f32, when| store.keep_seen_template(student, &embedding(seed), &MONTHLY, &seen_at(when)).unwrap();
    assert_eq!(keep(5.0, now() + 1.hour()), KeptSeen::TooSoon { not_before: month(1) });
    assert_eq!(keep(5.0, month(1)), KeptSeen::Kept { replaced: false });
    assert_eq!(keep(6.0, month(2) - 1.hour()), KeptSeen::TooSoon { not_before: month(2) });
    assert_eq!(keep(6.0, month(2)), KeptSeen::Kept { replaced: false });
    let registered = [(embedding(1.0), Registered), (embedding(2.0), Registered)];
    let expected = [&registered[..], &[(embedding(5.0), Seen), (embedding(6.0), Seen)]].concat();
    assert_eq!(views(store, student), expected);
    // As many as are registered: the oldest seen one makes room, and the registered ones stay.
    assert_eq!(keep(7.0, month(3)), KeptSeen::Kept { replaced: true });
    let expected = [&registered[..], &[(embedding(6.0), Seen), (embedding(7.0), Seen)]].concat();
    assert_eq!(views(store, student), expected);
    assert_eq!(store.templates_of(student).unwrap()[3].added_at, Some(month(3)));
    // What was refused left no trace in the audit log either.
    let mut log = store.audit(Page::ALL).unwrap().items;
    log.retain(|entry| entry.entry.action == "template.seen");
    assert_eq!((log.len(), log[0].entry.clone()), (3, seen_at(month(3))));
    // The columns that the existing service reads are still the registration's.
    assert_eq!(store.embedding_json(student).unwrap(), Some(serde_json::json!(embedding(1.0).values()).to_string()));

    let without_face = store.create_student("B", "R2", now()).unwrap().id;
    let nothing = store.keep_seen_template(without_face, &embedding(5.0), &MONTHLY, &seen_at(month(9))).unwrap();
    assert_eq!((nothing, views(store, without_face).len()), (KeptSeen::NothingRegistered, 0));
    let gone = store.keep_seen_template(StudentId(999), &embedding(5.0), &MONTHLY, &seen_at(month(9)));
    assert_eq!(kind(gone), ErrorKind::NotFound);
}

pub(crate) fn views_are_taken_back_and_the_registration_stays(store: &dyn Store) {
    let student = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap().id;
    let other = store.register_student(completed(store, None), "B", "R2", &enrolment(3.0), now()).unwrap().id;
    let later = now() + (40 * 24).hours();
    for id in [student, other] {
        store.keep_seen_template(id, &embedding(9.0), &MONTHLY, &seen_at(later)).unwrap();
    }
    assert_eq!(store.forget_seen_templates(student).unwrap(), 1);
    assert_eq!(store.forget_seen_templates(student).unwrap(), 0);
    assert_eq!(views(store, student).iter().map(|view| view.0.clone()).collect::<Vec<_>>(), enrolment(1.0).templates);
    assert_eq!(views(store, other).len(), 3);
    assert_eq!(kind(store.forget_seen_templates(StudentId(999))), ErrorKind::NotFound);
    // A new registration takes the place of all.
    store.enrol_student(completed(store, None), other, &enrolment(4.0), later).unwrap();
    assert_eq!(views(store, other).iter().map(|view| view.1).collect::<Vec<_>>(), [TemplateOrigin::Registered; 2]);
}
