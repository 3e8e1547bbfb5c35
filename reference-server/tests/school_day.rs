//! A day of a school as the pages ask for it: who was expected, who is missing, and who learns why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::Service;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Three students of one class: Asha is marked, Ben is excused, and nobody knows where Carla is.
async fn school() -> Service {
    let service = Service::start().await;
    for (name, roll) in [("Asha", "R1"), ("Ben", "R2"), ("Carla", "R3")] {
        let answer = service.post("/api/v1/students/", &json!({ "name": name, "roll_number": roll })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let every_day = json!({ "valid_from": today(), "weekdays": WEEK, "periods": [] });
    let answer = service.post("/api/v1/timetables", &every_day).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let group = service.post("/api/v1/groups", &json!({ "name": "5A", "kind": "class" })).await.json();
    let group = &group["data"]["group_id"];
    let members = json!({ "student_ids": [1, 2, 3], "from_day": today() });
    let answer = service.post(&format!("/api/v1/groups/{group}/members"), &members).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(service.post("/api/v1/attendance/mark?student_id=1", &Value::Null).await.status, 200);
    let excuse = json!({ "student_id": 2, "first_day": today(), "reason": "a fever" });
    let answer = service.post("/api/v1/excuses", &excuse).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    service
}

const WEEK: &str = "mon tue wed thu fri sat sun";

fn today() -> String {
    jiff::Zoned::now().date().to_string()
}

#[tokio::test]
async fn the_board_names_who_is_missing_and_only_those_who_excuse_learn_why() {
    let service = school().await;
    let (operator, viewer) = (service.account("op", "operator").await, service.account("looks", "viewer").await);
    for (caller, reason) in [(&operator, json!("a fever")), (&viewer, Value::Null)] {
        let board = caller.get("/api/v1/attendance/today").await.json()["data"].clone();
        let group = &board["groups"][0];
        assert_eq!((&group["name"], &group["missing_students"][0]["name"]), (&json!("5A"), &json!("Carla")), "{board}");
        assert_eq!(group["excused_students"][0]["name"], "Ben");
        assert_eq!(group["excused_students"][0]["reason"], reason);

        let missing = caller.get("/api/v1/attendance/statuses?status=Absent").await.json();
        assert_eq!((&missing["total"], &missing["items"][0]["student_name"]), (&json!(1), &json!("Carla")));
        let excused = caller.get("/api/v1/attendance/statuses?status=Excused").await.json();
        assert_eq!(excused["items"][0]["reason"], reason);
        let ben = caller.get("/api/v1/attendance/person?student_id=2").await.json()["data"]["days"].clone();
        let day = ben.as_array().unwrap().last().unwrap();
        assert_eq!((&day["periods"][0]["status"], &day["periods"][0]["reason"]), (&json!("Excused"), &reason), "{day}");
    }
}

#[tokio::test]
async fn a_register_has_the_periods_of_the_days_on_which_somebody_was_expected() {
    let service = school().await;
    let from = async |day: Date, period: &str| {
        let periods = [json!({ "name": period, "begins": "07:30" })];
        let timetable = json!({ "valid_from": day.to_string(), "weekdays": WEEK, "periods": periods });
        let answer = service.post("/api/v1/timetables", &timetable).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    let now = jiff::Zoned::now().date();
    from(now, "morning").await;
    // Before the students came the days had no periods of their own.
    let register = service.get("/api/v1/attendance/register?group=1").await.json()["data"].clone();
    assert_eq!((&register["periods"], &register["period"]), (&json!(["morning"]), &json!("morning")));

    // Where a timetable changes within a month, no period is that of every day, and each day shows its first.
    let next = now.last_of_month().tomorrow().unwrap();
    from(next.with().day(15).build().unwrap(), "noon").await;
    let path = format!("/api/v1/attendance/register?group=1&month={}", next.strftime("%Y-%m"));
    let register = service.get(&path).await.json()["data"].clone();
    assert_eq!((&register["periods"], &register["period"]), (&json!(["morning", "noon"]), &Value::Null));
    let statuses = register["rows"][0]["statuses"].as_array().unwrap();
    assert!(statuses.iter().all(|status| status == "Pending"), "{statuses:?}");
    let noon = service.get(&format!("{path}&period=noon")).await.json()["data"].clone();
    assert_eq!((&noon["periods"], &noon["period"]), (&json!(["morning", "noon"]), &json!("noon")));
    let statuses = &noon["rows"][0]["statuses"];
    assert_eq!((&statuses[13], &statuses[14]), (&Value::Null, &json!("Pending")));
}

#[tokio::test]
async fn the_summary_counts_people_under_new_keys_and_rows_as_before() {
    let service = school().await;
    let sums = service.get("/api/v1/attendance/stats/summary").await.json()["data"].clone();
    for (key, count) in [
        ("total_attendance", 1),
        ("present_count", 1),
        ("absent_count", 0),
        ("expected_count", 3),
        ("missing_count", 1),
        ("excused_count", 1),
    ] {
        assert_eq!(sums[key], count, "{key}: {sums}");
    }
}

#[tokio::test]
async fn days_that_run_backwards_are_an_error() {
    let service = school().await;
    for path in ["person?student_id=1&", "trends?", "statuses?"] {
        let answer = service.get(&format!("/api/v1/attendance/{path}from=2026-03-02&to=2026-03-01")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        assert!(answer.text.contains("before"), "{}", answer.text);
    }
}
