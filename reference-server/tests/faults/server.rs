//! The server that things happen to, in a process of its own, over the marker engine.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use faceattend_core::attendance::{AttendancePolicy, Correction};
use faceattend_core::enrolment::DuplicatePolicy;
use faceattend_core::store::{CorrectedStatus, Store, open};
use faceattend_server::auth::Secret;
use faceattend_server::net::listen::ConnectionLimits;
use faceattend_server::{AppState, Settings, app};
use jiff::Timestamp;

use crate::common::marker::MarkerEngine;
use crate::common::server_process::{ServerProcess, serve_if_started};

#[test]
#[ignore = "the server that the other tests start"]
fn the_server() {
    serve_if_started(ConnectionLimits::default(), async |order| {
        let (database, waiting) = order.split_once(APART).map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        // The client of PostgreSQL blocks.
        let made = tokio::task::spawn_blocking(move || {
            let store = open(&database).unwrap();
            let settings = Settings::new(Secret::new(crate::common::SECRET).unwrap())
                .with_policy(AttendancePolicy::in_time_zone("UTC").unwrap())
                // One newcomer is enrolled over and over.
                .with_duplicates(DuplicatePolicy::Warn)
                // A crowd of clients, all from this machine.
                .with_at_once_per_address(1000)
                .with_live(crate::common::without_a_gate())
                .with_waiting_writes(waiting.into())
                .with_threads(2);
            let state = AppState::new(Arc::clone(&store), Arc::new(MarkerEngine::new()), settings).unwrap();
            (state, store)
        });
        let (state, store) = made.await.unwrap();
        // The API has no route for corrections; other programs make them in the same way.
        let router = app(state).route("/test/correct/{attendance}", post(correct).with_state(store));
        (router, String::new())
    });
}

/// Corrects a row as the Python module does.
async fn correct(State(store): State<Arc<dyn Store>>, Path(attendance): Path<i64>) -> (StatusCode, String) {
    let correction = Correction::new(CorrectedStatus::Absent, "a teacher", "ill");
    let done = tokio::task::spawn_blocking(move || store.correct_attendance(attendance, &correction, Timestamp::now()));
    match done.await.unwrap() {
        Ok(record) => (StatusCode::OK, serde_json::json!({ "status": record.status }).to_string()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, serde_json::json!({ "detail": error.to_string() }).to_string()),
    }
}

/// What stands between the database and the file of waiting writes in the order of a server.
const APART: char = '\u{1f}';

fn order(database: &str) -> String {
    // Of a PostgreSQL, a name that its tests can start again with.
    let beside = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("waiting-{:x}", number_of(database)));
    let waiting = if database.contains("://") { beside.display().to_string() } else { format!("{database}-waiting") };
    format!("{database}{APART}{waiting}")
}

/// A number for a name.
fn number_of(name: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (name, std::process::id()).hash(&mut hasher);
    hasher.finish()
}

/// Starts the server on the database with this file or URL.
pub(crate) fn start(database: &str) -> ServerProcess {
    ServerProcess::start("server::the_server", &order(database))
}

/// The same where no file may grow beyond so many blocks of 512 bytes.
pub(crate) fn start_with_small_files(database: &str, blocks: u32) -> ServerProcess {
    // The signal would end the process; without it the write fails, as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).arg(std::env::current_exe().unwrap());
    ServerProcess::start_by(&mut shell, "server::the_server", &order(database))
}
