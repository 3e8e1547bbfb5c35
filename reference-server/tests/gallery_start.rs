//! A server that listens before all known faces are loaded: it answers, says how far it is, and recognizes nobody
//! until it knows everybody.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::marker::MarkerEngine;
use common::{DATABASE, GREEN, SECRET, Service, hosts, picture, without_a_gate};
use faceattend_core::store::{SqliteStore, TemplateKeys};
use faceattend_server::auth::Secret;
use faceattend_server::{AppState, Settings};
use rusqlite::Connection;
use serde_json::{Value, json};

const LOADING: &str = "The known faces are still being loaded: try again in a moment";
/// A session that nobody began.
const SESSION: &str = "4f7d9a3e-0c1b-4a52-9d86-2e7f5b1c8a90";
const RECOGNIZE: &str = "/api/v1/face/recognize";
/// Faces of another service, whose texts take long to read: many times as long as asking this server a few things.
const OTHERS: u64 = 20_000;

fn database(folder: &tempfile::TempDir) -> Connection {
    Connection::open(folder.path().join(DATABASE)).unwrap()
}

/// A school in which Asha is known, a camera is kept, and `others` have faces of another service.
async fn school(others: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let service = Service::start_in(folder, TemplateKeys::none(), |settings| settings).await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 1).await;
    assert_eq!(service.register("Asha", "R1", &session).await.status, 200);
    let camera = json!({ "camera_url": place.join("gate.avi"), "camera_location": "Gate" });
    assert_eq!(service.post("/api/v1/detection/start", &camera).await.status, 200);
    service.state.shut_down();
    let Service { folder, .. } = service;
    let text = format!("[{}1]", "1,".repeat(2000));
    database(&folder)
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO students (name, roll_number, embedding_vector) SELECT 'S' || i, 'S' || i, ?2 FROM n",
            (others.cast_signed(), text),
        )
        .unwrap();
    folder
}

/// A server over this database that does not wait for the known faces, asked by nobody yet.
fn listening_at_once(folder: tempfile::TempDir) -> Service {
    let store = Arc::new(SqliteStore::open(folder.path().join(DATABASE)).unwrap());
    let state = AppState::new(store.clone(), Arc::new(MarkerEngine::new()), settings(Duration::ZERO)).unwrap();
    Service { router: faceattend_server::app(state.clone()), state, store, folder, token: String::new() }
}

fn settings(within: Duration) -> Settings {
    Settings::new(Secret::new(SECRET).unwrap())
        .with_allowed_hosts(hosts())
        .with_live(without_a_gate())
        .with_threads(2)
        .with_gallery_within(within)
}

async fn ready_at_last(service: &Service) -> Value {
    for _ in 0..1200 {
        let answer = service.get("/ready").await;
        if answer.status == 200 {
            return answer.json();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the known faces were not loaded in two minutes");
}

async fn watched(service: &Service) -> Value {
    service.get("/api/v1/detection/status").await.json()["data"]["cameras"].clone()
}

#[tokio::test]
async fn a_large_site_is_answered_while_its_faces_are_loaded() {
    let service = listening_at_once(school(OTHERS).await);
    let mut ready = service.get("/ready").await;
    while ready.status == 503 && ready.json()["gallery"]["of"] == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        ready = service.get("/ready").await;
    }
    assert_eq!((ready.status.as_u16(), ready.header("retry-after")), (503, "5"), "{}", ready.text);
    let ready = ready.json();
    assert_eq!((&ready["status"], &ready["checks"]["database"]), (&json!("not ready"), &json!(true)));
    let progress = |key: &str| ready["gallery"][key].as_u64().unwrap();
    assert!(progress("of") > OTHERS && progress("loaded") < progress("of"), "{ready}");
    assert_eq!(service.get("/health").await.status, 200);
    let ready = ready_at_last(&service).await;
    assert_eq!((&ready["status"], ready.get("gallery")), (&json!("ready"), None));
    assert_eq!(ready["known_faces"], 1, "the faces of the other service name no model");
}

#[tokio::test]
async fn until_everybody_is_known_nobody_is_named_and_nobody_is_called_unknown() {
    let folder = school(0).await;
    let elsewhere = "ALTER TABLE student_templates RENAME TO elsewhere";
    database(&folder).execute_batch(elsewhere).unwrap();
    let open = SqliteStore::open(folder.path().join(DATABASE)).unwrap();
    // A start that waits is told why the faces cannot be read.
    assert!(AppState::new(Arc::new(open), Arc::new(MarkerEngine::new()), settings(Duration::from_secs(60))).is_err());
    let mut service = listening_at_once(folder);
    let admin = json!({ "username": "admin", "password": "admin123" });
    let tokens = service.post("/api/v1/auth/login", &admin).await.json();
    service.token = tokens["access_token"].as_str().unwrap().to_owned();
    for path in ["/health", "/api/v1/attendance/", "/api/v1/cameras"] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    let (face, nobody) = (picture(GREEN, 1), picture(GREEN, 9));
    let seen = json!({ "session_id": SESSION, "position": "center", "frame_data": face });
    let enrolled = json!({ "name": "Ben", "roll_number": "R2", "session_id": SESSION });
    let asked = [
        (RECOGNIZE, json!({ "image_data": face, "camera_source": "Gate" })),
        (RECOGNIZE, json!({ "image_data": nobody })),
        ("/api/v1/detection/frame", json!({ "image_data": face, "session_id": SESSION })),
        ("/api/v1/detection/start", json!({ "camera_source": "Browser" })),
        ("/api/v1/detection/start", json!({ "camera_url": "rtsp://10.0.0.9/1" })),
        ("/api/v1/detection/laptop-camera/start", json!({ "camera_index": 7 })),
        ("/api/v1/liveness/session", json!({})),
        ("/api/v1/liveness/detect", seen),
        ("/api/v1/liveness/register-student", enrolled),
    ];
    for (path, body) in &asked {
        let answer = service.post(path, body).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{path}: {}", answer.text);
        answer.is(503, LOADING);
    }
    service.get("/api/v1/students/look-alikes").await.is(503, LOADING);
    // Longer than the pause between two tries, and than a look at the kept cameras.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(service.get("/ready").await.status, 503);
    assert_eq!(watched(&service).await, json!({}), "no camera is opened before");

    database(&service.folder).execute_batch("ALTER TABLE elsewhere RENAME TO student_templates").unwrap();
    assert_eq!(ready_at_last(&service).await["known_faces"], 1);
    let found = service.post(RECOGNIZE, &asked[0].1).await.json();
    assert_eq!(found["data"]["matches"][0]["student_name"], "Asha", "{found}");
    assert_eq!(found["data"]["attendance_logs_created"], 1);
    assert_eq!(service.post(RECOGNIZE, &asked[1].1).await.json()["data"]["matches"], json!([]));
    assert_eq!(service.get("/api/v1/students/look-alikes").await.status, 200);
    for _ in 0..100 {
        if watched(&service).await != json!({}) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the camera that is kept is opened once everybody is known");
}

#[tokio::test]
async fn a_start_that_waits_knows_everybody_when_it_ends() {
    let service = Service::start_in(school(3).await, TemplateKeys::none(), |settings| settings).await;
    let ready = service.get("/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["known_faces"]), (200, &json!(1)));
    assert!(ready.json().get("gallery").is_none());
}
