//! The second-look list in a file: what the existing service writes beside it, and files from before there was a list.

use rusqlite::Connection;

use super::super::*;
use super::contract::{at, mark};
use super::sqlite::empty;
use crate::types::StudentId;

fn listed(store: &SqliteStore, student: StudentId, when: &str) -> i64 {
    let (sighting, verdict) = (mark(student, when), SecondLookVerdict::Undecided);
    let new = NewSecondLook { sighting, verdict, reasons: vec!["few_views".into()] };
    let SecondLooking::Added(look) = store.add_second_look(&new).unwrap() else { panic!("{when}") };
    look.id
}

#[test]
fn a_mark_of_the_existing_service_settles_the_sightings_of_its_day() {
    let (store, folder) = empty();
    let student = store.create_student("A", "R1", at("2026-03-01T08:00:00Z")).unwrap().id;
    let looks = ["2026-03-01T23:59:59Z", "2026-03-02T08:00:00Z", "2026-03-03T00:00:00Z"]
        .map(|when| listed(&store, student, when));
    let original = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let insert = "INSERT INTO attendance_log (student_id, timestamp, status) VALUES (?1, ?2, 'Present')";
    original.execute(insert, (student.0, "2026-03-02 00:00:00")).unwrap();
    let states = looks.map(|look| store.second_look(look).unwrap().unwrap().state);
    assert_eq!(states, [SecondLookState::Open, SecondLookState::Settled, SecondLookState::Open]);

    // It deletes students without our foreign keys.
    original.pragma_update(None, "foreign_keys", false).unwrap();
    original.execute("DELETE FROM students WHERE id = ?1", [student.0]).unwrap();
    let left: i64 = original.query_row("SELECT count(*) FROM second_looks", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn the_database_itself_refuses_a_second_open_entry() {
    let (store, folder) = empty();
    let student = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap().id;
    let look = listed(&store, student, "2026-03-02T08:00:00Z");
    let other = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let copy = "INSERT INTO second_looks (student_id, seen_at, local_day, day_starts_at, day_ends_at, period, status,
        verdict, reasons) SELECT student_id, seen_at, local_day, day_starts_at, day_ends_at, period, status, verdict,
        reasons FROM second_looks WHERE id = ?1";
    assert!(other.execute(copy, [look]).is_err());
    let refuse = SecondLookDecision::new(SecondLookAnswer::Refuse, "admin", at("2026-03-02T08:00:00Z"));
    store.decide_second_look(look, &refuse).unwrap();
    assert!(other.execute(copy, [look]).is_ok());
}

#[test]
fn a_file_of_the_schema_before_the_list_is_sound_and_gets_one() {
    let (store, folder) = empty();
    let student = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap().id;
    drop(store);
    let path = folder.path().join("face_attendance.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "DROP TRIGGER tr_attendance_log_settles_looks;
             DROP TRIGGER tr_students_looks_go;
             DROP TABLE second_looks;
             DELETE FROM schema_migrations WHERE version >= 11;",
        )
        .unwrap();
    let survey = SqliteStore::survey(&path).unwrap();
    assert_eq!((survey.schema, survey.needs_migration()), (10, true));
    assert_eq!(survey.problems, [""; 0]);
    let store = SqliteStore::open(&path).unwrap();
    listed(&store, student, "2026-03-02T08:00:00Z");
    assert_eq!(SqliteStore::survey(&path).unwrap().problems, [""; 0]);
}
