//! The recorded exchanges of the replaced service, replayed against ours, where they are at hand.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says why it is skipped")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{SECRET, Service};

fn recordings() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/wire");
    let folder = std::env::var_os("FACEATTEND_SHARED").map_or(beside, |shared| PathBuf::from(shared).join("wire"));
    folder.join("replay.py").is_file().then_some(folder)
}

/// What can be lost to a busy machine: the recording asks for a status while the tries to open two files that are not
/// there may still be going on, 0.7 s after their start.
const RACES: &str = "FAIL det-status-dead:";
/// How often a replay that lost only that race is begun again, with a fresh service.
const REPLAYS: usize = 3;

/// What a replay against a fresh service prints; `None` without Python.
async fn replayed(folder: PathBuf) -> Option<String> {
    let service = Service::start_as_recorded().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, service.router.clone()).into_future());
    let database = service.folder.path().join("face_attendance.db");
    let replayed = tokio::task::spawn_blocking(move || {
        let mut replay = Command::new("python3");
        replay.arg(folder.join("replay.py")).args(["--base", &format!("http://{address}"), "--secret", SECRET]);
        replay.arg("--db").arg(database).arg("-v").output()
    });
    match replayed.await.unwrap() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            println!("skipped: python3 does not run: {error}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_exchange_is_answered_as_recorded_or_recommended() {
    let Some(folder) = recordings() else {
        println!("skipped: there is no shared/wire with the recordings beside the project");
        return;
    };
    for replay in 1..=REPLAYS {
        let Some(output) = replayed(folder.clone()).await else { return };
        let summary = output.lines().last().unwrap_or_default();
        println!("{summary}");
        let passed: u32 = summary.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        assert!(passed > 200, "the replay did not get through: {output}");
        let wrong: Vec<&str> = output.lines().filter(|line| line.starts_with("FAIL ")).collect();
        let raced = !wrong.is_empty() && wrong.iter().all(|line| line.starts_with(RACES));
        if !raced || replay == REPLAYS {
            assert!(wrong.is_empty(), "{wrong:?}\n{output}");
            return;
        }
    }
}
