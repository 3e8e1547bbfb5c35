//! The notices of a SQLite file.

use rusqlite::Connection;

use super::super::*;
use super::contract::{at, embedding};
use super::sqlite::empty;
use crate::types::StudentId;

#[test]
fn what_the_existing_service_writes_is_heard_of() {
    let (store, folder) = empty();
    let mut follower = store.follow().unwrap();
    let db = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let mut heard_after = |statement: &str| {
        db.execute_batch(statement).unwrap();
        follower.next(std::time::Duration::from_secs(5))
    };
    let told = [Notice::Templates(StudentId(1))];
    let insert = "INSERT INTO students (name, roll_number, embedding_vector) VALUES ('A', 'R1', '[0.6, 0.8]')";
    assert_eq!(heard_after(insert), told);
    // The trigger that takes the old face away writes the row a second time.
    assert_eq!(heard_after("UPDATE students SET embedding_vector = '[1.0, 0.0]' WHERE id = 1"), told);
    assert_eq!(heard_after("DELETE FROM students WHERE id = 1"), told);
}

#[test]
fn whoever_was_away_for_long_reads_everything_again_and_little_is_kept() {
    let (store, folder) = empty();
    let mut follower = store.follow().unwrap();
    let announced = "INSERT INTO notices (body) VALUES ('announced older 1/1 Asha is at the gate')";
    let student = store.create_student("A", "R1", at("2026-03-02T08:15:30Z")).unwrap().id;
    let db = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    // As an earlier version announced it.
    db.execute_batch(announced).unwrap();
    let count = || db.query_row("SELECT count(*) FROM notices", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 1);
    store.erase_student(student, MarksOfErased::Delete, at("2026-03-02T08:15:31Z")).unwrap();
    let named: i64 =
        db.query_row("SELECT count(*) FROM notices WHERE body LIKE '%Asha%'", [], |row| row.get(0)).unwrap();
    assert_eq!(named, 0, "an erasure takes along what was announced before it");
    db.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO notices (body) SELECT 'attendance' FROM n",
    )
    .unwrap();
    assert_eq!(count(), 1000);
    assert_eq!(follower.next(std::time::Duration::from_secs(5)), [Notice::Missed, Notice::AttendanceChanged]);
}

#[test]
fn no_notice_is_given_the_id_of_one_that_is_gone() {
    let (_store, folder) = empty();
    let db = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let newest = || db.query_row("SELECT COALESCE(max(id), 0) FROM notices", [], |row| row.get::<_, i64>(0)).unwrap();
    for expected in 1..4 {
        db.execute_batch("INSERT INTO notices (body) VALUES ('attendance')").unwrap();
        assert_eq!(newest(), expected);
        db.execute_batch("DELETE FROM notices").unwrap();
    }
    db.execute_batch("INSERT INTO notices (body) VALUES ('attendance')").unwrap();
    let count: i64 = db.query_row("SELECT count(*) FROM notices", [], |row| row.get(0)).unwrap();
    assert_eq!((newest(), count), (4, 1), "the row that holds the place is gone");
}

#[test]
fn a_follower_whose_last_notice_is_gone_says_that_it_missed_something() {
    let (store, folder) = empty();
    let student = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap().id;
    let mut follower = store.follow().unwrap();
    for seed in [1.0, 2.0, 3.0] {
        store.replace_templates(student, &[embedding(seed)], at("2026-03-02T08:00:00Z")).unwrap();
    }
    let within = std::time::Duration::from_secs(5);
    assert_eq!(follower.next(within), [Notice::Templates(student)]);
    // As after a file that was put back: another count begins.
    let db = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    db.execute_batch(
        "DELETE FROM notices; UPDATE ids_given SET highest = 0; INSERT INTO notices (body) VALUES ('attendance')",
    )
    .unwrap();
    assert_eq!(follower.next(within)[0], Notice::Missed);
    db.execute_batch("INSERT INTO notices (body) VALUES ('cameras')").unwrap();
    let heard = follower.next(within);
    assert_eq!(heard.last(), Some(&Notice::CamerasChanged), "{heard:?}");
}
