//! One of several servers, what it is asked, and what it tells.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::store::{PostgresStore, Store};
use faceattend_server::auth::Secret;
use faceattend_server::net::listen::ConnectionLimits;
use faceattend_server::{AppState, Settings, app};
use serde_json::Value;
use tokio_tungstenite::tungstenite;

use crate::common::server_process::{ServerProcess, serve_if_started};
use crate::common::{SECRET, marker, without_a_gate};

pub struct Server {
    pub name: String,
    process: ServerProcess,
    pub token: String,
}

impl Server {
    /// Starts a server called `name` on the database with this address.
    pub fn start(name: &str, database: &str) -> Self {
        Self::start_with_room(name, 64, database)
    }

    /// The same for a server that watches at most so many cameras.
    pub fn start_with_room(name: &str, cameras: usize, database: &str) -> Self {
        let process = ServerProcess::start("a_server_of_the_test", &format!("{name} {cameras} {database}"));
        Self { name: name.to_owned(), process, token: String::new() }
    }

    /// Kills the server with SIGKILL: nothing is said and nothing is written any more.
    pub fn kill(self) {
        self.process.kill();
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.process.address()))
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", self.token));
        let answer = if body.is_null() {
            agent.run(request.body(()).unwrap())
        } else {
            agent.run(request.body(body.to_string()).unwrap())
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path} at {}: {answer}", self.name);
        answer
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask("POST", path, body);
        assert_eq!(status, 200, "{path} at {}: {answer}", self.name);
        answer
    }

    /// What its WebSocket tells from now on.
    pub fn listen(&self) -> mpsc::Receiver<Value> {
        let url = format!("ws://{}/api/v1/detection/ws/1?events=all&token={}", self.process.address(), self.token);
        let (mut link, _) = tungstenite::connect(url).unwrap();
        let (heard, told) = mpsc::channel();
        link.read().unwrap();
        std::thread::spawn(move || {
            while let Ok(message) = link.read() {
                let Ok(text) = message.to_text() else { continue };
                let Ok(event) = serde_json::from_str(text) else { continue };
                if heard.send(event).is_err() {
                    return;
                }
            }
        });
        told
    }
}

/// Serves until the process is killed, if it was started as a server.
pub fn serve_if_told_to() {
    serve_if_started(ConnectionLimits::default(), async |order| {
        let (name, rest) = order.split_once(' ').unwrap();
        let (cameras, database) = rest.split_once(' ').unwrap();
        // The client of PostgreSQL blocks.
        let url = database.to_owned();
        let opened = tokio::task::spawn_blocking(move || PostgresStore::open(&url).unwrap());
        let store: Arc<dyn Store> = Arc::new(opened.await.unwrap());
        let settings = Settings::new(Secret::new(SECRET).unwrap())
            .with_policy(AttendancePolicy::in_time_zone("UTC").unwrap())
            .with_live(without_a_gate().with_server_name(name).with_max_cameras(cameras.parse().ok()))
            .with_threads(2);
        let engine = Arc::new(marker::MarkerEngine::new());
        let state = tokio::task::spawn_blocking(|| AppState::new(store, engine, settings).unwrap()).await.unwrap();
        (app(state), String::new())
    });
}

/// Asks until the answer holds, for a minute; returns how long that took.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

/// The first event that `wanted` holds for, within a minute.
#[track_caller]
pub fn hear(told: &mpsc::Receiver<Value>, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let event = told.recv_timeout(left).unwrap_or_else(|_| panic!("{what} was never told"));
        if wanted(&event) {
            return event;
        }
    }
}
