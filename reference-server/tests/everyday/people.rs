//! A person who is enrolled twice: both names are said, the older record is marked or none, and the two are merged.

use std::time::Duration;

use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{AnalyzeOptions, Depth, FaceEngine as _};
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::store::TemplateKeys;
use faceattend_core::store::prelude::*;
use faceattend_core::types::StudentId;
use serde_json::{Value, json};

use super::common::marker::MarkerEngine;
use super::common::{GREEN, Service, picture};

/// A service that enrols a face a second time and says so.
async fn warning() -> Service {
    Service::start_with(|settings| settings.with_duplicates(DuplicatePolicy::Warn)).await
}

async fn enrolled(service: &Service, name: &str, roll: &str, identity: u8) -> Value {
    let session = service.begin(&json!({})).await;
    service.complete(&session, identity).await;
    let answer = service.register(name, roll, &session).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["data"].clone()
}

/// A camera of a browser that sees `identity` until it could be named; whom it saw last.
async fn watched(service: &Service, identity: u8) -> Value {
    let started = service.post("/api/v1/detection/start", &json!({ "camera_source": "Gate" })).await.json();
    let session = started["session_id"].as_str().unwrap().to_owned();
    let shown = json!({ "image_data": picture(GREEN, identity), "session_id": session });
    let mut last = Value::Null;
    for _ in 0..12 {
        last = service.post("/api/v1/detection/frame", &shown).await.json()["matches"][0].clone();
        if last["student_id"].is_i64() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let stopped = service.post("/api/v1/detection/stop", &json!({ "session_id": session })).await;
    assert_eq!(stopped.status, 200, "{}", stopped.text);
    last
}

async fn logged(service: &Service) -> Vec<String> {
    let logs = service.get("/api/v1/detection/logs").await.json()["data"]["logs"].clone();
    logs.as_array().unwrap().iter().filter_map(|log| log["error_message"].as_str().map(str::to_owned)).collect()
}

async fn marked(service: &Service) -> Vec<String> {
    let rows = service.get("/api/v1/attendance/?limit=100").await.json()["items"].clone();
    rows.as_array().unwrap().iter().map(|row| row["student_roll_number"].as_str().unwrap().to_owned()).collect()
}

async fn look_alikes(service: &Service) -> Vec<[String; 2]> {
    let found = service.get("/api/v1/students/look-alikes").await.json();
    assert_eq!(found["data"]["compared"], true, "{found}");
    let pairs = found["data"]["pairs"].as_array().unwrap().iter();
    pairs.map(|pair| ["earlier", "later"].map(|one| pair[one]["name"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn who_is_enrolled_twice_is_said_with_both_names_and_marked_under_the_older() {
    let service = warning().await;
    let first = enrolled(&service, "Grace Hopper", "H1", 5).await;
    assert_eq!(first["resembles"], Value::Null);
    enrolled(&service, "Eileen Collins", "C1", 6).await;
    assert_eq!(look_alikes(&service).await, [[""; 2]; 0]);
    let again = enrolled(&service, "Grace Hopper copy", "H1-copy", 5).await;
    let told = &again["resembles"];
    assert_eq!((told["name"].as_str(), told["roll_number"].as_str()), (Some("Grace Hopper"), Some("H1")), "{told}");
    assert!(told["similarity"].as_f64().unwrap() > 0.9 && told["advice"].as_str().unwrap().contains("merge"), "{told}");
    assert_eq!(look_alikes(&service).await, [["Grace Hopper", "Grace Hopper copy"]]);

    assert_eq!(watched(&service, 5).await["student_name"], "Grace Hopper");
    assert_eq!(marked(&service).await, ["H1"]);
    let (one, two) = (&first["student_id"], &again["student_id"]);
    assert_eq!(logged(&service).await, [format!("ambiguous_identity: students {one} and {two}")]);
    assert_eq!(watched(&service, 6).await["student_name"], "Eileen Collins", "nobody else is in doubt");
    assert_eq!(logged(&service).await.len(), 1);
}

/// The templates of `identity` at its front, and of a twin as alike as `cosine`.
fn twins(identity: u8, cosine: f32) -> [Embedding; 2] {
    let engine = MarkerEngine::new();
    let view = |identity| {
        let pixel = |x: usize| if x < 16 { GREEN } else { [0, identity * 16, 0] };
        let pixels: Vec<u8> = (0..64 * 64).flat_map(|at| pixel(at % 64)).collect();
        let frame = Frame::new(pixels, 64, 64, ChannelOrder::Rgb).unwrap();
        let seen = engine.analyze(&frame, &AnalyzeOptions::default().with_depth(Depth::Embedding)).unwrap();
        seen.faces[0].embedding.clone().unwrap()
    };
    let (own, other) = (view(identity), view(identity + 1));
    let mixed = |sign: f32| {
        let half = ((1.0 + cosine) / 2.0).sqrt();
        let rest = sign * ((1.0 - cosine) / 2.0).sqrt();
        let values: Vec<f32> = own.values().iter().zip(other.values()).map(|(a, b)| half * a + rest * b).collect();
        Embedding::from_raw(own.model().clone(), &values).unwrap()
    };
    [mixed(1.0), mixed(-1.0)]
}

#[tokio::test]
async fn twins_stay_nobody_and_the_log_says_between_whom() {
    let folder = tempfile::tempdir().unwrap();
    let store = faceattend_core::SqliteStore::open(folder.path().join(super::common::DATABASE)).unwrap();
    let now = jiff::Timestamp::now();
    for (roll, face) in ["T1", "T2"].into_iter().zip(twins(5, 0.97)) {
        let id = store.create_student(&format!("Twin {roll}"), roll, now).unwrap().id;
        store.replace_templates(id, &[face], now).unwrap();
    }
    drop(store);
    let service = Service::start_in(folder, TemplateKeys::none(), |settings| settings).await;
    assert_eq!(watched(&service, 5).await["student_id"], Value::Null);
    assert_eq!(marked(&service).await, [""; 0]);
    assert_eq!(logged(&service).await, ["ambiguous_identity: students 1 and 2"]);
    assert_eq!(look_alikes(&service).await, [["Twin T1", "Twin T2"]]);
}

#[tokio::test]
async fn two_records_of_one_person_are_merged_by_an_operator() {
    let service = warning().await;
    let operator = service.account("desk", "operator").await;
    let [kept, other, unlike] = [("Grace Hopper", "H1", 5), ("Grace H.", "H1-copy", 5), ("Eileen Collins", "C1", 6)];
    let kept = enrolled(&service, kept.0, kept.1, kept.2).await["student_id"].as_i64().unwrap();
    let other = enrolled(&service, other.0, other.1, other.2).await["student_id"].as_i64().unwrap();
    let unlike = enrolled(&service, unlike.0, unlike.1, unlike.2).await["student_id"].as_i64().unwrap();
    for id in [other, unlike] {
        assert_eq!(service.post(&format!("/api/v1/attendance/mark?student_id={id}"), &json!({})).await.status, 200);
    }
    let merge = |by: &Service, into: i64, from: i64| {
        let (by, path) = (by.asked_with(&by.token), format!("/api/v1/students/{into}/merge"));
        async move { by.post(&path, &json!({ "other_student_id": from })).await }
    };
    let refused = merge(&operator, kept, unlike).await;
    refused.is(403, "The faces of these students are not alike: an administrator must merge them");
    merge(&operator, kept, kept).await.is(400, "A student cannot be merged with itself");
    merge(&operator, kept, 999).await.is(404, "Student not found");

    let done = merge(&operator, kept, other).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let told = done.json()["data"].clone();
    assert_eq!((told["student_id"].as_i64(), told["name"].as_str()), (Some(kept), Some("Grace Hopper")));
    assert_eq!((told["attendance_moved"].as_u64(), told["attendance_joined"].as_u64()), (Some(1), Some(0)), "{told}");
    let receipt = &told["receipt"];
    assert_eq!((receipt["student_id"].as_i64(), receipt["erased_by"].as_str()), (Some(other), Some("desk")));
    let mut rows = marked(&service).await;
    rows.sort();
    assert_eq!(rows, ["C1", "H1"]);
    assert_eq!(service.store.student(StudentId(other)).unwrap(), None);
    assert_eq!(look_alikes(&service).await, [[""; 2]; 0]);
    assert_eq!(watched(&service, 5).await["student_name"], "Grace Hopper");
    assert_eq!(logged(&service).await, [""; 0], "nobody is in doubt any more");
    let audit = service.get("/api/v1/audit?limit=10").await.json()["items"].clone();
    let merges: Vec<_> = audit.as_array().unwrap().iter().filter(|entry| entry["action"] == "student.merge").collect();
    assert_eq!((merges.len(), merges[0]["actor"].as_str()), (2, Some("desk")));
    // An admin answers for what the faces do not say.
    assert_eq!(merge(&service, kept, unlike).await.json()["data"]["attendance_joined"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_a_camera_says_whom_it_cannot_tell_apart() {
    let service = warning().await;
    let one = enrolled(&service, "Grace Hopper", "H1", 5).await["student_id"].clone();
    let two = enrolled(&service, "Grace H.", "H1-copy", 5).await["student_id"].clone();
    let clip = service.folder.path().join("clip");
    std::fs::create_dir(&clip).unwrap();
    let png = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(picture(GREEN, 5)).unwrap()
    };
    for n in 0..8 {
        std::fs::write(clip.join(format!("{n}.png")), &png).unwrap();
    }
    let url = clip.to_str().unwrap();
    let started = service.post("/api/v1/detection/start", &json!({ "camera_url": url })).await;
    assert_eq!(started.status, 200, "{}", started.text);
    let mut told = Value::Null;
    for _ in 0..80 {
        let status = service.get("/api/v1/detection/status").await.json();
        told = status["data"]["cameras"][url]["ambiguous"].clone();
        if told.as_array().is_some_and(|pairs| !pairs.is_empty()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((&told[0]["students"], &told[0]["named"]), (&json!([one, two]), &one), "{told}");
    let merged = service.post(&format!("/api/v1/students/{one}/merge"), &json!({ "other_student_id": two })).await;
    assert_eq!(merged.status, 200, "{}", merged.text);
    let status = service.get("/api/v1/detection/status").await.json();
    assert_eq!(status["data"]["cameras"][url]["ambiguous"], json!([]), "one of the two is gone");
}
