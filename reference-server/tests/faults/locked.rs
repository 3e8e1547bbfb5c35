//! Another program that holds the database: writes are refused in time, reads and the health check go on, and nothing
//! that was acknowledged is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::database::Database;
use crate::load::{KNOWN, Promised, SetWhenDropped, WORKERS, work};
use crate::server::start;

/// How long the other program holds it: 25 seconds in the long run, and more than a write waits in any.
fn held() -> Duration {
    Duration::from_secs(if std::env::var_os("FACEATTEND_FAULTS_LONG").is_some() { 25 } else { 8 })
}

/// A write waits 5 seconds for another program, in a line or at its head. One after the other, as many writes as
/// [`AT_ONCE`] would wait for 25 minutes: a machine that is busy with other tests stays far below.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// What waits for the database waits these 5 seconds, which a health check that does not wait stays below.
const HEALTHY_WITHIN: Duration = Duration::from_millis(4500);
/// How long the other program tries to get the database, which the workers hold nearly all the time. SQLite serves
/// nobody in turn.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// More writes at once than may wait in line, so that the threads do not all stand in it.
const AT_ONCE: usize = 300;

#[test]
fn a_database_that_another_program_holds_refuses_writes_in_time() {
    let database = Database::file();
    let server = start(&database.place());
    let (client, token) = Client::logged_in(&server);
    for identity in 0..KNOWN {
        assert_eq!(client.enrol("Known", &format!("K{identity}"), identity).unwrap().0, 200);
    }
    let (numbers, over, free) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
    let mut promised = Promised::default();
    let (mut slowest_health, mut asked) = (Duration::ZERO, 0);
    std::thread::scope(|scope| {
        let _ends_the_workers = SetWhenDropped(&over);
        let workers: Vec<_> = (0..WORKERS)
            .map(|n| {
                let (client, numbers, over) = (Client::of(&server, &token), &numbers, &over);
                scope.spawn(move || work(n, &client, numbers, &|| over.load(Ordering::Relaxed)))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        let other = rusqlite::Connection::open(database.place()).unwrap();
        other.busy_timeout(TAKEN_WITHIN).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let began = Instant::now();
        let crowd: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let (client, free) = (Client::of(&server, &token), &free);
                scope.spawn(move || {
                    let asked = Instant::now();
                    let new = json!({ "name": "Crowd", "roll_number": format!("Q{number}") });
                    let (status, answer) = client.post("/students/", &new).unwrap();
                    let took = asked.elapsed();
                    assert!(took < ANSWERED_WITHIN, "a write was answered after {took:?}");
                    assert!(status == 503 || free.load(Ordering::Relaxed), "{status} {answer}");
                    assert!(answer["detail"].as_str().is_none_or(|text| text.contains("try again")), "{answer}");
                })
            })
            .collect();
        while began.elapsed() < held() {
            let one = Instant::now();
            for path in ["/health", "/ready", "/students/?limit=1"] {
                assert_eq!(client.get(path).unwrap().0, 200, "{path}");
            }
            slowest_health = slowest_health.max(one.elapsed());
            asked += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        for one in crowd {
            one.join().unwrap();
        }
        free.store(true, Ordering::Relaxed);
        other.execute_batch("COMMIT").unwrap();
        // Everything goes on by itself.
        let new = json!({ "name": "After", "roll_number": "A1" });
        assert_eq!(client.post("/students/", &new).unwrap().0, 200);
        std::thread::sleep(Duration::from_secs(1));
        over.store(true, Ordering::Relaxed);
        for worker in workers {
            promised.join(worker.join().unwrap());
        }
    });
    println!(
        "held for {:?}: the health check, a list and `ready` took {slowest_health:?} at most of {asked} rounds; {} \
         writes acknowledged, {}",
        held(),
        promised.writes,
        promised.says()
    );
    assert!(slowest_health < HEALTHY_WITHIN, "{slowest_health:?}");
    promised.check(&client, &server.address().to_string(), "after the lock");
    server.kill();
    database.check_whole("after the lock");
}
