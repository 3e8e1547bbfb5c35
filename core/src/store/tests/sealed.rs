//! Faces encrypted in a SQLite file: the contract with keys, what the file shows, conversion there and back, and what
//! happens without the key.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::*;
use super::contract::{at, completed, contract, embedding, enrolment};
use super::{EnrolUnchecked as _, files_hold};
use crate::error::ErrorKind;
use crate::types::StudentId;

fn keys() -> TemplateKeys {
    TemplateKeys::new(vec![TemplateKey::generate()])
}

fn empty() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open_with_keys(file_in(&folder), keys()).unwrap(), folder)
}

contract!(empty());

fn file_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("face_attendance.db")
}

/// A database with faces of every kind in it: ours, one of the existing service's, one with bytes only.
fn with_faces(path: &Path, keys: &TemplateKeys) -> (SqliteStore, Vec<StudentId>) {
    // Two of the faces are the existing service's, which has no key.
    let store = SqliteStore::open_with_keys(path, keys.clone().accepting_plain()).unwrap();
    let now = at("2026-03-02T08:00:00Z");
    let mut ids = Vec::new();
    for (n, seed) in [(1, 1.0), (2, 3.0)] {
        let session = completed(&store, None);
        ids.push(store.register_student(session, "A", &format!("R{n}"), &enrolment(seed), now).unwrap().id);
    }
    let later = NewAuditEntry {
        at: at("2026-05-02T08:00:00Z"),
        actor: "camera".into(),
        action: "template.seen".into(),
        subject: None,
        details: None,
    };
    let limits = SeenLimits { most: 1, every: jiff::SignedDuration::from_hours(24) };
    store.keep_seen_template(ids[0], &embedding(7.0), &limits, &later).unwrap();
    let db = Connection::open(path).unwrap();
    for (roll, columns) in [("R3", "NULL, '[0.25, 0.5, 0.75, 1.0]'"), ("R4", "x'0000803f00000040', NULL")] {
        ids.push(store.create_student("B", roll, now).unwrap().id);
        db.execute_batch(&format!(
            "UPDATE students SET (face_embedding, embedding_vector) = ({columns}) WHERE roll_number = '{roll}'"
        ))
        .unwrap();
    }
    completed(&store, None);
    (store, ids)
}

/// Everything that holds a face, as it lies there.
fn raw(path: &Path) -> Vec<Vec<Value>> {
    let db = Connection::open(path).unwrap();
    let mut all = Vec::new();
    for query in [
        "SELECT id, name, face_embedding, embedding_vector, model_version, updated_at FROM students ORDER BY id",
        "SELECT id, student_id, model_id, created_at, origin, embedding FROM student_templates ORDER BY id",
        "SELECT id, session_id, version, status, state, center_embedding, left_embedding, right_embedding,
             final_embedding, center_frame_data FROM liveness_detection_sessions ORDER BY id",
    ] {
        let mut statement = db.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
        all.extend(rows.map(std::result::Result::unwrap));
    }
    all
}

fn faces(store: &dyn Store, ids: &[StudentId]) -> Vec<(Vec<StoredTemplate>, Option<String>)> {
    ids.iter().map(|id| (store.templates_of(*id).unwrap(), store.embedding_json(*id).unwrap())).collect()
}

#[test]
fn the_file_holds_no_face_and_reads_like_a_plain_one() {
    let (plain_folder, sealed_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (plain, ids) = with_faces(&file_in(&plain_folder), &TemplateKeys::none());
    let (sealed, same) = with_faces(&file_in(&sealed_folder), &keys());
    assert_eq!(faces(&plain, &ids), faces(&sealed, &same));
    let bytes = embedding(1.0).to_bytes();
    let text = serde_json::json!(embedding(1.0).values()).to_string();
    for secret in [&bytes[..], text.as_bytes(), br#"{"done":true}"#] {
        assert!(files_hold(plain_folder.path(), secret), "or the next line shows nothing");
        assert!(!files_hold(sealed_folder.path(), secret));
    }
}

#[test]
fn a_database_is_encrypted_and_made_plain_again_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(&folder);
    let (store, ids) = with_faces(&path, &TemplateKeys::none());
    let (before, told) = (raw(&path), faces(&store, &ids));
    drop(store);
    let secrets = [embedding(1.0).to_bytes(), br#"{"done":true}"#.to_vec(), b"[0.25, 0.5, 0.75, 1.0]".to_vec()];
    assert!(secrets.iter().all(|secret| files_hold(folder.path(), secret)));

    let keys = keys();
    let store = SqliteStore::open_with_keys(&path, keys.clone().accepting_plain()).unwrap();
    assert_eq!(faces(&store, &ids), told, "plain rows are read with keys too, where that is said");
    let forms = store.template_forms().unwrap();
    assert!(forms.plain > 10 && forms.sealed.is_empty(), "{forms:?}");
    let mut looked_at = 0;
    let done = store.reseal_templates(&mut |rows| looked_at = rows).unwrap();
    assert_eq!((done.changed, done.unchanged, looked_at), (7, 0, 7));
    assert_eq!(done.damaged, Vec::<String>::new());
    let after = store.template_forms().unwrap();
    assert_eq!((after.plain, after.sealed[&keys.sealing_key().unwrap()]), (0, forms.plain));
    assert_eq!(faces(&store, &ids), told);
    assert_eq!(store.reseal_templates(&mut |_| {}).unwrap().changed, 0, "nothing is left to do");
    for secret in &secrets {
        assert!(!files_hold(folder.path(), secret), "neither in a row, nor in free space, nor in the log");
    }
    drop(store);

    let store = SqliteStore::open_with_keys(&path, keys.opening_only()).unwrap();
    assert_eq!(store.reseal_templates(&mut |_| {}).unwrap().changed, 7);
    assert_eq!(raw(&path), before);
    assert_eq!(faces(&SqliteStore::open(&path).unwrap(), &ids), told, "and no key is needed any more");
}

#[test]
fn a_key_is_replaced_while_others_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(&folder);
    let old = keys().accepting_plain();
    let (server, ids) = with_faces(&path, &old);
    let told = faces(&server, &ids);
    let both = old.clone().with_first(TemplateKey::generate());
    drop(server);
    let server = SqliteStore::open_with_keys(&path, both.clone()).unwrap();
    std::thread::scope(|scope| {
        let rotation = SqliteStore::open_with_keys(&path, both.clone()).unwrap();
        let rotating = scope.spawn(move || rotation.reseal_templates(&mut |_| {}).unwrap().changed);
        for seed in [5.0, 6.0, 7.0] {
            assert_eq!(faces(&server, &ids[..3]), told[..3]);
            server.replace_templates(ids[3], &[embedding(seed)], at("2026-03-02T09:00:00Z")).unwrap();
            assert_eq!(server.templates_of(ids[3]).unwrap().len(), 1);
        }
        assert!(rotating.join().unwrap() > 0);
    });
    let forms = server.template_forms().unwrap();
    assert_eq!(forms.sealed.keys().copied().collect::<Vec<_>>(), [both.sealing_key().unwrap()]);
    // The old key alone opens nothing any more, and says so.
    let error = SqliteStore::open_with_keys(&path, old).unwrap().templates_of(ids[0]).unwrap_err();
    assert!(error.to_string().contains(&both.sealing_key().unwrap().to_string()), "{error}");
}

#[test]
fn with_keys_a_plain_value_is_nobodys_face() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(&folder);
    let (keys, now) = (keys(), at("2026-03-02T08:00:00Z"));
    let store = SqliteStore::open_with_keys(&path, keys.clone()).unwrap();
    let session = completed(&store, None);
    let victim = store.register_student(session, "A", "R1", &enrolment(1.0), now).unwrap().id;
    let none_yet = store.create_student("B", "R2", now).unwrap().id;
    // Somebody who can write the file and has no key puts a face of its own under both names.
    let db = Connection::open(&path).unwrap();
    for student in [victim, none_yet] {
        db.execute(
            "INSERT INTO student_templates (student_id, model_id, embedding, created_at) VALUES (?1, 'm', ?2, ?3)",
            rusqlite::params![student.0, embedding(9.0).to_bytes(), "2026-03-02 08:00:00"],
        )
        .unwrap();
    }
    db.execute("UPDATE liveness_detection_sessions SET state = '{}' WHERE session_id = ?1", [session.to_string()])
        .unwrap();
    let planted = || {
        let mut seen = Vec::new();
        store
            .for_each_template(&mut |template| {
                seen.push(template.embedding);
                Ok(())
            })
            .unwrap();
        seen.contains(&StoredEmbedding::Tagged(embedding(9.0)))
    };
    assert!(!planted());
    assert_eq!((store.templates_of(victim).unwrap().len(), store.templates_of(none_yet).unwrap().len()), (2, 0));
    let refused = store.session(session).unwrap_err().to_string();
    assert!(refused.contains("not encrypted") && refused.contains("--accept-plain-faces"), "{refused}");
    // A conversion does not make it a good one, and names the rows.
    let done = store.reseal_templates(&mut |_| {}).unwrap();
    assert_eq!(
        done.damaged,
        [format!("students {victim}"), format!("students {none_yet}"), "liveness_detection_sessions 1".to_owned()]
    );
    assert!(!planted());
    let trusting = SqliteStore::open_with_keys(&path, keys.accepting_plain()).unwrap();
    assert_eq!(trusting.templates_of(none_yet).unwrap().len(), 1, "the operator may say otherwise");
}

#[test]
fn without_the_key_nobody_is_left_out_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(&folder);
    let (store, ids) = with_faces(&path, &keys());
    let session = completed(&store, None);
    drop(store);
    for wrong in [TemplateKeys::none(), keys()] {
        let store = SqliteStore::open_with_keys(&path, wrong).unwrap();
        let mut seen = 0;
        let errors = [
            store.for_each_template(&mut |_| {
                seen += 1;
                Ok(())
            }),
            store.templates_of(ids[0]).map(drop),
            store.embedding_json(ids[0]).map(drop),
            store.session(session).map(drop),
            store.reseal_templates(&mut |_| {}).map(drop),
        ];
        for error in errors.map(std::result::Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(error.to_string().contains("--template-key-file"), "{error}");
        }
        assert_eq!(seen, 0);
    }
}

#[test]
fn what_was_changed_or_swapped_is_nobodys_face() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(&folder);
    let keys = keys().accepting_plain();
    let (store, ids) = with_faces(&path, &keys);
    let db = Connection::open(&path).unwrap();
    // Somebody who can write the file gives one student the other's face.
    db.execute_batch(&format!(
        "UPDATE students SET face_embedding = (SELECT face_embedding FROM students WHERE id = {1}),
             embedding_vector = (SELECT embedding_vector FROM students WHERE id = {1}) WHERE id = {0};
         INSERT INTO student_templates (student_id, model_id, embedding, created_at)
             SELECT {0}, model_id, embedding, created_at FROM student_templates WHERE student_id = {1};",
        ids[0], ids[1]
    ))
    .unwrap();
    assert_eq!(store.templates_of(ids[0]).unwrap(), []);
    let error = store.embedding_json(ids[0]).unwrap_err().to_string();
    assert!(error.contains("was changed") && error.contains("students.embedding_vector"), "{error}");
    assert_eq!(store.templates_of(ids[1]).unwrap().len(), 2, "the other one is as it was");
    let mut people = Vec::new();
    store
        .for_each_template(&mut |template| {
            people.push(template.student);
            Ok(())
        })
        .unwrap();
    assert!(!people.contains(&ids[0]) && people.contains(&ids[1]));
    // And passes one off as another model's.
    db.execute("UPDATE student_templates SET model_id = 'other' WHERE student_id = ?1", [ids[1].0]).unwrap();
    assert_eq!(store.templates_of(ids[1]).unwrap(), []);
    db.execute("UPDATE student_templates SET model_id = 'm' WHERE student_id = ?1", [ids[1].0]).unwrap();
    assert_eq!(store.templates_of(ids[1]).unwrap().len(), 2);

    let session = completed(&store, None);
    let last = "(SELECT max(id) FROM liveness_detection_sessions)";
    db.execute_batch(&format!(
        "UPDATE liveness_detection_sessions SET state = (SELECT state FROM liveness_detection_sessions WHERE id = 1)
         WHERE id = {last}"
    ))
    .unwrap();
    assert!(store.session(session).unwrap_err().to_string().contains("was changed"));

    // A conversion leaves them and names them.
    drop(store);
    let next = keys.with_first(TemplateKey::generate());
    let store = SqliteStore::open_with_keys(&path, next).unwrap();
    let done = store.reseal_templates(&mut |_| {}).unwrap();
    assert_eq!(done.damaged.len(), 2, "{:?}", done.damaged);
    assert!(done.damaged.contains(&format!("students {}", ids[0])), "{:?}", done.damaged);
}

/// The child of the next test: encrypts a database until it is killed. Without the variable it has nothing to do.
#[test]
fn child_that_encrypts_until_it_is_killed() {
    let Some(path) = std::env::var_os("FACEATTEND_TEST_KILLED_CONVERSION") else { return };
    let path = PathBuf::from(path);
    let keys = TemplateKeys::read(&path.with_extension("keys")).unwrap().accepting_plain();
    let store = SqliteStore::open_with_keys(&path, keys).unwrap();
    store
        .reseal_templates(&mut |rows| {
            println!("converted {rows}");
            if rows >= 40 {
                // The parent kills here.
                std::thread::sleep(std::time::Duration::from_secs(60));
            }
        })
        .unwrap();
}

#[test]
fn a_conversion_that_is_killed_leaves_a_readable_database_and_goes_on() {
    use std::io::BufRead as _;
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(&folder);
    let store = SqliteStore::open(&path).unwrap();
    let now = at("2026-03-02T08:00:00Z");
    let mut ids = Vec::new();
    for n in 0..70_u8 {
        let id = store.create_student("A", &n.to_string(), now).unwrap().id;
        store.replace_templates(id, &[embedding(f32::from(n)), embedding(f32::from(n) + 0.5)], now).unwrap();
        ids.push(id);
    }
    let told = faces(&store, &ids);
    drop(store);
    let keys = keys();
    keys.write_new(&path.with_extension("keys")).unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::sealed::child_that_encrypts_until_it_is_killed", "--nocapture"])
        .env("FACEATTEND_TEST_KILLED_CONVERSION", &path)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.map_while(std::result::Result::ok) {
        if line.contains("converted 40") {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    let store = SqliteStore::open_with_keys(&path, keys.accepting_plain()).unwrap();
    let forms = store.template_forms().unwrap();
    assert!(forms.plain > 0 && forms.sealed.values().sum::<u64>() > 0, "half of it is done: {forms:?}");
    assert_eq!(faces(&store, &ids), told);
    assert_eq!(store.reseal_templates(&mut |_| {}).unwrap().changed, 30);
    assert_eq!((store.template_forms().unwrap().plain, faces(&store, &ids)), (0, told));
}
