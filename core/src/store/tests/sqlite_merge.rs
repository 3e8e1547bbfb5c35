//! Merges of rows that the existing service wrote, and what a merge leaves in the files.

use jiff::Timestamp;

use super::super::*;
use super::contract::{at, completed, embedding, enrolment, mark};
use super::sqlite::{empty, of_the_existing_service};
use super::{EnrolUnchecked as _, files_hold};
use crate::types::StudentId;

fn merge(store: &SqliteStore, kept: StudentId, other: StudentId, face: MergedFace) -> Merged {
    let day_of = |at: Timestamp| Some(jiff::tz::TimeZone::UTC.to_datetime(at).date());
    let mut admits = |_| Ok(true);
    let order = StudentMerge { kept, other, face, day_of: &day_of, admits: &mut admits };
    store.merge_students(order, "admin", at("2026-03-05T08:00:00Z")).unwrap().unwrap()
}

#[test]
fn a_record_of_the_existing_service_gives_its_face_and_its_marks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    drop(of_the_existing_service(&path));
    let store = SqliteStore::open(&path).unwrap();
    let [old, bare] = [StudentId(1), StudentId(2)];
    store.mark_attendance(&mark(bare, "2026-03-02T08:30:00Z")).unwrap();
    store.mark_attendance(&mark(bare, "2026-03-03T08:30:00Z")).unwrap();
    let merged = merge(&store, bare, old, MergedFace::Kept);
    assert!(merged.took_face && merged.student.liveness_verified);
    assert_eq!(merged.student.liveness_verification_date, Some(at("2026-01-05T10:00:00.123456Z")));
    let templates = store.templates_of(bare).unwrap();
    let [StoredTemplate { embedding: StoredEmbedding::Legacy(vector), .. }] = &templates[..] else {
        panic!("{templates:?}")
    };
    assert_eq!(vector.with_model(crate::types::ModelId::new("m")).unwrap().values(), [0.6, 0.8]);
    // The first of its two marks of the day stands for the day; ours of that day goes, the next day's stays.
    assert_eq!((merged.marks_moved, merged.erasure.marks_deleted), (2, 1));
    let rows = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
    let times: Vec<_> = rows.iter().map(|row| (row.student, row.timestamp)).collect();
    let expected = ["2026-03-03T08:30:00Z", "2026-03-02T09:00:00.000001Z", "2026-03-02T08:00:00.000001Z"];
    assert_eq!(times, expected.map(|time| (bare, at(time))));
    assert!(matches!(
        store.mark_attendance(&mark(bare, "2026-03-02T10:00:00Z")).unwrap(),
        Marking::AlreadyMarked(row) if row.timestamp == at("2026-03-02T08:00:00.000001Z")
    ));
}

#[test]
fn no_byte_of_the_face_that_goes_is_left_in_any_file_of_the_database() {
    let now = at("2026-03-02T08:00:00Z");
    for (face, stays, goes) in [(MergedFace::Kept, 1.0, 5.0), (MergedFace::Other, 5.0, 1.0)] {
        let (store, folder) = empty();
        let [kept, other] = [("R1", 1.0), ("R2", 5.0)].map(|(roll, seed)| {
            let session = completed(&store, None);
            store.register_student(session, roll, roll, &enrolment(seed), now).unwrap().id
        });
        assert!(files_hold(folder.path(), &embedding(goes).to_bytes()), "or the next lines show nothing");
        merge(&store, kept, other, face);
        assert!(!files_hold(folder.path(), &embedding(goes).to_bytes()), "{face:?}");
        let text = serde_json::json!(embedding(goes).values()).to_string();
        assert!(!files_hold(folder.path(), text.as_bytes()), "{face:?}");
        assert!(files_hold(folder.path(), &embedding(stays).to_bytes()), "{face:?}");
    }
}
