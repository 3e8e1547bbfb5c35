//! More cameras than a server may watch, and far more than it has threads for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a server says to its test where it listens")]

mod common;
mod several {
    #![allow(unreachable_pub, dead_code, reason = "a part of this test")]
    pub mod camera;
}

use std::net::TcpListener;
use std::num::NonZero;
use std::time::{Duration, Instant};

use common::server_process::{ServerProcess, serve_cameras_if_started};
use common::{DATABASE, GREEN, Service, eventually, without_a_gate};
use faceattend_core::store::prelude::*;
use faceattend_core::store::{CameraGroup, CameraReach, CameraSettings, NewKeptCamera, SqliteStore, TemplateKeys};
use serde_json::{Value, json};
use several::camera::NetworkCamera;

const START: &str = "/api/v1/detection/start";
const CAMERAS: &str = "/api/v1/cameras";
/// As many as a database keeps.
const MANY: usize = 1000;

#[test]
#[ignore = "the server that the other tests start"]
fn the_server() {
    serve_cameras_if_started();
}

async fn service_with_room(folder: tempfile::TempDir, cameras: usize) -> Service {
    let live = without_a_gate().with_max_cameras(NonZero::new(cameras));
    Service::start_in(folder, TemplateKeys::none(), |settings| settings.with_live(live)).await
}

/// What keeps each kept camera from being watched, by name.
async fn problems(service: &Service) -> Vec<(String, Option<String>)> {
    let answer = service.get(CAMERAS).await.json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let item = |camera: &Value| (text(&camera["name"]).unwrap(), text(&camera["problem_code"]));
    answer["data"]["cameras"].as_array().unwrap().iter().map(item).collect()
}

fn named(problems: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    problems.iter().map(|(name, code)| ((*name).to_owned(), code.map(str::to_owned))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_without_room_is_refused_with_what_to_do_and_a_kept_one_waits() {
    let service = service_with_room(tempfile::tempdir().unwrap(), 2).await;
    let all = [1, 2, 3].map(|identity| NetworkCamera::start(GREEN, identity));
    let address = |camera: &NetworkCamera| format!("http://127.0.0.1:{}/cam.mjpeg", camera.port);
    let [a, b, c] = [&all[0], &all[1], &all[2]];
    let start = |camera, place| json!({ "camera_url": address(camera), "camera_location": place });
    for (camera, place) in [(a, "A"), (b, "B")] {
        assert_eq!(service.post(START, &start(camera, place)).await.status, 200);
    }
    let refused = service.post(START, &start(c, "C")).await;
    refused.is(
        409,
        "Cameras: this server watches 2 cameras, as many as it may: stop or pause one, raise --max-cameras, or let \
         another server share them (--server-name)",
    );
    let laptop = service.post("/api/v1/detection/laptop-camera/start", &json!({ "camera_index": 77 })).await;
    assert_eq!(laptop.status, 409, "{}", laptop.text);
    assert_eq!(problems(&service).await, named(&[("A", None), ("B", None)]), "what is refused is not kept");
    // One that runs goes on, and may be mounted otherwise.
    let turned = json!({ "camera_url": address(b), "camera_location": "B", "orientation": 180 });
    assert_eq!(service.post(START, &turned).await.status, 200);

    let kept = service.post(CAMERAS, &json!({ "name": "C", "camera_url": address(c), "camera_location": "C" })).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    let item = kept.json()["data"].clone();
    assert_eq!((&item["problem_code"], &item["status"]), (&json!("no_room"), &Value::Null), "{item}");
    assert!(item["problem"].as_str().unwrap().contains("raise --max-cameras"), "{item}");
    assert_eq!(c.most_watchers(), 0);

    // The first that makes room is followed by the one that waits.
    let first = service.get(CAMERAS).await.json()["data"]["cameras"][0]["camera_id"].clone();
    assert_eq!(service.post(&format!("{CAMERAS}/{first}/pause"), &json!({})).await.status, 200);
    eventually("the one that waited is watched", async || c.watchers() == 1).await;
    assert_eq!(problems(&service).await, named(&[("A", None), ("B", None), ("C", None)]));
    assert_eq!(service.post(&format!("{CAMERAS}/{first}/resume"), &json!({})).await.status, 200);
    assert_eq!(problems(&service).await, named(&[("A", Some("no_room")), ("B", None), ("C", None)]));

    // A server with less room keeps the whole list, and watches what it has room for.
    let Service { state, folder, router, store, .. } = service;
    tokio::task::spawn_blocking(move || state.shut_down()).await.unwrap();
    drop((router, store));
    let again = service_with_room(folder, 1).await;
    eventually("one is watched", async || all.iter().filter(|camera| camera.watchers() > 0).count() == 1).await;
    let expected = named(&[("A", None), ("B", Some("no_room")), ("C", Some("no_room"))]);
    eventually("the others say why not", async || problems(&again).await == expected).await;
}

/// Every address is wrong: nothing listens there.
#[test]
#[cfg(target_os = "linux")]
fn a_thousand_kept_cameras_neither_hold_a_thread_each_nor_keep_the_server_from_answering() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let store = SqliteStore::open(folder.path().join(DATABASE)).unwrap();
    for number in 0..MANY {
        let name = Some(format!("Camera {number}"));
        let address = format!("http://127.0.0.1:{free}/{number}.mjpeg");
        let new = NewKeptCamera {
            group: CameraGroup::Usual,
            only_at: None,
            settings: CameraSettings { name, ..CameraSettings::at(&address) },
            reach: CameraReach::Anywhere,
            paused: false,
            by: "admin".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        store.keep_camera(&new).unwrap();
    }
    drop(store);
    let server = ServerProcess::start("the_server", folder.path().to_str().unwrap());
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).build().into();
    let ask = |path: &str, token: &str| {
        let request = agent.get(format!("http://{}{path}", server.address())).header("Authorization", token);
        let text = request.call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let (mut threads, mut slowest) = (0, Duration::ZERO);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        let sent = Instant::now();
        assert_eq!(ask("/health", "")["status"], "healthy");
        slowest = slowest.max(sent.elapsed());
        threads = threads.max(std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap().count());
        std::thread::sleep(Duration::from_millis(50));
    }
    // Those that open cameras are 16; the rest are the runtime's, the database's and the server's own.
    assert!(threads < 64, "{threads} threads");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    println!("{MANY} kept cameras: {threads} threads, the slowest health check {slowest:?}");

    let login = json!({ "username": "admin", "password": "admin123" }).to_string();
    let request = agent.post(format!("http://{}/api/v1/auth/login", server.address()));
    let mut answer = request.header("Content-Type", "application/json").send(login).unwrap();
    let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let token = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let kept = ask(CAMERAS, &token)["data"]["cameras"].clone();
    let kept = kept.as_array().unwrap();
    let waiting = kept.iter().filter(|camera| camera["problem_code"] == "no_room").count();
    assert_eq!((kept.len(), waiting), (MANY, MANY - 64), "the whole list is kept, and 64 are tried");
    let failing = kept.iter().filter(|camera| camera["status"]["last_error"].to_string().contains("refused")).count();
    assert_eq!(failing, 64);
}
