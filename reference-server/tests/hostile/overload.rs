//! Clients that ask too often get 429, a server with too many waiting frames answers 503, and health always answers.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use faceattend_core::Result;
use faceattend_core::engine::{Analysis, AnalyzeOptions, Embedder, FaceEngine};
use faceattend_core::frame::Frame;
use faceattend_core::store::SqliteStore;
use faceattend_server::auth::Secret;
use faceattend_server::{AppState, RateLimits, Settings, app};
use serde_json::json;

use crate::attacked::SOON;
use crate::common::{self, GREEN, Service, picture};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_is_told_when_to_ask_again_and_health_always_answers() {
    let rates = RateLimits { per_address: None, per_login: Some(1), this_machine: true };
    let service = Service::start_with(|settings| settings.with_rates(rates)).await;
    let mut refused = None;
    for _ in 0..50 {
        let answer = service.get("/api/v1/auth/me").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    let refused = refused.unwrap();
    refused.is(429, "Too many requests, try again later");
    assert_eq!(refused.header("retry-after"), "1");
    for path in ["/health", "/ready", "/metrics"] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    assert!(service.get("/metrics?format=prometheus").await.text.contains("faceattend_requests_limited_total 1"));
}

/// An engine that analyses nothing until it is let.
struct Gated {
    marker: common::marker::MarkerEngine,
    open: Mutex<bool>,
    opened: Condvar,
}

impl FaceEngine for Gated {
    fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis> {
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.opened.wait(open).unwrap();
        }
        drop(open);
        self.marker.analyze(frame, options)
    }

    fn embedder(&self) -> &Embedder {
        self.marker.embedder()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overloaded_server_says_so_and_still_tells_its_health() {
    let engine = Arc::new(Gated {
        marker: common::marker::MarkerEngine::new(),
        open: Mutex::new(false),
        opened: Condvar::new(),
    });
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("face_attendance.db")).unwrap());
    let settings =
        Settings::new(Secret::new(common::SECRET).unwrap()).with_allowed_hosts(common::hosts()).with_threads(2);
    let state = AppState::new(store.clone(), engine.clone(), settings).unwrap();
    let mut service = Service { router: app(state.clone()), state, store, folder, token: String::new() };
    let admin = json!({ "username": "admin", "password": "admin123" });
    let login = service.post("/api/v1/auth/login", &admin).await.json();
    service.token = login["access_token"].as_str().unwrap().to_owned();
    let service = Arc::new(service);

    let picture = json!({ "image_data": picture(GREEN, 1) });
    let mut waiting = Vec::new();
    // Far more than wait: 64 for each thread.
    for _ in 0..300 {
        let (service, picture) = (Arc::clone(&service), picture.clone());
        waiting.push(tokio::spawn(async move { service.post("/api/v1/face/detect", &picture).await }));
    }
    let mut refused = 0;
    while refused < 300 - 128 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        refused = waiting.iter().filter(|task| task.is_finished()).count();
    }
    // Everything that can be full is full; none of this waits for it.
    for path in ["/health", "/ready", "/metrics", "/api/v1/students/", "/api/v1/detection/status"] {
        let answer = tokio::time::timeout(SOON, service.get(path)).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    // A picture that would be refused is not even parsed: nobody sees that this one is none.
    let broken = || {
        let request = service.request("POST", "/api/v1/face/detect").header("content-type", "application/json");
        service.raw(request.body("x".repeat(100_000).into()).unwrap())
    };
    broken().await.is(503, "The server is busy");
    *engine.open.lock().unwrap() = true;
    engine.opened.notify_all();
    let mut counted = [0, 0];
    for task in waiting {
        let answer = task.await.unwrap();
        if answer.status == 503 {
            answer.is(503, "The server is busy");
            assert_eq!(answer.header("retry-after"), "1");
            counted[1] += 1;
        } else {
            assert_eq!(answer.status, 200, "{}", answer.text);
            counted[0] += 1;
        }
    }
    assert_eq!(counted, [128, 172]);
    assert_eq!(broken().await.status, 422);
}
