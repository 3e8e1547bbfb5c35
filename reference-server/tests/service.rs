//! What the service tells about itself, gives away as a file, and forgets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use common::Service;
use faceattend_core::store::prelude::*;
use faceattend_core::store::{NewAuditEntry, SeenLimits, SqliteStore, StoredEmbedding};
use faceattend_core::types::StudentId;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

#[tokio::test]
async fn the_document_describes_every_route_and_nothing_else() {
    let service = Service::start().await;
    let document = service.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Face Attendance System API");
    assert_eq!(document["info"]["version"], "2.0.0");
    assert_eq!(document["components"]["securitySchemes"]["HTTPBearer"]["scheme"], "bearer");
    let routed: Vec<String> =
        faceattend_server::routes_of_the_api().into_iter().map(|(method, path)| format!("{method} {path}")).collect();
    assert!(routed.len() > 40);
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    for route in &routed {
        assert!(described.contains(route), "{route} is not in the document");
    }
    assert_eq!(described.len(), routed.len());
}

#[tokio::test]
async fn the_pages_of_the_document_need_no_internet() {
    let service = Service::start().await;
    for (page, marker) in [
        ("/docs", "swagger-ui"),
        ("/docs", "/openapi.json"),
        ("/redoc", "redoc"),
        ("/redoc", "/openapi.json"),
        ("/docs/docs.js", "SwaggerUIBundle"),
        ("/docs/redoc.js", "Redoc"),
        ("/docs/docs.css", "body"),
    ] {
        let answer = service.get(page).await;
        assert_eq!(answer.status, 200, "{page}");
        assert!(answer.text.contains(marker), "{page}");
        assert!(!answer.text.contains("http://") && !answer.text.contains("https://"), "{page} names another host");
    }
    // What the vendored scripts name, the policy of the pages keeps them from loading.
    for page in ["/docs", "/redoc"] {
        let answer = service.get(page).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"), "{policy}");
    }
    assert_eq!(service.get("/docs/oauth2-redirect").await.status, 200);
    service.get("/docs/nope.js").await.is(404, "Not Found");
    let head = Request::builder().method("HEAD").uri("/docs").body(Body::empty()).unwrap();
    assert_eq!(service.raw(head).await.status, 200);
}

#[tokio::test]
async fn figures_come_as_the_dashboard_reads_them_and_as_prometheus_does() {
    let service = Service::start().await;
    service.post("/api/v1/students/", &json!({ "name": "Asha", "roll_number": "R1" })).await;
    service.post("/api/v1/attendance/mark?student_id=1", &Value::Null).await;
    let open = async |accept: Option<&str>| {
        let mut request = Request::builder().uri("/metrics");
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        service.raw(request.body(Body::empty()).unwrap()).await
    };
    for accept in [None, Some("*/*"), Some("application/json")] {
        let figures = open(accept).await.json();
        assert_eq!((&figures["students_count"], &figures["attendance_logs_count"]), (&json!(1), &json!(1)));
        assert_eq!((&figures["embeddings_count"], &figures["recognition_count"]), (&json!(0), &json!(0)));
    }
    let text = open(Some("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")).await;
    assert!(text.header("content-type").starts_with("text/plain"));
    assert!(text.text.contains("\nfaceattend_students 1\n"), "{}", text.text);
    assert!(text.text.contains("faceattend_requests_total{status=\"2xx\"}"));
    let ready = service.get("/ready").await.json();
    assert_eq!((&ready["status"], &ready["checks"]["database"]), (&json!("ready"), &json!(true)));
    assert_eq!(service.get("/api/v1/models").await.json()["models"][0]["name"], "marker");
    assert_eq!(service.get("/api/v1/ping").await.json()["message"], "pong");
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let service = Service::start().await;
    let ask = async |id: &str| {
        let request = Request::builder().uri("/health").header("x-request-id", id).body(Body::empty()).unwrap();
        service.raw(request).await.header("x-request-id").to_owned()
    };
    assert_eq!(ask("abc-123").await, "abc-123");
    for foreign in ["", "a b", &"x".repeat(65)] {
        let made = ask(foreign).await;
        assert_eq!(made.len(), 16, "{foreign}");
    }
}

#[tokio::test]
async fn attendance_is_exported_as_a_table_and_as_a_workbook() {
    let service = Service::start().await;
    let empty = service.post("/api/v1/attendance/export", &json!({})).await;
    assert_eq!(empty.text, "\n");
    for (name, roll) in [("Rao, Asha", "R1"), ("=1+1", "R2")] {
        service.post("/api/v1/students/", &json!({ "name": name, "roll_number": roll })).await;
    }
    service.post("/api/v1/attendance/mark?student_id=1&confidence_score=0.91&camera_location=Gate", &Value::Null).await;
    service.post("/api/v1/attendance/mark?student_id=2", &Value::Null).await;
    let file = service.post("/api/v1/attendance/export", &json!({ "format": "csv" })).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment; filename=attendance_export_"));
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(lines[0], "Student Name,Roll Number,Date,Time,Status,Confidence Score,Camera Location,Created At");
    assert!(lines[1].starts_with("'=1+1,R2,"), "{}", lines[1]);
    assert!(lines[2].starts_with("\"Rao, Asha\",R1,") && lines[2].contains(",0.91,Gate,"), "{}", lines[2]);
    let one = service.post("/api/v1/attendance/export", &json!({ "student_id": 1 })).await;
    assert_eq!(one.text.lines().count(), 2);
    let wrong = service.post("/api/v1/attendance/export", &json!({ "start_date": "soon" })).await;
    assert_eq!(wrong.issues()[0].1, json!(["body", "start_date"]));
}

#[tokio::test]
async fn a_completed_session_gives_its_face_to_a_student_that_is_there() {
    let service = Service::start().await;
    service.post("/api/v1/students/", &json!({ "name": "Asha", "roll_number": "R1" })).await;
    let complete = async |session: &str, student: Value| {
        let body = json!({ "session_id": session, "student_id": student });
        service.post("/api/v1/liveness/complete", &body).await
    };
    complete("nope", json!(1)).await.is(404, "Liveness session not found");
    let session = service.begin(&json!({})).await;
    complete(&session, json!(1)).await.is(400, "Liveness session not completed yet");
    service.complete(&session, 5).await;
    complete(&session, json!(77)).await.is(404, "Student not found");
    let saved = complete(&session, json!(1)).await.json();
    assert_eq!(saved["message"], "Embeddings saved successfully");
    assert_eq!((&saved["data"]["roll_no"], &saved["data"]["embedding_saved"]), (&json!("R1"), &json!(true)));
    assert_eq!(complete(&session, json!(1)).await.status, 200, "said again");
    service.post("/api/v1/students/", &json!({ "name": "Bo", "roll_number": "R2" })).await;
    complete(&session, json!(2)).await.is(404, "Liveness session not found");
    let picture = common::picture(common::GREEN, 5);
    let found = service.post("/api/v1/face/recognize", &json!({ "image_data": picture })).await.json();
    assert_eq!(found["data"]["matches"][0]["student_id"], 1);
}

#[tokio::test]
async fn a_person_is_told_what_is_held_and_is_erased_with_a_receipt() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    let id = service.register("Asha", "R1", &session).await.json()["data"]["student_id"].clone();
    let path = format!("/api/v1/students/{id}");
    service.post(&format!("/api/v1/attendance/mark?student_id={id}"), &Value::Null).await;
    let consent = json!({ "given_by": "a parent", "notice": "2026-01" });
    assert_eq!(service.send("PUT", &format!("{path}/consent"), &consent).await.status, 200);
    let held = service.get(&format!("{path}/export")).await.json();
    assert_eq!(held["student"]["name"], "Asha");
    assert_eq!(held["consent"]["given_by"], "a parent");
    assert_eq!((held["templates"].as_array().unwrap().len(), held["attendance"].as_array().unwrap().len()), (3, 1));
    assert_eq!(held["liveness_sessions"][0]["session_id"], session.as_str());

    let erased = service.send("DELETE", &path, &Value::Null).await.json();
    assert_eq!((&erased["message"], &erased["data"]), (&json!("Student Asha deleted successfully"), &Value::Null));
    let receipt = &erased["receipt"];
    assert_eq!((&receipt["templates"], &receipt["liveness_sessions"]), (&json!(3), &json!(1)));
    assert_eq!((&receipt["attendance_deleted"], &receipt["erased_by"]), (&json!(1), &json!("admin")));
    for gone in [&path, &format!("{path}/export"), &format!("{path}/consent")] {
        service.get(gone).await.is(404, "Student not found");
    }
    service.get(&format!("/api/v1/liveness/session/{session}")).await.is(404, "Liveness detection session not found");
    let bytes = std::fs::read(service.folder.path().join("face_attendance.db")).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"a parent"), "deleted rows are overwritten");
}

#[tokio::test]
async fn what_cameras_added_is_listed_and_taken_back() {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    let id = service.register("Asha", "R1", &session).await.json()["data"]["student_id"].as_i64().unwrap();
    let path = format!("/api/v1/students/{id}/templates");
    let origins = async || -> Vec<String> {
        let listed = service.get(&path).await.json();
        let templates = listed["data"]["templates"].as_array().unwrap().clone();
        assert!(templates.iter().all(|template| template["model"].is_string() && template.get("values").is_none()));
        templates.iter().map(|template| template["origin"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(origins().await, ["registered"; 3]);

    let store = SqliteStore::open(service.folder.path().join("face_attendance.db")).unwrap();
    let StoredEmbedding::Tagged(view) = store.templates_of(StudentId(id)).unwrap().remove(0).embedding else {
        panic!()
    };
    let limits = SeenLimits { most: 3, every: SignedDuration::from_hours(24) };
    let entry = NewAuditEntry {
        at: Timestamp::now() + SignedDuration::from_hours(48),
        actor: "camera".into(),
        action: "template.seen".into(),
        subject: Some(format!("student_id {id}")),
        details: None,
    };
    store.keep_seen_template(StudentId(id), &view, &limits, &entry).unwrap();
    assert_eq!(origins().await, ["registered", "registered", "registered", "seen"]);
    let back = service.send("DELETE", &format!("{path}/seen"), &Value::Null).await.json();
    assert_eq!(back["data"]["templates"], 1);
    assert_eq!(origins().await, ["registered"; 3]);
    let log = service.get("/api/v1/audit?limit=2").await.json();
    assert_eq!(log["items"][0]["action"], "DELETE /api/v1/students/{student_id}/templates/seen");
    assert_eq!(log["items"][1]["action"], "template.seen");
    service.get("/api/v1/students/99/templates").await.is(404, "Student not found");
    service.send("DELETE", "/api/v1/students/99/templates/seen", &Value::Null).await.is(404, "Student not found");
}
