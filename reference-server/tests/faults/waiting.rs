//! A camera that sees a person while the database is held or away: the mark waits in a file, survives the death of the
//! server, and is written once, with the time at which the person was seen.

use std::path::Path;
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::common::{BLACK, GREEN};
use crate::database::Database;
use crate::server::start;

/// How long the camera's pictures are looked at, at most.
const SEEN_WITHIN: Duration = Duration::from_secs(40);
/// How soon what waits is written once the database is back.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

/// How many pictures show nobody at first: six seconds, in which the database is taken away.
const NOBODY: usize = 150;

/// Pictures of the person with this number, as a camera that replays them, after so many of nobody.
fn clip(folder: &Path, identity: u8, nobody: usize) -> String {
    let clip = folder.join(format!("clip{identity}"));
    std::fs::create_dir(&clip).unwrap();
    for at in 0..nobody + 40 {
        let (pose, who) = if at < nobody { (BLACK, 0) } else { (GREEN, identity) };
        let picture = RgbImage::from_fn(64, 64, |x, _| Rgb(if x < 16 { pose } else { [0, who * 16, 0] }));
        picture.save(clip.join(format!("{at:04}.png"))).unwrap();
    }
    clip.to_str().unwrap().to_owned()
}

fn watch(client: &Client, camera: &str, place: &str) {
    let body = json!({ "camera_url": camera, "camera_location": place });
    assert_eq!(client.post("/detection/start", &body).unwrap().0, 200);
}

/// Waits until so many marks wait; returns what the status says then.
fn until_waiting(client: &Client, marks: u64) -> Value {
    let began = Instant::now();
    loop {
        let (_, answer) = client.get("/detection/status").unwrap();
        if answer["data"]["waiting"]["marks"] == marks {
            return answer["data"].clone();
        }
        assert!(began.elapsed() < SEEN_WITHIN, "{answer}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until so many marks of a place are there; returns their times.
fn until_marked(client: &Client, place: &str, marks: usize) -> Vec<String> {
    let began = Instant::now();
    loop {
        let listed = client.get("/attendance/?limit=100").unwrap().1;
        let rows = listed["items"].as_array().unwrap();
        let here = rows.iter().filter(|row| row["camera_location"] == place);
        let times: Vec<String> = here.map(|row| row["timestamp"].as_str().unwrap().to_owned()).collect();
        if times.len() >= marks {
            return times;
        }
        assert!(began.elapsed() < WRITTEN_WITHIN, "{listed}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_mark_while_another_program_holds_the_database_survives_the_death_of_the_server() {
    let database = Database::file();
    let folder = tempfile::tempdir().unwrap();
    let server = start(&database.place());
    let (client, token) = Client::logged_in(&server);
    assert_eq!(client.enrol("Known", "K3", 3).unwrap().0, 200);
    assert_eq!(client.enrol("Known", "K5", 5).unwrap().0, 200);
    let other = rusqlite::Connection::open(database.place()).unwrap();
    other.busy_timeout(Duration::from_secs(30)).unwrap();
    // A camera that is started is kept, so the database is held only after that, before somebody comes.
    let camera = clip(folder.path(), 3, NOBODY);
    watch(&client, &camera, "Gate");
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = jiff::Timestamp::now();
    let status = until_waiting(&client, 1);
    let shown = &status["cameras"][&camera];
    assert_eq!(shown["marks_waiting"], 1, "{status}");
    assert!(shown["last_error"].as_str().unwrap().contains("another program holds the database"), "{status}");
    assert_eq!(status["waiting"]["kept"], true, "{status}");
    let (ready, readiness) = client.get("/ready").unwrap();
    assert!(ready == 200 && readiness["writes_waiting"].as_u64().unwrap() >= 1, "{readiness}");
    // Whoever waits for an answer is told to come back, and not that the server is broken.
    let refused = client.post("/students/", &json!({ "name": "New", "roll_number": "N1" })).unwrap();
    assert_eq!(refused.0, 503, "{}", refused.1);
    let after = jiff::Timestamp::now();
    server.kill();
    other.execute_batch("ROLLBACK").unwrap();

    let server = start(&database.place());
    let client = Client::of(&server, &token);
    let [time] = &until_marked(&client, "Gate", 1)[..] else { panic!() };
    let time: jiff::Timestamp = format!("{time}Z").parse().unwrap();
    assert!(before <= time && time <= after, "{before} {time} {after}: when the person was seen");
    assert_eq!(client.get("/detection/status").unwrap().1["data"]["waiting"], Value::Null);
    // The same again without a death, for somebody else: once, and the first is not marked again.
    watch(&client, &clip(folder.path(), 5, NOBODY), "Hall");
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    until_waiting(&client, 1);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(until_marked(&client, "Hall", 1).len(), 1);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(database.number("SELECT count(*) FROM attendance_log"), 2);
    assert!(database.number("SELECT count(*) FROM detection_logs") > 0, "what the cameras logged is there too");
    server.kill();
    database.check_whole("after waiting");
}

#[test]
fn a_mark_while_postgresql_is_away_is_written_once_when_it_is_back() {
    let Some(cluster) = Cluster::primary() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://faceattend@127.0.0.1:{}/postgres", cluster.port);
    let server = start(&url);
    let (client, token) = Client::logged_in(&server);
    assert_eq!(client.enrol("Known", "K3", 3).unwrap().0, 200);
    assert_eq!(client.enrol("Known", "K5", 5).unwrap().0, 200);
    // The person comes when the database is away: nobody can log in then, but the camera sees.
    watch(&client, &clip(folder.path(), 3, NOBODY), "Gate");
    cluster.crash();
    let began = Instant::now();
    loop {
        let (status, readiness) = client.get("/ready").unwrap();
        assert_eq!(status, 503, "{readiness}");
        if readiness["writes_waiting"].as_u64().unwrap() > 0 {
            break;
        }
        assert!(began.elapsed() < SEEN_WITHIN, "{readiness}");
    }
    // The mark, or a batch of the log: one more round, and both wait.
    std::thread::sleep(Duration::from_secs(6));
    server.kill();
    cluster.start();
    let server = start(&url);
    let client = Client::of(&server, &token);
    assert_eq!(until_marked(&client, "Gate", 1).len(), 1);
    // And without a death.
    watch(&client, &clip(folder.path(), 5, NOBODY), "Hall");
    cluster.crash();
    std::thread::sleep(Duration::from_secs(12));
    cluster.start();
    assert_eq!(until_marked(&client, "Hall", 1).len(), 1);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(cluster.number("SELECT count(*) FROM attendance_log"), 2);
}
