//! Registration, recognition and attendance, from the first frame to the mark.

mod common;

use faceattend_core::store::prelude::*;
use std::sync::Arc;
use std::time::Duration;

use common::marker::MarkerEngine;
use common::{BLACK, BLUE, DATABASE, GREEN, RED, SECRET, Service, YELLOW, picture};
use faceattend_core::store::{SqliteStore, TemplateKey, TemplateKeys};
use faceattend_server::auth::Secret;
use faceattend_server::{AppState, Settings};
use serde_json::{Value, json};

#[tokio::test]
async fn a_person_registers_by_turning_the_head_and_is_recognized_then() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    let done = service.complete(&session, 5).await;
    assert_eq!((&done["movement_verified"], &done["final_embedding_saved"]), (&json!(true), &json!(true)));

    let registered = service.register("Asha", "R1", &session).await.json();
    let student = registered["data"]["student_id"].clone();
    assert_eq!(registered["message"], "Student registration completed successfully");
    assert_eq!(registered["data"]["embedding_saved"], true);

    let recognized = service.post("/api/v1/face/recognize", &json!({ "image_data": picture(GREEN, 5) })).await.json();
    assert_eq!(recognized["data"]["matches"][0]["student_id"], student);
    assert_eq!(recognized["data"]["matches"][0]["student_name"], "Asha");
    assert_eq!(recognized["data"]["attendance_logs_created"], 0);
    let stranger = service.post("/api/v1/face/recognize", &json!({ "image_data": picture(GREEN, 6) })).await.json();
    assert_eq!(stranger["data"]["matches"], json!([]));

    let camera = json!({ "image_data": picture(GREEN, 5), "camera_source": "Gate" });
    let first = service.post("/api/v1/face/recognize", &camera).await.json();
    assert_eq!(first["data"]["attendance_logs_created"], 1);
    let again = service.post("/api/v1/face/recognize", &camera).await.json();
    assert_eq!(again["data"]["attendance_logs_created"], 0, "once a day");
    let rows = service.get("/api/v1/attendance/").await.json();
    assert_eq!((&rows["total"], &rows["items"][0]["camera_location"]), (&json!(1), &json!("Gate")));

    // Forgotten with its attendance.
    let deleted = service.send("DELETE", &format!("/api/v1/students/{student}"), &Value::Null).await;
    assert_eq!(deleted.json()["message"], "Student Asha deleted successfully");
    let gone = service.post("/api/v1/face/recognize", &camera).await.json();
    assert_eq!(gone["data"]["matches"], json!([]));
    assert_eq!(service.get("/api/v1/attendance/").await.json()["total"], 0);
}

#[tokio::test]
async fn with_a_key_everything_goes_as_without_and_the_file_shows_no_face() {
    let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    let service = Service::start_in(tempfile::tempdir().unwrap(), keys.clone(), |settings| settings).await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    let student = service.register("Asha", "R1", &session).await.json()["data"]["student_id"].clone();
    let person = json!({ "image_data": picture(GREEN, 5) });
    let matches = async |service: &Service| {
        service.post("/api/v1/face/recognize", &person).await.json()["data"]["matches"].clone()
    };
    assert_eq!(matches(&service).await[0]["student_id"], student);
    let held = service.get(&format!("/api/v1/students/{student}/export")).await.json();
    let values: Vec<f32> = serde_json::from_value(held["templates"][0]["values"].clone()).unwrap();
    let shown = service.get(&format!("/api/v1/students/{student}")).await.json()["embedding_vector"].to_string();
    assert!(shown.len() > 1000 && !shown.contains("sealed"), "{shown}");
    let forms = service.store.template_forms().unwrap();
    assert_eq!((forms.plain, forms.sealed.len()), (0, 1), "{forms:?}");
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    for file in std::fs::read_dir(service.folder.path()).unwrap() {
        let file = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!file.windows(64).any(|window| window == &bytes[..64]), "a face lies open");
    }

    // A later start finds everybody with the key, and does not start without it.
    let Service { folder, store, state, router, .. } = service;
    drop((store, state, router));
    let without = Arc::new(SqliteStore::open(folder.path().join(DATABASE)).unwrap());
    let settings = Settings::new(Secret::new(SECRET).unwrap());
    let refused = AppState::new(without, Arc::new(MarkerEngine::new()), settings).err().unwrap().to_string();
    assert!(refused.contains(&keys.sealing_key().unwrap().to_string()), "{refused}");
    let service = Service::start_in(folder, keys, |settings| settings).await;
    assert_eq!(matches(&service).await[0]["student_id"], student);
    let deleted = service.send("DELETE", &format!("/api/v1/students/{student}"), &Value::Null).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    assert_eq!(matches(&service).await, json!([]));
    assert_eq!(service.store.template_forms().unwrap().sealed.len(), 0, "nothing of the person is left");
}

#[tokio::test]
async fn the_page_learns_from_every_answer_what_to_ask_next() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    let nobody = service.frame(&session, "center", &picture(BLACK, 0)).await.json();
    assert_eq!((&nobody["success"], &nobody["is_live"]), (&json!(true), &json!(false)));
    assert_eq!((&nobody["detected_pose"], &nobody["reasons"][0]["code"]), (&Value::Null, &json!("no_face")));
    let near = service.frame(&session, "center", &picture(YELLOW, 5)).await.json();
    assert_eq!((&near["detected_pose"], &near["is_live"]), (&json!("center"), &json!(false)));
    let center = service.frame(&session, "center", &picture(GREEN, 5)).await.json();
    assert_eq!((&center["detected_pose"], &center["next_position"]), (&json!("center"), &json!("left")));
    assert!(center["confidence_score"].as_f64().unwrap() > 0.7, "the existing page needs more than .7");
    assert_eq!(center["session_completed"], Value::Null);
    let wrong = service.frame(&session, "left", &picture(BLUE, 5)).await.json();
    assert_eq!((&wrong["detected_pose"], &wrong["is_live"]), (&json!("right"), &json!(false)));
}

#[tokio::test]
async fn unmirrored_frames_keep_left_the_persons_own() {
    let service = Service::start().await;
    let session = service.begin(&json!({ "mirrored": false })).await;
    service.frame(&session, "center", &picture(GREEN, 5)).await;
    // Blue is a nose towards the right edge: as a camera sees it, that is the person's own left.
    let left = service.frame(&session, "left", &picture(BLUE, 5)).await.json();
    assert_eq!((&left["is_live"], &left["detected_pose"]), (&json!(true), &json!("left")));
    let refused = service.post("/api/v1/liveness/session", &json!({ "mirrored": "perhaps" })).await;
    assert_eq!(refused.issues(), [("bool_parsing".to_owned(), json!(["body", "mirrored"]))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn overlapping_frames_complete_a_session_once() {
    let service = Service::start().await;
    let student = service.post("/api/v1/students/", &json!({ "name": "A", "roll_number": "R1" })).await.json();
    let session = service.begin(&json!({ "student_id": student["data"]["student_id"] })).await;
    // As the existing page does when its loops multiply: many frames of every position at once.
    let mut frames = Vec::new();
    for _ in 0..6 {
        for (position, color) in [("center", GREEN), ("left", RED), ("right", BLUE)] {
            frames.push((position, picture(color, 5)));
        }
    }
    let answers = futures_join(frames.iter().map(|(position, frame)| service.frame(&session, position, frame))).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let completed: Vec<Value> =
        answers.iter().map(common::Answer::json).filter(|answer| answer["session_completed"] == true).collect();
    assert!(!completed.is_empty(), "no frame completed the session");
    for answer in &completed {
        assert_eq!(answer["final_embedding_saved"], true, "{answer}");
        assert_eq!(answer["student_id"], student["data"]["student_id"]);
    }
    service.register("B", "R2", &session).await.is(404, "Completed liveness detection session not found");
    assert_eq!(service.get("/api/v1/students/").await.json()["total"], 1, "the session enrolled nobody else");
}

async fn futures_join<F: Future<Output = common::Answer>>(all: impl Iterator<Item = F>) -> Vec<common::Answer> {
    let mut waiting: Vec<_> = all.map(|future| Some(Box::pin(future))).collect();
    let mut done: Vec<Option<common::Answer>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            if let Some(running) = future
                && let std::task::Poll::Ready(answer) = running.as_mut().poll(context)
            {
                *done = Some(answer);
                *future = None;
            }
        }
        if waiting.iter().all(Option::is_none) {
            return std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect());
        }
        std::task::Poll::Pending
    })
    .await
}

#[tokio::test]
async fn a_session_enrols_once_and_a_taken_roll_number_does_not_cost_it() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.register("A", "R1", &session).await.is(404, "Completed liveness detection session not found");
    service.complete(&session, 5).await;
    service.post("/api/v1/students/", &json!({ "name": "Other", "roll_number": "R1" })).await;
    service.register("A", "R1", &session).await.is(400, "Student with this roll number already exists");
    assert_eq!(service.register("A", "R2", &session).await.status, 200);
    service.register("B", "R3", &session).await.is(404, "Completed liveness detection session not found");
    service.register("B", "R2", &session).await.is(400, "Student with this roll number already exists");
}

#[tokio::test]
async fn verify_gives_the_embedding_of_a_completed_session_and_fails_another() {
    let service = Service::start().await;
    let verify = async |session: &str| service.post("/api/v1/liveness/verify", &json!({ "session_id": session })).await;
    verify("nope").await.is(404, "Liveness detection session not found");
    let early = service.begin(&json!({})).await;
    let failed = verify(&early).await.json();
    assert_eq!((&failed["success"], &failed["final_embedding"]), (&json!(true), &Value::Null));
    let status = service.get(&format!("/api/v1/liveness/session/{early}")).await.json();
    assert_eq!(status["data"]["status"], "FAILED");
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    let verified = verify(&session).await.json();
    let embedding: Vec<f32> = serde_json::from_str(verified["final_embedding"].as_str().unwrap()).unwrap();
    assert_eq!((embedding.len(), &verified["movement_verified"]), (512, &json!(true)));
}

#[tokio::test]
async fn an_unknown_student_costs_no_session_but_is_not_said_to_be_saved() {
    let service = Service::start().await;
    let session = service.begin(&json!({ "student_id": 424_242 })).await;
    let done = service.complete(&session, 5).await;
    assert_eq!((&done["final_embedding_saved"], &done["student_id"]), (&json!(false), &json!(424_242)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clip_played_through_a_camera_marks_whom_it_shows() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    service.register("Asha", "R1", &session).await;
    let clip = service.folder.path().join("clip");
    std::fs::create_dir(&clip).unwrap();
    for at in 0..20 {
        let png = picture(GREEN, 5);
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, png).unwrap();
        std::fs::write(clip.join(format!("{at:03}.png")), bytes).unwrap();
    }
    let url = clip.to_str().unwrap();
    let start = json!({ "camera_url": url, "camera_location": "Gate" });
    let started = service.post("/api/v1/detection/start", &start).await.json();
    assert_eq!(started["message"], format!("Face detection started for camera: {url}"));
    let mut rows = Value::Null;
    for _ in 0..100 {
        rows = service.get("/api/v1/attendance/").await.json();
        let status = service.get("/api/v1/detection/status").await.json();
        if rows["total"] == 1 && status["data"]["active_cameras"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(rows["total"], 1, "{rows}");
    assert_eq!(rows["items"][0]["camera_location"], "Gate");
    let logs = service.get("/api/v1/detection/logs").await.json();
    assert_eq!(logs["data"]["logs"][0]["students_recognized"], 1, "{logs}");
    let status = service.get("/api/v1/detection/status").await.json();
    assert_eq!(status["data"]["cameras"][url]["frame_count"], 20, "{status}");
    service.post("/api/v1/detection/stop", &json!({ "camera_url": url })).await;
    assert_eq!(service.get("/api/v1/detection/status").await.json()["data"]["total_cameras"], 0);
}

#[tokio::test]
async fn an_address_that_is_no_cameras_is_refused() {
    let service = Service::start().await;
    let start = service.post("/api/v1/detection/start", &json!({ "camera_url": "file:///etc/passwd" })).await;
    assert_eq!(start.status, 400);
    assert!(!start.text.contains("passwd"), "{}", start.text);
}
