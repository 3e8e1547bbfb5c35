//! A PostgreSQL that is restarted, read-only, or replaced by its standby in the middle of the work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::common::server_process::ServerProcess;
use crate::load::{KNOWN, Promised, SetWhenDropped, WORKERS, work};
use crate::server::start;

/// How soon the service writes again once the database is back.
const BACK_WITHIN: Duration = Duration::from_secs(15);

fn enrolled(url: &str) -> (ServerProcess, Client, String) {
    let server = start(url);
    let (client, token) = Client::logged_in(&server);
    for identity in 0..KNOWN {
        assert_eq!(client.enrol("Known", &format!("K{identity}"), identity).unwrap().0, 200);
    }
    (server, client, token)
}

/// Lets clients work while `happen` happens, and returns what they were promised and how long until writes went on.
fn while_it_happens(server: &ServerProcess, token: &str, happen: impl FnOnce()) -> (Promised, Duration) {
    let (numbers, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut promised = Promised::default();
    let mut back = Duration::ZERO;
    std::thread::scope(|scope| {
        let _ends_the_workers = SetWhenDropped(&over);
        let workers: Vec<_> = (0..WORKERS)
            .map(|n| {
                let (client, numbers, over) = (Client::of(server, token), &numbers, &over);
                scope.spawn(move || work(n, &client, numbers, &|| over.load(Ordering::Relaxed)))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(700));
        happen();
        let (client, began) = (Client::of(server, token), Instant::now());
        let writes = |number: usize| {
            let new = json!({ "name": "After", "roll_number": format!("A{number}") });
            client.post("/students/", &new).unwrap().0 == 200
        };
        let attempts = (0..).find(|number| writes(*number) || began.elapsed() > BACK_WITHIN);
        back = began.elapsed();
        assert!(back < BACK_WITHIN, "{attempts:?} attempts: the service does not write again");
        std::thread::sleep(Duration::from_secs(1));
        over.store(true, Ordering::Relaxed);
        for worker in workers {
            promised.join(worker.join().unwrap());
        }
    });
    (promised, back)
}

#[test]
fn a_postgresql_that_restarts_loses_nothing_that_was_acknowledged() {
    let Some(cluster) = Cluster::primary() else { return };
    let url = format!("postgres://faceattend@127.0.0.1:{}/postgres", cluster.port);
    let (server, client, token) = enrolled(&url);
    let mut health_while_away = None;
    let (promised, back) = while_it_happens(&server, &token, || {
        cluster.crash();
        let began = Instant::now();
        let status = client.get("/health").unwrap().0;
        health_while_away = Some((status, began.elapsed()));
        cluster.start();
    });
    let (status, took) = health_while_away.unwrap();
    assert_eq!(status, 503, "health says that the database is away");
    assert!(took < Duration::from_secs(8), "{took:?}");
    println!(
        "PostgreSQL crashed and started again: health answered 503 after {took:?}, writes go on {back:?} after it is \
         back; {} writes acknowledged, {}",
        promised.writes,
        promised.says()
    );
    promised.check(&client, &server.address().to_string(), "after the restart");
}

#[test]
fn a_postgresql_that_is_read_only_refuses_writes_and_says_so() {
    let Some(cluster) = Cluster::primary() else { return };
    let url = format!("postgres://faceattend@127.0.0.1:{}/postgres", cluster.port);
    let (_server, client, _) = enrolled(&url);
    cluster.execute("ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()");
    std::thread::sleep(Duration::from_millis(500));
    let new = json!({ "name": "New", "roll_number": "N1" });
    let (status, answer) = client.post("/students/", &new).unwrap();
    // Our transactions say themselves that they write, so this setting alone does not stop them.
    assert!(status == 200 || answer["detail"].as_str().unwrap().contains("cannot be written"), "{status} {answer}");
    for path in ["/health", "/students/"] {
        assert_eq!(client.get(path).unwrap().0, 200, "{path}");
    }
}

#[test]
fn a_standby_that_takes_over_has_everything_that_was_acknowledged() {
    let Some(primary) = Cluster::primary() else { return };
    let standby = Cluster::standby(&primary);
    // The first that writes is the one: PostgreSQL's own way of naming two servers.
    let url = format!(
        "postgres://faceattend@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        primary.port, standby.port
    );
    let (server, client, token) = enrolled(&url);
    let (promised, back) = while_it_happens(&server, &token, || {
        primary.crash();
        standby.promote();
    });
    println!(
        "failed over to the standby: writes go on after {back:?}; {} writes acknowledged, {}",
        promised.writes,
        promised.says()
    );
    promised.check(&client, &server.address().to_string(), "after the failover");
    for identity in 0..KNOWN {
        assert_eq!(client.show(identity).unwrap().0, 200);
    }
    assert_eq!(client.get("/health").unwrap().0, 200);
    assert_eq!(client.post("/attendance/mark?student_id=1", &Value::Null).unwrap().0, 200);
}
