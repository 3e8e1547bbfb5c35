//! The whole service over the marker engine and a database of its own, asked without a network.

#![allow(dead_code, unreachable_pub, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a server says to its test where it listens")]

pub mod marker;
#[path = "../../../core/tests/common/opencv.rs"]
pub mod opencv;
pub mod program;
pub mod schema;
pub mod server_process;

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::engine::FaceEngine;
use faceattend_core::gate::GatePolicy;
use faceattend_core::store::{SqliteStore, TemplateKeys};
use faceattend_server::auth::Secret;
use faceattend_server::{AllowedHosts, AppState, GateSettings, LiveSettings, Logout, Settings, WebSocketAccess, app};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub const DATABASE: &str = "face_attendance.db";
pub const SECRET: &str = "a secret of the tests";

pub struct Service {
    pub router: Router,
    pub state: AppState,
    pub store: Arc<SqliteStore>,
    pub folder: tempfile::TempDir,
    pub token: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Type and place of every issue of a 422.
    pub fn issues(&self) -> Vec<(String, Value)> {
        assert_eq!(self.status, 422, "{}", self.text);
        let body = self.json();
        let issues = body["detail"].as_array().unwrap();
        issues.iter().map(|issue| (issue["type"].as_str().unwrap().to_owned(), issue["loc"].clone())).collect()
    }

    #[track_caller]
    pub fn is(&self, status: u16, detail: &str) {
        assert_eq!((self.status.as_u16(), self.json()), (status, json!({ "detail": detail })));
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(|settings| settings).await
    }

    /// With the WebSocket open and tokens that outlive a logout, as in the recordings.
    pub async fn start_as_recorded() -> Self {
        Self::start_with(|settings| settings.with_web_socket(WebSocketAccess::Open).with_logout(Logout::LeavesToken))
            .await
    }

    /// The service with settings that `change` has changed.
    pub async fn start_with(change: impl FnOnce(Settings) -> Settings) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), TemplateKeys::none(), change).await
    }

    /// The same over the database in `folder`, whose faces are encrypted with `keys`.
    pub async fn start_in(
        folder: tempfile::TempDir,
        keys: TemplateKeys,
        change: impl FnOnce(Settings) -> Settings,
    ) -> Self {
        Self::start_on(Arc::new(marker::MarkerEngine::new()), folder, keys, change).await
    }

    /// The same with another engine than the tests' own.
    pub async fn start_on(
        engine: Arc<dyn FaceEngine>,
        folder: tempfile::TempDir,
        keys: TemplateKeys,
        change: impl FnOnce(Settings) -> Settings,
    ) -> Self {
        let store = Arc::new(SqliteStore::open_with_keys(folder.path().join(DATABASE), keys).unwrap());
        let settings = Settings::new(Secret::new(SECRET).unwrap())
            .with_policy(AttendancePolicy::in_time_zone("UTC").unwrap())
            .with_allowed_hosts(hosts())
            .with_live(without_a_gate())
            .with_threads(2);
        let settings = change(settings);
        let state = AppState::new(store.clone(), engine, settings).unwrap();
        let mut service = Self { router: app(state.clone()), state, store, folder, token: String::new() };
        let admin = json!({ "username": "admin", "password": "admin123" });
        service.token =
            service.post("/api/v1/auth/login", &admin).await.json()["access_token"].as_str().unwrap().to_owned();
        service
    }

    /// The same service, asked by a new account of this role.
    pub async fn account(&self, name: &str, role: &str) -> Self {
        let body = json!({ "username": name, "password": "correct horse", "role": role });
        let made = self.post("/api/v1/auth/users", &body).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let tokens = self.post("/api/v1/auth/login", &body).await.json();
        self.asked_with(tokens["access_token"].as_str().unwrap())
    }

    /// The same service, asked with this token; with an empty one, by a stranger.
    pub fn asked_with(&self, token: &str) -> Self {
        let (router, state, store) = (self.router.clone(), self.state.clone(), self.store.clone());
        Self { router, state, store, folder: tempfile::tempdir().unwrap(), token: token.to_owned() }
    }

    pub async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let builder = Request::builder().method(method).uri(path).header(header::HOST, "site.test:8001");
        if self.token.is_empty() {
            return builder;
        }
        builder.header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.raw(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header(header::CONTENT_TYPE, "application/json");
        self.raw(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body).await
    }

    pub async fn begin(&self, body: &Value) -> String {
        let answer = self.post("/api/v1/liveness/session", body).await.json();
        answer["data"]["session_id"].as_str().unwrap().to_owned()
    }

    pub async fn frame(&self, session: &str, position: &str, picture: &str) -> Answer {
        let body = json!({ "session_id": session, "position": position, "frame_data": picture });
        self.post("/api/v1/liveness/detect", &body).await
    }

    /// Takes a session through its three positions.
    pub async fn complete(&self, session: &str, identity: u8) -> Value {
        let mut last = Value::Null;
        for (position, color) in [("center", GREEN), ("left", RED), ("right", BLUE)] {
            last = self.frame(session, position, &picture(color, identity)).await.json();
            assert_eq!(last["is_live"], true, "{position}: {last}");
        }
        assert_eq!(last["session_completed"], true, "{last}");
        last
    }

    pub async fn register(&self, name: &str, roll: &str, session: &str) -> Answer {
        let body = json!({ "name": name, "roll_number": roll, "session_id": session });
        self.post("/api/v1/liveness/register-student", &body).await
    }
}

/// Cameras that mark whom they recognize: the faces of the tests' engine are colors, which show nothing of life.
/// `tests/gate.rs` has the real engine and the gate.
pub fn without_a_gate() -> LiveSettings {
    LiveSettings::default().with_gate(GateSettings::default().with_policy(Some(GatePolicy::Off)))
}

/// The names that the tests address the service by.
pub fn hosts() -> AllowedHosts {
    AllowedHosts::new(["site.test", "x"].map(|name| name.parse().unwrap()).to_vec())
}

pub const BLACK: [u8; 3] = [0, 0, 0];
pub const GREEN: [u8; 3] = [0, 255, 0];
pub const RED: [u8; 3] = [255, 0, 0];
pub const BLUE: [u8; 3] = [0, 0, 255];
pub const YELLOW: [u8; 3] = [255, 255, 0];

/// A PNG whose marker says a pose and an identity, in base64.
pub fn picture(pose: [u8; 3], identity: u8) -> String {
    let pixel = |x, _| image::Rgb(if x < 16 { pose } else { [0, identity * 16, 0] });
    let picture = image::RgbImage::from_fn(64, 64, pixel);
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    base64::engine::general_purpose::STANDARD.encode(bytes.into_inner())
}

/// Waits until it holds, for half a minute.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}
