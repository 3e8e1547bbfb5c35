//! Who enrols whom: what the audit log says, and which face may take the place of which.

use super::*;
use crate::store::{AuditEntry, NewAuditEntry};

const ADMIN: Actor<'static> = Actor::named("head-office").replacing_unlike_faces(true);

fn audit(registry: &Registry) -> Vec<NewAuditEntry> {
    let log = registry.store.audit(Page::ALL).unwrap();
    log.items.into_iter().rev().map(|AuditEntry { entry, .. }| entry).collect()
}

/// Completes a session of `person` for `student` with `actor`'s frames.
fn complete_as(registry: &Registry, actor: Actor<'_>, person: usize, student: StudentId) -> Observed {
    observe_as(registry, actor, two_views(registry, person, Some(student)), person, Position::Right)
}

#[test]
fn every_enrolment_is_in_the_audit_log_with_whom_it_names_and_what_it_replaces() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let first = completed(&registry, 0, None).session.id();
    let student = registry.register(first, "A", "R1", OPERATOR, now()).unwrap().into_enrolled().unwrap().student.id;
    let second = completed(&registry, 0, None).session.id();
    registry.enrol(second, Some(student), OPERATOR, now()).unwrap().into_enrolled().unwrap();
    registry.enrol(second, Some(student), OPERATOR, now()).unwrap().into_enrolled().unwrap();
    let third = complete_as(&registry, ADMIN, 1, student);
    assert!(matches!(third.face, FaceOfSession::Saved(_)), "{third:?}");
    let third = third.session.id();
    let entries = audit(&registry);
    let told: Vec<_> = entries.iter().map(|entry| (entry.actor.as_str(), entry.details.clone().unwrap())).collect();
    let expected = [
        ("gate-desk", format!("the first face, by liveness session {first}")),
        ("gate-desk", format!("a new face in place of the one before, by liveness session {second}")),
        ("head-office", format!("a face unlike the one before, by liveness session {third}")),
    ];
    assert_eq!(told, expected);
    for entry in entries {
        assert_eq!((entry.action.as_str(), entry.subject), ("student.enrol", Some(format!("student_id {student}"))));
    }
}

#[test]
fn an_operator_does_not_give_one_persons_name_to_another_face() {
    for policy in [DuplicatePolicy::Refuse, DuplicatePolicy::Warn, DuplicatePolicy::Allow] {
        let (registry, _folder) = alone(policy);
        let store = &registry.store;
        let asha = completed(&registry, 0, None).session.id();
        let asha = registry.register(asha, "Asha", "R1", OPERATOR, now()).unwrap().into_enrolled().unwrap().student;
        let before = (store.templates_of(asha.id).unwrap(), store.student(asha.id).unwrap(), audit(&registry));

        let refused = completed(&registry, 1, Some(asha.id));
        assert_eq!(refused.face, FaceOfSession::Unlike, "{policy:?}");
        assert_eq!(refused.outcome.reasons, [Reason::UnlikeFace]);
        let asked = completed(&registry, 1, None).session.id();
        assert_eq!(registry.enrol(asked, Some(asha.id), OPERATOR, now()).unwrap(), EnrolmentOutcome::Unlike);
        let now_there = (store.templates_of(asha.id).unwrap(), store.student(asha.id).unwrap(), audit(&registry));
        assert_eq!(now_there, before, "{policy:?}: nothing has changed");

        // An administrator may, and is told. The session that an operator could not use up is as good as before.
        let replaced = registry.enrol(asked, Some(asha.id), ADMIN, now()).unwrap().into_enrolled().unwrap();
        assert!(replaced.is_unlike && replaced.is_new, "{policy:?}");
        let told = complete_as(&registry, ADMIN, 0, asha.id);
        assert_eq!(told.outcome.reasons, [Reason::UnlikeFace], "{policy:?}");
        assert!(matches!(told.face, FaceOfSession::Saved(_)));
    }
}

#[test]
fn a_face_that_the_model_cannot_compare_is_replaced_by_an_operator() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let student = registry.store.create_student("A", "R1", now()).unwrap().id;
    let other = Embedding::from_raw(ModelId::new("older"), &[1.0, 0.0]).unwrap();
    registry.store.replace_templates(student, &[other], now()).unwrap();
    assert!(matches!(completed(&registry, 0, Some(student)).face, FaceOfSession::Saved(_)));
}

#[test]
fn a_session_for_an_unknown_id_never_enrols_whoever_gets_that_id() {
    let (registry, _folder) = alone(DuplicatePolicy::Refuse);
    let store = &registry.store;
    // The next id that the store will give.
    let next = StudentId(store.create_student("A", "R1", now()).unwrap().id.0 + 1);
    let early = two_views(&registry, 0, Some(next));
    assert!(early.is_for_nobody());
    let newcomer = store.create_student("B", "R2", now()).unwrap();
    assert_eq!(newcomer.id, next, "or the next lines show nothing");
    let done = observe(&registry, early, 0, Position::Right);
    assert!(done.outcome.session_completed);
    assert_eq!(done.face, FaceOfSession::NoSuchStudent);
    let id = done.session.id();
    for named in [None, Some(next)] {
        assert_eq!(registry.enrol(id, named, OPERATOR, now()).unwrap(), EnrolmentOutcome::UnknownStudent);
    }
    assert_eq!(store.student(next).unwrap(), Some(newcomer), "it has no face");
    assert_eq!(audit(&registry), []);
}
