//! Marks at a gate, with the real engine and real pictures: nobody is marked by a photograph, whichever way it comes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header;
use base64::Engine as _;
use common::Service;
use faceattend_core::Engine;
use faceattend_core::camera::{CameraSource, OpenOptions, open};
use faceattend_core::engine::Antispoof;
use faceattend_core::frame::Frame;
use faceattend_core::gate::GatePolicy;
use faceattend_core::store::prelude::*;
use faceattend_core::store::{AttendanceFilter, Page, SecondLookFilter, TemplateKeys};
use faceattend_server::{GateSettings, LiveSettings, Settings, SinglePictures};
use jiff::SignedDuration;
use serde_json::{Value, json};

fn media(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/media/hopper").join(file)
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A photograph of the person, as a file.
fn photograph() -> Vec<u8> {
    std::fs::read(media("center.jpg")).unwrap()
}

/// Pictures of a head that turns, ten a second, each as a file.
fn turning() -> Vec<Vec<u8>> {
    let path = media("turn.avi");
    let mut source = open(&CameraSource::parse(path.to_str().unwrap()).unwrap(), &OpenOptions::default()).unwrap();
    let every = (0.1 / source.frame_interval().unwrap().as_secs_f64()).round().max(1.0) as usize;
    let mut pictures = Vec::new();
    for number in 0.. {
        let Some(frame) = source.next_frame().unwrap() else { break };
        if number % every == 0 {
            pictures.push(png(&frame));
        }
    }
    pictures
}

fn png(frame: &Frame<'_>) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(frame.width(), frame.height(), |x, y| image::Rgb(frame.rgb(x, y).unwrap()));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A service with the real engine and the default gate, which waits a second, and the id of a registered person.
async fn gate(change: impl FnOnce(GateSettings) -> GateSettings) -> (Service, Value) {
    let engine = Engine::builder().with_antispoof(Antispoof::Off).build().unwrap();
    let settings = |settings: Settings| {
        let gate = change(GateSettings::default().with_wait(SignedDuration::from_secs(1)));
        settings.with_live(LiveSettings::default().with_gate(gate))
    };
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start_on(Arc::new(engine), folder, TemplateKeys::none(), settings).await;
    let session = service.begin(&json!({})).await;
    // The API takes pictures as a mirror shows them, and the sample media are not mirrored.
    for (position, file) in [("center", "center"), ("left", "right"), ("right", "left")] {
        let picture = base64(&std::fs::read(media(&format!("{file}.jpg"))).unwrap());
        let answer = service.frame(&session, position, &picture).await.json();
        assert_eq!(answer["is_live"], true, "{answer}");
    }
    let student = service.register("Grace Hopper", "R1", &session).await.json()["data"]["student_id"].clone();
    assert!(student.is_i64(), "{student}");
    (service, student)
}

fn marks(service: &Service) -> u64 {
    service.store.attendance_summary(&AttendanceFilter::default()).unwrap().total
}

/// Sends pictures of a browser's camera, with `every` between; returns the last answer.
async fn browse(service: &Service, pictures: impl Iterator<Item = Vec<u8>>, every: Duration) -> Value {
    let started = service.post("/api/v1/detection/start", &json!({ "camera_source": "Gate" })).await.json();
    let session = started["session_id"].as_str().unwrap().to_owned();
    let mut last = Value::Null;
    for picture in pictures {
        let began = Instant::now();
        let body = json!({ "image_data": base64(&picture), "session_id": session });
        last = service.post("/api/v1/detection/frame", &body).await.json();
        tokio::time::sleep(every.saturating_sub(began.elapsed())).await;
    }
    service.post("/api/v1/detection/stop", &json!({ "session_id": session })).await;
    last
}

#[tokio::test]
async fn a_photograph_sent_by_a_browser_marks_nobody_and_somebody_looks_again() {
    let (service, student) = gate(|gate| gate).await;
    let same = std::iter::repeat_n(photograph(), 14);
    let last = browse(&service, same, Duration::from_millis(150)).await;
    let face = &last["matches"][0];
    assert_eq!((&face["student_id"], &face["attendance_marked"]), (&student, &json!(false)), "{last}");
    assert_eq!((&face["liveness"], &face["liveness_reason"]), (&json!("spoof"), &json!("frozen")), "{last}");
    assert_eq!(marks(&service), 0);
    let looks = service.store.second_looks(&SecondLookFilter::open(), Page::ALL).unwrap().items;
    let [look] = &looks[..] else { panic!("{looks:?}") };
    assert_eq!((look.student().0, look.reasons.as_slice()), (student.as_i64().unwrap(), &["frozen".to_owned()][..]));
    let metrics = service.get("/metrics?format=prometheus").await.text;
    assert!(metrics.contains("faceattend_spoofs_suspected_total 1"), "{metrics}");
    assert!(metrics.contains("faceattend_second_looks_total 1"), "{metrics}");
    let logs = service.get("/api/v1/detection/logs").await.json();
    assert_eq!(logs["data"]["logs"][0]["error_message"], "spoof_suspected", "{logs}");
}

#[tokio::test]
async fn a_head_that_turns_before_a_browser_is_marked() {
    let (service, _) = gate(|gate| gate.with_wait(SignedDuration::from_secs(20))).await;
    browse(&service, turning().into_iter(), Duration::from_millis(100)).await;
    assert_eq!(marks(&service), 1);
    assert_eq!(service.store.open_second_looks().unwrap(), 0);
}

#[tokio::test]
async fn a_photograph_sent_as_a_file_again_and_again_marks_nobody() {
    let (service, student) = gate(|gate| gate).await;
    let mut last = Value::Null;
    for _ in 0..6 {
        let mut body = b"--x\r\nContent-Disposition: form-data; name=\"frame\"; filename=\"a.jpg\"\r\n\
                         Content-Type: image/jpeg\r\n\r\n"
            .to_vec();
        body.extend(photograph());
        body.extend(b"\r\n--x--\r\n");
        let request = service
            .request("POST", "/api/v1/detection/process-frame")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
        last = service.raw(request.body(Body::from(body)).unwrap()).await.json();
    }
    assert_eq!(last["recognized_students"][0]["student_id"], student, "it is recognized: {last}");
    assert_eq!(marks(&service), 0, "{last}");
}

#[tokio::test]
async fn one_picture_names_and_marks_only_where_that_was_chosen() {
    let picture = json!({ "image_data": base64(&photograph()), "camera_source": "Gate" });
    let recognize = async |service: &Service| service.post("/api/v1/face/recognize", &picture).await.json();
    let (service, student) = gate(|gate| gate).await;
    let answer = recognize(&service).await;
    assert_eq!(answer["data"]["matches"][0]["student_id"], student, "{answer}");
    assert_eq!(answer["data"]["attendance_logs_created"], 0, "{answer}");
    assert_eq!(answer["data"]["liveness"], "undecided", "{answer}");
    assert_eq!(marks(&service), 0);

    let (legacy, _) = gate(|gate| gate.with_single_pictures(SinglePictures::Mark)).await;
    assert_eq!(recognize(&legacy).await["data"]["attendance_logs_created"], 1);
    let (observing, _) = gate(|gate| gate.with_places([("Gate".to_owned(), GatePolicy::Observe)])).await;
    assert_eq!(recognize(&observing).await["data"]["attendance_logs_created"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_is_judged_as_its_policy_says() {
    for (policy, marked) in [(None, 1), (Some(GatePolicy::Require), 0)] {
        let (service, _) = gate(|gate| gate.with_policy(policy)).await;
        let folder = service.folder.path().join("clip");
        std::fs::create_dir(&folder).unwrap();
        for at in 0..40 {
            std::fs::copy(media("center.jpg"), folder.join(format!("{at:04}.jpg"))).unwrap();
        }
        let camera = json!({ "camera_url": folder.to_str().unwrap(), "camera_location": "Gate" });
        service.post("/api/v1/detection/start", &camera).await;
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            let status = service.get("/api/v1/detection/status").await.json();
            if status["data"]["active_cameras"] == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        service.post("/api/v1/detection/stop", &camera).await;
        assert_eq!(marks(&service), marked, "{policy:?}");
        // What the camera saw last is kept when it stops.
        assert_eq!(service.store.open_second_looks().unwrap(), 1 - marked, "{policy:?}");
    }
}
