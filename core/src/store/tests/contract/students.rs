//! Students.

use jiff::ToSpan as _;

use super::super::super::*;
use super::super::EnrolUnchecked as _;
use super::at;
use super::completed;
use super::completion;
use super::embedding;
use super::enrolment;
use super::kind;
use super::mark;
use super::now;
use super::pending;
use crate::embedding::Embedding;
use crate::error::ErrorKind;
use crate::types::ModelId;
use crate::types::StudentId;

pub(crate) fn a_student_comes_back_as_it_was_written(store: &dyn Store) {
    let made = store.create_student("Bö 学生", "R001", now()).unwrap();
    assert_eq!(made.created_at, at("2026-03-02T08:15:30Z"), "whole seconds, as the existing service keeps it");
    assert_eq!((made.updated_at, made.liveness_verified, made.model.clone()), (None, false, None));
    assert_eq!(store.student(made.id).unwrap(), Some(made.clone()));
    assert_eq!(store.embedding_json(made.id).unwrap(), None);

    assert_eq!(store.update_student(made.id, &StudentChange::default(), now()).unwrap(), made);
    let later = now() + 1.hour();
    let change = StudentChange { name: Some("Asha".into()), roll_number: None };
    let changed = store.update_student(made.id, &change, later).unwrap();
    assert_eq!((changed.name.as_str(), changed.roll_number.as_str()), ("Asha", "R001"));
    assert_eq!(changed.updated_at, Some(at("2026-03-02T09:15:30Z")));

    assert_eq!(store.student(StudentId(999)).unwrap(), None);
    assert_eq!(kind(store.update_student(StudentId(999), &change, now())), ErrorKind::NotFound);
    store.check().unwrap();
}

pub(crate) fn a_list_is_paged_searched_and_counted(store: &dyn Store) {
    for n in 0..5 {
        store.create_student(&format!("Name {n}"), &format!("R%{n}"), now()).unwrap();
    }
    store.create_student("100% sure", "X_1", now()).unwrap();
    let names = |search, page| {
        let listed = store.students(search, page).unwrap();
        (listed.items.into_iter().map(|s| s.name).collect::<Vec<_>>(), listed.total)
    };
    assert_eq!(names(None, Page { skip: 1, limit: 2 }), (vec!["Name 1".into(), "Name 2".into()], 6));
    assert_eq!(names(None, Page { skip: 10, limit: 2 }), (vec![], 6));
    assert_eq!(names(Some("NAME 3"), Page::ALL), (vec!["Name 3".into()], 1));
    // As in the existing service, and nothing else is a pattern.
    assert_eq!(names(Some("%"), Page::ALL).1, 6);
    assert_eq!(names(Some("X_1"), Page::ALL).1, 1);
    assert_eq!(names(Some("_"), Page::ALL).1, 1);
    for literal in ["N%3", "m__4", "\\", "R_1"] {
        assert_eq!(names(Some(literal), Page::ALL).1, 0, "{literal}");
    }
}

pub(crate) fn roll_numbers_that_look_alike_are_one(store: &dyn Store) {
    let first = store.create_student("A", "Mü7", now()).unwrap();
    for alike in ["Mü7 ", " Mü7", "Mu\u{308}7", "Mü7\u{a0}", "M\u{200b}ü7", "\u{feff}Mü7\u{3000}"] {
        assert_eq!(kind(store.create_student("B", alike, now())), ErrorKind::Conflict, "{alike:?}");
    }
    // Case is kept, and so is what was typed.
    let other = store.create_student("B", "mü7 ", now()).unwrap();
    assert_eq!(other.roll_number, "mü7 ");
    let take = |roll: &str| StudentChange { name: None, roll_number: Some(roll.into()) };
    assert_eq!(kind(store.update_student(other.id, &take("Mu\u{308}7"), now())), ErrorKind::Conflict);
    assert_eq!(store.update_student(other.id, &take("mü7"), now()).unwrap().roll_number, "mü7");
    assert_eq!(store.update_student(first.id, &take("Mu\u{308}7"), now()).unwrap().roll_number, "Mu\u{308}7");
    let session = completed(store, None);
    let enrol = |roll_number| {
        let who = Enrolee::New { name: "C", roll_number };
        store.enrol(session, &who, &enrolment(1.0), None, "test", now())
    };
    assert_eq!(kind(enrol("\u{2060}Mü7")), ErrorKind::Conflict);
    assert!(enrol("Mü8").unwrap().is_some());
    assert_eq!(store.students_of_one_roll_number().unwrap(), Vec::<Vec<Student>>::new());
    store.erase_student(first.id, MarksOfErased::Delete, now()).unwrap();
    store.create_student("D", "Mü7", now()).unwrap();
}

pub(crate) fn no_control_character_is_in_a_name_or_a_roll_number(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap();
    for bad in ["a\0b", "a\nb", "a\u{7}", "\u{85}", "a\u{7f}"] {
        assert_eq!(kind(store.create_student(bad, "R2", now())), ErrorKind::InvalidInput, "{bad:?}");
        let told = store.create_student("B", bad, now()).unwrap_err().to_string();
        assert!(told.contains("roll number") && told.contains("U+00"), "{told}");
        let change = StudentChange { name: Some(bad.into()), roll_number: None };
        assert_eq!(kind(store.update_student(student.id, &change, now())), ErrorKind::InvalidInput, "{bad:?}");
    }
    // The recorded service keeps a blank name, and trims nothing.
    assert_eq!(store.create_student("  ", " R 3 ", now()).unwrap().roll_number, " R 3 ");
    assert_eq!(store.students(Some("\0"), Page::ALL).unwrap().total, 1, "a space");
    let mut seen = mark(student.id, "2026-03-02T08:00:00Z");
    seen.camera_location = Some("Gate\0".into());
    assert_eq!(kind(store.mark_attendance(&seen)), ErrorKind::InvalidInput);
}

pub(crate) fn a_search_knows_no_case_accents_or_wildcards(store: &dyn Store) {
    for (name, roll) in [("Jürgen MÜLLER", "Ä1"), ("Роман", "B2"), ("Straßer", "C3"), ("Zoe\u{308}", "D4")] {
        store.create_student(name, roll, now()).unwrap();
    }
    let found = |search: &str| store.students(Some(search), Page::ALL).unwrap().items.len();
    for search in ["muller", "Müller", "MU\u{308}LLER", "ром", "РОМ", "STRASSER", "zoë", "a1", "jurgen\u{a0}muller"]
    {
        assert_eq!(found(search), 1, "{search}");
    }
    for search in ["m_ller", "m%r", "römer", "muller\na1"] {
        assert_eq!(found(search), 0, "{search}");
    }
    // A new name is found at once, and the old one no more.
    let roman = store.students(Some("роман"), Page::ALL).unwrap().items[0].id;
    let romy = StudentChange { name: Some("Rômy".into()), roll_number: None };
    store.update_student(roman, &romy, now()).unwrap();
    assert_eq!((found("romy"), found("ром")), (1, 0));
    assert_eq!(found(&"x".repeat(100_000)), 0);
}

pub(crate) fn a_roll_number_belongs_to_one_student(store: &dyn Store) {
    let first = store.create_student("A", "R1", now()).unwrap();
    let second = store.create_student("B", "R2", now()).unwrap();
    assert_eq!(kind(store.create_student("C", "R1", now())), ErrorKind::Conflict);
    let take = StudentChange { name: Some("Thief".into()), roll_number: Some("R1".into()) };
    assert_eq!(kind(store.update_student(second.id, &take, now())), ErrorKind::Conflict);
    assert_eq!(store.student(second.id).unwrap().unwrap().name, "B", "nothing of a refused change stays");
    assert!(store.update_student(first.id, &take, now()).is_ok(), "one's own number is free");
}

pub(crate) fn deleting_a_student_takes_everything_of_it_along(store: &dyn Store) {
    let proof = completed(store, None);
    let gone = store.register_student(proof, "A", "R1", &enrolment(1.0), now()).unwrap();
    let stays = store.register_student(completed(store, None), "B", "R2", &enrolment(2.0), now()).unwrap();
    let session = pending(store, Some(gone.id));
    let [corrected, kept] = [gone.id, stays.id].map(|id| {
        let row = store.mark_attendance(&mark(id, "2026-03-02T08:00:00Z")).unwrap().record().id;
        let correction = Correction::new(CorrectedStatus::Late, "admin", "A was on the bus");
        store.correct_attendance(row, &correction, now()).unwrap().id
    });
    assert_eq!(store.erase_student(gone.id, MarksOfErased::Delete, now()).unwrap().student.name, "A");
    assert_eq!(store.student(gone.id).unwrap(), None);
    assert_eq!(store.templates_of(gone.id).unwrap(), []);
    assert_eq!(store.templates_of(stays.id).unwrap().len(), 2);
    assert_eq!(store.corrections(kept).unwrap().len(), 1);
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
    for session in [session, proof] {
        assert_eq!(store.session(session).unwrap(), None, "its state holds embeddings");
    }
    assert_eq!(store.corrections(corrected).unwrap(), [], "the reason of a correction may name the student");
    assert_eq!(kind(store.erase_student(gone.id, MarksOfErased::Delete, now())), ErrorKind::NotFound);
}

pub(crate) fn no_id_is_given_twice(store: &dyn Store) {
    let (mut students, mut marks, mut corrections) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..6 {
        let student = match round % 2 {
            0 => store.create_student("A", "R1", now()).unwrap().id,
            _ => store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap().id,
        };
        assert_eq!(store.student(student).unwrap().unwrap().roll_number, "R1");
        assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
        students.push(student);
        for _ in 0..2 {
            let row = store.mark_attendance(&mark(student, "2026-03-02T08:00:00Z")).unwrap().record().id;
            assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
            assert_eq!(store.corrections(row).unwrap(), [], "of another row that is gone");
            let late = Correction::new(CorrectedStatus::Late, "admin", "bus");
            store.correct_attendance(row, &late, now()).unwrap();
            corrections.push(store.corrections(row).unwrap()[0].id);
            store.delete_attendance(row).unwrap();
            marks.push(row);
        }
        store.erase_student(student, MarksOfErased::Delete, now()).unwrap();
    }
    assert!(students.is_sorted_by(|a, b| a.0 < b.0), "{students:?}");
    assert!(marks.is_sorted_by(|a, b| a < b), "{marks:?}");
    assert!(corrections.is_sorted_by(|a, b| a < b), "{corrections:?}");
}

pub(crate) fn who_has_another_models_face_must_enrol_again(store: &dyn Store) {
    let (ours, theirs) = (ModelId::new("m"), ModelId::new("other"));
    let foreign = Embedding::from_raw(theirs.clone(), &[1.0, 0.5]).unwrap();
    let ids: Vec<StudentId> = ["Asha", "Ben", "Cara", "Dev"]
        .iter()
        .enumerate()
        .map(|(at, name)| store.create_student(name, &format!("R{at}"), now()).unwrap().id)
        .collect();
    store.replace_templates(ids[0], &[embedding(1.0)], now()).unwrap();
    for id in &ids[1..3] {
        store.replace_templates(*id, &[foreign.clone(), foreign.clone()], now()).unwrap();
    }
    let again = |model: &ModelId, search: Option<&str>, page| {
        let found = store.students_to_enrol_again(model, search, page).unwrap();
        (found.items.iter().map(|student| student.id).collect::<Vec<_>>(), found.total)
    };
    assert_eq!(again(&ours, None, Page::ALL), (vec![ids[1], ids[2]], 2), "Dev has no face at all");
    assert_eq!(again(&theirs, None, Page::ALL), (vec![ids[0]], 1));
    assert_eq!(again(&ours, None, Page { skip: 1, limit: 1 }), (vec![ids[2]], 2));
    assert_eq!(again(&ours, Some("ben"), Page::ALL), (vec![ids[1]], 1));
    assert_eq!(again(&ours, Some("asha"), Page::ALL), (vec![], 0));
    // Every list says the same of each.
    let faces: Vec<_> = store.students(None, Page::ALL).unwrap().items;
    assert_eq!(faces.iter().map(|student| student.has_face).collect::<Vec<_>>(), [true, true, true, false]);
    for student in faces {
        let told = student.must_enrol_again(&ours);
        assert_eq!(told, again(&ours, None, Page::ALL).0.contains(&student.id), "{}", student.name);
        assert_eq!(store.student(student.id).unwrap().unwrap().must_enrol_again(&ours), told);
    }
    store.replace_templates(ids[1], &[embedding(2.0)], now()).unwrap();
    assert_eq!(again(&ours, None, Page::ALL), (vec![ids[2]], 1));
}

pub(crate) fn the_shape_of_debug_is_no_leak(store: &dyn Store) {
    let student = store.register_student(completed(store, None), "A", "R1", &enrolment(1.0), now()).unwrap();
    let admin = NewAdmin { username: "admin".into(), hashed_password: "SECRET".into(), role: "admin".into() };
    let session = store.session(pending(store, None)).unwrap();
    let shown = format!(
        "{student:?} {:?} {:?} {admin:?} {:?} {session:?} {:?}",
        store.templates_of(student.id).unwrap(),
        enrolment(1.0),
        store.create_admin(&admin, now()).unwrap(),
        completion(),
    );
    assert!(!shown.contains("SECRET") && !shown.contains("{}") && !shown.contains("done"), "{shown}");
    assert!(!shown.contains(&embedding(1.0).values()[0].to_string()[..6]), "{shown}");
}
