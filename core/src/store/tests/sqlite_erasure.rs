//! What an erasure leaves in the files of a SQLite database: nothing of the face, in no page and not in the log.

use super::super::*;
use super::contract::{at, completed, embedding, enrolment, mark};
use super::sqlite::empty;
use super::{EnrolUnchecked as _, files_hold};

#[test]
fn no_byte_of_an_erased_face_is_left_in_any_file_of_the_database() {
    let now = at("2026-03-02T08:00:00Z");
    for marks in [MarksOfErased::Delete, MarksOfErased::Anonymise] {
        let (store, folder) = empty();
        // Others before and behind, so that pages are shared.
        for (roll, seed) in [("R1", 11.0), ("R2", 1.0), ("R3", 12.0)] {
            let session = completed(&store, None);
            store.register_student(session, "Eileen Collins", roll, &enrolment(seed), now).unwrap();
        }
        let student = store.students(Some("R2"), Page::ALL).unwrap().items[0].id;
        let replaced = completed(&store, Some(student));
        store.enrol_student(replaced, student, &enrolment(5.0), now).unwrap();
        let row = store.mark_attendance(&mark(student, "2026-03-02T08:00:00Z")).unwrap().record().id;
        let correction = Correction::new(CorrectedStatus::Late, "admin", "overslept again");
        store.correct_attendance(row, &correction, now).unwrap();
        let place = Some("door of the boiler room".to_owned());
        let sighting = NewAttendance { camera_location: place, ..mark(student, "2026-03-03T08:00:00Z") };
        let verdict = SecondLookVerdict::Spoof;
        store.add_second_look(&NewSecondLook { sighting, verdict, reasons: vec!["telephone_bezel".into()] }).unwrap();

        let mut secrets = ["overslept again", "door of the boiler room", "telephone_bezel"]
            .map(|text| text.as_bytes().to_vec())
            .to_vec();
        for seed in [1.0, 5.0] {
            secrets.push(embedding(seed).to_bytes());
            secrets.push(serde_json::json!(embedding(seed).values()).to_string().into_bytes());
        }
        assert!(secrets.iter().all(|secret| files_hold(folder.path(), secret)), "or the next lines show nothing");
        store.erase_student(student, marks, now).unwrap();
        for secret in &secrets {
            let text = String::from_utf8_lossy(secret);
            assert!(!files_hold(folder.path(), secret), "{marks:?}: {text}");
        }
        assert!(files_hold(folder.path(), &embedding(11.0).to_bytes()), "the others are as they were");
    }
}
