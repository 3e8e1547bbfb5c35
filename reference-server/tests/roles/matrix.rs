//! Every route with every caller.

use axum::http::StatusCode;
use faceattend_core::AttendancePolicy;
use faceattend_core::store::prelude::*;
use faceattend_core::store::{AttendanceStatus, NewAttendance, NewSecondLook, SecondLookVerdict, SqliteStore};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use crate::common::{DATABASE, GREEN, Service, picture};
use crate::document::routes;
use crate::table::{Least, ROUTES};
use crate::tokens::{Caller, Standing, VIEWER, ask, callers};

/// A service with somebody enrolled and marked, and the body of a request that changes as much as a body can.
pub(crate) async fn prepared() -> (Service, Value) {
    let service = Service::start().await;
    let session = service.begin(&json!({})).await;
    service.complete(&session, 5).await;
    let enrolled = service.register("Asha", "R1", &session).await;
    assert_eq!(enrolled.status, 200, "{}", enrolled.text);
    let marked = service.post("/api/v1/attendance/mark?student_id=1", &Value::Null).await;
    assert_eq!(marked.json()["data"]["attendance_id"], 1, "{}", marked.text);
    doubt(&service.store);
    let open = service.begin(&json!({})).await;
    service.complete(&open, 6).await;
    let body = json!({
        "name": "Mallory", "roll_number": "M1", "username": "mallory", "password": "battery staple", "role": "admin",
        "is_active": true, "student_id": 1, "session_id": open, "position": "center",
        "frame_data": picture(GREEN, 6), "image_data": picture(GREEN, 5), "camera_source": "webcam",
        "code": "ABCD-EFGH", "greeting_id": "x", "pin": "493027", "given_by": "a parent",
        "notice": "2026-01", "camera_index": 7,
    });
    (service, body)
}

/// Puts a sighting of Asha, of another day than the mark, on the second-look list.
fn doubt(store: &SqliteStore) {
    let at: Timestamp = "2026-03-02T08:15:30Z".parse().unwrap();
    let sighting = NewAttendance {
        student: StudentId(1),
        at,
        day: AttendancePolicy::in_time_zone("UTC").unwrap().day(at).unwrap(),
        period: "day".into(),
        status: AttendanceStatus::Present,
        confidence_score: None,
        camera_location: None,
    };
    let verdict = SecondLookVerdict::Undecided;
    store.add_second_look(&NewSecondLook { sighting, verdict, reasons: vec!["few_views".into()] }).unwrap();
    assert_eq!(store.open_second_looks().unwrap(), 1);
}

/// The path with what is there in the place of its parameters.
pub(crate) fn filled(path: &str, session: &Value) -> String {
    let path = path
        .replace("{student_id}", "1")
        .replace("{camera_id}", "1")
        .replace("{kiosk_id}", "1")
        .replace("{channel_id}", "1")
        .replace("{rule_id}", "1")
        .replace("{letter_id}", "1")
        .replace("{unknown_id}", "1")
        .replace("{group_id}", "1")
        .replace("{membership_id}", "1")
        .replace("{timetable_id}", "1")
        .replace("{calendar_id}", "1")
        .replace("{excuse_id}", "1")
        .replace("{attendance_id}", "1")
        .replace("{username}", VIEWER);
    let path = path.replace("{second_look_id}", "1");
    let path = path.replace("{camera}", "1.mjpeg").replace("{session_id}", session.as_str().unwrap());
    let query = if path == "/api/v1/attendance/mark" { "?student_id=1" } else { "" };
    path + query
}

/// Every row of every table, as text.
pub(crate) fn contents(service: &Service) -> Vec<String> {
    let database = rusqlite::Connection::open(service.folder.path().join(DATABASE)).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let names: Vec<String> =
        database.prepare(names).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut rows = Vec::new();
    for name in names {
        let mut statement = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values: Vec<String> = (0..columns)
                .map(|at| match row.get_ref(at).unwrap() {
                    ValueRef::Blob(bytes) => format!("{bytes:?}"),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                })
                .collect();
            rows.push(format!("{name}: {}", values.join(", ")));
        }
    }
    rows
}

#[tokio::test]
async fn whoever_may_not_ask_is_refused_and_changes_nothing() {
    let (service, body) = prepared().await;
    let callers = callers(&service).await;
    let before = contents(&service);
    let (empty, mut asked) = (json!({}), 0);
    for (method, path) in routes(&service).await.into_keys() {
        let least = ROUTES.iter().find(|row| (row.0, row.1) == (&method, &path)).unwrap().2;
        let path = filled(&path, &body["session_id"]);
        for caller in &callers {
            let (status, detail) = match caller.standing {
                _ if least == Least::Anyone => continue,
                // A login opens nothing of a kiosk, whoever's it is.
                _ if least == Least::Kiosk => (401, "This kiosk is not paired"),
                Standing::Account(role) if role >= least => continue,
                Standing::Account(_) => (403, "Not enough permissions"),
                Standing::Refused(detail) => (401, detail),
            };
            for body in [None, Some(&empty), Some(&body)] {
                let answer = ask(&service, caller, &method, &path, body).await;
                let told = (answer.status.as_u16(), answer.text.as_str());
                let expected = json!({ "detail": detail }).to_string();
                assert_eq!(told, (status, expected.as_str()), "{method} {path} by {}", caller.name);
                assert_eq!(answer.header("www-authenticate") == "Bearer", status == 401, "{method} {path}");
                asked += 1;
            }
        }
    }
    // 50 routes that ask for a role, and 26 callers who have none; and those whose role is too low.
    assert!(asked > 50 * 26 * 3, "{asked} refusals");
    assert_eq!(contents(&service), before, "a request that was refused has changed the database");
}

#[tokio::test]
async fn whoever_may_ask_is_not_refused() {
    let (service, body) = prepared().await;
    let accounts = callers(&service).await.into_iter().filter(|caller| matches!(caller.standing, Standing::Account(_)));
    let mut succeeded = 0;
    for caller in accounts {
        let Standing::Account(role) = caller.standing else { continue };
        // In the order of the table: what ends the login comes last.
        for (method, path, _) in ROUTES.iter().filter(|row| row.2 <= role && row.2 > Least::Anyone) {
            let path = filled(path, &body["session_id"]);
            let answer = ask(&service, &caller, method, &path, Some(&body)).await;
            // A 403 of another text is about what is asked: a face that is unlike the stored one, a camera elsewhere.
            let for_the_role = answer.status == StatusCode::FORBIDDEN && answer.text.contains("Not enough permissions");
            let refusals = [StatusCode::UNAUTHORIZED, StatusCode::METHOD_NOT_ALLOWED];
            let refused = for_the_role || refusals.contains(&answer.status) || answer.status.is_server_error();
            assert!(!refused, "{method} {path} by {}: {} {}", caller.name, answer.status, answer.text);
            succeeded += usize::from(answer.status.is_success());
        }
    }
    assert!(succeeded > 100, "{succeeded} requests did what they ask for: the bodies are good ones");
}

#[tokio::test]
async fn what_anyone_may_ask_is_the_same_for_everybody_and_names_nobody() {
    let (service, body) = prepared().await;
    service.post("/api/v1/detection/start", &json!({ "camera_source": "Gate of the north" })).await;
    let callers = callers(&service).await;
    for (method, path, _) in ROUTES.iter().filter(|row| row.2 == Least::Anyone) {
        for caller in &callers {
            let answer = ask(&service, caller, method, path, (*method == "POST").then_some(&body)).await;
            // The body holds no login's password and no refresh token.
            let expected: &[u16] = match *path {
                "/api/v1/auth/login" => &[401, 429],
                "/api/v1/auth/refresh" => &[422],
                // A code that nobody has opened.
                "/api/v1/kiosk/pair" => &[401, 429],
                _ => &[200],
            };
            assert!(expected.contains(&answer.status.as_u16()), "{path} by {}: {}", caller.name, answer.text);
            for secret in ["Asha", "R1", "north", VIEWER, body["session_id"].as_str().unwrap()] {
                // A validation error shows the caller what the caller sent.
                let own = answer.status == 422;
                assert!(own || !answer.text.contains(secret), "{path} tells {secret}: {}", answer.text);
            }
        }
    }
}

/// Methods of the table's paths that the document does not name.
#[tokio::test]
async fn no_path_answers_another_method_without_a_token() {
    let (service, body) = prepared().await;
    let (documented, before) = (routes(&service).await, contents(&service));
    let nobody = Caller { name: "nobody", authorization: None, standing: Standing::Refused("") };
    for (_, path) in documented.keys() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"] {
            if documented.contains_key(&(method.to_owned(), path.clone())) {
                continue;
            }
            let filled = filled(path, &body["session_id"]);
            let answer = ask(&service, &nobody, method, &filled, Some(&body)).await;
            // 401 where another route's parameter takes the word, such as the row `export` of the attendance.
            let status = answer.status.as_u16();
            assert!(matches!(status, 401 | 404 | 405), "{method} {filled}: {status} {}", answer.text);
        }
    }
    assert_eq!(contents(&service), before);
}

/// Ways of writing a path that a proxy and the server may read differently.
#[tokio::test]
async fn no_spelling_of_a_path_goes_around_the_role() {
    let (service, _) = prepared().await;
    let callers = callers(&service).await;
    let viewer = callers.iter().rev().find(|caller| caller.standing == Standing::Account(Least::Viewer)).unwrap();
    let before = contents(&service);
    for path in [
        "/api/v1/%61udit",
        "/api/v1/audit?x=/health",
        "/api/v1/students/1%2Fexport",
        "/api/v1/students/%31/export",
        "//api/v1/audit",
        "/api//v1/audit",
        "/api/v1/./audit",
        "/api/v1/students/../audit",
        "/health/../api/v1/audit",
        "/api/v1/audit/",
        "/api/v1/audit%00",
        "/API/v1/audit",
        "/api/v1/audit;x",
        "/health;/api/v1/audit",
    ] {
        let answer = ask(&service, viewer, "GET", path, None).await;
        assert!(matches!(answer.status.as_u16(), 307 | 403 | 404), "{path}: {} {}", answer.status, answer.text);
    }
    for name in ["x-http-method-override", "x-original-url", "x-rewrite-url", "x-forwarded-user", "x-remote-user"] {
        let request = axum::http::Request::post("/api/v1/students/").header(name, "DELETE /health admin");
        let answer = service.raw(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{name}");
    }
    assert_eq!(contents(&service), before);
}
