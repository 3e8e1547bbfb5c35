//! People whom cameras saw and nobody knows: listed where the operator asks for it, then enrolled or dismissed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{GREEN, Service, picture, without_a_gate};
use faceattend_core::store::Page;
use faceattend_core::store::prelude::*;
use jiff::SignedDuration;
use serde_json::{Value, json};

const LIST: &str = "/api/v1/detection/unknown-faces";

async fn listing() -> Service {
    let hours = Some(SignedDuration::from_hours(12));
    Service::start_with(|settings| settings.with_live(without_a_gate().with_unknown_faces(hours))).await
}

/// Shows somebody to a browser's camera; returns whom the last picture shows.
async fn show(service: &Service, identity: u8) -> Value {
    let started = service.post("/api/v1/detection/start", &json!({ "camera_source": "Gate" })).await.json();
    let session = started["session_id"].clone();
    let mut last = Value::Null;
    for _ in 0..5 {
        let body = json!({ "image_data": picture(GREEN, identity), "session_id": session });
        last = service.post("/api/v1/detection/frame", &body).await.json();
    }
    service.post("/api/v1/detection/stop", &json!({ "session_id": session })).await;
    last["matches"][0].clone()
}

async fn faces(service: &Service) -> Vec<Value> {
    service.get(LIST).await.json()["data"]["faces"].as_array().unwrap().clone()
}

#[tokio::test]
async fn nothing_is_listed_unless_the_operator_asks_for_it() {
    let service = Service::start().await;
    show(&service, 5).await;
    let data = service.get(LIST).await.json()["data"].clone();
    assert_eq!(data, json!({ "listed": false, "hours": null, "faces": [] }));
    let enrol = format!("{LIST}/0/enrol");
    let answer = service.post(&enrol, &json!({ "name": "Asha", "roll_number": "R1" })).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("--list-unknown-faces"), "{}", answer.text);
}

#[tokio::test]
async fn an_unknown_face_is_enrolled_once_and_recognized_from_then_on() {
    let service = listing().await;
    assert_eq!(show(&service, 5).await["student_id"], Value::Null);
    show(&service, 5).await;
    show(&service, 9).await;
    let listed = faces(&service).await;
    let [_, asha] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&asha["visits"], &asha["camera_location"]), (&json!(2), &json!("Gate")));
    let keys: Vec<_> = asha.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["camera_location", "first_seen", "id", "last_seen", "visits"], "no face and no picture");

    let enrol = format!("{LIST}/{}/enrol", asha["id"]);
    let body = json!({ "name": "Asha", "roll_number": "R1" });
    let enrolled = service.post(&enrol, &body).await.json()["data"].clone();
    assert_eq!(enrolled["liveness_verified"], false);
    service
        .post(&enrol, &json!({ "name": "Ben", "roll_number": "R2" }))
        .await
        .is(404, "Unknown face not found: it was not seen for long enough, or is enrolled by now");
    assert_eq!(show(&service, 5).await["student_id"], enrolled["student_id"]);
    assert_eq!(faces(&service).await.len(), 1, "the other one is still unknown");
    let entry = service.store.audit(Page::ALL).unwrap().items.into_iter().map(|entry| entry.entry);
    let entry = entry.into_iter().find(|entry| entry.action == "student.enrol").unwrap();
    let told = "the first face, seen 2 times by cameras, last at Gate, without liveness";
    assert_eq!((entry.actor.as_str(), entry.details.as_deref()), ("admin", Some(told)));

    let other = &faces(&service).await[0]["id"];
    let taken = service.post(&format!("{LIST}/{other}/enrol"), &body).await;
    taken.is(400, "Student with this roll number already exists");
    assert_eq!(faces(&service).await.len(), 1, "a taken roll number does not cost the face");
}

#[tokio::test]
async fn who_is_dismissed_is_not_listed_again() {
    let service = listing().await;
    show(&service, 5).await;
    let id = faces(&service).await[0]["id"].clone();
    assert_eq!(service.send("DELETE", &format!("{LIST}/{id}"), &Value::Null).await.status, 200);
    assert_eq!(service.send("DELETE", &format!("{LIST}/{id}"), &Value::Null).await.status, 404);
    show(&service, 5).await;
    assert_eq!(faces(&service).await, [Value::Null; 0]);
    assert_eq!(service.send("DELETE", &format!("{LIST}/-1"), &Value::Null).await.status, 404);
}
