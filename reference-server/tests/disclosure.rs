//! Who is shown a face's numbers, who may give a name to another face, and what the audit log tells of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

mod common;

use common::Service;
use faceattend_core::store::StoredEmbedding;
use faceattend_core::store::prelude::*;
use faceattend_core::types::StudentId;
use faceattend_server::Embeddings;
use serde_json::{Value, json};

/// A registered student, and a mark of it.
async fn asha(service: &Service) -> (i64, i64) {
    let session = service.begin(&json!({})).await;
    service.complete(&session, 1).await;
    let student = service.register("Asha", "R1", &session).await.json()["data"]["student_id"].as_i64().unwrap();
    let marked = service.post(&format!("/api/v1/attendance/mark?student_id={student}"), &Value::Null).await.json();
    (student, marked["data"]["attendance_id"].as_i64().unwrap())
}

/// The embedding in every answer that has a field for one.
async fn embeddings_seen_by(service: &Service, student: i64, mark: i64, completed: &str) -> [Value; 3] {
    let verify = json!({ "session_id": completed });
    [
        service.get(&format!("/api/v1/students/{student}")).await.json()["embedding_vector"].clone(),
        service.get(&format!("/api/v1/attendance/{mark}")).await.json()["student"]["embedding_vector"].clone(),
        service.post("/api/v1/liveness/verify", &verify).await.json()["final_embedding"].clone(),
    ]
}

#[tokio::test]
async fn embeddings_are_shown_to_admins_only() {
    let admin = Service::start().await;
    let (student, mark) = asha(&admin).await;
    let completed = admin.begin(&json!({})).await;
    admin.complete(&completed, 2).await;
    let operator = admin.account("op", "operator").await;
    let viewer = admin.account("vi", "viewer").await;
    for shown in embeddings_seen_by(&admin, student, mark, &completed).await {
        assert!(shown.as_str().unwrap().starts_with('['), "{shown}");
    }
    let hidden = [Value::Null, Value::Null, Value::Null];
    assert_eq!(embeddings_seen_by(&operator, student, mark, &completed).await, hidden);
    assert_eq!(embeddings_seen_by(&viewer, student, mark, &completed).await, hidden);
    // Whatever a viewer or an operator may read holds no embedding under another name.
    let text = admin.store.embedding_json(StudentId(student)).unwrap().unwrap();
    let number = text.trim_matches(['[', ']']).split(',').nth(5).unwrap();
    for who in [&operator, &viewer] {
        for path in ["/api/v1/students/", "/api/v1/attendance/"] {
            assert!(!who.get(path).await.text.contains(number));
        }
        for path in ["", "/templates", "/consent"] {
            assert!(!who.get(&format!("/api/v1/students/{student}{path}")).await.text.contains(number));
        }
    }
}

#[tokio::test]
async fn a_named_setting_shows_embeddings_to_everybody_as_the_existing_service_does() {
    let admin = Service::start_with(|settings| settings.with_embeddings(Embeddings::Everyone)).await;
    let (student, mark) = asha(&admin).await;
    let viewer = admin.account("vi", "viewer").await;
    let [one, other, _] = embeddings_seen_by(&viewer, student, mark, "none").await;
    assert!(one.as_str().is_some_and(|text| text.starts_with('[')) && one == other, "{one}");
}

#[tokio::test]
async fn an_operator_cannot_put_another_face_under_a_name_and_an_admin_leaves_a_trace() {
    let admin = Service::start().await;
    let operator = admin.account("op", "operator").await;
    let (student, _) = asha(&admin).await;

    let session = operator.begin(&json!({ "student_id": student })).await;
    let refused = operator.complete(&session, 2).await;
    assert_eq!(
        (&refused["final_embedding_saved"], &refused["reasons"][0]["code"]),
        (&json!(false), &json!("unlike_face"))
    );
    let session = operator.begin(&json!({})).await;
    operator.complete(&session, 2).await;
    let complete = json!({ "session_id": session, "student_id": student });
    let unlike = "This face is unlike the one that is stored for the student: an administrator must replace it";
    operator.post("/api/v1/liveness/complete", &complete).await.is(403, unlike);

    assert_eq!(admin.post("/api/v1/liveness/complete", &complete).await.status, 200);
    let entry = admin.get("/api/v1/audit").await.json()["items"][0].clone();
    assert_eq!((&entry["actor"], &entry["action"]), (&json!("admin"), &json!("student.enrol")));
    assert_eq!(entry["subject"], format!("student_id {student}"));
    assert_eq!(entry["details"], format!("a face unlike the one before, by liveness session {session}"));
    // The person's record tells it too.
    let export = admin.get(&format!("/api/v1/students/{student}/export")).await.json();
    let history: Vec<_> = export["history"].as_array().unwrap().iter().map(|entry| &entry["details"]).collect();
    assert!(history.contains(&&entry["details"]), "{history:?}");
    assert!(history.iter().any(|details| details.as_str().unwrap_or_default().starts_with("the first face")));
}

#[tokio::test]
async fn no_answer_of_the_api_is_kept_in_a_cache() {
    let admin = Service::start().await;
    let (student, _) = asha(&admin).await;
    let headers = |answer: &common::Answer| {
        [answer.header("cache-control").to_owned(), answer.header("x-content-type-options").to_owned()]
    };
    for (path, status) in [
        (format!("/api/v1/students/{student}"), 200),
        ("/api/v1/attendance/".to_owned(), 200),
        ("/api/v1/attendance/?limit=x".to_owned(), 422),
        // Another method, nothing there, and a slash too few.
        ("/auth/login".to_owned(), 404),
        ("/api/v1/auth/login".to_owned(), 405),
        ("/api/v1/nowhere".to_owned(), 404),
        ("/api/v1/attendance".to_owned(), 307),
        ("/health".to_owned(), 200),
        ("/".to_owned(), 200),
    ] {
        let answer = admin.get(&path).await;
        assert_eq!(
            (answer.status.as_u16(), headers(&answer)),
            (status, ["no-store", "nosniff"].map(String::from)),
            "{path}"
        );
    }
    // Pages may be kept, and asked for again.
    assert_eq!(headers(&admin.get("/ui/app.js").await), ["no-cache", "nosniff"].map(String::from));
}

#[tokio::test]
async fn an_erasure_leaves_no_byte_of_the_face_in_the_files() {
    let admin = Service::start().await;
    let (student, _) = asha(&admin).await;
    let open = admin.begin(&json!({ "student_id": student })).await;
    admin.frame(&open, "center", &common::picture(common::GREEN, 1)).await;
    let faces: Vec<_> = admin.store.templates_of(StudentId(student)).unwrap();
    let faces = faces.iter().filter_map(|template| match &template.embedding {
        StoredEmbedding::Tagged(face) => Some(face),
        StoredEmbedding::Legacy(_) => None,
    });
    let secrets: Vec<Vec<u8>> =
        faces.flat_map(|face| [face.to_bytes(), json!(face.values()).to_string().into_bytes()]).collect();
    let files_hold = |wanted: &[u8]| {
        let mut files = std::fs::read_dir(admin.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.any(|file| std::fs::read(file).unwrap().windows(wanted.len()).any(|window| window == wanted))
    };
    assert!(secrets.len() == 6 && secrets.iter().any(|secret| files_hold(secret)), "or the next lines show nothing");
    let erased = admin.send("DELETE", &format!("/api/v1/students/{student}"), &Value::Null).await.json();
    assert_eq!(erased["receipt"]["liveness_sessions"], 2);
    for secret in &secrets {
        assert!(!files_hold(secret), "{}", String::from_utf8_lossy(secret));
    }
    assert!(!files_hold(b"Asha"));
}

#[tokio::test]
async fn the_audit_log_tells_what_a_call_did() {
    let admin = Service::start().await;
    let (student, mark) = asha(&admin).await;
    let picture = common::picture(common::GREEN, 1);
    let shown = json!({ "image_data": picture, "camera_source": "Gate 1" });
    admin.send("DELETE", &format!("/api/v1/attendance/{mark}"), &Value::Null).await;
    assert_eq!(admin.post("/api/v1/face/recognize", &shown).await.json()["data"]["attendance_logs_created"], 1);
    admin.post("/api/v1/face/recognize", &shown).await;
    admin.get(&format!("/api/v1/students/{student}/export")).await;
    admin.post("/api/v1/attendance/export", &json!({ "start_date": "2026-01-01" })).await;
    let camera = json!({ "camera_url": "rtsp://admin:hunter2@127.0.0.1:1/live", "camera_location": "Gate 2" });
    admin.post("/api/v1/detection/start", &camera).await;
    admin.post("/api/v1/detection/stop-all", &json!({})).await;
    admin.send("PUT", &format!("/api/v1/students/{student}"), &json!({ "name": "Asha Rao" })).await;
    admin.send("DELETE", &format!("/api/v1/students/{student}"), &Value::Null).await;

    let log = admin.get("/api/v1/audit").await;
    let told = |action: &str| -> Vec<String> {
        let items = log.json()["items"].as_array().unwrap().clone();
        let of_action = items.iter().filter(|entry| entry["action"].as_str().unwrap().contains(action));
        of_action.map(|entry| entry["details"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert!(told("DELETE /api/v1/attendance")[0].starts_with(&format!("Present of student_id {student} at 20")));
    // The second look marked nobody, so it changed nothing.
    assert_eq!(told("face/recognize"), [format!("marked student_id {student}")]);
    assert_eq!(told("GET /api/v1/students/{student_id}/export").len(), 1);
    assert_eq!(told("attendance/export"), ["1 rows of 2026-01-01 and later"]);
    let [camera] = &told("detection/start")[..] else { panic!("{}", log.text) };
    assert!(camera.ends_with(" at Gate 2") && camera.contains("127.0.0.1"), "{camera}");
    assert_eq!(told("PUT /api/v1/students"), ["name"]);
    let erased = "3 templates, 1 liveness sessions and 1 marks deleted, 0 marks anonymized";
    assert_eq!(told("DELETE /api/v1/students"), [erased]);
    assert!(!log.text.contains("hunter2") && !log.text.contains("Asha"), "{}", log.text);
}
