//! The cameras that an operator has watched are watched again after the server ended, however it ended.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a server says to its test where it listens")]

mod common;
mod several {
    #![allow(unreachable_pub, dead_code, reason = "a part of this test")]
    pub mod camera;
}

use std::time::Duration;

use common::server_process::{ServerProcess, serve_cameras_if_started};
use common::{GREEN, Service, eventually, without_a_gate};
use faceattend_core::camera::CameraAccess;
use faceattend_core::store::prelude::*;
use faceattend_core::store::{TemplateKey, TemplateKeys};
use serde_json::{Value, json};
use several::camera::NetworkCamera;

const START: &str = "/api/v1/detection/start";
const STOP: &str = "/api/v1/detection/stop";
const CAMERAS: &str = "/api/v1/cameras";

#[test]
#[ignore = "the server that the other tests start"]
fn the_server() {
    serve_cameras_if_started();
}

fn url_of(camera: &NetworkCamera) -> String {
    format!("http://user:S3CRET@127.0.0.1:{}/cam.mjpeg", camera.port)
}

fn shown(camera: &NetworkCamera) -> String {
    url_of(camera).replace("S3CRET", "***")
}

/// Asks a server of a process of its own.
fn ask(server: &ServerProcess, token: &str, method: &str, path: &str, body: &Value) -> Value {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", server.address()))
        .header("Content-Type", "application/json")
        .header("Authorization", format!("Bearer {token}"));
    let answer = if body.is_null() {
        agent.run(request.body(()).unwrap())
    } else {
        agent.run(request.body(body.to_string()).unwrap())
    };
    let text = answer.unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
}

fn log_in(server: &ServerProcess) -> String {
    let admin = json!({ "username": "admin", "password": "admin123" });
    ask(server, "", "POST", "/api/v1/auth/login", &admin)["access_token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn kept(service: &Service) -> Vec<Value> {
    service.get(CAMERAS).await.json()["data"]["cameras"].as_array().unwrap().clone()
}

async fn watched(service: &Service) -> Value {
    service.get("/api/v1/detection/status").await.json()["data"]["cameras"].clone()
}

/// The same service after it has ended as on a SIGTERM.
async fn started_again(service: Service, keys: TemplateKeys) -> Service {
    let Service { state, folder, router, store, .. } = service;
    tokio::task::spawn_blocking(move || state.shut_down()).await.unwrap();
    drop((router, store));
    Service::start_in(folder, keys, |settings| settings.with_live(without_a_gate())).await
}

async fn service(keys: TemplateKeys) -> Service {
    Service::start_in(tempfile::tempdir().unwrap(), keys, |settings| settings.with_live(without_a_gate())).await
}

#[test]
fn a_camera_is_watched_again_after_a_kill_and_one_that_was_stopped_is_not() {
    let [gate, door] = [NetworkCamera::start(GREEN, 5), NetworkCamera::start(GREEN, 6)];
    let folder = tempfile::tempdir().unwrap();
    let order = folder.path().to_str().unwrap();
    let server = ServerProcess::start("the_server", order);
    let token = log_in(&server);
    for (camera, place) in [(&gate, "Gate"), (&door, "Door")] {
        let start = json!({ "camera_url": url_of(camera), "camera_location": place });
        assert_eq!(ask(&server, &token, "POST", START, &start)["success"], true);
    }
    until("both are watched", || gate.watchers() == 1 && door.watchers() == 1);
    assert_eq!(ask(&server, &token, "POST", STOP, &json!({ "camera_url": shown(&door) }))["success"], true);
    server.kill();
    until("it is dead", || gate.watchers() == 0);

    for _ in 0..2 {
        let server = ServerProcess::start("the_server", order);
        until("it is watched again", || gate.watchers() == 1);
        let token = log_in(&server);
        let status = ask(&server, &token, "GET", "/api/v1/detection/status", &Value::Null)["data"]["cameras"].clone();
        assert_eq!(status.as_object().unwrap().len(), 1, "{status}");
        assert_eq!(status[shown(&gate)]["camera_location"], "Gate");
        let list = ask(&server, &token, "GET", CAMERAS, &Value::Null)["data"]["cameras"].clone();
        assert_eq!((&list[0]["name"], &list[0]["paused"]), (&json!("Door"), &json!(true)));
        assert_eq!((&list[1]["name"], &list[1]["paused"]), (&json!("Gate"), &json!(false)));
        assert!(!list.to_string().contains("S3CRET"), "{list}");
        server.kill();
        until("it is dead", || gate.watchers() == 0);
    }
    assert_eq!((door.most_watchers(), gate.most_watchers()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_is_watched_again_after_the_server_was_told_to_end_and_its_password_is_sealed() {
    let camera = NetworkCamera::start(GREEN, 5);
    let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    let first = service(keys.clone()).await;
    let start = json!({ "camera_url": url_of(&camera), "camera_location": "Gate", "orientation": 180, "mirror": true });
    assert_eq!(first.post(START, &start).await.status, 200);
    eventually("it is watched", async || camera.watchers() == 1).await;
    let second = started_again(first, keys).await;
    eventually("it is watched again", async || camera.watchers() == 1).await;
    let status = watched(&second).await[shown(&camera)].clone();
    let mounting = (&status["camera_location"], &status["orientation"], &status["mirror"]);
    assert_eq!(mounting, (&json!("Gate"), &json!(180), &json!(true)));
    for entry in std::fs::read_dir(second.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"S3CRET"), "a file holds the password");
    }

    // Without the key the camera is named, and another is watched all the same.
    let other = NetworkCamera::start(GREEN, 6);
    let plain = format!("http://127.0.0.1:{}/cam.mjpeg", other.port);
    assert_eq!(second.post(START, &json!({ "camera_url": plain, "camera_location": "Door" })).await.status, 200);
    eventually("both are watched", async || other.watchers() == 1).await;
    let wrong = started_again(second, TemplateKeys::new(vec![TemplateKey::generate()])).await;
    eventually("the other is watched again", async || other.watchers() == 1).await;
    eventually("the reason is told", async || kept(&wrong).await[1]["problem"].is_string()).await;
    let gate = kept(&wrong).await[1].clone();
    assert_eq!((&gate["name"], &gate["status"]), (&json!("Gate"), &Value::Null));
    let problem = gate["problem"].as_str().unwrap();
    assert!(problem.contains("\"Gate\"") && problem.contains("--template-key-file"), "{problem}");
    // A camera sees that its watcher has gone when it sends the next picture.
    eventually("it is watched no more", async || camera.watchers() == 0).await;
    // The password typed again makes it good.
    let path = format!("{CAMERAS}/{}", gate["camera_id"]);
    let again = json!({ "name": "Gate", "camera_url": gate["camera_url"], "password": "S3CRET" });
    let changed = wrong.send("PUT", &path, &again).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    eventually("it is watched again", async || camera.watchers() == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_is_added_changed_paused_and_removed_and_the_audit_log_tells_it() {
    let camera = NetworkCamera::start(GREEN, 5);
    let service = service(TemplateKeys::none()).await;
    let address = format!("http://127.0.0.1:{}/cam.mjpeg", camera.port);
    let new = json!({
        "name": "Gate", "camera_url": address, "user": "user", "password": "S3CRET", "camera_location": "North",
        "gate": "observe",
    });
    let made = service.post(CAMERAS, &new).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let made = made.json()["data"].clone();
    assert_eq!((&made["camera_url"], &made["has_password"]), (&json!(shown(&camera)), &json!(true)));
    let path = format!("{CAMERAS}/{}", made["camera_id"]);
    eventually("it is watched", async || camera.watchers() == 1).await;
    eventually("its state is listed", async || kept(&service).await[0]["status"]["state"] == "running").await;

    // The password stays as it is, and the camera is started anew with what is new.
    let changed =
        json!({ "name": "Main gate", "camera_url": shown(&camera), "camera_location": "South", "orientation": 90 });
    let answer = service.send("PUT", &path, &changed).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    eventually("it runs in its new place", async || {
        let status = watched(&service).await[shown(&camera)].clone();
        status["camera_location"] == "South" && status["orientation"] == 90 && camera.watchers() == 1
    })
    .await;
    let elsewhere = json!({ "name": "Main gate", "camera_url": "http://user:***@127.0.0.1:1/cam.mjpeg" });
    let refused = service.send("PUT", &path, &elsewhere).await;
    assert_eq!(refused.status, 400, "the password goes to no other host: {}", refused.text);

    // Another camera with its name, in whatever case, or with its address.
    for taken in [
        json!({ "name": "MAIN GATE", "camera_url": "0", "paused": true }),
        json!({ "name": "Other", "camera_url": address, "user": "user", "password": "x", "paused": true }),
    ] {
        service.post(CAMERAS, &taken).await.is(409, "A camera with this name or this address is there already");
    }

    assert_eq!(service.post(&format!("{path}/pause"), &json!({})).await.status, 200);
    eventually("it is watched no longer", async || camera.watchers() == 0).await;
    assert_eq!(watched(&service).await, json!({}));
    let service = started_again(service, TemplateKeys::none()).await;
    assert_eq!(kept(&service).await[0]["paused"], true);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(camera.watchers(), 0, "what is paused stays paused");
    assert_eq!(service.post(&format!("{path}/resume"), &json!({})).await.status, 200);
    eventually("it is watched again", async || camera.watchers() == 1).await;
    assert_eq!(service.send("DELETE", &path, &json!({})).await.status, 200);
    eventually("it is watched no longer", async || camera.watchers() == 0).await;
    assert_eq!(kept(&service).await, [] as [Value; 0]);
    service.send("DELETE", &path, &json!({})).await.is(404, "Camera not found");

    let audit = service.get("/api/v1/audit").await;
    assert!(!audit.text.contains("S3CRET"), "{}", audit.text);
    let entries = audit.json()["items"].clone();
    let told: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"].as_str().unwrap().contains("/cameras"))
        .map(|entry| (entry["action"].as_str().unwrap(), entry["details"].as_str().unwrap_or_default()))
        .collect();
    let at = shown(&camera);
    assert_eq!(
        told,
        [
            ("DELETE /api/v1/cameras/{camera_id}", format!("Main gate: {at} at South").as_str()),
            ("POST /api/v1/cameras/{camera_id}/resume", format!("Main gate: {at} at South").as_str()),
            ("POST /api/v1/cameras/{camera_id}/pause", format!("Main gate: {at} at South").as_str()),
            (
                "PUT /api/v1/cameras/{camera_id}",
                format!("name, location, mounting, gate of Main gate: {at} at South").as_str()
            ),
            ("POST /api/v1/cameras", format!("Gate: {at} at North").as_str()),
        ]
    );
    assert_eq!(entries[0]["subject"], format!("camera_id {}", made["camera_id"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_is_tried_before_it_is_kept() {
    let camera = NetworkCamera::start(GREEN, 5);
    let service = service(TemplateKeys::none()).await;
    let address = format!("http://127.0.0.1:{}/cam.mjpeg", camera.port);
    let test = format!("{CAMERAS}/test");
    let tried = service.post(&test, &json!({ "camera_url": address, "orientation": 90 })).await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    let tried = tried.json()["data"].clone();
    assert_eq!((&tried["works"], &tried["width"], &tried["height"]), (&json!(true), &json!(64), &json!(64)));
    let rate = tried["frames_per_second"].as_f64().unwrap();
    assert!((3.0..20.0).contains(&rate), "{rate}");
    assert!(tried["picture"].as_str().unwrap().starts_with("data:image/jpeg;base64,"));
    assert_eq!((kept(&service).await.len(), watched(&service).await), (0, json!({})), "nothing is kept or watched");
    assert_eq!(camera.most_watchers(), 1);

    let nobody = service.post(&test, &json!({ "camera_url": "http://user:S3CRET@127.0.0.1:1/cam.mjpeg" })).await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["data"]["works"]), (200, &json!(false)), "{}", nobody.text);
    assert!(nobody.json()["data"]["reason"].is_string() && !nobody.text.contains("S3CRET"), "{}", nobody.text);
    let bad = service.post(&test, &json!({ "camera_url": "gopher://user:S3CRET@host/1" })).await;
    assert!(bad.status == 400 && !bad.text.contains("S3CRET"), "{}", bad.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_keeps_and_tries_what_an_operator_may_start() {
    let camera = NetworkCamera::start(GREEN, 5);
    let access = CameraAccess::default();
    let folder = tempfile::tempdir().unwrap();
    let live = without_a_gate().with_camera_access(access);
    let admin = Service::start_in(folder, TemplateKeys::none(), |settings| settings.with_live(live)).await;
    let (operator, viewer) = (admin.account("op", "operator").await, admin.account("vi", "viewer").await);
    let there = admin.folder.path().join("there.avi");
    std::fs::write(&there, b"x").unwrap();
    let refusal = "This camera or recording is not there, or only an admin may start it";
    for url in [there.to_str().unwrap(), "/not/there.avi", "http://127.0.0.1:1/cam.mjpeg"] {
        operator.post(&format!("{CAMERAS}/test"), &json!({ "camera_url": url })).await.is(403, refusal);
        operator.post(CAMERAS, &json!({ "name": "X", "camera_url": url })).await.is(403, refusal);
    }
    // What an admin keeps, an operator pauses, resumes, renames and tries, and points nowhere else.
    let made = admin.post(CAMERAS, &json!({ "name": "Gate", "camera_url": url_of(&camera), "paused": true })).await;
    let path = format!("{CAMERAS}/{}", made.json()["data"]["camera_id"]);
    let renamed = json!({ "name": "Door", "camera_url": shown(&camera) });
    assert_eq!(operator.send("PUT", &path, &renamed).await.status, 200);
    let id = &made.json()["data"]["camera_id"];
    let tried =
        operator.post(&format!("{CAMERAS}/test"), &json!({ "camera_id": id, "camera_url": shown(&camera) })).await;
    assert_eq!(tried.json()["data"]["works"], true, "{}", tried.text);
    let elsewhere = json!({ "name": "Door", "camera_url": "http://127.0.0.1:1/cam.mjpeg" });
    operator.send("PUT", &path, &elsewhere).await.is(403, refusal);
    assert_eq!(operator.post(&format!("{path}/resume"), &json!({})).await.status, 200);
    eventually("it is watched", async || camera.watchers() == 1).await;
    let list = viewer.get(CAMERAS).await;
    assert!(list.status == 200 && !list.text.contains("S3CRET"), "{}", list.text);
    assert_eq!(viewer.post(&format!("{path}/pause"), &json!({})).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_server_tells_what_it_still_needs() {
    let service = service(TemplateKeys::none()).await;
    let told = async || service.get("/api/v1/first-run").await.json()["data"].clone();
    let at_first = told().await;
    assert_eq!((&at_first["password_changed"], &at_first["cameras"]), (&json!(false), &json!(0)));
    assert_eq!((&at_first["people"], &at_first["time_zone"]), (&json!(0), &json!("UTC")));
    service.post(CAMERAS, &json!({ "name": "Gate", "camera_url": "0", "paused": true })).await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    service.register("Asha", "R1", &session).await;
    let later = told().await;
    assert_eq!((&later["cameras"], &later["people"]), (&json!(1), &json!(1)));
    let operator = service.account("op", "operator").await;
    assert_eq!(operator.get("/api/v1/first-run").await.status, 403);
    let second = service.account("boss", "admin").await;
    let changed = second.send("PUT", "/api/v1/auth/users/admin", &json!({ "password": "correct horse" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(second.get("/api/v1/first-run").await.json()["data"]["password_changed"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_was_watched_to_its_end_is_not_played_again() {
    let service = service(TemplateKeys::none()).await;
    let folder = service.folder.path().join("clip");
    std::fs::create_dir(&folder).unwrap();
    for number in 0..3 {
        image::RgbImage::from_pixel(64, 64, image::Rgb([0, 255, 0]))
            .save(folder.join(format!("{number}.png")))
            .unwrap();
    }
    let url = folder.to_str().unwrap().to_owned();
    assert_eq!(service.post(START, &json!({ "camera_url": url })).await.status, 200);
    eventually("it ends", async || kept(&service).await[0]["paused"] == true).await;
    assert_eq!(watched(&service).await[&url]["state"], "stopped", "it stays listed, as recorded");
    assert_eq!(kept(&service).await[0]["changed_by"], "end of the recording");
    let again = started_again(service, TemplateKeys::none()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(watched(&again).await, json!({}));
    assert_eq!(again.store.kept_cameras().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_every_camera_keeps_them_paused_and_a_laptop_camera_is_kept_too() {
    let camera = NetworkCamera::start(GREEN, 5);
    let service = service(TemplateKeys::none()).await;
    service.post(START, &json!({ "camera_url": url_of(&camera) })).await;
    service.post("/api/v1/detection/laptop-camera/start?camera_index=7", &json!({})).await;
    let laptop = async |service: &Service| {
        service.get("/api/v1/detection/laptop-camera/status").await.json()["data"].as_object().unwrap().len()
    };
    assert_eq!(laptop(&service).await, 1);
    let service = started_again(service, TemplateKeys::none()).await;
    eventually("both are started again", async || camera.watchers() == 1 && laptop(&service).await == 1).await;
    service.post("/api/v1/detection/stop-all", &json!({})).await;
    let paused: Vec<_> = kept(&service).await.iter().map(|camera| camera["paused"].clone()).collect();
    assert_eq!(paused, [true, true]);
    let service = started_again(service, TemplateKeys::none()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((camera.watchers(), laptop(&service).await), (0, 0));
}
