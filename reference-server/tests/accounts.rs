//! Who may do what, for how long, and what is written down of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::http::header;
use common::{Answer, Service};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

/// The same service, asked by somebody else.
async fn as_user(service: &Service, name: &str, password: &str) -> (Service, Value) {
    let body = json!({ "username": name, "password": password });
    let tokens = service.post("/api/v1/auth/login", &body).await.json();
    (service.asked_with(tokens["access_token"].as_str().unwrap_or_default()), tokens)
}

async fn account(service: &Service, name: &str, role: &str) -> (Service, Value) {
    let body = json!({ "username": name, "password": PASSWORD, "role": role });
    let made = service.post("/api/v1/auth/users", &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    as_user(service, name, PASSWORD).await
}

async fn delete(service: &Service, path: &str) -> Answer {
    service.send("DELETE", path, &Value::Null).await
}

#[tokio::test]
async fn each_role_may_do_what_its_name_says_and_no_more() {
    let admin = Service::start().await;
    let (viewer, _) = account(&admin, "vi", "viewer").await;
    let (operator, _) = account(&admin, "op", "operator").await;
    let student = json!({ "name": "Asha", "roll_number": "R1" });
    viewer.post("/api/v1/students/", &student).await.is(403, "Not enough permissions");
    assert_eq!(operator.post("/api/v1/students/", &student).await.status, 200);
    assert_eq!(viewer.get("/api/v1/students/").await.status, 200);
    viewer.post("/api/v1/attendance/export", &json!({})).await.is(403, "Not enough permissions");
    assert_eq!(operator.post("/api/v1/attendance/export", &json!({})).await.status, 200);
    for path in ["/api/v1/auth/users", "/api/v1/audit", "/api/v1/students/1/export"] {
        operator.get(path).await.is(403, "Not enough permissions");
        assert_eq!(admin.get(path).await.status, 200, "{path}");
    }
    delete(&operator, "/api/v1/students/1").await.is(403, "Not enough permissions");
    assert_eq!(operator.get("/api/v1/auth/me").await.json()["data"]["role"], "operator");
    // Refused before the fields are looked at, and after the credentials.
    viewer.post("/api/v1/students/", &json!({})).await.is(403, "Not enough permissions");
}

#[tokio::test]
async fn logging_out_ends_the_token_of_this_login_only() {
    let service = Service::start().await;
    let (other, _) = as_user(&service, "admin", "admin123").await;
    assert_eq!(other.post("/api/v1/auth/logout", &Value::Null).await.status, 200);
    other.get("/api/v1/auth/me").await.is(401, "Could not validate credentials");
    assert_eq!(service.get("/api/v1/auth/me").await.status, 200);
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let admin = Service::start().await;
    let (bob, tokens) = account(&admin, "bob", "operator").await;
    assert_eq!(bob.get("/api/v1/students/").await.status, 200);
    let off = admin.send("PUT", "/api/v1/auth/users/bob", &json!({ "is_active": false })).await;
    assert_eq!(off.json()["data"], json!({ "username": "bob", "role": "operator", "is_active": false }));
    bob.get("/api/v1/students/").await.is(401, "Could not validate credentials");
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    bob.post("/api/v1/auth/refresh", &refresh).await.is(401, "Could not validate credentials");
    let again = json!({ "username": "bob", "password": PASSWORD });
    admin.post("/api/v1/auth/login", &again).await.is(401, "Incorrect username or password");
    let last = admin.send("PUT", "/api/v1/auth/users/admin", &json!({ "role": "viewer" })).await;
    last.is(400, "The last active admin must stay one");
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_opened() {
    let admin = Service::start().await;
    let (bob, _) = account(&admin, "bob", "operator").await;
    let weak = admin.send("PUT", "/api/v1/auth/users/bob", &json!({ "password": "short" })).await;
    assert_eq!(weak.status, 400);
    assert_eq!(bob.get("/api/v1/auth/me").await.status, 200);
    admin.send("PUT", "/api/v1/auth/users/bob", &json!({ "password": "battery staple" })).await;
    bob.get("/api/v1/auth/me").await.is(401, "Could not validate credentials");
    let (bob, _) = as_user(&admin, "bob", "battery staple").await;
    assert_eq!(bob.get("/api/v1/auth/me").await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_second_use_ends_the_login() {
    let service = Service::start().await;
    let (first, tokens) = as_user(&service, "admin", "admin123").await;
    let refresh = async |token: &Value| service.post("/api/v1/auth/refresh", &json!({ "refresh_token": token })).await;
    let fresh = refresh(&tokens["refresh_token"]).await.json();
    assert_eq!(fresh["token_type"], "bearer");
    assert_eq!(first.get("/api/v1/auth/me").await.status, 200, "the same login");
    refresh(&tokens["refresh_token"]).await.is(401, "Could not validate credentials");
    first.get("/api/v1/auth/me").await.is(401, "Could not validate credentials");
    refresh(&fresh["refresh_token"]).await.is(401, "Could not validate credentials");
    for nonsense in ["", "x", "a.b"] {
        refresh(&json!(nonsense)).await.is(401, "Could not validate credentials");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let service = Service::start().await;
    let guess =
        async |name: &str| service.post("/api/v1/auth/login", &json!({ "username": name, "password": "guess" })).await;
    for _ in 0..20 {
        guess("eve").await.is(401, "Incorrect username or password");
    }
    let refused = guess("eve").await;
    refused.is(429, "Too many failed logins, try again later");
    assert!(refused.header(header::RETRY_AFTER.as_str()).parse::<u64>().unwrap() > 0);
    guess("other").await.is(401, "Incorrect username or password");
}

#[tokio::test]
async fn a_right_password_passes_from_a_device_that_logged_in_before() {
    let service = Service::start().await;
    let admin = json!({ "username": "admin", "password": "admin123" });
    let first = service.post("/api/v1/auth/login", &admin).await;
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
    let rules = first.header("set-cookie");
    assert!(rules.contains("HttpOnly") && rules.contains("SameSite=Strict"), "{rules}");
    // A guesser behind the same address, as everybody is behind a proxy that is not named.
    for _ in 0..21 {
        service.post("/api/v1/auth/login", &json!({ "username": "admin", "password": "guess" })).await;
    }
    service.post("/api/v1/auth/login", &admin).await.is(429, "Too many failed logins, try again later");
    let with = async |cookie: &str, body: &Value| {
        let request = service.request("POST", "/api/v1/auth/login").header("content-type", "application/json");
        service.raw(request.header("cookie", cookie).body(body.to_string().into()).unwrap()).await
    };
    let known = with(&format!("theme=dark; {cookie}"), &admin).await;
    assert_eq!((known.status.as_u16(), known.header("set-cookie")), (200, ""), "{}", known.text);
    // The cookie opens nothing, belongs to one name, and gives no more guesses than a network has.
    let wrong = json!({ "username": "admin", "password": "guess" });
    for _ in 0..20 {
        with(&cookie, &wrong).await.is(401, "Incorrect username or password");
    }
    with(&cookie, &wrong).await.is(429, "Too many failed logins, try again later");
    with("faceattend_device=made.up", &admin).await.is(429, "Too many failed logins, try again later");
    let request = service.request("GET", "/api/v1/auth/me").header("cookie", &cookie);
    let mut request = request.body(axum::body::Body::empty()).unwrap();
    request.headers_mut().remove("authorization");
    service.raw(request).await.is(401, "Not authenticated");
}

#[tokio::test]
async fn a_name_of_any_length_is_refused_before_anything_is_kept() {
    let service = Service::start().await;
    for (name, password) in [("n".repeat(20_000), "x".to_owned()), ("admin".to_owned(), "p".repeat(20_000))] {
        let body = json!({ "username": name, "password": password });
        service.post("/api/v1/auth/login", &body).await.is(401, "Incorrect username or password");
    }
    let rows = service.get("/api/v1/audit").await.json()["total"].clone();
    assert_eq!(rows, 1, "the login of this test: neither is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_logins_is_refused_in_time_and_health_answers() {
    // Without a token, whose login would be limited.
    let started = Service::start().await;
    let service = std::sync::Arc::new(started.asked_with(""));
    let logins: Vec<_> = (0..300)
        .map(|n| {
            let service = service.clone();
            tokio::spawn(async move {
                let body = json!({ "username": format!("name {n}"), "password": "guess" });
                service.post("/api/v1/auth/login", &body).await
            })
        })
        .collect();
    let mut healthy = 0;
    while !logins.iter().all(tokio::task::JoinHandle::is_finished) {
        let health = tokio::time::timeout(std::time::Duration::from_secs(5), service.get("/health")).await;
        assert_eq!(health.expect("health answers").status, 200);
        healthy += 1;
    }
    let (mut wrong, mut busy) = (0, 0);
    for login in logins {
        let answer = login.await.unwrap();
        match answer.status.as_u16() {
            401 => wrong += 1,
            503 => {
                assert_eq!(answer.header("retry-after"), "1");
                busy += 1;
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    // A turn for each core, and 64 who wait: the others are told to come again, and cost no memory.
    assert!(healthy > 0 && busy > 0 && wrong >= 64, "{healthy} healthy, {wrong} compared, {busy} refused");
}

#[tokio::test]
async fn inventing_names_does_not_fill_the_audit_log() {
    let service = Service::start().await;
    for n in 0..30 {
        service.post("/api/v1/auth/login", &json!({ "username": format!("name {n}"), "password": "guess" })).await;
    }
    assert_eq!(service.get("/api/v1/audit").await.json()["total"], 21, "twenty, and the login of this test");
}

#[tokio::test]
async fn failed_logins_are_in_the_audit_log_without_what_was_typed() {
    let service = Service::start().await;
    for name in ["admin", "hunter2-in-the-wrong-field"] {
        let body = json!({ "username": name, "password": "secret guess" });
        service.post("/api/v1/auth/login", &body).await;
    }
    let log = service.get("/api/v1/audit").await;
    let items = log.json()["items"].as_array().unwrap().clone();
    let failed: Vec<_> = items.iter().filter(|entry| entry["action"] == "login failed").collect();
    let actors: Vec<_> = failed.iter().map(|entry| entry["actor"].as_str().unwrap()).collect();
    assert_eq!(actors, ["unknown", "admin"]);
    assert!(!log.text.contains("hunter2") && !log.text.contains("secret guess"), "{}", log.text);
}

#[tokio::test]
async fn every_change_is_written_down_and_nothing_else() {
    let service = Service::start().await;
    let made = service.post("/api/v1/students/", &json!({ "name": "Asha", "roll_number": "R1" })).await.json();
    let id = made["data"]["student_id"].clone();
    service.post("/api/v1/students/", &json!({ "name": "Asha", "roll_number": "R1" })).await;
    service.get("/api/v1/students/").await;
    service.send("PUT", &format!("/api/v1/students/{id}"), &json!({ "name": "Asha Rao" })).await;
    let log = service.get("/api/v1/audit").await;
    let entries: Vec<(String, String, Value)> = log.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap().to_owned();
            (text("actor"), text("action"), entry["subject"].clone())
        })
        .collect();
    let subject = json!(format!("student_id {id}"));
    let expected = [
        ("admin".to_owned(), "PUT /api/v1/students/{student_id}".to_owned(), subject.clone()),
        ("admin".to_owned(), "POST /api/v1/students/".to_owned(), subject),
        ("admin".to_owned(), "login".to_owned(), Value::Null),
    ];
    assert_eq!(entries, expected);
    assert!(!log.text.contains("admin123"));
}
