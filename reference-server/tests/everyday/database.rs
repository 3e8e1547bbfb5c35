//! Databases: held by others, gone for a while, old ones.

use std::time::{Duration, Instant};

use faceattend_core::store::TemplateKeys;
use serde_json::{Value, json};

use crate::common::{DATABASE, GREEN, Service, picture};

/// Another program that holds the database of a service.
fn hold(service: &Service) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(service.folder.path().join(DATABASE)).unwrap();
    other.busy_timeout(Duration::from_secs(30)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

// photoprism 2707 and phoenix 3949: "database is locked", and what was being written is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_passes_a_camera_while_the_database_is_held_is_marked_when_it_is_back() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    assert_eq!(service.register("Asha", "R5", &session).await.status, 200);
    let started = service.post("/api/v1/detection/start", &json!({ "camera_source": "Gate" })).await.json();
    let session_id = started["session_id"].as_str().unwrap().to_owned();
    let held = hold(&service);
    let frame = json!({ "image_data": picture(GREEN, 5), "session_id": session_id });
    let mut waits = Value::Null;
    let began = Instant::now();
    while waits["marks"] != 1 {
        let seen = service.post("/api/v1/detection/frame", &frame).await;
        assert_eq!(seen.status, 200, "a camera is not told off: {}", seen.text);
        waits = service.get("/api/v1/detection/status").await.json()["data"]["waiting"].clone();
        assert!(began.elapsed() < Duration::from_secs(60), "{}", seen.text);
    }
    assert_eq!(waits["kept"], false, "these tests have no file: {waits}");
    assert!(waits["reason"].as_str().unwrap().contains("another program holds the database"), "{waits}");
    assert!(service.get("/ready").await.json()["writes_waiting"].as_u64().unwrap() >= 1);
    assert!(service.get("/metrics?format=prometheus").await.text.contains("faceattend_writes_waiting "));
    // Whoever waits for an answer is told when to come back.
    let writes = [
        ("/api/v1/students/", json!({ "name": "A", "roll_number": "R1" })),
        ("/api/v1/attendance/mark?student_id=1", json!({})),
        ("/api/v1/liveness/session", json!({})),
    ];
    for (path, body) in writes {
        let refused = service.post(path, &body).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"), "{path}: {}", refused.text);
    }
    held.execute_batch("ROLLBACK").unwrap();
    let began = Instant::now();
    let rows = loop {
        let rows = service.get("/api/v1/attendance/?limit=10").await.json()["items"].as_array().unwrap().clone();
        if !rows.is_empty() {
            break rows;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it was never written");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((rows.len(), &rows[0]["camera_location"]), (1, &json!("Gate")), "{rows:?}");
    while service.get("/ready").await.json()["writes_waiting"] != 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "something waits for ever");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(service.get("/api/v1/detection/status").await.json()["data"]["waiting"], Value::Null);
}

// papermerge 242: an old database whose times are spelled otherwise.
#[tokio::test]
async fn an_old_database_lists_every_row_that_can_be_read_on_its_own_day() {
    let folder = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(folder.path().join(DATABASE)).unwrap();
    old.execute_batch(
        "CREATE TABLE admin_users (id INTEGER NOT NULL, username VARCHAR(50) NOT NULL,
             hashed_password VARCHAR(255) NOT NULL, PRIMARY KEY (id));
         CREATE TABLE students (id INTEGER NOT NULL, name VARCHAR(255) NOT NULL, roll_number VARCHAR(50) NOT NULL,
             created_at DATETIME, PRIMARY KEY (id));
         CREATE TABLE attendance_log (id INTEGER NOT NULL, student_id INTEGER NOT NULL, timestamp DATETIME NOT NULL,
             status VARCHAR(20) NOT NULL, camera_location VARCHAR(100), created_at DATETIME, PRIMARY KEY (id));
         INSERT INTO students (name, roll_number, created_at) VALUES ('Zoë', 'R1', '2026-03-01T00:00:00Z'),
             ('Twin', 'R1 ', NULL);",
    )
    .unwrap();
    let times = [
        "'2026-03-02T20:00:00'",
        "'2026-03-02 20:00:00'",
        "'2026-03-03T01:30:00.5+05:30'",
        "1772481600",
        "'noon'",
        "''",
    ];
    for time in times {
        let row = format!("INSERT INTO attendance_log (student_id, timestamp, status) VALUES (1, {time}, 'Present')");
        old.execute_batch(&row).unwrap();
    }
    let service = Service::start_in(folder, TemplateKeys::none(), |settings| settings).await;
    let all = service.get("/api/v1/attendance/?limit=100").await;
    assert_eq!((all.status.as_u16(), &all.json()["total"]), (200, &json!(4)), "{}", all.text);
    for row in all.json()["items"].as_array().unwrap() {
        assert!(row["timestamp"].as_str().unwrap().starts_with("2026-03-02T20:00:00"), "{row}");
    }
    let of = async |day: &str| {
        service.get(&format!("/api/v1/attendance/?start_date={day}&end_date={day}")).await.json()["total"].clone()
    };
    assert_eq!((of("2026-03-02").await, of("2026-03-03").await), (json!(4), json!(0)));
    let exported = service.post("/api/v1/attendance/export", &json!({})).await;
    assert_eq!((exported.status.as_u16(), exported.text.lines().count()), (200, 5), "{}", exported.text);
    for path in
        ["/api/v1/students/", "/api/v1/students/1", "/api/v1/attendance/stats/summary", "/api/v1/detection/logs"]
    {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    service.get("/api/v1/attendance/5").await.is(404, "Attendance record not found");
}
