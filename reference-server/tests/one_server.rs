//! A SQLite file has one `faceattend serve`, and other programs beside it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/program.rs"]
mod program;

use std::path::Path;
use std::process::Command;

use faceattend_core::store::SqliteStore;
use faceattend_core::store::prelude::*;
use jiff::Timestamp;
use program::Program;

fn serve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for name in ["FACEATTEND_DATABASE", "FACEATTEND_DATA_DIR", "FACEATTEND_CONFIG", "FACEATTEND_SERVER_NAME"] {
        command.env_remove(name);
    }
    command.args(["serve", "--port", "0", "--data-dir"]).arg(folder);
    command
}

#[test]
fn a_file_has_one_server_until_it_dies_and_other_programs_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = Program::start(&mut serve(folder.path()));
    let second = serve(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("another `faceattend serve` works with"), "{said}");
    assert!(said.contains("PostgreSQL"), "it says what to do instead: {said}");

    let database = folder.path().join("face_attendance.db");
    let beside = SqliteStore::open(&database).unwrap();
    let student = beside.create_student("Asha", "R1", Timestamp::now()).unwrap();
    assert_eq!(beside.student(student.id).unwrap(), Some(student));

    drop(first);
    drop(Program::start(&mut serve(folder.path())));
}

#[test]
fn a_name_among_several_servers_needs_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let refused = serve(folder.path()).args(["--server-name", "a"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("leave out --server-name"), "{said}");
}
