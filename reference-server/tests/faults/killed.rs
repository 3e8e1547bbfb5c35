//! The server, killed at random while it works: whatever it has answered with success is there afterwards, nobody is
//! marked twice, and the database opens.
//!
//! `FACEATTEND_KILLS=100 cargo test -p faceattend-server --test killed` kills it a hundred times; without the variable
//! it is killed a few times.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says its figures"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::server_process::{ServerProcess, serve_if_started};
use common::{BLUE, GREEN, RED, picture};
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::store::SqliteStore;
use faceattend_server::auth::Secret;
use faceattend_server::net::listen::ConnectionLimits;
use faceattend_server::{AppState, Settings, app};
use serde_json::{Value, json};

const DATABASE: &str = "face_attendance.db";
/// People who are enrolled from the start and marked again and again.
const KNOWN: u8 = 8;
/// The face that is enrolled under new names all the time.
const NEWCOMER: u8 = 12;

#[test]
#[ignore = "the server that the other test starts and kills"]
fn the_server() {
    serve_if_started(ConnectionLimits::default(), async |folder| {
        let store = Arc::new(SqliteStore::open(Path::new(&folder).join(DATABASE)).unwrap());
        let settings = Settings::new(Secret::new(common::SECRET).unwrap())
            .with_policy(AttendancePolicy::in_time_zone("UTC").unwrap())
            // One newcomer is enrolled over and over.
            .with_duplicates(DuplicatePolicy::Warn)
            .with_threads(2);
        let state = AppState::new(store, Arc::new(common::marker::MarkerEngine::new()), settings).unwrap();
        (app(state), String::new())
    });
}

fn start(folder: &Path) -> ServerProcess {
    ServerProcess::start("the_server", folder.to_str().unwrap())
}

/// Somebody who asks; `None` for a request that the death of the server cut off.
struct Client {
    agent: ureq::Agent,
    address: String,
    token: String,
}

impl Client {
    fn of(server: &ServerProcess, token: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        Self {
            agent: config.into(),
            address: format!("http://{}/api/v1", server.address()),
            token: format!("Bearer {token}"),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.agent.post(format!("{}{path}", self.address));
        let request = request.header("Authorization", &self.token).header("Content-Type", "application/json");
        read(request.send(body.to_string()))
    }

    fn get(&self, path: &str) -> Option<(u16, Value)> {
        read(self.agent.get(format!("{}{path}", self.address)).header("Authorization", &self.token).call())
    }

    fn delete(&self, path: &str) -> Option<(u16, Value)> {
        read(self.agent.delete(format!("{}{path}", self.address)).header("Authorization", &self.token).call())
    }

    /// All items of a paged list.
    fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let (status, body) = self.get(&format!("{path}?skip={}&limit=100", items.len())).unwrap();
            assert_eq!(status, 200, "{body}");
            items.extend(body["items"].as_array().unwrap().iter().cloned());
            if items.len() as u64 >= body["total"].as_u64().unwrap() {
                break;
            }
        }
        items
    }

    /// Enrols `identity` through a liveness session; the status of the last step, and the student.
    fn enrol(&self, name: &str, roll: &str, identity: u8) -> Option<(u16, Value)> {
        let (_, begun) = self.post("/liveness/session", &json!({}))?;
        let session = begun["data"]["session_id"].as_str().unwrap().to_owned();
        for (position, color) in [("center", GREEN), ("left", RED), ("right", BLUE)] {
            let frame = json!({ "session_id": session, "position": position, "frame_data": picture(color, identity) });
            let (status, answer) = self.post("/liveness/detect", &frame)?;
            assert_eq!((status, &answer["is_live"]), (200, &json!(true)), "{answer}");
        }
        self.post("/liveness/register-student", &json!({ "name": name, "roll_number": roll, "session_id": session }))
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<(u16, Value)> {
    let mut answer = answer.ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    let status = answer.status().as_u16();
    assert_ne!(status, 500, "{text}");
    // An answer that was cut off is no answer.
    Some((status, serde_json::from_str(&text).ok()?))
}

/// What the server has answered with success.
#[derive(Default)]
struct Promised {
    /// Roll numbers of the students that were created, and of those that were enrolled.
    created: BTreeSet<String>,
    enrolled: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// Identities that were marked.
    marked: BTreeSet<u8>,
}

impl Promised {
    fn join(&mut self, other: Self) {
        self.created.extend(other.created);
        self.enrolled.extend(other.enrolled);
        self.deleted.extend(other.deleted);
        self.marked.extend(other.marked);
    }
}

/// Creates students and deletes every third.
fn create(client: &Client, numbers: &AtomicU64) -> Promised {
    let mut promised = Promised::default();
    loop {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let roll = format!("C{number}");
        let new = json!({ "name": "Created", "roll_number": roll });
        let Some((status, student)) = client.post("/students/", &new) else { return promised };
        assert_eq!(status, 200, "{student}");
        if number.is_multiple_of(3) {
            let Some((status, answer)) = client.delete(&format!("/students/{}", student["data"]["student_id"])) else {
                // Nobody knows whether it is gone.
                return promised;
            };
            assert_eq!(status, 200, "{answer}");
            promised.deleted.insert(roll);
        } else {
            promised.created.insert(roll);
        }
    }
}

fn enrol(client: &Client, numbers: &AtomicU64) -> Promised {
    let mut promised = Promised::default();
    loop {
        let roll = format!("E{}", numbers.fetch_add(1, Ordering::Relaxed));
        let Some((status, answer)) = client.enrol("Enrolled", &roll, NEWCOMER) else { return promised };
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
        promised.enrolled.insert(roll);
    }
}

/// Shows the known faces to a camera, beginning with another one than the others who do.
fn mark(client: &Client, first: u8) -> Promised {
    let mut promised = Promised::default();
    for identity in (0..KNOWN).cycle().skip(first.into()) {
        let seen = json!({ "image_data": picture(GREEN, identity), "camera_source": "gate" });
        let Some((status, answer)) = client.post("/face/recognize", &seen) else { break };
        assert_eq!(status, 200, "{answer}");
        if answer["data"]["attendance_logs_created"] == 1 {
            promised.marked.insert(identity);
        }
    }
    promised
}

fn kept(folder: &Path, client: &Client, promised: &Promised, round: u32) {
    let students = client.all("/students/");
    let rolls: BTreeMap<&str, &Value> = students.iter().map(|s| (s["roll_number"].as_str().unwrap(), s)).collect();
    assert_eq!(rolls.len(), students.len(), "round {round}: a roll number twice");
    for roll in promised.created.iter().chain(&promised.enrolled) {
        assert!(rolls.contains_key(roll.as_str()), "round {round}: {roll} is lost");
    }
    for roll in &promised.enrolled {
        assert_eq!(rolls[roll.as_str()]["liveness_verified"], true, "round {round}: {roll}'s face is lost");
    }
    for roll in &promised.deleted {
        assert!(!rolls.contains_key(roll.as_str()), "round {round}: {roll} is back");
    }
    let mut marks: BTreeMap<String, usize> = BTreeMap::new();
    for record in client.all("/attendance/") {
        *marks.entry(record["student_roll_number"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(marks.values().all(|count| *count == 1), "round {round}: marked twice: {marks:?}");
    for identity in &promised.marked {
        assert!(marks.contains_key(&format!("K{identity}")), "round {round}: a mark of {identity} is lost: {marks:?}");
    }
    let database = rusqlite::Connection::open(folder.join(DATABASE)).unwrap();
    let whole: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok", "round {round}");
    let dangling: usize =
        database.prepare("PRAGMA foreign_key_check").unwrap().query_map([], |_| Ok(())).unwrap().count();
    assert_eq!(dangling, 0, "round {round}: rows without the row they belong to");
}

#[test]
fn what_was_answered_survives_a_kill_at_any_moment() {
    let kills: u32 = std::env::var("FACEATTEND_KILLS").map_or(8, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut server = start(folder.path());
    let (status, login) =
        Client::of(&server, "").post("/auth/login", &json!({ "username": "admin", "password": "admin123" })).unwrap();
    assert_eq!(status, 200, "{login}");
    // It outlives the server as well.
    let token = login["access_token"].as_str().unwrap();
    let client = Client::of(&server, token);
    for identity in 0..KNOWN {
        let (status, answer) = client.enrol("Known", &format!("K{identity}"), identity).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    let numbers = AtomicU64::new(0);
    let (mut promised, mut requests) = (Promised::default(), 0);
    for round in 0..kills {
        // Those of the round before have been checked.
        for record in Client::of(&server, token).all("/attendance/") {
            let path = format!("/attendance/{}", record["id"]);
            assert_eq!(Client::of(&server, token).delete(&path).unwrap().0, 200);
        }
        promised.marked.clear();
        let lives = Duration::from_millis(rand::random_range(20..400));
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..6).map(|_| Client::of(&server, token)).collect();
            let numbers = &numbers;
            let workers: Vec<_> = clients
                .into_iter()
                .zip(0_u8..)
                .map(|(client, n)| {
                    scope.spawn(move || match n {
                        0 => create(&client, numbers),
                        1 | 2 => enrol(&client, numbers),
                        _ => mark(&client, n * 2),
                    })
                })
                .collect();
            std::thread::sleep(lives);
            server.kill();
            for worker in workers {
                promised.join(worker.join().unwrap());
            }
        });
        requests += promised.marked.len();
        server = start(folder.path());
        kept(folder.path(), &Client::of(&server, token), &promised, round);
    }
    server.kill();
    println!(
        "killed {kills} times: {} students created, {} deleted, {} enrolled, {requests} marks, all kept",
        promised.created.len(),
        promised.deleted.len(),
        promised.enrolled.len(),
    );
    assert!(promised.created.len() + promised.enrolled.len() + requests > kills as usize, "hardly anything was asked");
}
