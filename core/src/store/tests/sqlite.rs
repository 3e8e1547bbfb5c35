//! The contract on a SQLite file, and what only a file can show: the existing service's databases, a schema from the
//! future, a killed writer, a file that is no database.

use std::path::Path;

use jiff::{Timestamp, ToSpan as _};
use rusqlite::Connection;

use super::super::*;
use super::EnrolUnchecked as _;
use super::contract::{at, completed, contract, embedding, enrolment, mark, window};
use super::sharing::sharing_contract;
use crate::embedding::Embedding;
use crate::error::ErrorKind;
use crate::types::ModelId;
use crate::types::SessionId;
use crate::types::StudentId;

pub(super) fn empty() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open(folder.path().join("face_attendance.db")).unwrap(), folder)
}

contract!(empty());

/// Two processes' stores on one file.
fn shared() -> ((SqliteStore, SqliteStore), tempfile::TempDir) {
    let (one, folder) = empty();
    let two = SqliteStore::open(folder.path().join("face_attendance.db")).unwrap();
    ((one, two), folder)
}

sharing_contract!(shared());

#[test]
fn one_server_has_a_file_to_itself() {
    assert!(empty().0.cluster().is_none());
}

/// A database as the existing service makes it: its tables, none of our columns, two marks of one student on one day.
pub(crate) fn of_the_existing_service(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "CREATE TABLE admin_users (id INTEGER NOT NULL, username VARCHAR(50) NOT NULL,
            hashed_password VARCHAR(255) NOT NULL,
            is_active BOOLEAN, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME, PRIMARY KEY (id));
         CREATE UNIQUE INDEX ix_admin_users_username ON admin_users (username);
         CREATE TABLE students (id INTEGER NOT NULL, name VARCHAR(255) NOT NULL, roll_number VARCHAR(50) NOT NULL,
            roll_no VARCHAR(50), face_embedding BLOB, embedding_vector TEXT,
            created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
            updated_at DATETIME, liveness_verified BOOLEAN, liveness_verification_date DATETIME,
            liveness_confidence_score FLOAT, PRIMARY KEY (id));
         CREATE UNIQUE INDEX ix_students_roll_number ON students (roll_number);
         CREATE TABLE liveness_detection_sessions (id INTEGER NOT NULL, session_id VARCHAR(100) NOT NULL,
         student_id INTEGER,
            status VARCHAR(20), created_at DATETIME DEFAULT CURRENT_TIMESTAMP, completed_at DATETIME,
            expires_at DATETIME NOT NULL,
            center_frame_data TEXT, left_frame_data TEXT, right_frame_data TEXT, center_embedding TEXT,
            left_embedding TEXT,
            right_embedding TEXT, center_verified BOOLEAN, left_verified BOOLEAN,
            right_verified BOOLEAN, liveness_score FLOAT,
            movement_verified BOOLEAN, final_embedding TEXT, error_message TEXT, attempts_count INTEGER,
            PRIMARY KEY (id),
            FOREIGN KEY(student_id) REFERENCES students (id));
         CREATE TABLE attendance_log (id INTEGER NOT NULL, student_id INTEGER NOT NULL,
            timestamp DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, status VARCHAR(20) NOT NULL, confidence_score FLOAT,
            camera_location VARCHAR(100), created_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id),
            FOREIGN KEY(student_id) REFERENCES students (id));
         CREATE TABLE detection_logs (id INTEGER NOT NULL, timestamp DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
            faces_detected INTEGER, students_recognized INTEGER, processing_time FLOAT, camera_location VARCHAR(100),
            error_message TEXT, PRIMARY KEY (id));
         INSERT INTO admin_users (username, hashed_password, is_active) VALUES ('admin', '$2b$12$x', 1);
         INSERT INTO students (name, roll_number, embedding_vector, liveness_verified, liveness_verification_date,
            liveness_confidence_score) VALUES ('Old One', 'R1', '[0.6, 0.8]', 1, '2026-01-05 10:00:00.123456', 0.93);
         INSERT INTO students (name, roll_number) VALUES ('Old Two', 'R2');
         INSERT INTO attendance_log (student_id, timestamp, status) VALUES (1, '2026-03-02 08:00:00.000001', 'Present');
         INSERT INTO attendance_log (student_id, timestamp, status) VALUES (1, '2026-03-02 09:00:00.000001', 'Absent');
         INSERT INTO detection_logs (faces_detected) VALUES (NULL);",
    )
    .unwrap();
    db
}

#[test]
fn a_database_of_the_existing_service_opens_with_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let original = of_the_existing_service(&path);
    let store = SqliteStore::open(&path).unwrap();

    let old = store.student(StudentId(1)).unwrap().unwrap();
    assert_eq!((old.liveness_verified, old.liveness_confidence_score, old.model), (true, 0.93, None));
    assert_eq!(old.liveness_verification_date, Some(at("2026-01-05T10:00:00.123456Z")));
    let templates = store.templates_of(StudentId(1)).unwrap();
    let StoredEmbedding::Legacy(vector) = &templates[0].embedding else { panic!("{templates:?}") };
    assert_eq!(vector.dimension(), 2);
    assert_eq!(vector.with_model(crate::types::ModelId::new("m")).unwrap().values(), [0.6, 0.8]);
    let all = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap();
    assert_eq!((all.total, all.items[0].local_day), (2, None), "both rows of the one day stay");
    let admin = store.admin("admin").unwrap().unwrap();
    assert_eq!((admin.role.as_str(), admin.is_active), ("admin", true));
    assert_eq!(store.detection_logs(10).unwrap()[0].entry.faces_detected, 0);

    // A mark of the existing service counts for its day, also after the move.
    let again = store.mark_attendance(&mark(StudentId(1), "2026-03-02T10:00:00Z")).unwrap();
    assert!(matches!(again, Marking::AlreadyMarked(row) if row.id == 1));
    assert!(matches!(store.mark_attendance(&mark(StudentId(1), "2026-03-03T10:00:00Z")).unwrap(), Marking::Marked(_)));

    // Its tables have no cascade, and still a student with attendance can be deleted.
    store.erase_student(StudentId(1), MarksOfErased::Delete, at("2026-03-02T08:00:00Z")).unwrap();
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 0);

    // What we write, it reads: its own columns, its own formats.
    let new =
        store.register_student(completed(&store, None), "New", "R3", &enrolment(1.0), at("2026-03-02T08:00:00.5Z"));
    let new = new.unwrap();
    store.mark_attendance(&mark(new.id, "2026-03-02T08:15:30Z")).unwrap();
    let row: (String, Vec<u8>, String, bool, String) = original
        .query_row(
            "SELECT created_at, face_embedding, embedding_vector, liveness_verified, liveness_verification_date
             FROM students WHERE roll_number = 'R3'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )
        .unwrap();
    assert_eq!(row.0, "2026-03-02 08:00:00");
    assert_eq!((row.1, row.3), (embedding(1.0).to_bytes(), true));
    assert_eq!(serde_json::from_str::<Vec<f32>>(&row.2).unwrap(), embedding(1.0).values());
    assert_eq!(row.4, "2026-03-02 08:00:00.500000");
    let marked: String = original.query_row("SELECT timestamp FROM attendance_log", [], |row| row.get(0)).unwrap();
    assert_eq!(marked, "2026-03-02 08:15:30.000000");
    let session: (String, String, bool) = original
        .query_row("SELECT status, expires_at, left_verified FROM liveness_detection_sessions", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(session, ("COMPLETED".into(), "2026-03-02 08:25:30.250000".into(), true));
}

#[test]
fn what_the_existing_service_changes_afterwards_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let original = of_the_existing_service(&path);
    let store = SqliteStore::open(&path).unwrap();
    let student =
        store.register_student(completed(&store, None), "New", "R3", &enrolment(1.0), at("2026-03-02T08:00:00Z"));
    let student = student.unwrap().id;

    // It gives the student another face and knows nothing of our templates, our model or our bytes.
    original.execute("UPDATE students SET embedding_vector = '[0.0, 1.0]' WHERE id = ?1", [student.0]).unwrap();
    let templates = store.templates_of(student).unwrap();
    assert!(
        matches!(&templates[..], [StoredTemplate { embedding: StoredEmbedding::Legacy(v), .. }] if v.dimension() == 2)
    );
    // Nobody says which model made it, so it is matched by none and its student has to enrol again.
    let again = store.students_to_enrol_again(&ModelId::new("m"), Some("New"), Page::ALL).unwrap();
    assert!(again.total == 1 && again.items[0].id == student && again.items[0].model.is_none(), "{again:?}");

    // Its expiry counts, in the spelling of SQLite's own functions.
    let session = completed(&store, None);
    original
        .execute(
            "UPDATE liveness_detection_sessions SET expires_at = datetime('2026-01-01') WHERE session_id = ?1",
            [session.to_string()],
        )
        .unwrap();
    assert_eq!(store.session(session).unwrap().unwrap().expires_at, at("2026-01-01T00:00:00Z"));

    // It deletes a student without our foreign keys; who is given the same key, as by a
    // back-up, is not given the face.
    store.replace_templates(student, &[embedding(1.0)], at("2026-03-02T08:00:00Z")).unwrap();
    original.pragma_update(None, "foreign_keys", false).unwrap();
    original.execute("DELETE FROM students WHERE id = ?1", [student.0]).unwrap();
    let insert = "INSERT INTO students (id, name, roll_number) VALUES (?1, 'Next', 'R4')";
    original.execute(insert, [student.0]).unwrap();
    assert_eq!(store.templates_of(student).unwrap(), []);
}

#[test]
fn the_database_itself_refuses_a_second_mark() {
    let (store, folder) = empty();
    let student = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap();
    store.mark_attendance(&mark(student.id, "2026-03-02T08:00:00Z")).unwrap();
    let other = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    let insert = "INSERT INTO attendance_log (student_id, status, local_day, period) VALUES (1, 'Present', ?1, 'day')";
    assert!(other.execute(insert, ["2026-03-02"]).is_err());
    assert!(other.execute(insert, ["2026-03-03"]).is_ok());
}

#[test]
fn opening_again_changes_nothing_and_a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    SqliteStore::open(&path).unwrap().create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
    drop(store);
    let newest = schema::newest_version();
    Connection::open(&path)
        .unwrap()
        .execute("INSERT INTO schema_migrations (version, name) VALUES (?1, 'from the future')", [newest + 1])
        .unwrap();
    let refused = SqliteStore::open(&path).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "store: the database has schema {}, this version knows schemas up to {newest}: use the newer version that \
             wrote it",
            newest + 1
        )
    );
}

#[test]
fn several_processes_may_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    std::thread::scope(|scope| {
        for n in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let store = SqliteStore::open(path).unwrap();
                store.create_student("A", &n.to_string(), at("2026-03-02T08:00:00Z")).unwrap();
            });
        }
    });
    assert_eq!(SqliteStore::open(&path).unwrap().students(None, Page::ALL).unwrap().total, 4);
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(
        &path,
        "this is no database, and it is long enough to have a header of one hundred bytes ".repeat(3),
    )
    .unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(SqliteStore::open(folder.path().join("no/such/folder.db")).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn a_damaged_template_is_left_out_and_a_damaged_row_says_no_value() {
    let (store, folder) = empty();
    let student = store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap();
    let other = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    for bad in ["'[]'", "'[0,0]'", "'{'", "'[\"a\"]'", "7"] {
        other
            .execute_batch(&format!("UPDATE students SET embedding_vector = {bad}, face_embedding = x'0102'"))
            .unwrap();
        assert_eq!(store.templates_of(student.id).unwrap(), [], "{bad}");
    }
    // Unusable bytes fall back to the JSON.
    other.execute_batch("UPDATE students SET embedding_vector = '[1.0]', face_embedding = x'0000c07f'").unwrap();
    assert_eq!(store.templates_of(student.id).unwrap().len(), 1);
    other.execute_batch("UPDATE students SET created_at = 'SECRET'").unwrap();
    // What a row can do without costs nothing else of it.
    assert_eq!(store.student(student.id).unwrap().unwrap().created_at, Timestamp::UNIX_EPOCH);
    let row = store.mark_attendance(&mark(student.id, "2026-03-02T08:00:00Z")).unwrap().record().id;
    let wrong = Correction::new(CorrectedStatus::Absent, "teacher", "ill");
    store.correct_attendance(row, &wrong, at("2026-03-02T09:00:00Z")).unwrap();
    other.execute_batch("UPDATE attendance_corrections SET created_at = 'SECRET'").unwrap();
    let error = store.corrections(row).unwrap_err();
    assert_eq!(error.to_string(), "store: cannot list corrections");
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (store, folder) = empty();
    store.create_student("A", "R1", at("2026-03-02T08:00:00Z")).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

/// The child of the next test: marks attendance and says each mark on its output after the store has acknowledged it.
/// Without the variable it has nothing to do.
#[test]
fn child_that_marks_until_it_is_killed() {
    use std::io::Write as _;
    let Some(path) = std::env::var_os("FACEATTEND_TEST_KILLED_WRITER") else { return };
    let store = SqliteStore::open(path).unwrap();
    let student = store.create_student("A", "R1", at("2026-01-01T08:00:00Z")).unwrap().id;
    let first = at("2026-01-01T08:00:00Z");
    for n in 0..100_000 {
        let when = (first + (24 * n).hours()).to_string();
        let Marking::Marked(row) = store.mark_attendance(&mark(student, &when)).unwrap() else { panic!("{when}") };
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {}", row.id).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    use std::io::BufRead as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::sqlite::child_that_marks_until_it_is_killed", "--nocapture"])
        .env("FACEATTEND_TEST_KILLED_WRITER", &path)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    for line in lines.map_while(std::result::Result::ok) {
        // The test harness writes the child's name on the same line as the first mark.
        let Some((_, id)) = line.split_once("acknowledged ") else { continue };
        acknowledged.push(id.parse::<i64>().unwrap());
        if acknowledged.len() == 40 {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(!status.success() && acknowledged.len() >= 40, "{status}: {} marks", acknowledged.len());
    let store = SqliteStore::open(&path).unwrap();
    for id in &acknowledged {
        assert!(store.attendance_record(*id).unwrap().is_some(), "mark {id} was acknowledged and is gone");
    }
    // And the file is sound: the day after the last one can be marked.
    let day = window("2300-01-01");
    let next = NewAttendance { day, at: day.starts_at, ..mark(StudentId(1), "2026-01-01T08:00:00Z") };
    assert!(matches!(store.mark_attendance(&next).unwrap(), Marking::Marked(_)));
}

#[test]
fn only_the_newest_frames_are_remembered() {
    let (store, folder) = empty();
    let frame = crate::liveness::SeenFrame {
        perceptual: crate::liveness::PerceptualHash::from_bytes(&[7; 72]).unwrap(),
        yaw: crate::types::Degrees(1.0),
    };
    let now = at("2026-03-02T08:15:30Z");
    store.remember_frame(SessionId::random(), &frame, now).unwrap();
    // As if many had come in between.
    let db = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    db.execute(
        "INSERT INTO liveness_seen_frames (id, session_id, yaw, looks, seen_at) VALUES (?1, 'x', 50.0, x'00', \
         '2026-03-02 08:15:30')",
        [i64::from(MAX_SEEN_FRAMES)],
    )
    .unwrap();
    assert!(store.frame_seen_elsewhere(SessionId::random(), &frame, now).unwrap());
    let other = crate::liveness::SeenFrame { yaw: crate::types::Degrees(60.0), ..frame };
    store.remember_frame(SessionId::random(), &other, now).unwrap();
    assert!(!store.frame_seen_elsewhere(SessionId::random(), &frame, now).unwrap(), "the oldest is forgotten");
    let rows: i64 = db.query_row("SELECT count(*) FROM liveness_seen_frames", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2);
}

#[test]
fn the_existing_service_is_given_no_id_twice_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let original = of_the_existing_service(&path);
    original.pragma_update(None, "foreign_keys", false).unwrap();
    // A student who is gone, but for an attendance row that was left behind.
    original.execute_batch("INSERT INTO attendance_log (student_id, status) VALUES (7, 'Present')").unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.create_student("A", "R7", at("2026-03-02T08:00:00Z")).unwrap().id, StudentId(9));

    let rows = |table: &str| {
        original.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let inserts = [
        ("students", "(name, roll_number) VALUES ('N', 'N1'), ('N', 'N2')"),
        (
            "liveness_detection_sessions",
            "(session_id, expires_at) VALUES ('N1', '2026-03-02 08:00:00'), ('N2', '2026-03-02 08:00:00')",
        ),
        ("attendance_log", "(student_id, status) VALUES (9, 'Present'), (9, 'Late')"),
    ];
    for (table, values) in inserts {
        original.execute_batch(&format!("INSERT INTO {table} {values}")).unwrap();
        let first = original.last_insert_rowid();
        original.execute_batch(&format!("DELETE FROM {table} WHERE id >= {first} - 1")).unwrap();
        let before = rows(table);
        original.execute_batch(&format!("INSERT INTO {table} {values}")).unwrap();
        assert_eq!((original.last_insert_rowid(), rows(table)), (first + 2, before + 2), "{table}");
        original.execute_batch(&format!("DELETE FROM {table}")).unwrap();
        original.execute_batch(&format!("INSERT INTO {table} {values}")).unwrap();
        assert_eq!((original.last_insert_rowid(), rows(table)), (first + 4, 2), "{table}");
    }
    // What is ignored leaves nothing behind, and what a back-up brings keeps its id.
    original.execute_batch("DELETE FROM students WHERE roll_number = 'N2'").unwrap();
    let gone = original.query_row("SELECT max(id) FROM students", [], |row| row.get::<_, i64>(0)).unwrap() + 1;
    original.execute_batch("INSERT OR IGNORE INTO students (name, roll_number) VALUES ('X', 'N1')").unwrap();
    assert_eq!(rows("students"), 1);
    original.execute("INSERT INTO students (id, name, roll_number) VALUES (?1, 'N', 'N2')", [gone]).unwrap();
    original.execute_batch("INSERT INTO students (id, name, roll_number) VALUES (1, 'One', 'O1')").unwrap();
    assert_eq!(rows("students"), 3);
    let next = store.create_student("Next", "R9", at("2026-03-02T08:00:00Z")).unwrap();
    assert_eq!((next.id.0, rows("students")), (gone + 1, 4));
}

/// What the file and its log hold, once everything has reached the file.
fn whole_file(folder: &Path) -> Vec<u8> {
    let path = folder.join("face_attendance.db");
    let db = Connection::open(&path).unwrap();
    let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0);
    let log = std::fs::read(folder.join("face_attendance.db-wal")).unwrap_or_default();
    [std::fs::read(&path).unwrap(), log].concat()
}

#[test]
fn of_a_face_that_is_deleted_no_byte_stays_in_the_file() {
    type Deletion = fn(&SqliteStore, StudentId);
    let now = at("2026-03-02T08:00:00Z");
    let doors: [Deletion; 2] = [
        |store, id| drop(store.erase_student(id, MarksOfErased::Delete, at("2026-03-02T08:00:00Z")).unwrap()),
        |store, id| drop(store.erase_student(id, MarksOfErased::Anonymise, at("2026-03-02T08:00:00Z")).unwrap()),
    ];
    for (door, delete) in doors.into_iter().enumerate() {
        let (store, folder) = empty();
        let views = [7.5, 8.5, 0.3, 0.4, 0.5, 0.6].map(embedding);
        let [first, second, center, left, right, whole] = views.clone();
        let session = super::contract::pending(&store, None);
        let position = |embedding| PositionColumns { embedding: Some(embedding), verified: true, frame_data: None };
        let update = SessionUpdate {
            state: serde_json::json!({ "views": views.iter().map(Embedding::values).collect::<Vec<_>>() }).to_string(),
            center: position(center),
            left: position(left),
            right: position(right),
            final_embedding: Some(whole),
            ..super::contract::completion()
        };
        store.update_session(session, 0, &update).unwrap();
        let enrolment = Enrolment { templates: vec![first, second], liveness_score: 0.9 };
        let student = store.register_student(session, "A", "R1", &enrolment, now).unwrap().id;
        let needles: Vec<Vec<u8>> = views
            .iter()
            .flat_map(|view| [view.to_bytes(), serde_json::json!(view.values()).to_string().into_bytes()])
            .collect();
        let found = || {
            let file = whole_file(folder.path());
            needles.iter().filter(|needle| file.windows(needle.len()).any(|at| at == &needle[..])).count()
        };
        assert!(found() >= 8, "the text of every view, the bytes of the templates: {}", found());
        delete(&store, student);
        assert_eq!(found(), 0, "door {door}");
    }
}

#[test]
fn inventing_names_fills_no_disk() {
    let (store, folder) = empty();
    let now = at("2026-03-02T08:00:00Z");
    store.note_login_failure("oldest", now, now).unwrap();
    let db = Connection::open(folder.path().join("face_attendance.db")).unwrap();
    db.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO login_failures SELECT 'key ' || n, 1, '2026-03-02 08:00:01.000000' FROM n",
        [MAX_LOGIN_FAILURES],
    )
    .unwrap();
    store.note_login_failure("newest", now, now + jiff::SignedDuration::from_secs(2)).unwrap();
    let count: u32 = db.query_row("SELECT count(*) FROM login_failures", [], |row| row.get(0)).unwrap();
    assert_eq!(count, MAX_LOGIN_FAILURES);
    assert_eq!(store.login_failures("oldest", now).unwrap(), None);
    assert!(store.login_failures("newest", now).unwrap().is_some());
}
