//! Servers that are killed with SIGKILL while they mark and send: every event is delivered, under one id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::store::open;
use faceattend_server::auth::Secret;
use faceattend_server::net::listen::ConnectionLimits;
use faceattend_server::{AppState, Settings, app};
use serde_json::{Value, json};

use crate::common::marker::MarkerEngine;
use crate::common::schema::Schema;
use crate::common::server_process::{ServerProcess, serve_if_started};
use crate::common::{SECRET, without_a_gate};
use crate::receiver::Receiver;
use crate::webhooks::{channel, near_and_soon};

/// Longer than a try may take.
const LEASE: Duration = Duration::from_secs(25);

#[test]
#[ignore = "the server that the other tests start"]
fn a_server_that_sends() {
    serve_if_started(ConnectionLimits::default(), async |database| {
        // The client of PostgreSQL blocks.
        let made = tokio::task::spawn_blocking(move || {
            let settings = Settings::new(Secret::new(SECRET).unwrap())
                .with_policy(AttendancePolicy::in_time_zone("UTC").unwrap())
                .with_live(without_a_gate())
                .with_threads(2);
            let mut settings = near_and_soon(settings);
            settings.notices.back_off.most_tries = 1000;
            settings.notices.lease = LEASE;
            AppState::new(open(&database).unwrap(), Arc::new(MarkerEngine::new()), settings).unwrap()
        });
        (app(made.await.unwrap()), String::new())
    });
}

struct Client {
    agent: ureq::Agent,
    base: String,
    token: String,
}

impl Client {
    fn of(server: &ServerProcess) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(30))).build().into();
        let mut client = Self { agent, base: format!("http://{}", server.address()), token: String::new() };
        let login = json!({ "username": "admin", "password": "admin123" });
        let answer = client.ask("POST", "/api/v1/auth/login", &login).unwrap();
        client.token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        client
    }

    /// The answer to a request that succeeds; `None` where the server dies before it answers.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", self.token));
        let mut answer = self.agent.run(request.body(body.to_string()).unwrap()).ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        assert!(answer.status().is_success(), "{method} {path}: {text}");
        serde_json::from_str(&text).ok()
    }
}

#[test]
fn every_event_is_delivered_under_one_id_whenever_a_server_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    kill_often(folder.path().join("a.db").to_str().unwrap(), 1);
}

#[test]
fn every_event_is_delivered_under_one_id_by_two_servers_of_which_one_is_killed_on_postgresql() {
    let Some(schema) = Schema::new() else { return };
    kill_often(&schema.url(), 2);
}

fn kill_often(database: &str, number: usize) {
    let start = || ServerProcess::start("killed::a_server_that_sends", database);
    let mut servers: Vec<ServerProcess> = (0..number).map(|_| start()).collect();
    let receiver = Receiver::start(&[]);
    let client = Client::of(&servers[0]);
    let kept = client.ask("POST", "/api/v1/notices/channels", &channel(&receiver.url())).unwrap();
    let rule = json!({ "name": "Marks", "event": "marked", "channels": [kept["data"]["channel_id"]] });
    client.ask("POST", "/api/v1/notices/rules", &rule).unwrap();
    let rolls = AtomicU64::new(0);
    let mut promised = BTreeSet::new();
    for round in 0..4 {
        receiver.answer_next(&[500, 200, 0, 200, 200, 503]);
        let is_over = AtomicBool::new(false);
        let clients: Vec<Client> = servers.iter().map(Client::of).collect();
        let marked: Vec<BTreeSet<i64>> = std::thread::scope(|scope| {
            let workers: Vec<_> = clients
                .iter()
                .chain(&clients)
                .map(|client| scope.spawn(|| mark_until_it_dies(client, &rolls, &is_over)))
                .collect();
            std::thread::sleep(Duration::from_millis(rand::random_range(300..1500)));
            servers.remove(round % number).kill();
            // The others go on for a while.
            std::thread::sleep(Duration::from_millis(if number > 1 { 500 } else { 0 }));
            is_over.store(true, Relaxed);
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        promised.extend(marked.into_iter().flatten());
        servers.push(start());
    }
    let client = Client::of(&servers[0]);
    let began = Instant::now();
    let state = loop {
        let state = client.ask("GET", "/api/v1/notices/state", &json!({})).unwrap()["data"].clone();
        if state["waiting"] == 0 {
            break state;
        }
        assert!(began.elapsed() < 4 * LEASE, "{state}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(state["dead"], 0, "{state}");
    // What one receiver was told, by what it was about.
    let mut ids: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    let mut taken: BTreeSet<i64> = BTreeSet::new();
    for received in receiver.received() {
        let about = received.body["data"]["attendance_id"].as_i64().unwrap();
        ids.entry(about).or_default().insert(received.id);
        if received.answered == 200 {
            taken.insert(about);
        }
    }
    assert!(promised.len() > 20, "hardly anything was marked: {}", promised.len());
    let lost: Vec<_> = promised.difference(&taken).collect();
    assert!(lost.is_empty(), "marked and not told: {lost:?}");
    assert!(ids.values().all(|ids| ids.len() == 1), "one event under two ids: {ids:?}");
    // A mark whose answer nobody heard is told all the same.
    let rows = client.ask("GET", "/api/v1/attendance/?limit=1", &json!({})).unwrap()["total"].as_u64().unwrap();
    assert_eq!((taken.len() as u64, state["sent"].as_u64().unwrap()), (rows, rows));
    eprintln!("{number} servers: {} marks promised, {rows} told, {} posts", promised.len(), receiver.received().len());
}

/// Marks new students until the server dies or it is over; returns the rows that it has promised.
fn mark_until_it_dies(client: &Client, rolls: &AtomicU64, is_over: &AtomicBool) -> BTreeSet<i64> {
    let mut promised = BTreeSet::new();
    while !is_over.load(Relaxed) {
        let roll = rolls.fetch_add(1, Relaxed);
        let new = json!({ "name": format!("Student {roll}"), "roll_number": format!("R{roll}") });
        let Some(student) = client.ask("POST", "/api/v1/students/", &new) else { return promised };
        let path = format!("/api/v1/attendance/mark?student_id={}", student["data"]["student_id"]);
        let Some(marked) = client.ask("POST", &path, &json!({})) else { return promised };
        promised.insert(marked["data"]["attendance_id"].as_i64().unwrap());
    }
    promised
}
