//! Cameras as the API and its pages see them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use common::{BLACK, GREEN, Service, picture};
use faceattend_server::LiveEvent;
use serde_json::{Value, json};

async fn with_asha(service: &Service) -> Value {
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    service.register("Asha", "R1", &session).await.json()["data"]["student_id"].clone()
}

/// A folder of pictures of Asha, as a recording.
fn clip(service: &Service, pictures: usize) -> String {
    let folder = service.folder.path().join("clip");
    std::fs::create_dir(&folder).unwrap();
    let bytes = png(GREEN, 5);
    for at in 0..pictures {
        std::fs::write(folder.join(format!("{at:04}.png")), &bytes).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

fn png(pose: [u8; 3], identity: u8) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture(pose, identity)).unwrap()
}

#[tokio::test]
async fn a_browsers_pictures_have_to_agree_before_anybody_is_marked() {
    let service = Service::start().await;
    let asha = with_asha(&service).await;
    let started = service.post("/api/v1/detection/start", &json!({ "camera_source": "webcam" })).await.json();
    let session = started["session_id"].as_str().unwrap();
    let frame = async || {
        let body = json!({ "image_data": picture(GREEN, 5), "session_id": session });
        service.post("/api/v1/detection/frame", &body).await.json()
    };
    let first = frame().await;
    assert_eq!((&first["faces_detected"], &first["students_recognized"]), (&json!(1), &json!(0)), "{first}");
    assert_eq!(first["matches"][0]["student_id"], Value::Null);
    let second = frame().await;
    let found = &second["matches"][0];
    assert_eq!(
        (&found["student_id"], &found["student_name"], &found["roll_no"]),
        (&asha, &json!("Asha"), &json!("R1"))
    );
    assert_eq!(found["attendance_marked"], true, "{second}");
    assert_eq!(frame().await["matches"][0]["attendance_marked"], false, "once");
    let stopped = service.post("/api/v1/detection/stop", &json!({ "session_id": session })).await.json();
    assert_eq!(stopped["session_stats"]["frames_processed"], 3, "{stopped}");
    assert_eq!(stopped["session_stats"]["attendance_marked"], 1, "{stopped}");
    let again = json!({ "session_id": session, "image_data": picture(GREEN, 5) });
    service.post("/api/v1/detection/stop", &again).await.is(400, "Invalid session ID");
    service.post("/api/v1/detection/frame", &again).await.is(400, "Invalid session ID");
}

async fn upload(service: &Service, name: &str, bytes: &[u8]) -> common::Answer {
    let mut body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"frame.jpg\"\r\nContent-Type: \
         image/png\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = service
        .request("POST", "/api/v1/detection/process-frame")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
    service.raw(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_page_without_sessions_sends_files() {
    let service = Service::start().await;
    let asha = with_asha(&service).await;
    upload(&service, "frame", &png(GREEN, 5)).await;
    let second = upload(&service, "frame", &png(GREEN, 5)).await.json();
    assert_eq!((&second["faces_detected"], &second["students_recognized"]), (&json!(1), &json!(1)));
    let found = &second["recognized_students"][0];
    assert_eq!((&found["student_id"], found["bbox"].as_array().unwrap().len()), (&asha, 4));
    upload(&service, "frame", b"no picture").await.is(400, "Invalid image data");
    assert_eq!(upload(&service, "image", b"x").await.issues(), [("missing".to_owned(), json!(["body", "frame"]))]);
    let no_form = service.post("/api/v1/detection/process-frame", &json!({})).await;
    assert_eq!(no_form.status, 422, "{}", no_form.text);
    let mut nobody = service;
    nobody.token.clear();
    upload(&nobody, "frame", &png(GREEN, 5)).await.is(401, "Not authenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_told_as_it_happens() {
    let service = Service::start().await;
    with_asha(&service).await;
    let mut events = service.state.events().subscribe();
    let url = clip(&service, 60);
    service.post("/api/v1/detection/start", &json!({ "camera_url": url, "camera_location": "Gate" })).await;
    let (mut marks, mut states, mut updates) = (0, Vec::new(), 0);
    let told = async {
        while !states.contains(&"stopped") {
            match &*events.recv().await.unwrap() {
                LiveEvent::AttendanceMarked { student_name, camera_location, .. } => {
                    assert_eq!((student_name.as_str(), camera_location.as_deref()), ("Asha", Some("Gate")));
                    marks += 1;
                }
                LiveEvent::CameraState { camera, state, .. } => {
                    assert_eq!(*camera, url);
                    states.push(*state);
                }
                LiveEvent::DetectionUpdate { faces, .. } => {
                    assert!(faces.len() <= 1, "{faces:?}");
                    updates += 1;
                }
                LiveEvent::SecondLook { .. } => panic!("nobody is doubted"),
                LiveEvent::SpoofSuspected { .. } | LiveEvent::LogLine { .. } | LiveEvent::StatusesChanged { .. } => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
    assert_eq!((marks, states.contains(&"running")), (1, true), "{states:?}");
    assert!((1..=4).contains(&updates), "told when it changes, not with every picture: {updates}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_pictures_to_who_has_a_token_and_only_if_it_is_on() {
    let service = Service::start_with(|settings| {
        let live = settings.live.clone().with_preview(true);
        settings.with_live(live)
    })
    .await;
    with_asha(&service).await;
    let url = clip(&service, 500);
    service.post("/api/v1/detection/start", &json!({ "camera_url": url })).await;
    let status = service.get("/api/v1/detection/status").await.json();
    let camera = &status["data"]["cameras"][&url];
    assert_eq!(camera["preview"], true, "{status}");
    let path = format!("/api/v1/detection/preview/{}.mjpeg", camera["id"]);
    let request = service.request("GET", &path).body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(service.router.clone(), request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "multipart/x-mixed-replace; boundary=frame");
    let mut parts = response.into_body().into_data_stream();
    let next = tokio_stream::StreamExt::next(&mut parts);
    let part = tokio::time::timeout(Duration::from_secs(60), next).await.unwrap().unwrap().unwrap();
    let jpeg = part.windows(2).position(|pair| pair == [0xff, 0xd8]).expect("a JPEG in the part");
    assert!(image::load_from_memory(&part[jpeg..]).is_ok());
    drop(parts);
    assert_eq!(service.get("/api/v1/detection/preview/999999.mjpeg").await.status, 404);
    assert_eq!(service.get("/api/v1/detection/preview/x.jpg").await.status, 404);
    service.post("/api/v1/detection/stop-all", &json!({})).await;

    let mut off = Service::start().await;
    off.get(&path).await.is(404, "Previews are turned off");
    off.token.clear();
    off.get(&path).await.is(401, "Not authenticated");
}

#[tokio::test]
async fn a_cameras_password_is_told_to_nobody() {
    let service = Service::start().await;
    let start = json!({ "camera_url": "rtsp://admin:S3CRET@127.0.0.1:1/live" });
    let started = service.post("/api/v1/detection/start", &start).await;
    let status = service.get("/api/v1/detection/status").await;
    for answer in [&started, &status] {
        assert!(answer.text.contains("rtsp://admin:***@127.0.0.1:1/live"), "{}", answer.text);
        assert!(!answer.text.contains("S3CRET"), "{}", answer.text);
    }
    // What the status shows stops it.
    let stop = json!({ "camera_url": "rtsp://admin:***@127.0.0.1:1/live" });
    service.post("/api/v1/detection/stop", &stop).await;
    assert_eq!(service.get("/api/v1/detection/status").await.json()["data"]["total_cameras"], 0);
}

#[tokio::test]
async fn the_laptops_camera_is_started_switched_and_stopped_by_its_number() {
    let service = Service::start().await;
    let laptop = |what: &str| format!("/api/v1/detection/laptop-camera/{what}");
    let empty = service.get(&laptop("status")).await.json();
    assert_eq!(empty["data"], json!({}));
    let nothing = async |what: &str| {
        let request = service.request("POST", &laptop(what)).header(header::CONTENT_TYPE, "application/json");
        service.raw(request.body(Body::empty()).unwrap()).await
    };
    nothing("stop").await.is(404, "No laptop camera processor found for index: 0");
    let one = json!({ "camera_index": 1 });
    service.post(&laptop("switch"), &one).await.is(404, "No running laptop camera processor found");
    let started = nothing("start").await.json();
    assert_eq!(
        (&started["data"]["camera_index"], &started["data"]["camera_location"]),
        (&json!(0), &json!("Laptop Camera"))
    );
    let info = service.get(&laptop("info")).await.json();
    assert_eq!((&info["data"]["status"], &info["data"]["current_camera"]), (&json!("running"), &json!(0)));
    let switched = service.post(&laptop("switch"), &one).await.json();
    assert_eq!(switched["message"], "Switched to laptop camera index: 1");
    let status = service.get(&laptop("status")).await.json();
    assert_eq!((&status["data"]["0"]["running"], &status["data"]["1"]["running"]), (&json!(false), &json!(true)));
    assert_eq!(nothing("stop").await.status, 200, "the one it began with");
    assert_eq!(service.post(&laptop("stop?camera_index=1"), &json!({})).await.status, 200);
    let wrong = service.post(&laptop("stop"), &json!({ "camera_index": "abc" })).await;
    assert_eq!(wrong.issues(), [("int_parsing".to_owned(), json!(["body", "camera_index"]))]);
}

#[tokio::test]
async fn a_black_picture_shows_nobody() {
    let service = Service::start().await;
    let answer = upload(&service, "frame", &png(BLACK, 0)).await.json();
    assert_eq!((&answer["faces_detected"], &answer["recognized_students"]), (&json!(0), &json!([])));
}
