//! Starts a server in a process of its own: this test program again, running one of its ignored tests.
//!
//! A process of its own can be killed at any moment, and its log, open connections and memory are its alone. The test
//! that acts as the server calls [`serve_if_started`]; the tests that need the server call [`ServerProcess::start`].

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::store::SqliteStore;
use faceattend_server::auth::Secret;
use faceattend_server::net::listen::{ConnectionLimits, serve};
use faceattend_server::{AppState, Settings, app};

use super::marker::MarkerEngine;
use super::{DATABASE, SECRET, without_a_gate};

/// The variable with the order of the server. Its presence makes a process a server.
const ORDER: &str = "FACEATTEND_TEST_SERVER";
/// The words by which the server says that it listens; its address and its greeting follow.
const LISTENING: &str = "the server of the test listens on ";

/// A server in a process of its own. Dropping it kills the process.
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
    greeting: String,
    complaints: Arc<Mutex<String>>,
}

impl ServerProcess {
    /// Starts the ignored test `name` of this test program with an order, and waits until it listens.
    pub fn start(name: &str, order: &str) -> Self {
        Self::start_by(&mut Command::new(std::env::current_exe().unwrap()), name, order)
    }

    /// The same with a command that runs this test program, such as a shell that sets a limit first.
    pub fn start_by(command: &mut Command, name: &str, order: &str) -> Self {
        let mut child = command
            .args(["--exact", name, "--ignored", "--nocapture"])
            .env(ORDER, order)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let complaints = Arc::new(Mutex::new(String::new()));
        let (kept, errors) = (Arc::clone(&complaints), BufReader::new(child.stderr.take().unwrap()));
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = writeln!(std::io::stderr(), "{line}");
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The test harness writes the name of the test before it, on the same line.
        let heard = lines.find_map(|line| line.unwrap().split_once(LISTENING).map(|(_, rest)| rest.to_owned()));
        let heard = heard.expect("the server says where it listens");
        // What the server says later needs a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let (address, greeting) = heard.split_once(' ').unwrap();
        Self { child, address: address.parse().unwrap(), greeting: greeting.to_owned(), complaints }
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what the server said beside its address.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Returns the number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns what the server has written to standard error, where panics are told.
    pub fn complaints(&self) -> String {
        self.complaints.lock().unwrap().clone()
    }

    /// Kills the process with SIGKILL: no handler runs, and nothing is flushed.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves what `make` builds from the order until the process is killed. Returns at once in a process that
/// [`ServerProcess::start`] did not start.
pub fn serve_if_started(limits: ConnectionLimits, make: impl AsyncFnOnce(String) -> (Router, String)) {
    let Ok(order) = std::env::var(ORDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (router, greeting) = make(order).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{LISTENING}{} {greeting}", listener.local_addr().unwrap());
        serve(listener, router, limits, std::future::pending()).await;
    });
}

/// Serves a server that watches cameras, on the database in the folder that the order names, as [`serve_if_started`].
pub fn serve_cameras_if_started() {
    serve_if_started(ConnectionLimits::default(), async |folder| {
        let store = Arc::new(SqliteStore::open(Path::new(&folder).join(DATABASE)).unwrap());
        let settings = Settings::new(Secret::new(SECRET).unwrap())
            .with_policy(AttendancePolicy::in_time_zone("UTC").unwrap())
            .with_live(without_a_gate())
            .with_threads(2);
        (app(AppState::new(store, Arc::new(MarkerEngine::new()), settings).unwrap()), String::new())
    });
}
