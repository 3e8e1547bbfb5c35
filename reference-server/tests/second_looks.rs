//! Whom a camera did not believe to be alive comes onto a list, and an operator decides.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::Service;
use faceattend_core::attendance::{AttendancePolicy, Marker};
use faceattend_core::store::prelude::*;
use faceattend_core::store::{SecondLook, SecondLookVerdict, SecondLooking};
use faceattend_core::types::{Similarity, StudentId};
use faceattend_server::LiveEvent;
use jiff::Timestamp;
use serde_json::{Value, json};

const LIST: &str = "/api/v1/attendance/second-looks";

/// A service whose camera has seen students with these roll numbers, the first of them first.
async fn seen(rolls: &[&str]) -> (Service, Vec<SecondLook>) {
    let service = Service::start().await;
    let marker = Marker::new(service.store.clone(), AttendancePolicy::in_time_zone("UTC").unwrap());
    let mut looks = Vec::new();
    for (roll, second) in rolls.iter().zip(0..) {
        let student = service.store.create_student(&format!("Asha {roll}"), roll, Timestamp::now()).unwrap().id;
        let at = "2026-03-02T08:15:30.25Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(second);
        let reasons = vec!["few_views".to_owned(), "passive_low".to_owned()];
        let (alike, verdict) = (Similarity::new(0.91), SecondLookVerdict::Undecided);
        let looking = marker.second_look(student, alike, Some("Gate"), verdict, reasons, at).unwrap();
        let SecondLooking::Added(look) = looking else { panic!("{looking:?}") };
        looks.push(look);
    }
    (service, looks)
}

async fn decide(service: &Service, look: &SecondLook, answer: &str) -> common::Answer {
    service.post(&format!("{LIST}/{}/{answer}", look.id), &Value::Null).await
}

#[tokio::test]
async fn a_sighting_is_listed_with_who_where_when_and_why() {
    let (service, looks) = seen(&["R1", "R2"]).await;
    let viewer = service.account("vi", "viewer").await;
    let listed = viewer.get(&format!("{LIST}?state=open&limit=1")).await.json();
    assert_eq!((&listed["total"], &listed["pages"]), (&json!(2), &json!(2)));
    let expected = json!({
        "id": looks[1].id, "student_id": 2, "student_name": "Asha R2", "student_roll_number": "R2",
        "timestamp": "2026-03-02T08:15:31.250000", "day": "2026-03-02", "period": "day", "status": "Present",
        "confidence_score": 0.91, "camera_location": "Gate", "verdict": "undecided",
        "reasons": ["few_views", "passive_low"], "state": "open", "decided_by": null, "decided_at": null,
    });
    assert_eq!(listed["items"], json!([expected]), "newest first");
    let total = async |query: &str| viewer.get(&format!("{LIST}?{query}")).await.json()["total"].clone();
    assert_eq!(total("day=2026-03-02&student_id=1").await, 1);
    assert_eq!((total("day=2026-03-03").await, total("state=refused").await), (json!(0), json!(0)));
    assert_eq!(viewer.get(&format!("{LIST}?state=lost")).await.issues()[0].0, "string_pattern_mismatch");
    let metrics = service.get("/metrics?format=prometheus").await.text;
    assert!(metrics.contains("\nfaceattend_second_looks_open 2\n"), "{metrics}");
}

#[tokio::test]
async fn an_operator_confirms_or_refuses_once_and_it_is_written_down() {
    let (admin, looks) = seen(&["R1", "R2"]).await;
    let operator = admin.account("op", "operator").await;
    let viewer = admin.account("vi", "viewer").await;
    let mut events = admin.state.events().subscribe();
    decide(&viewer, &looks[0], "confirm").await.is(403, "Not enough permissions");

    let confirmed = decide(&operator, &looks[0], "confirm").await.json();
    assert_eq!(confirmed["message"], "Attendance marked for Asha R1");
    let data = &confirmed["data"];
    assert_eq!((&data["state"], &data["marked"], &data["student_id"]), (&json!("confirmed"), &json!(true), &json!(1)));
    let row = admin.get(&format!("/api/v1/attendance/{}", data["attendance_id"])).await.json();
    assert_eq!((&row["timestamp"], &row["camera_location"]), (&json!("2026-03-02T08:15:30.250000"), &json!("Gate")));
    let refused = decide(&operator, &looks[1], "refuse").await.json();
    assert_eq!((&refused["data"]["state"], &refused["data"]["attendance_id"]), (&json!("refused"), &Value::Null));
    assert_eq!(admin.get("/api/v1/attendance/").await.json()["total"], 1);

    for (look, told) in [(&looks[0], "confirmed"), (&looks[1], "refused")] {
        for answer in ["confirm", "refuse"] {
            let again = decide(&operator, look, answer).await;
            again.is(409, &format!("Second look: is {told} already, by op"));
        }
    }
    decide(&operator, &SecondLook { id: 99, ..looks[0].clone() }, "refuse").await.is(404, "Second look not found");
    let closed = admin.get(&format!("{LIST}?state=refused")).await.json()["items"][0].clone();
    assert_eq!((&closed["decided_by"], closed["decided_at"].is_string()), (&json!("op"), true));
    assert_eq!(admin.get(&format!("{LIST}?state=open")).await.json()["total"], 0);

    let log = admin.get("/api/v1/audit").await.json();
    let entries: Vec<_> = log["items"].as_array().unwrap().iter().filter(|entry| entry["actor"] == "op").collect();
    let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let path = "POST /api/v1/attendance/second-looks/{second_look_id}";
    assert_eq!(actions[..2], [format!("{path}/refuse"), format!("{path}/confirm")]);
    assert_eq!(entries[1]["subject"], format!("second_look_id {}", looks[0].id));
    assert_eq!(entries[1]["details"], "undecided sighting of student_id 1 at 2026-03-02T08:15:30.250000 UTC");

    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        let event = serde_json::to_value(&*event).unwrap();
        told.push((event["type"].clone(), event["state"].clone(), event["student_id"].clone()));
    }
    // The database's own notice of the new row, which comes when it comes.
    told.retain(|(kind, ..)| *kind != "statuses_changed");
    let told_of = |kind: &str, state: Value, student: i64| (json!(kind), state, json!(student));
    let expected = [
        told_of("second_look", json!("confirmed"), 1),
        told_of("attendance_marked", Value::Null, 1),
        told_of("second_look", json!("refused"), 2),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_mark_by_hand_takes_a_sighting_off_the_open_list() {
    let (service, _) = seen(&["R1"]).await;
    let marker = Marker::new(service.store.clone(), AttendancePolicy::in_time_zone("UTC").unwrap());
    let reasons = vec!["frozen".to_owned()];
    let (alike, now) = (Similarity::new(0.9), Timestamp::now());
    marker.second_look(StudentId(1), alike, None, SecondLookVerdict::Spoof, reasons, now).unwrap();
    assert_eq!(service.store.open_second_looks().unwrap(), 2);
    service.post("/api/v1/attendance/mark?student_id=1", &Value::Null).await;
    assert_eq!(service.get(&format!("{LIST}?state=settled")).await.json()["items"][0]["verdict"], "spoof");
    assert_eq!(service.store.open_second_looks().unwrap(), 1, "that of another day stays");
}

#[tokio::test]
async fn a_persons_export_holds_the_sightings_and_an_erasure_takes_them_along() {
    let (service, looks) = seen(&["R1", "R2"]).await;
    decide(&service, &looks[0], "refuse").await;
    let export = service.get("/api/v1/students/1/export").await.json();
    let [own] = &export["second_looks"].as_array().unwrap()[..] else { panic!("{export}") };
    assert_eq!(
        (&own["state"], &own["decided_by"], &own["reasons"][0]),
        (&json!("refused"), &json!("admin"), &json!("few_views"))
    );
    let erased = service.send("DELETE", "/api/v1/students/1", &Value::Null).await.json();
    assert_eq!(erased["receipt"]["second_looks"], 1);
    assert_eq!(service.get(LIST).await.json()["total"], 1);
    let log = service.get("/api/v1/audit").await.json();
    let details = log["items"][0]["details"].as_str().unwrap();
    assert!(details.ends_with("0 marks anonymized, 1 second looks deleted"), "{details}");
}

#[tokio::test]
async fn a_new_sighting_is_told_as_the_list_shows_it() {
    let (_, looks) = seen(&["R1"]).await;
    let event = serde_json::to_value(LiveEvent::second_look(&looks[0])).unwrap();
    let expected = json!({
        "type": "second_look", "second_look_id": looks[0].id, "student_id": 1, "student_name": "Asha R1",
        "student_roll_number": "R1", "state": "open", "verdict": "undecided",
        "reasons": ["few_views", "passive_low"], "confidence_score": 0.91, "camera_location": "Gate",
        "timestamp": "2026-03-02T08:15:30.250000",
    });
    assert_eq!(event, expected);
}
