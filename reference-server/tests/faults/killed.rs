//! The server, killed at random while it works: whatever it has answered with success is there afterwards, nobody is
//! marked twice, under a wrong name or half erased, and the database opens.
//!
//! `FACEATTEND_KILLS=1000` says how often; without the variable it is killed a few times.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::database::Database;
use crate::load::{KNOWN, Promised, WORKERS, work};
use crate::server::start;

/// So many kills hit one database: each check reads all of it, and it grows.
const PER_DATABASE: u32 = 20;

#[test]
fn what_was_answered_survives_a_kill_at_any_moment() {
    kill_often("SQLite", kills(8), Database::file);
}

#[test]
fn what_was_answered_survives_a_kill_at_any_moment_on_postgresql() {
    if Database::postgres().is_some() {
        kill_often("PostgreSQL", kills(4), || Database::postgres().unwrap());
    }
}

fn kills(otherwise: u32) -> u32 {
    std::env::var("FACEATTEND_KILLS").map_or(otherwise, |kills| kills.parse().unwrap())
}

fn kill_often(what: &str, kills: u32, make: impl Fn() -> Database) {
    let (mut done, mut writes, mut starts) = (0, 0, Duration::ZERO);
    while done < kills {
        let database = make();
        let (wrote, started, promised) = kill(what, done, PER_DATABASE.min(kills - done), &database);
        done += PER_DATABASE.min(kills - done);
        writes += wrote;
        starts += started;
        println!(
            "{what}: killed {done} times, {writes} writes acknowledged, 0 lost; the last database: {}",
            promised.says()
        );
    }
    println!("{what}: it answers {:?} after its start, in the mean", starts / done.max(1));
    assert!(writes > kills as usize, "hardly anything was asked");
}

fn kill(what: &str, before: u32, kills: u32, database: &Database) -> (usize, Duration, Promised) {
    let mut server = start(&database.place());
    // The token outlives the server.
    let (client, token) = Client::logged_in(&server);
    for identity in 0..KNOWN {
        let (status, answer) = client.enrol("Known", &format!("K{identity}"), identity).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    let numbers = AtomicU64::new(0);
    let (mut promised, mut starts) = (Promised::default(), Duration::ZERO);
    for round in before..before + kills {
        // Marks of the round before have been checked: the day begins anew.
        let client = Client::of(&server, &token);
        for record in client.all("/attendance/") {
            if record["student_roll_number"].as_str().unwrap().starts_with('K') {
                assert_eq!(client.delete(&format!("/attendance/{}", record["id"])).unwrap().0, 200);
            }
        }
        promised.marked.clear();
        let lives = Duration::from_millis(rand::random_range(20..400));
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|n| {
                    let (client, numbers) = (Client::of(&server, &token), &numbers);
                    scope.spawn(move || work(n, &client, numbers, &|| false))
                })
                .collect();
            std::thread::sleep(lives);
            server.kill();
            for worker in workers {
                promised.join(worker.join().unwrap());
            }
        });
        let began = Instant::now();
        server = start(&database.place());
        let (client, when) = (Client::of(&server, &token), format!("{what}, round {round}"));
        assert_eq!(client.get("/health").unwrap().0, 200, "{when}");
        starts += began.elapsed();
        promised.check(&client, &server.address().to_string(), &when);
        promised.forget_logins();
        for identity in 0..KNOWN {
            // It marks whoever was not: the next check is that this is once.
            let (status, answer) = client.show(identity).unwrap();
            let matches = answer["data"]["matches"].as_array().map_or(0, Vec::len);
            assert_eq!((status, matches), (200, 1), "{when}: the face {identity} is not known: {answer}");
        }
        promised.check(&client, &server.address().to_string(), &when);
        database.check_whole(&when);
    }
    server.kill();
    let audited = "SELECT count(*) FROM audit_log WHERE action = 'DELETE /api/v1/students/{student_id}'";
    assert!(database.number(audited) >= i64::try_from(promised.erased()).unwrap(), "{what}: an erasure without entry");
    (promised.writes, starts, promised)
}
