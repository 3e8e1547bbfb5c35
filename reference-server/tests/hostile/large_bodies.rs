//! Credentials and the role are checked before a large body is read.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use faceattend_server::STRANGERS_BODY_LIMIT;
use serde_json::json;
use tokio_stream::StreamExt as _;

use crate::common::{Answer, Service};

/// A body of which this much arrives, and then nothing more.
fn unfinished(start: Vec<u8>) -> Body {
    let arriving = tokio_stream::iter([Ok::<_, Infallible>(start)]).chain(tokio_stream::pending());
    Body::from_stream(arriving)
}

async fn posted(service: &Service, path: &str, token: &str, length: Option<usize>, body: Body) -> Answer {
    let mut request = Request::builder().method("POST").uri(path).header(header::HOST, "site.test:8001");
    request = request.header(header::CONTENT_TYPE, "application/json");
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(length) = length {
        request = request.header(header::CONTENT_LENGTH, length);
    }
    let asked = service.raw(request.body(body).unwrap());
    tokio::time::timeout(Duration::from_secs(10), asked).await.expect("the answer does not wait for the body")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_is_read_only_of_those_who_may_send_it() {
    let service = Service::start().await;
    let viewer = json!({ "username": "eva", "password": "correct horse", "role": "viewer" });
    assert_eq!(service.post("/api/v1/auth/users", &viewer).await.status, 200);
    let login = json!({ "username": "eva", "password": "correct horse" });
    let viewer = service.post("/api/v1/auth/login", &login).await.json()["access_token"].as_str().unwrap().to_owned();
    let (create, large) = ("/api/v1/students/", STRANGERS_BODY_LIMIT + 1);
    let much = || unfinished(vec![b' '; large]);
    // Announced, or in chunks without an end.
    for (length, body) in [(Some(9_000_000), unfinished(Vec::new())), (None, much())] {
        posted(&service, create, "", length, body).await.is(401, "Not authenticated");
    }
    for (length, body) in [(Some(9_000_000), unfinished(Vec::new())), (None, much())] {
        posted(&service, create, "a.b.c", length, body).await.is(401, "Could not validate credentials");
    }
    for (length, body) in [(Some(9_000_000), unfinished(Vec::new())), (None, much())] {
        posted(&service, create, &viewer, length, body).await.is(403, "Not enough permissions");
    }
    // Whose login has ended is a stranger, whatever the signature says.
    let ended = service.post("/api/v1/auth/login", &login).await.json()["access_token"].as_str().unwrap().to_owned();
    posted(&service, "/api/v1/auth/logout", &ended, None, Body::empty()).await;
    posted(&service, create, &ended, Some(9_000_000), unfinished(Vec::new()))
        .await
        .is(401, "Could not validate credentials");
    // What logs in has no credentials yet.
    posted(&service, "/api/v1/auth/login", "", None, much()).await.is(413, "Request body too large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_body_is_checked_in_the_recorded_order() {
    let service = Service::start().await;
    let viewer = json!({ "username": "eva", "password": "correct horse", "role": "viewer" });
    assert_eq!(service.post("/api/v1/auth/users", &viewer).await.status, 200);
    let login = json!({ "username": "eva", "password": "correct horse" });
    let viewer = service.post("/api/v1/auth/login", &login).await.json()["access_token"].as_str().unwrap().to_owned();
    let create = "/api/v1/students/";
    for token in ["", "a.b.c", &viewer, &service.token] {
        let answer = posted(&service, create, token, None, Body::from("{")).await;
        assert_eq!(answer.issues()[0].0, "json_invalid", "{token}");
    }
    let wrong = || Body::from(r#"{"name": 7}"#);
    posted(&service, create, "", None, wrong()).await.is(401, "Not authenticated");
    posted(&service, create, &viewer, None, wrong()).await.is(403, "Not enough permissions");
    assert_eq!(posted(&service, create, &service.token, None, wrong()).await.issues().len(), 2);
    // The syntax of as much as is read is told of a login, too.
    let deep = Body::from("[".repeat(100_000));
    posted(&service, "/api/v1/auth/login", "", None, deep).await.is(400, "There was an error parsing the body");
    let long = Body::from(format!("{{\"username\": \"{}\"}}", "x".repeat(100_000)));
    posted(&service, "/api/v1/auth/login", "", None, long).await.is(413, "Request body too large");
    let broken = Body::from(format!("{{\"username\" {}", "x".repeat(100_000)));
    let answer = posted(&service, "/api/v1/auth/login", "", None, broken).await;
    assert_eq!(answer.issues()[0].0, "json_invalid");
}
