//! Lists in the order that is asked for, and the log with the people of its entries.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::Service;
use serde_json::{Value, json};

const STUDENTS: &str = "/api/v1/students/";

async fn with_three() -> Service {
    let service = Service::start().await;
    for (name, roll) in [("Özil", "10"), ("anna", "9"), ("Zoe", "8")] {
        service.post(STUDENTS, &json!({ "name": name, "roll_number": roll })).await.json();
    }
    service
}

async fn names(service: &Service, path: &str, key: &str) -> Vec<String> {
    let answer = service.get(path).await.json();
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("{path}: {answer}")).clone();
    items.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn students_and_attendance_come_in_the_order_that_is_asked_for() {
    let service = with_three().await;
    for (sort, wanted) in [
        ("", ["Özil", "anna", "Zoe"]),
        ("?sort=-id", ["Zoe", "anna", "Özil"]),
        ("?sort=name", ["anna", "Özil", "Zoe"]),
        ("?sort=-name", ["Zoe", "Özil", "anna"]),
        ("?sort=roll_number&no_face=true", ["Zoe", "anna", "Özil"]),
    ] {
        assert_eq!(names(&service, &format!("{STUDENTS}{sort}"), "name").await, wanted, "{sort}");
    }
    for student in [2, 3, 1] {
        service.post(&format!("/api/v1/attendance/mark?student_id={student}"), &json!({})).await.json();
    }
    for (sort, wanted) in [
        ("", ["Özil", "Zoe", "anna"]),
        ("?sort=timestamp", ["anna", "Zoe", "Özil"]),
        ("?sort=-student_roll_number", ["Özil", "anna", "Zoe"]),
        ("?sort=student_name", ["anna", "Özil", "Zoe"]),
    ] {
        assert_eq!(names(&service, &format!("/api/v1/attendance/{sort}"), "student_name").await, wanted, "{sort}");
    }
    for path in [format!("{STUDENTS}?sort=1;drop"), "/api/v1/attendance/?sort=name".to_owned()] {
        assert_eq!(service.get(&path).await.status, 422, "{path}");
    }
}

#[tokio::test]
async fn the_log_tells_what_people_are_called_now_and_nobody_who_was_erased() {
    let service = with_three().await;
    service.post("/api/v1/attendance/mark?student_id=2", &json!({})).await.json();
    service.send("PUT", &format!("{STUDENTS}2"), &json!({ "name": "Anna" })).await.json();
    let people = |log: &Value, action: &str| {
        let items = log["items"].as_array().unwrap();
        items.iter().find(|item| item["action"] == action).unwrap()["people"].clone()
    };
    let log = service.get("/api/v1/audit").await.json();
    let anna = json!([{ "student_id": 2, "name": "Anna", "roll_number": "9" }]);
    assert_eq!(people(&log, "POST /api/v1/attendance/mark"), anna, "as they are called now");
    service.send("DELETE", &format!("{STUDENTS}2"), &Value::Null).await.json();
    let log = service.get("/api/v1/audit").await;
    assert_eq!(people(&log.json(), "POST /api/v1/attendance/mark"), json!([]));
    assert!(!log.text.contains("Anna") && !log.text.contains("anna"), "{}", log.text);
}
