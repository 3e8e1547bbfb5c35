//! Three servers on one database, each a process of its own, of which one is killed in the middle of its work.
//!
//! `cargo test -p faceattend-server --test several_servers -- --nocapture` also tells how long things took.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a test says why it is skipped, and how long things took")]
#![allow(clippy::print_stdout, reason = "a server says to its test where it listens")]

mod common;
mod several {
    #![allow(unreachable_pub, reason = "a part of this test")]
    pub mod camera;
    pub mod process;
}

use common::opencv::opencv_is_there;
use common::schema::Schema;
use common::{BLUE, GREEN, RED, YELLOW, picture};
use serde_json::{Value, json};
use several::camera::NetworkCamera;
use several::process::{Server, hear, serve_if_told_to, until};

#[test]
#[ignore = "a server for the other tests, which start it"]
fn a_server_of_the_test() {
    serve_if_told_to();
}

/// `FACEATTEND_TEST_POSTGRES` names a database in which schemas can be made; `cargo xtask test` starts one.
#[test]
fn three_servers_on_one_postgresql_are_one_service() {
    let Some(schema) = Schema::new() else { return };
    three_servers_are_one_service(&schema.url());
}

/// The list of the cameras is one for all, and outlives all of them.
#[test]
fn what_servers_share_is_watched_again_when_all_of_them_were_killed() {
    let Some(schema) = Schema::new() else { return };
    let start = || {
        let [mut a, mut b] = ["a", "b"].map(|name| Server::start(name, &schema.url()));
        let admin = json!({ "username": "admin", "password": "admin123" });
        a.token = a.post("/api/v1/auth/login", &admin)["access_token"].as_str().unwrap().to_owned();
        b.token.clone_from(&a.token);
        (a, b)
    };
    let camera = NetworkCamera::start(GREEN, 5);
    let address = format!("http://user:S3CRET@127.0.0.1:{}/cam.mjpeg", camera.port);
    let shown = address.replace("S3CRET", "***");
    let (a, b) = start();
    a.post("/api/v1/detection/start", &json!({ "camera_url": address, "camera_location": "Gate" }));
    until("it is watched", || camera.watchers() == 1);
    a.kill();
    b.kill();
    until("they are dead", || camera.watchers() == 0);

    let (a, b) = start();
    until("it is watched again", || camera.watchers() == 1);
    let kept = |server: &Server| server.get("/api/v1/cameras")["data"]["cameras"][0].clone();
    for server in [&a, &b] {
        assert_eq!((&kept(server)["name"], &kept(server)["camera_url"]), (&json!("Gate"), &json!(shown)));
    }
    // Counted here: the camera notices only at its next picture that a reader has gone, and a change starts a new one.
    assert_eq!(camera.most_watchers(), 1, "one at a time");
    // Whoever is asked to change it: the one that watches it goes on with what is new, in its one place.
    let path = format!("/api/v1/cameras/{}", kept(&a)["camera_id"]);
    let change = json!({ "name": "Main gate", "camera_url": shown, "camera_location": "South", "orientation": 180 });
    for server in [&a, &b] {
        let (status, answer) = server.ask("PUT", &path, &change);
        assert_eq!(status, 200, "{answer}");
    }
    let is_new = |server: &Server| {
        let status = cameras(server)[&shown].clone();
        status["camera_location"] == "South" && status["orientation"] == 180
    };
    until("it is watched as it is now", || is_new(&a) && is_new(&b) && camera.watchers() == 1);
    b.post(&format!("{path}/pause"), &json!({}));
    until("it is paused everywhere", || camera.watchers() == 0 && cameras(&a) == json!({}) && cameras(&b) == json!({}));
    a.post(&format!("{path}/resume"), &json!({}));
    until("it is watched again", || camera.watchers() == 1);
    let (status, answer) = b.ask("DELETE", &path, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    until("it is gone", || camera.watchers() == 0 && cameras(&a) == json!({}));
}

const DETECT: &str = "/api/v1/liveness/detect";

/// A server takes no more cameras than it may watch, whoever is asked: the others take them.
#[test]
fn a_full_server_leaves_cameras_to_the_others() {
    let Some(schema) = Schema::new() else { return };
    let mut a = Server::start_with_room("a", 1, &schema.url());
    let admin = json!({ "username": "admin", "password": "admin123" });
    a.token = a.post("/api/v1/auth/login", &admin)["access_token"].as_str().unwrap().to_owned();
    let all = [1, 2, 3].map(|identity| NetworkCamera::start(GREEN, identity));
    for (number, camera) in all.iter().enumerate() {
        let address = format!("http://127.0.0.1:{}/cam.mjpeg", camera.port);
        a.post("/api/v1/detection/start", &json!({ "camera_url": address, "camera_location": format!("{number}") }));
    }
    let watched = || all.iter().filter(|camera| camera.watchers() > 0).count();
    until("one is watched", || watched() == 1);
    let codes = || -> Vec<Value> {
        let kept = a.get("/api/v1/cameras")["data"]["cameras"].clone();
        kept.as_array().unwrap().iter().map(|camera| camera["problem_code"].clone()).collect()
    };
    until("the others say why not", || codes() == [Value::Null, json!("no_room"), json!("no_room")]);
    // Two beats, in which it could take more.
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(watched(), 1);

    let b = Server::start_with_room("b", 5, &schema.url());
    until("the other watches the rest", || watched() == 3);
    let servers = || -> Vec<String> {
        // By their addresses, which are of any order.
        let shown = cameras(&a).as_object().unwrap().values().map(|camera| camera["server"].to_string()).collect();
        let mut shown: Vec<String> = shown;
        shown.sort();
        shown
    };
    until("both are told", || servers() == [r#""a""#, r#""b""#, r#""b""#]);
    // What it leaves waits for room again.
    b.kill();
    until("they are watched no more", || watched() == 1);
    assert!(all.iter().all(|camera| camera.most_watchers() == 1), "one server at a time");
}

fn begin(server: &Server, body: &Value) -> String {
    server.post("/api/v1/liveness/session", body)["data"]["session_id"].as_str().unwrap().to_owned()
}

fn frame(server: &Server, session: &str, position: &str, color: [u8; 3], identity: u8) -> Value {
    let body = json!({ "session_id": session, "position": position, "frame_data": picture(color, identity) });
    server.post(DETECT, &body)
}

fn register(server: &Server, name: &str, roll: &str, session: &str) -> i64 {
    let body = json!({ "name": name, "roll_number": roll, "session_id": session });
    server.post("/api/v1/liveness/register-student", &body)["data"]["student_id"].as_i64().unwrap()
}

fn known_faces(server: &Server) -> i64 {
    server.get("/ready")["known_faces"].as_i64().unwrap()
}

fn cameras(server: &Server) -> Value {
    server.get("/api/v1/detection/status")["data"]["cameras"].clone()
}

/// How many frames the store has taken in of each session of a student, oldest first.
fn frames_taken_in(server: &Server, student: i64) -> Vec<i64> {
    let held = server.get(&format!("/api/v1/students/{student}/export"));
    held["liveness_sessions"].as_array().unwrap().iter().map(|session| session["frames"].as_i64().unwrap()).collect()
}

fn three_servers_are_one_service(database: &str) {
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(|name| Server::start(name, database));
    let admin = json!({ "username": "admin", "password": "admin123" });
    let token = a.post("/api/v1/auth/login", &admin)["access_token"].as_str().unwrap().to_owned();
    for server in [&mut a, &mut b, &mut c] {
        // The token of one opens all.
        server.token.clone_from(&token);
    }

    // A session goes from server to server, frame by frame.
    let session = begin(&a, &json!({}));
    assert_eq!(frame(&a, &session, "center", GREEN, 5)["verified"], json!(["center"]));
    assert_eq!(frame(&b, &session, "left", RED, 5)["verified"], json!(["center", "left"]));
    assert_eq!(frame(&c, &session, "right", BLUE, 5)["session_completed"], true);
    let asha = register(&b, "Asha", "R1", &session);
    for server in [&a, &c] {
        let took = until("the gallery follows a registration", || known_faces(server) == 1);
        eprintln!("{}: a registration at b is known after {took:?}", server.name);
    }

    // Frames that arrive at all of them at once: none is lost, as if they had come one after the other.
    let (alone, together) = (begin(&a, &json!({ "student_id": asha })), begin(&b, &json!({ "student_id": asha })));
    for _ in 0..12 {
        frame(&a, &alone, "center", YELLOW, 5);
    }
    std::thread::scope(|threads| {
        for number in 0..12 {
            let server = [&a, &b, &c][number % 3];
            let together = &together;
            threads.spawn(move || frame(server, together, "center", YELLOW, 5));
        }
    });
    let frames = frames_taken_in(&c, asha);
    assert_eq!(frames, [3, 12, 12], "as many as were sent");

    // Marks that are asked for everywhere at once: one is made.
    let mark = format!("/api/v1/attendance/mark?student_id={asha}&confidence_score=0.9");
    let told = [&a, &b, &c].map(Server::listen);
    let made: usize = std::thread::scope(|threads| {
        let asked: Vec<_> = (0..9)
            .map(|number| {
                let (server, mark) = ([&a, &b, &c][number % 3], &mark);
                threads.spawn(move || server.post(mark, &Value::Null)["message"] == "Attendance marked for Asha")
            })
            .collect();
        asked.into_iter().map(|asked| usize::from(asked.join().unwrap())).sum()
    });
    assert_eq!(made, 1);
    for told in &told {
        let event = hear(told, "the mark", |event| event["type"] == "attendance_marked");
        assert_eq!((&event["student_name"], &event["status"]), (&json!("Asha"), &json!("Present")));
    }
    let row = a.get("/api/v1/attendance/")["items"][0]["id"].as_i64();
    let row = row.unwrap_or_else(|| panic!("{}", a.get("/api/v1/attendance/")));
    let (status, answer) = a.ask("DELETE", &format!("/api/v1/attendance/{row}"), &Value::Null);
    assert_eq!(status, 200, "{answer}");

    if !opencv_is_there() {
        return;
    }
    // One server watches the camera, all of them show it, and what it sees is told everywhere, once.
    let camera = NetworkCamera::start(GREEN, 5);
    let url = format!("http://127.0.0.1:{}/cam.mjpeg", camera.port);
    let start = json!({ "camera_url": format!("{url}?password=S3CRET"), "camera_location": "Gate" });
    let shown = format!("{url}?password=***");
    a.post("/api/v1/detection/start", &start);
    for server in [&b, &c] {
        // It runs already.
        server.post("/api/v1/detection/start", &start);
        let status = cameras(server);
        assert_eq!((&status[&shown]["server"], &status[&shown]["camera_location"]), (&json!("a"), &json!("Gate")));
        assert!(!status.to_string().contains("S3CRET"), "{status}");
    }
    for told in &told {
        // The one may be noticed before the other.
        let (mut runs, mut seen) = (false, None);
        hear(told, "that it runs and whom it sees", |event| {
            runs |= event["type"] == "camera_state" && event["state"] == "running";
            if event["faces"][0]["student_name"] == "Asha" {
                seen = Some((event["type"].clone(), event["camera"].clone()));
            }
            runs && seen.is_some()
        });
        assert_eq!(seen, Some((json!("detection_update"), json!(shown))));
    }
    let [_, told_by_b, told_by_c] = told;
    // A mark comes before or after who is seen.
    until("the camera's mark", || a.get("/api/v1/attendance/")["total"] == 1);
    until("another server shows that it runs", || cameras(&c)[&shown]["frame_count"].as_i64() > Some(0));

    // One dies in the middle of everything.
    let session = begin(&a, &json!({}));
    frame(&a, &session, "center", GREEN, 9);
    a.kill();
    let takes_over = || [&b, &c].into_iter().find(|server| cameras(&b)[&shown]["server"] == server.name.as_str());
    frame(&b, &session, "left", RED, 9);
    assert_eq!(frame(&c, &session, "right", BLUE, 9)["session_completed"], true);
    let ben = register(&c, "Ben", "R2", &session);
    let took = until("the gallery follows", || known_faces(&b) == 2);
    eprintln!("b: a registration at c is known after {took:?}");
    for told in [&told_by_b, &told_by_c] {
        // What the dead one told.
        while told.try_recv().is_ok() {}
    }
    let took = until("the camera is taken over", || takes_over().is_some() && camera.watchers() == 1);
    eprintln!("the camera is watched by {} {took:?} later", takes_over().unwrap().name);
    for told in [&told_by_b, &told_by_c] {
        hear(told, "whom it sees", |event| event["faces"][0]["student_name"] == "Asha");
    }
    assert_eq!(camera.most_watchers(), 1, "one at a time");
    assert_eq!(b.get("/api/v1/attendance/")["total"], 1, "she was marked before");

    // Who is erased at one is not recognized at the other.
    for (server, other, student, left) in [(&b, &c, asha, 1), (&c, &b, ben, 0)] {
        let (status, answer) = server.ask("DELETE", &format!("/api/v1/students/{student}"), &Value::Null);
        assert_eq!(status, 200, "{answer}");
        let took = until("the gallery follows an erasure", || known_faces(other) == left);
        eprintln!("{}: an erasure at {} is followed after {took:?}", other.name, server.name);
    }
    hear(&told_by_b, "that she is a stranger", |event| {
        event["type"] == "detection_update"
            && event["faces"][0].is_object()
            && event["faces"][0]["student_id"].is_null()
    });

    // Whoever is asked stops it.
    let (watches, other) = if takes_over().unwrap().name == "b" { (&b, &c) } else { (&c, &b) };
    other.post("/api/v1/detection/stop", &json!({ "camera_url": shown }));
    until("it is stopped", || camera.watchers() == 0 && cameras(watches) == json!({}) && cameras(other) == json!({}));
}
