//! A SQLite file has one `faceattend serve`, and other programs beside it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use faceattend_core::store::SqliteStore;
use faceattend_core::store::prelude::*;
use jiff::Timestamp;

fn serve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for name in ["FACEATTEND_DATABASE", "FACEATTEND_DATA_DIR", "FACEATTEND_CONFIG", "FACEATTEND_SERVER_NAME"] {
        command.env_remove(name);
    }
    command.args(["serve", "--port", "0", "--data-dir"]).arg(folder);
    command
}

/// A server that listens; dropping it kills it with SIGKILL.
struct Server(Child);

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = serve(folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let listens = lines.any(|line| line.contains("Listening on http://"));
        let server = Self(child);
        assert!(listens, "the server ended before it listened");
        // What it says later needs a reader.
        std::thread::spawn(move || lines.for_each(drop));
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_file_has_one_server_until_it_dies_and_other_programs_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = Server::start(folder.path());
    let second = serve(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("another `faceattend serve` works with"), "{said}");
    assert!(said.contains("PostgreSQL"), "it says what to do instead: {said}");

    let database = folder.path().join("face_attendance.db");
    let beside = SqliteStore::open(&database).unwrap();
    let student = beside.create_student("Asha", "R1", Timestamp::now()).unwrap();
    assert_eq!(beside.student(student.id).unwrap(), Some(student));

    drop(first);
    drop(Server::start(folder.path()));
}

#[test]
fn a_name_among_several_servers_needs_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let refused = serve(folder.path()).args(["--server-name", "a"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("leave out --server-name"), "{said}");
}
