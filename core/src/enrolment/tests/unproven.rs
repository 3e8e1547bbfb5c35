//! Faces that no liveness session proved: of photographs, and of cameras.

use super::*;
use crate::store::NewAuditEntry;

fn views(person: usize) -> Vec<Embedding> {
    [Position::Center, Position::Left].iter().filter_map(|position| view(person, *position).embedding).collect()
}

fn enrol(registry: &Registry, who: &Enrolee<'_>, person: usize, actor: Actor<'_>) -> UnprovenOutcome {
    registry.enrol_unproven(who, &views(person), "by 2 photographs", actor, now()).unwrap()
}

const NEW: Enrolee<'static> = Enrolee::New { name: "Asha", roll_number: "R1" };

fn two_databases(check: impl Fn(&Registry)) {
    check(&alone(DuplicatePolicy::Refuse).0);
    #[cfg(feature = "postgres")]
    if let Some(schema) = crate::store::tests::postgres::Schema::new() {
        check(&registry(Arc::new(schema.store()), DuplicatePolicy::Refuse));
    }
}

#[test]
fn a_face_without_a_proof_is_recognized_not_verified_and_in_the_audit_log() {
    two_databases(|registry| {
        let UnprovenOutcome::Enrolled { student, resembles: None, is_unlike: false } =
            enrol(registry, &NEW, 0, OPERATOR)
        else {
            panic!()
        };
        assert!(student.has_face && !student.liveness_verified && student.liveness_verification_date.is_none());
        let found = registry.faces.as_ref().unwrap().gallery.search(&views(0)[0], 1).unwrap();
        assert_eq!(found[0].student, student.id);
        let NewAuditEntry { actor, action, subject, details, .. } =
            registry.store.audit(Page::ALL).unwrap().items.remove(0).entry;
        assert_eq!((actor.as_str(), action.as_str()), ("gate-desk", "student.enrol"));
        assert_eq!(subject, Some(format!("student_id {}", student.id)));
        assert_eq!(details.as_deref(), Some("the first face, by 2 photographs"));
    });
}

#[test]
fn a_face_of_another_student_or_unlike_the_one_before_is_refused_and_nothing_changes() {
    two_databases(|registry| {
        let UnprovenOutcome::Enrolled { student, .. } = enrol(registry, &NEW, 0, OPERATOR) else { panic!() };
        let twice = Enrolee::New { name: "Ben", roll_number: "R2" };
        let refused = enrol(registry, &twice, 0, OPERATOR);
        assert!(matches!(refused, UnprovenOutcome::Refused(found) if found.student == student.id), "{refused:?}");
        assert_eq!(registry.store.students(None, Page::ALL).unwrap().total, 1);
        let of_asha = Enrolee::Student(student.id);
        assert_eq!(enrol(registry, &of_asha, 1, OPERATOR), UnprovenOutcome::Unlike);
        let admin = Actor::named("head-office").replacing_unlike_faces(true);
        assert!(matches!(enrol(registry, &of_asha, 1, admin), UnprovenOutcome::Enrolled { is_unlike: true, .. }));
        assert_eq!(enrol(registry, &Enrolee::Student(StudentId(99)), 2, OPERATOR), UnprovenOutcome::UnknownStudent);
        let taken = registry.enrol_unproven(&NEW, &views(2), "", OPERATOR, now());
        assert_eq!(taken.unwrap_err().kind(), ErrorKind::Conflict);
        let nothing = registry.enrol_unproven(&twice, &[], "", OPERATOR, now());
        assert_eq!(nothing.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(registry.store.students(None, Page::ALL).unwrap().total, 1);
    });
}
