//! Databases as files: `db import` of anything.
//!
//! The bytes are the file. When its last line is no end, the right one is added, as somebody would who forges a file:
//! the checksum stands in no fuzzer's way.
//!
//! - An import puts every row into the database, or changes nothing.
//! - What was imported can be exported, and its export is the same database once more.
//! - A file whose checksum is wrong is refused.

use std::cell::RefCell;
use std::path::Path;

use faceattend_core::store::prelude::*;
use faceattend_core::store::{Portable, Present, SqliteStore};
use faceattend_core::{ErrorKind, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::memory::within;

/// What an import may take beyond a multiple of the file.
const MEMORY: usize = 8 << 20;

/// The databases of one thread.
struct Databases {
    imported: SqliteStore,
    again: SqliteStore,
    /// The export of a database with one student.
    before: Vec<u8>,
    _folder: TempDir,
}

impl Databases {
    fn new() -> Self {
        // Memory, where there is such a folder: a disk would wait for every commit.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        let open = |name: &str| SqliteStore::open(folder.path().join(name)).expect("a database");
        let (imported, again) = (open("a.db"), open("b.db"));
        imported.create_student("Grace Hopper", "R-1", Timestamp::UNIX_EPOCH).expect("a student");
        let before = exported(&imported).expect("an export");
        Self { imported, again, before, _folder: folder }
    }
}

fn exported(store: &SqliteStore) -> faceattend_core::Result<Vec<u8>> {
    let mut file = Vec::new();
    store.export(&mut file, &mut |_| {}).map(|_| file)
}

fn import(store: &SqliteStore, mut file: &[u8]) -> faceattend_core::Result<u64> {
    let imported = store.import(&mut file, Present::Replace, &mut |_| {})?;
    Ok(imported.rows.iter().map(|(_, rows)| rows).sum::<u64>() + imported.of_nobody)
}

/// Imports `data`.
pub fn check(data: &[u8]) {
    thread_local! {
        static DATABASES: RefCell<Option<Databases>> = const { RefCell::new(None) };
    }
    DATABASES.with_borrow_mut(|databases| {
        let databases = databases.get_or_insert_with(Databases::new);
        within(64 * data.len() + MEMORY, || imported(databases, data));
    });
}

fn imported(databases: &Databases, data: &[u8]) {
    let Databases { imported, again, before, .. } = databases;
    let (file, rows) = with_its_end(data);
    match import(imported, &file) {
        Ok(read) => {
            assert_eq!(read, rows);
            let all = exported(imported).expect("what was imported can be exported");
            import(again, &all).expect("an export can be imported");
            assert_eq!(exported(again).expect("an export"), all);
            import(imported, before).expect("what was there before");
            let mut changed = file.clone();
            // A digit of the checksum.
            if let Some(digit) = changed.iter_mut().rev().find(|byte| byte.is_ascii_hexdigit()) {
                *digit = if *digit == b'0' { b'1' } else { b'0' };
                let refused = import(imported, &changed).expect_err("a wrong checksum");
                assert_eq!(refused.kind(), ErrorKind::InvalidInput);
            }
        }
        Err(error) => assert!(matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Store), "{error}"),
    }
    assert_eq!(exported(imported).expect("an export"), *before, "all or nothing");
}

/// Returns `data` with the right end when it has none, and how many rows that says.
fn with_its_end(data: &[u8]) -> (Vec<u8>, u64) {
    let mut file = data.to_vec();
    if file.last() != Some(&b'\n') {
        file.push(b'\n');
    }
    let lines = file.iter().filter(|byte| **byte == b'\n').count();
    let last = file[..file.len() - 1].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    if last.starts_with(br#"{"end""#) {
        return (file, (lines as u64).saturating_sub(2));
    }
    let rows = (lines as u64).saturating_sub(1);
    let sum: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    file.extend(format!("{}\n", json!({ "end": { "rows": rows, "sha256": sum } })).into_bytes());
    (file, rows)
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let head = r#"{"faceattend":"database","format":1,"schema":1}"#;
    let file = |rows: &[&str]| format!("{head}\n{}\n", rows.join("\n")).into_bytes();
    let student = concat!(
        r#"{"students":{"id":1,"name":"Asha","roll_number":"R1","face_embedding":"zczMPQ==","#,
        r#""created_at":"2026-03-02T08:15:30Z","updated_at":"2026-03-02T08:15:30.5Z","#,
        r#""liveness_verified":true,"liveness_confidence_score":"0.30000000000000004"}}"#,
    );
    let mark = concat!(
        r#"{"attendance_log":{"id":1,"student_id":1,"timestamp":"2026-03-02T08:00:00Z","status":"Present","#,
        r#""confidence_score":"0.9","created_at":"2026-03-02T08:00:00Z","local_day":"2026-03-02","#,
        r#""period":""}}"#,
    );
    let session = concat!(
        r#"{"liveness_detection_sessions":{"id":1,"session_id":"s","student_id":1,"status":"pending","#,
        r#""created_at":"2026-03-02T08:00:00Z","expires_at":"2026-03-02T08:10:00Z","attempts_count":0,"#,
        r#""version":0}}"#,
    );
    let template = concat!(
        r#"{"student_templates":{"id":1,"student_id":1,"model_id":"m","embedding":"zczMPQ==","#,
        r#""created_at":"2026-03-02T08:00:00Z","origin":"enrolled"}}"#,
    );
    let user = concat!(
        r#"{"admin_users":{"id":1,"username":"admin","hashed_password":"$argon2$a","is_active":true,"#,
        r#""created_at":"2026-03-02T08:00:00Z","updated_at":"2026-03-02T08:00:00Z","role":"viewer"}}"#,
    );
    let login = concat!(
        r#"{"logins":{"id":"l","username":"admin","refresh_hash":"h","created_at":"2026-03-02T08:00:00Z","#,
        r#""expires_at":"2026-03-02T09:00:00Z"}}"#,
    );
    let log = r#"{"audit_log":{"id":1,"timestamp":"2026-03-02T08:00:00Z","actor":"admin","action":"x","details":"y"}}"#;
    vec![
        ("empty", format!("{head}\n").into_bytes()),
        ("student", file(&[student])),
        ("mark-of-nobody", file(&[mark])),
        ("several", file(&[user, student, template, session, mark, login, log])),
        ("twice", file(&[student, student])),
        ("newer", br#"{"faceattend":"database","format":2,"schema":1}"#.to_vec()),
        ("wrong-end", format!("{head}\n{{\"end\":{{\"rows\":0,\"sha256\":\"00\"}}}}\n").into_bytes()),
    ]
}
