//! `faceattend db` and its companions as an operator runs them: from a file to PostgreSQL and back.
//!
//! With PostgreSQL only where `FACEATTEND_TEST_POSTGRES` names a database; `cargo xtask test` starts one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test fails by panicking")]

#[path = "common/schema.rs"]
mod schema;

use faceattend_core::store::prelude::*;
use std::path::Path;
use std::process::{Command, Output};

use faceattend_core::store::{AttendanceFilter, Page, SqliteStore};
use faceattend_core::types::StudentId;
use schema::Schema;

/// Runs the binary with no setting of this machine's, and `database` in the environment if there is one.
fn faceattend(words: &[&str], database: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for name in ["FACEATTEND_DATABASE", "FACEATTEND_DATA_DIR", "FACEATTEND_CONFIG"] {
        command.env_remove(name);
    }
    command
        .args(words)
        .env("FACEATTEND_NEW_PASSWORD", "a new password")
        .envs(database.map(|url| ("FACEATTEND_DATABASE", url)));
    command.output().unwrap()
}

/// What it says when it succeeds.
fn said(words: &[&str], database: Option<&str>) -> String {
    let output = faceattend(words, database);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What it complains of when it does not.
fn complaint(words: &[&str], database: Option<&str>) -> String {
    let output = faceattend(words, database);
    assert!(!output.status.success(), "{words:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A database with the tables and rows of the replaced service, as its documentation shows them.
fn of_the_replaced_service(path: &Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "CREATE TABLE admin_users (id INTEGER NOT NULL, username VARCHAR(50) NOT NULL,
            hashed_password VARCHAR(255) NOT NULL,
            is_active BOOLEAN, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME, PRIMARY KEY (id));
         CREATE TABLE students (id INTEGER NOT NULL, name VARCHAR(255) NOT NULL, roll_number VARCHAR(50) NOT NULL,
            face_embedding BLOB, embedding_vector TEXT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
            updated_at DATETIME,
            liveness_verified BOOLEAN, liveness_verification_date DATETIME, liveness_confidence_score FLOAT,
            PRIMARY KEY (id));
         CREATE TABLE liveness_detection_sessions (id INTEGER NOT NULL, session_id VARCHAR(100) NOT NULL,
         student_id INTEGER,
            status VARCHAR(20), created_at DATETIME DEFAULT CURRENT_TIMESTAMP, completed_at DATETIME,
            expires_at DATETIME NOT NULL,
            center_frame_data TEXT, left_frame_data TEXT, right_frame_data TEXT, liveness_score FLOAT, PRIMARY KEY (id),
            FOREIGN KEY(student_id) REFERENCES students (id));
         CREATE TABLE attendance_log (id INTEGER NOT NULL, student_id INTEGER NOT NULL,
            timestamp DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, status VARCHAR(20) NOT NULL, confidence_score FLOAT,
            camera_location VARCHAR(100), created_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id),
            FOREIGN KEY(student_id) REFERENCES students (id));
         CREATE TABLE detection_logs (id INTEGER NOT NULL, timestamp DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
            faces_detected INTEGER, students_recognized INTEGER, processing_time FLOAT, camera_location VARCHAR(100),
            error_message TEXT, PRIMARY KEY (id));
         INSERT INTO admin_users (username, hashed_password, is_active) VALUES ('head', '$2b$12$x', 1);
         INSERT INTO students (name, roll_number, embedding_vector, liveness_verified, liveness_verification_date)
            VALUES ('Zoë 学生', 'R1', '[0.6, 0.8]', 1, '2026-01-05 10:00:00.123456'), ('Bo', 'R2', NULL, NULL, NULL);
         INSERT INTO liveness_detection_sessions (session_id, student_id, status, expires_at)
            VALUES ('7d9ac2a0-6d0b-4dd8-a54a-b6b2d8a4c111', 1, 'COMPLETED', '2026-01-05 10:10:00.5');
         INSERT INTO attendance_log (student_id, timestamp, status, confidence_score)
            VALUES (1, '2026-03-02 08:00:00.000001', 'Present', 0.91), (1, '2026-03-02 09:00:00', 'Absent', NULL);
         INSERT INTO detection_logs (faces_detected) VALUES (NULL);",
    )
    .unwrap();
}

#[test]
fn a_database_of_the_replaced_service_is_checked_and_migrated_with_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("face_attendance.db");
    of_the_replaced_service(&path);
    let before = std::fs::read(&path).unwrap();
    let check = ["db", "check", "--data-dir", text(folder.path())];
    let told = said(&check, None);
    assert!(told.contains("faceattend db migrate") && told.contains("         2 attendance_log"), "{told}");
    assert_eq!(std::fs::read(&path).unwrap(), before, "a check changes nothing");
    let told = said(&["db", "migrate", "--data-dir", text(folder.path())], None);
    assert!(told.contains("from schema 0 to"), "{told}");
    let told = said(&check, None);
    for row in ["the newest", "1 admin_users", "2 students", "1 liveness_detection_sessions", "2 attendance_log"] {
        assert!(told.contains(row), "{told}");
    }
    assert!(complaint(&["db", "check", "--data-dir", "/no/such/folder"], None).contains("--data-dir"));
}

#[test]
fn a_school_moves_to_postgresql_and_back_with_every_row() {
    let Some(schema) = Schema::new() else { return };
    let url = schema.url();
    let folder = tempfile::tempdir().unwrap();
    let [old, new, file, back] = ["old.db", "new.db", "a.jsonl", "b.jsonl"].map(|name| folder.path().join(name));
    of_the_replaced_service(&old);
    said(&["db", "export", text(&file), "--database", text(&old)], None);
    let told = said(&["db", "import", text(&file)], Some(&url));
    assert!(told.contains("         2 students") && told.contains("rows are in postgres"), "{told}");
    let told = said(&["db", "check"], Some(&url));
    assert!(told.contains("the newest"), "{told}");
    // The other commands work with it too.
    let told = said(&["admin", "list"], Some(&url));
    assert!(told.contains("head"), "{told}");
    let told = said(&["keys", "status"], Some(&url));
    assert!(told.contains("plain"), "{told}");

    assert!(complaint(&["db", "import", text(&file)], Some(&url)).contains("--replace"));
    said(&["db", "export", text(&back)], Some(&url));
    said(&["db", "import", text(&back), "--database", text(&new)], None);
    let [from, to] = [&old, &new].map(|path| SqliteStore::open(path).unwrap());
    let all = AttendanceFilter::default();
    assert_eq!(to.students(None, Page::ALL).unwrap(), from.students(None, Page::ALL).unwrap());
    assert_eq!(to.attendance(&all, Page::ALL).unwrap(), from.attendance(&all, Page::ALL).unwrap());
    assert_eq!(to.templates_of(StudentId(1)).unwrap(), from.templates_of(StudentId(1)).unwrap());
    assert_eq!(to.detection_logs(9).unwrap(), from.detection_logs(9).unwrap());
    assert_eq!(to.sessions_of(StudentId(1)).unwrap(), from.sessions_of(StudentId(1)).unwrap());
}

#[test]
fn no_value_of_a_statement_is_logged_at_any_level() {
    let Some(schema) = Schema::new() else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    command.env("FACEATTEND_DATABASE", schema.url()).env("FACEATTEND_NEW_PASSWORD", "a new password");
    let output = command.env("FACEATTEND_LOG", "trace").args(["admin", "create", "bob"]).output().unwrap();
    let logged = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{logged}");
    assert!(!logged.contains("$argon2"), "{logged}");
    let login = schema.database.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map(|(login, _)| login);
    let password = login.and_then(|login| login.split_once(':')).map(|(_, password)| password);
    assert!(password.is_none_or(|password| !logged.contains(password)), "{logged}");
    schema.run(&format!("SELECT 1 / count(*) FROM {}.admin_users WHERE username = 'bob'", schema.name));
}

#[test]
fn a_password_in_the_address_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("faceattend.toml");
    // Nobody listens there.
    let url = "postgres://me:geheim@127.0.0.1:1/db?connect_timeout=1";
    std::fs::write(&config, format!("database = \"{url}\"\n")).unwrap();
    let config = ["--config", text(&config)];
    for (words, succeeds) in [
        (&["config"][..], true),
        (&["serve", "--help"], true),
        (&["db", "check", "--help"], true),
        (&["db", "check"], false),
        (&["admin", "list"], false),
        (&["serve", "--data-dir", text(folder.path())], false),
    ] {
        let output = faceattend(&[words, &config].concat(), None);
        let shown = format!("{output:?}");
        assert_eq!(output.status.success(), succeeds, "{words:?}: {shown}");
        assert!(!shown.contains("geheim"), "{words:?}: {shown}");
    }
    let told = said(&[&["config"][..], &config].concat(), None);
    assert!(told.contains("postgres://me:***@127.0.0.1:1/db"), "{told}");
}
