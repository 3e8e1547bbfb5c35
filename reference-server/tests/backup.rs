//! Back-ups as an operator makes and restores them: while the service works, into another folder and another database,
//! and with the process killed in the middle.
//!
//! With PostgreSQL only where `FACEATTEND_TEST_POSTGRES` names a database; `cargo xtask test` starts one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use common::program::Program;
use common::schema::Schema;
use common::{DATABASE, GREEN, SECRET, Service, picture};
use faceattend_core::store::prelude::*;
use faceattend_core::store::{NewAuditEntry, Page, PostgresStore, SqliteStore, TemplateKey, TemplateKeys};
use faceattend_server::auth::Secret;
use serde_json::json;

/// The binary with no setting of this machine's.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FACEATTEND_")) {
        command.env_remove(name);
    }
    command.args(words).stdin(Stdio::null());
    command
}

fn output(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn said(words: &[&str]) -> String {
    let done = command(words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", output(&done));
    output(&done)
}

#[track_caller]
fn complaint(words: &[&str]) -> String {
    let done = command(words).output().unwrap();
    assert!(!done.status.success(), "{words:?}: {}", output(&done));
    output(&done)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with a database of these people and these secrets.
fn school(people: &[&str], secret: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join(DATABASE)).unwrap();
    for roll in people {
        store.create_student("Asha", roll, jiff::Timestamp::now()).unwrap();
    }
    store.add_audit(&entry("made")).unwrap();
    std::fs::write(folder.path().join("jwt-secret"), secret).unwrap();
    folder
}

fn entry(action: &str) -> NewAuditEntry {
    NewAuditEntry {
        at: jiff::Timestamp::now(),
        actor: "test".into(),
        action: action.into(),
        subject: None,
        details: None,
    }
}

fn people(folder: &Path) -> Vec<String> {
    let store = SqliteStore::open(folder.join(DATABASE)).unwrap();
    let mut people: Vec<_> =
        store.students(None, Page::ALL).unwrap().items.into_iter().map(|student| student.roll_number).collect();
    people.sort();
    people
}

fn beside(folder: &Path, what: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| text(path).contains(what)).collect()
}

/// The people are recognized, and who was logged in still is.
async fn works_as_before(folder: tempfile::TempDir, keys: TemplateKeys, token: &str) {
    let secret = std::fs::read_to_string(folder.path().join("jwt-secret")).unwrap();
    let service = Service::start_in(folder, keys, |settings| faceattend_server::Settings {
        secret: Secret::new(secret).unwrap(),
        ..settings
    })
    .await;
    let before = service.asked_with(token);
    assert_eq!(before.get("/api/v1/auth/me").await.status, 200, "the token of the first machine");
    for (identity, name) in [(5, "Asha"), (9, "Bela")] {
        let body = json!({ "image_data": picture(GREEN, identity) });
        let seen = before.post("/api/v1/face/recognize", &body).await;
        assert!(seen.text.contains(name), "{identity}: {}", seen.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_copy_on_another_machine_knows_the_same_people_and_logins() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("keys");
    let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    keys.write_new(&key_file).unwrap();
    std::fs::write(folder.path().join("jwt-secret"), SECRET).unwrap();
    std::fs::write(folder.path().join("settings.toml"), "port = 8009\n").unwrap();
    let authority = ["tls-authority.crt", "tls-authority.key"];
    for file in authority {
        std::fs::write(folder.path().join(file), file).unwrap();
    }
    let service = Service::start_in(folder, keys.clone(), |settings| settings).await;
    for (identity, name, roll) in [(5, "Asha", "R1"), (9, "Bela", "R2")] {
        let session = service.begin(&json!({})).await;
        service.complete(&session, identity).await;
        assert_eq!(service.register(name, roll, &session).await.status, 200);
    }
    let data = text(service.folder.path()).to_owned();
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("school.backup");
    let stop = AtomicBool::new(false);
    let marked = std::thread::scope(|threads| {
        let marking = threads.spawn(|| {
            let mut marked = 0;
            while !stop.load(Relaxed) {
                marked += 1;
                service.store.add_audit(&entry("written meanwhile")).unwrap();
            }
            marked
        });
        let words = ["backup", text(&file), "--data-dir", &data, "--template-key-file", text(&key_file)];
        let told = said(&[&words[..], &["--config", &format!("{data}/settings.toml")]].concat());
        assert!(told.contains("2 people") && told.contains("NOT encrypted"), "{told}");
        for part in ["jwt-secret", "tls-authority", "tls-authority-key", "template-keys", "settings", "database"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(complaint(&words).contains("--force"));
        stop.store(true, Relaxed);
        marking.join().unwrap()
    });
    assert!(marked > 1, "nothing was written meanwhile");
    let told = said(&["backup", "--check", text(&file)]);
    assert!(told.contains("is whole") && told.contains("sha256"), "{told}");

    let other = tempfile::tempdir().unwrap();
    let told = said(&["restore", text(&file), "--yes", "--data-dir", text(other.path())]);
    assert!(told.contains("--template-key-file") && told.contains("compare them with yours"), "{told}");
    let restored = TemplateKeys::read(&other.path().join("template-keys")).unwrap();
    assert_eq!(restored.ids(), keys.ids());
    assert_eq!(beside(other.path(), "settings.toml").len(), 1);
    for file in authority {
        assert_eq!(std::fs::read_to_string(other.path().join(file)).unwrap(), file, "devices trust it still");
    }
    let token = service.token.clone();
    works_as_before(other, restored, &token).await;

    let Some(schema) = Schema::new() else { return };
    // Through PostgreSQL, encrypted on its way back.
    let (there, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    said(&["restore", text(&file), "--yes", "--data-dir", text(there.path()), "--database", &schema.url()]);
    let told = said(&["db", "check", "--database", &schema.url()]);
    assert!(told.contains("         2 students"), "{told}");
    let sealed = outside.path().join("sealed.backup");
    std::fs::write(outside.path().join("passphrase"), "a passphrase of the tests\n").unwrap();
    let (url, passphrase, keys_there) =
        (schema.url(), outside.path().join("passphrase"), there.path().join("template-keys"));
    let words = [
        &["backup", text(&sealed), "--data-dir", text(there.path()), "--database", &url][..],
        &["--backup-passphrase-file", text(&passphrase)],
        &["--template-key-file", text(&keys_there)],
    ];
    let told = said(&words.concat());
    assert!(told.contains("It is encrypted"), "{told}");
    let words = ["restore", text(&sealed), "--yes", "--data-dir", text(back.path())];
    assert!(complaint(&words).contains("FACEATTEND_BACKUP_PASSPHRASE"));
    let mut restore = command(&words);
    let restored = restore.env("FACEATTEND_BACKUP_PASSPHRASE", "a passphrase of the tests").output().unwrap();
    assert!(restored.status.success(), "{}", output(&restored));
    works_as_before(back, keys, &token).await;
}

#[test]
fn a_restore_says_what_it_replaces_keeps_it_and_asks() {
    let (old, new, outside) = (school(&["R1"], "old"), school(&["R2", "R3"], "new"), tempfile::tempdir().unwrap());
    let file = outside.path().join("b");
    said(&["backup", text(&file), "--data-dir", text(old.path())]);
    let words = ["restore", text(&file), "--data-dir", text(new.path())];
    let told = complaint(&words);
    for expected in ["1 people", "replaces", "2 people", "cannot be known", "nothing was changed", "--yes"] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert_eq!(people(new.path()), ["R2", "R3"]);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(outside.path().join("cut"), &whole[..whole.len() / 2]).unwrap();
    let told = complaint(&["restore", text(&outside.path().join("cut")), "--yes", "--data-dir", text(new.path())]);
    assert!(told.contains("cut off"), "{told}");
    assert_eq!(beside(new.path(), "before-restore"), Vec::<PathBuf>::new());

    std::fs::write(new.path().join("face_attendance.db-waiting"), "of the old database").unwrap();
    let told = said(&[&words[..], &["--yes"]].concat());
    assert!(told.contains("kept in"), "{told}");
    assert_eq!(people(new.path()), ["R1"]);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&new.path().join("jwt-secret")), "old");
    assert_eq!(read(&beside(new.path(), "jwt-secret.before-restore")[0]), "new");
    let kept = beside(new.path(), "face_attendance.db.before-restore").remove(0);
    assert_eq!(SqliteStore::open(kept).unwrap().students(None, Page::ALL).unwrap().total, 2);
    assert!(!new.path().join("face_attendance.db-waiting").exists(), "it belongs to the old one");
    let audit = SqliteStore::open(new.path().join(DATABASE)).unwrap().audit(Page::ALL).unwrap().items;
    assert_eq!(audit[0].entry.action, "restore");
}

#[test]
fn who_was_erased_since_stays_away_unless_that_was_a_mistake() {
    let (folder, outside) = (school(&["R1", "R2"], "s"), tempfile::tempdir().unwrap());
    let file = outside.path().join("b");
    said(&["backup", text(&file), "--data-dir", text(folder.path())]);
    let store = SqliteStore::open(folder.path().join(DATABASE)).unwrap();
    let gone = store.students(None, Page::ALL).unwrap().items.remove(0);
    store.erase_student(gone.id, faceattend_core::store::MarksOfErased::Delete, jiff::Timestamp::now()).unwrap();
    drop(store);
    let words = ["restore", text(&file), "--yes", "--data-dir", text(folder.path())];
    let told = said(&words);
    assert!(told.contains("1 people of the back-up were erased") && told.contains("--with-erased"), "{told}");
    assert_eq!(people(folder.path()).len(), 1);
    let told = said(&[&words[..], &["--with-erased"]].concat());
    assert!(told.contains("COME BACK"), "{told}");
    assert_eq!(people(folder.path()).len(), 2);
}

#[test]
fn a_damaged_database_can_be_replaced_and_another_program_is_in_the_way() {
    let (folder, outside) = (school(&["R1"], "s"), tempfile::tempdir().unwrap());
    let file = outside.path().join("b");
    said(&["backup", text(&file), "--data-dir", text(folder.path())]);
    let words = ["restore", text(&file), "--yes", "--data-dir", text(folder.path())];
    let beside_it = SqliteStore::open(folder.path().join(DATABASE)).unwrap();
    assert_eq!(beside_it.students(None, Page::ALL).unwrap().total, 1);
    let told = complaint(&words);
    assert!(told.contains("another program has"), "{told}");
    drop(beside_it);
    assert_eq!(people(folder.path()), ["R1"]);
    std::fs::write(folder.path().join(DATABASE), vec![b'x'; 9000]).unwrap();
    said(&words);
    assert_eq!(people(folder.path()), ["R1"]);
}

#[test]
fn a_restore_that_is_killed_anywhere_leaves_the_old_or_the_new_and_never_both() {
    let (a, outside) = (school(&["R1", "R2"], "a"), tempfile::tempdir().unwrap());
    let file = outside.path().join("b");
    said(&["backup", text(&file), "--data-dir", text(a.path())]);
    let started = std::time::Instant::now();
    let whole = school(&["R9"], "b");
    said(&["restore", text(&file), "--yes", "--data-dir", text(whole.path())]);
    let takes = started.elapsed();
    let (mut old, mut new) = (0, 0);
    for number in 0..16 {
        let folder = school(&["R9"], "b");
        let mut restore = command(&["restore", text(&file), "--yes", "--data-dir", text(folder.path())]);
        let mut child = restore.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(takes * number / 16 + Duration::from_millis(1));
        // SIGKILL: no handler runs, and nothing is flushed.
        let _ = child.kill();
        child.wait().unwrap();
        let secret = || std::fs::read_to_string(folder.path().join("jwt-secret")).unwrap();
        if folder.path().join("face_attendance.db-restore").exists() {
            let told = complaint(&["db", "check", "--data-dir", text(folder.path())]);
            assert!(told.contains("faceattend restore --finish"), "{told}");
        }
        said(&["restore", "--finish", "--data-dir", text(folder.path())]);
        match (people(folder.path()).as_slice(), secret().as_str()) {
            ([one], "b") if one == "R9" => old += 1,
            ([one, two], "a") if one == "R1" && two == "R2" => new += 1,
            other => panic!("after {number} sixteenths: {other:?}"),
        }
    }
    eprintln!("killed in {takes:?}: {old} times the old, {new} times the new");
    assert!(old > 0, "the first was killed at once");
}

#[test]
fn a_newer_database_is_neither_backed_up_nor_restored() {
    let folder = school(&["R1"], "s");
    let raw = rusqlite::Connection::open(folder.path().join(DATABASE)).unwrap();
    raw.execute("INSERT INTO schema_migrations (version, name) VALUES (999, 'x')", []).unwrap();
    let told = complaint(&["backup", text(&folder.path().join("b")), "--data-dir", text(folder.path())]);
    assert!(told.contains("newer version") && !folder.path().join("b").exists(), "{told}");
    assert!(
        complaint(&["backup", text(&folder.path().join("b")), "--data-dir", "/no/such/folder"]).contains("--data-dir")
    );
    std::fs::write(folder.path().join("b"), "a letter").unwrap();
    assert!(complaint(&["backup", "--check", text(&folder.path().join("b"))]).contains("no back-up"));
}

/// The real program as a server of this folder.
fn serve(folder: &Path, more: &[&str]) -> Program {
    Program::start(command(&["serve", "--port", "0", "--data-dir", text(folder)]).args(more))
}

#[test]
fn a_server_makes_its_back_ups_and_keeps_a_restore_away() {
    let (folder, backups) = (school(&["R1"], "a secret of the tests"), tempfile::tempdir().unwrap());
    let server = serve(folder.path(), &["--backup-dir", text(&backups.path().join("new"))]);
    let mut made = Vec::new();
    for _ in 0..100 {
        made = std::fs::read_dir(backups.path().join("new"))
            .map(|entries| {
                entries.map(|entry| entry.unwrap().path()).filter(|path| text(path).ends_with(".backup")).collect()
            })
            .unwrap_or_default();
        if !made.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let [made] = made.as_slice() else { panic!("{made:?}") };
    let told = complaint(&["restore", text(made), "--yes", "--data-dir", text(folder.path())]);
    assert!(told.contains("stop it first"), "{told}");
    drop(server);
    said(&["restore", text(made), "--yes", "--data-dir", text(folder.path())]);
    drop(serve(folder.path(), &[]));
    assert_eq!(people(folder.path()), ["R1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_hear_when_the_last_back_up_was_made_and_others_do_not() {
    use faceattend_core::backup::{Clock, Keep, Source};
    let folder = tempfile::tempdir().unwrap();
    let place = faceattend_core::store::StoreLocation::File(folder.path().join(DATABASE));
    let backups = faceattend_server::BackupSettings {
        folder: folder.path().join("backups"),
        source: Source::new(place),
        clock: Clock::new("02:30".parse().unwrap(), jiff::tz::TimeZone::UTC),
        keep: Keep::default(),
        passphrase: None,
        server_name: None,
    };
    let service =
        Service::start_in(folder, TemplateKeys::none(), |settings| settings.with_backups(Some(backups))).await;
    let mut told = serde_json::Value::Null;
    for _ in 0..100 {
        told = service.get("/api/v1/backups").await.json()["data"].clone();
        if !told["last"].is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(told["last"]["file"].as_str().unwrap().ends_with(".backup") && told["failed"].is_null(), "{told}");
    assert!(told["last"]["bytes"].as_u64().unwrap() > 0 && told["next_at"].is_string(), "{told}");
    let metrics = service.get("/metrics?format=prometheus").await.text;
    assert!(metrics.contains("faceattend_backup_failed 0"), "{metrics}");
    assert!(!metrics.contains("faceattend_backup_last_timestamp_seconds 0"), "{metrics}");
    let operator = service.account("bob", "operator").await;
    assert_eq!(operator.get("/api/v1/backups").await.status, 403);
    let none = Service::start().await;
    assert_eq!(none.get("/api/v1/backups").await.json()["data"]["is_scheduled"], false);
    assert!(!none.get("/metrics?format=prometheus").await.text.contains("faceattend_backup"));
}

/// The transaction of PostgreSQL and the names of the files go together, wherever the process dies.
#[test]
fn a_restore_into_postgresql_that_is_killed_leaves_the_old_or_the_new() {
    let Some(schema) = Schema::new() else { return };
    let (url, outside) = (schema.url(), tempfile::tempdir().unwrap());
    let (a, b, there) = (school(&["R1", "R2"], "a"), school(&["R9"], "b"), tempfile::tempdir().unwrap());
    let files = [("a", &a), ("b", &b)].map(|(name, from)| {
        let file = outside.path().join(name);
        said(&["backup", text(&file), "--data-dir", text(from.path())]);
        file
    });
    let restore =
        |file: &Path| command(&["restore", text(file), "--yes", "--data-dir", text(there.path()), "--database", &url]);
    let started = std::time::Instant::now();
    assert!(restore(&files[1]).output().unwrap().status.success());
    let takes = started.elapsed();
    for number in 0..8 {
        let mut child = restore(&files[0]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(takes * number / 8 + Duration::from_millis(1));
        let _ = child.kill();
        child.wait().unwrap();
        said(&["restore", "--finish", "--data-dir", text(there.path()), "--database", &url]);
        let store = PostgresStore::open(&url).unwrap();
        let people = store.students(None, Page::ALL).unwrap().total;
        drop(store);
        let secret = std::fs::read_to_string(there.path().join("jwt-secret")).unwrap();
        assert!(matches!((people, secret.as_str()), (1, "b") | (2, "a")), "{number}: {people} people and {secret}");
        assert!(restore(&files[1]).output().unwrap().status.success());
    }
}
