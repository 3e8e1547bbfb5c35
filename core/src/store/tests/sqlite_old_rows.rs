//! Rows that other programs wrote into a file: times that are spelled otherwise, numbers that are there twice, values
//! of another kind than their column's.

use rusqlite::Connection;

use super::super::*;
use super::contract::{at, mark, window};
use super::sqlite::{empty, of_the_existing_service};
use crate::types::StudentId;

/// The spellings of one moment, 20:00 UTC on the second of March.
const SPELLINGS: [&str; 15] = [
    "'2026-03-02 20:00:00'",
    "'2026-03-02 20:00:00.000000'",
    "'2026-03-02T20:00:00'",
    "'2026-03-02T20:00:00.000'",
    "'2026-03-02 20:00:00+00:00'",
    "'2026-03-02T20:00:00Z'",
    "'2026-03-03 01:30:00+05:30'",
    "1772481600",
    "1772481600.0",
    "1772481600000",
    "'1772481600'",
    "'2026-03-02 20:00:00 +0000 UTC'",
    "'2026-03-03 01:30:00 +0530'",
    "'2026/03/02 20:00'",
    "'2026-03-02t20:00:00z'",
];
const NO_TIMES: [&str; 6] = ["'not a date'", "''", "'20:00'", "7", "x'00'", "'2026-13-45 99:00:00'"];

fn with_times(path: &std::path::Path) {
    let db = of_the_existing_service(path);
    db.execute_batch("DELETE FROM attendance_log").unwrap();
    for time in SPELLINGS.iter().chain(&NO_TIMES) {
        let insert = "INSERT INTO attendance_log (student_id, timestamp, status, camera_location) VALUES (1, ";
        db.execute_batch(&format!("{insert} {time}, 'Present', 1)")).unwrap();
    }
    db.execute_batch(
        "UPDATE students SET created_at = 'long ago', updated_at = '2026-03-02T20:00:00Z', liveness_verified = 'true'
         WHERE id = 1",
    )
    .unwrap();
}

#[test]
fn every_spelling_of_a_time_is_on_its_day_and_the_rest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("face_attendance.db");
    with_times(&path);
    let told = SqliteStore::inspect(&path).unwrap().to_mend;
    let [marks, students] = &told[..] else { panic!("{told:?}") };
    assert!(marks.contains("6 rows of attendance_log") && marks.contains("16, 17, 18"), "{marks}");
    assert!(students.contains("1 rows of students") && students.contains("created_at: 1"), "{students}");
    let store = SqliteStore::open(&path).unwrap();
    let all = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap();
    assert_eq!((all.total, all.items.len()), (15, 15));
    for row in &all.items {
        let told = (row.timestamp, row.camera_location.as_deref());
        assert_eq!(told, (at("2026-03-02T20:00:00Z"), Some("1")), "{}", row.id);
    }
    let day = window("2026-03-02");
    let (from, until) = (Some(day.starts_at), Some(day.ends_at));
    let of_the_day = AttendanceFilter { from, until, ..AttendanceFilter::default() };
    assert_eq!(store.attendance(&of_the_day, Page::ALL).unwrap().total, 15);
    assert_eq!(store.attendance_summary(&of_the_day).unwrap().total, 15);
    let next = AttendanceFilter { from: until, ..AttendanceFilter::default() };
    assert_eq!(store.attendance(&next, Page::ALL).unwrap().total, 0);
    assert_eq!(store.attendance_record(16).unwrap(), None);
    store.delete_attendance(16).unwrap();
    let student = store.student(StudentId(1)).unwrap().unwrap();
    assert_eq!((student.liveness_verified, student.updated_at), (true, Some(at("2026-03-02T20:00:00Z"))));
    // The mark of the old service counts for its day, however it was spelled.
    let marking = store.mark_attendance(&mark(StudentId(1), "2026-03-02T21:00:00Z")).unwrap();
    assert!(matches!(marking, Marking::AlreadyMarked(_)));
}

#[test]
fn a_time_that_is_spelled_otherwise_while_we_work_is_listed_too() {
    let (store, folder) = empty();
    let student = store.create_student("A", "R1", at("2026-03-01T00:00:00Z")).unwrap().id;
    let other = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let insert = "INSERT INTO attendance_log (student_id, timestamp, status) VALUES (?1, ?2, 'Present')";
    for time in ["2026-03-02T08:00:00Z", "never", "2026-03-02T09:00:00+05:30"] {
        other.execute(insert, (student.0, time)).unwrap();
        let listed = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap();
        assert_eq!(listed.total, listed.items.len() as u64, "{time}");
    }
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 2);
    // Whoever mends the row sees it again.
    other.execute("UPDATE attendance_log SET timestamp = '2026-03-02T10:00' WHERE timestamp = 'never'", []).unwrap();
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items[0].id, 2);
}

#[test]
fn roll_numbers_that_are_there_twice_are_named_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("face_attendance.db");
    let db = of_the_existing_service(&path);
    db.execute_batch(
        "DROP INDEX ix_students_roll_number;
         INSERT INTO students (name, roll_number) VALUES ('Twin', 'R2'), ('O''Brien', 'o''b'), ('O', 'o''b');",
    )
    .unwrap();
    let told = SqliteStore::open(&path).unwrap_err().to_string();
    let parts = [
        "students",
        "roll number",
        "2, 3 (all \"R2\")",
        "4, 5",
        "SET roll_number = 'R2-3' WHERE id = 3",
        "Nothing was changed",
    ];
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
    let mend = "UPDATE students SET roll_number = 'R2-3' WHERE id = 3; DELETE FROM students WHERE id = 5";
    db.execute_batch(mend).unwrap();
    assert_eq!(SqliteStore::open(&path).unwrap().students(None, Page::ALL).unwrap().total, 4);
}

#[test]
fn students_of_one_roll_number_stay_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("face_attendance.db");
    let db = of_the_existing_service(&path);
    let insert = "INSERT INTO students (name, roll_number) VALUES (?1, ?2)";
    for roll in ["R1 ", "R\u{200b}1", "r1"] {
        db.execute(insert, ("Müller", roll)).unwrap();
    }
    let store = SqliteStore::open(&path).unwrap();
    let [group] = &store.students_of_one_roll_number().unwrap()[..] else { panic!() };
    let told: Vec<_> = group.iter().map(|s| (s.id.0, s.roll_number.as_str())).collect();
    assert_eq!(told, [(1, "R1"), (3, "R1 "), (4, "R\u{200b}1")]);
    let to_mend = SqliteStore::inspect(&path).unwrap().to_mend;
    assert!(to_mend.iter().any(|line| line.contains("students 1, 3, 4")), "{to_mend:?}");
    let now = at("2026-03-02T08:00:00Z");
    assert!(store.create_student("New", "\u{feff}R1", now).is_err());
    // One of them is renamed, and may keep the number; another takes a number of its own.
    let name = StudentChange { name: Some("Meyer".into()), roll_number: Some("R1 ".into()) };
    store.update_student(StudentId(3), &name, now).unwrap();
    for id in [3, 4] {
        let change = StudentChange { name: None, roll_number: Some(format!("S{id}")) };
        store.update_student(StudentId(id), &change, now).unwrap();
    }
    assert_eq!(store.students_of_one_roll_number().unwrap().len(), 0);
    // The other program adds and renames without keys: both are found, and its number is taken.
    db.execute(insert, ("Émile", "T1 ")).unwrap();
    db.execute("UPDATE students SET name = 'Zoë' WHERE id = 1", []).unwrap();
    let found = |search| store.students(Some(search), Page::ALL).unwrap().total;
    assert_eq!((found("emile"), found("zoe"), found("old one")), (1, 1, 0));
    assert!(store.create_student("New", "T1", now).is_err());
}

#[test]
fn a_row_whose_time_cannot_be_read_goes_along_in_a_merge() {
    let (store, folder) = empty();
    let now = at("2026-03-01T00:00:00Z");
    let [kept, other] = ["R1", "R2"].map(|roll| store.create_student("A", roll, now).unwrap().id);
    let program = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let insert = "INSERT INTO attendance_log (student_id, timestamp, status) VALUES (?1, ?2, 'Present')";
    for time in ["never", "2026-03-02 08:00:00"] {
        program.execute(insert, (other.0, time)).unwrap();
    }
    let day_of = |_| None;
    let mut admits = |_| Ok(true);
    let merge = StudentMerge { kept, other, face: MergedFace::default(), day_of: &day_of, admits: &mut admits };
    assert!(store.merge_students(merge, "test", now).unwrap().is_some());
    let of_kept: i64 = program
        .query_row("SELECT count(*) FROM attendance_log WHERE student_id = ?1", [kept.0], |row| row.get(0))
        .unwrap();
    assert_eq!(of_kept, 2);
}

#[test]
fn rows_of_nobody_and_of_no_time_are_in_no_sum() {
    let (store, folder) = empty();
    let student = store.create_student("Asha", "R1", at("2026-03-01T08:00:00Z")).unwrap().id;
    store.mark_attendance(&mark(student, "2026-03-02T08:00:00Z")).unwrap();
    let told = || {
        let all = AttendanceFilter::default();
        let listed = store.attendance(&all, Page::ALL).unwrap();
        assert_eq!(listed.total, listed.items.len() as u64);
        let AttendanceSummary { total, present, unique_students, .. } = store.attendance_summary(&all).unwrap();
        (listed.total, total, present, unique_students)
    };
    assert_eq!(told(), (1, 1, 1, 1));
    let other = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let write = |whose: i64, time: &str| {
        let insert =
            format!("INSERT INTO attendance_log (student_id, timestamp, status) VALUES ({whose}, {time}, 'Late')");
        other.execute_batch(&format!("PRAGMA foreign_keys = OFF; {insert}")).unwrap();
    };
    write(student.0 + 7, "'2026-03-02 09:00:00'");
    assert_eq!(told(), (1, 1, 1, 1), "a row of nobody");
    write(student.0, "'2026-03-03 09:00:00'");
    assert_eq!(told(), (2, 2, 1, 1));
    other.execute_batch(&format!("DELETE FROM attendance_log WHERE student_id <> {}", student.0)).unwrap();
    assert_eq!(told(), (2, 2, 1, 1));
    write(student.0, "'not a date'");
    assert_eq!(told(), (2, 2, 1, 1), "a row of no time");
}
