//! The main job with no camera at all: people register by turning their heads, and a recording of them marks their
//! attendance. Everything goes through the real server over HTTP, as a page or a script would do it.

pub(crate) mod http;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};

use crate::serve::announce;
use crate::workspace::root;
use crate::{Result, setup};
use http::Client;
use server::Server;

#[derive(Args, Default)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) setup: setup::Options,
    /// Build nothing: play it with this server.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: Option<PathBuf>,
}

/// Sets up, builds, runs the demo and prints what it did.
///
/// # Errors
/// When somebody could not be registered, was not marked exactly once, or was marked without being registered.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(program) = &options.program {
        return play(program).map(|done| println!("\n{done}"));
    }
    announce("register three people, play a recording, print the attendance (20 s)");
    setup::run(&options.setup)?;
    let program = server::build(options.setup.cameras())?;
    play(&program).map(|done| println!("\n{done}\nNext: `cargo xtask serve` starts the server for your own camera."))
}

/// Plays the demo with this server; returns one line about it.
///
/// # Errors
/// When somebody could not be registered, was not marked exactly once, or was marked without being registered.
pub(crate) fn play(program: &Path) -> Result<String> {
    let data = fresh_folder()?;
    let mut timings = Timings::default();

    println!("\nDatabase: {}", data.join("face_attendance.db").display());
    let server = timings.of("start the server", || Server::start(program, &data))?;
    let outcome = with_server(&server, &mut timings);
    let log = server.log.clone();
    timings.of("stop the server", || {
        drop(server);
        Ok(())
    })?;
    timings.print();
    let logged = fs::read(&log).map_err(|e| format!("cannot read {}: {e}", log.display()))?;
    if logged.contains(&ESCAPE) {
        return Err(format!("{} is a file and has escape codes for a terminal in it", log.display()));
    }
    outcome.map_err(|problem| format!("{problem}\nThe server's log is {}", log.display()))
}

/// Somebody of the sample media.
pub(crate) struct Person {
    /// The folder of their pictures.
    folder: String,
    pub(crate) name: String,
    pub(crate) roll_number: String,
}

fn with_server(server: &Server, timings: &mut Timings) -> Result<String> {
    println!("Server:   http://{}\n", server.address);
    let mut client = Client::new(&server.address);
    timings.of("ask for its health", || client.get("/health"))?;
    timings.of("log in", || log_in(&mut client, "admin123").map(drop))?;
    let clip = root().join("examples/media/class.avi");
    let clip = clip.to_str().ok_or("the path of the workspace is no text")?;

    let people = people()?;
    let (latecomer, punctual) = people.split_last().ok_or("the sample media show nobody")?;
    for person in punctual {
        timings.of(&format!("register {}", person.name), || register(&client, person))?;
    }
    // The last one sits in the class as well, but is a stranger until registered.
    let first = timings.of("watch the class", || watch(&client, clip, punctual.len()))?;
    expect_marks(&first, punctual)?;
    println!("{} marked; {}, who was there too, is not registered and not marked.", first.len(), latecomer.name);

    timings.of(&format!("register {}", latecomer.name), || register(&client, latecomer))?;
    let second = timings.of("watch the class again", || watch(&client, clip, people.len()))?;
    expect_marks(&second, &people)?;
    println!("{} marked; whoever was marked before was not marked again.\n", second.len());

    print_attendance(&second);
    Ok(format!("{} people registered, {} attendances marked.", people.len(), second.len()))
}

/// Logs in as the first admin; returns the token, which every request of the client carries from now on.
pub(crate) fn log_in(client: &mut Client, password: &str) -> Result<String> {
    let answer = client.post("/api/v1/auth/login", &json!({ "username": "admin", "password": password }))?;
    let token = text(&answer["access_token"])?;
    client.log_in_with(token);
    Ok(token.to_owned())
}

/// Takes `person` through a liveness session and enrols them.
pub(crate) fn register(client: &Client, person: &Person) -> Result<()> {
    // The pictures are not flipped, so left is the person's own left only when the server knows it.
    let session = client.post("/api/v1/liveness/session", &json!({ "mirrored": false }))?;
    let session = text(&session["data"]["session_id"])?;
    let folder = root().join("examples/media").join(&person.folder);
    let mut completed = false;
    for (position, pictures) in [
        ("center", ["center", "yaw+00", "yaw+05", "yaw-05"]),
        ("left", ["left", "yaw+25", "yaw+30", "yaw+20"]),
        ("right", ["right", "yaw-25", "yaw-30", "yaw-20"]),
    ] {
        let mut said = Value::Null;
        // A person who is asked again holds the head a little differently.
        for picture in pictures {
            let path = folder.join(format!("{picture}.jpg"));
            let bytes = fs::read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            let frame = json!({ "session_id": session, "position": position, "frame_data": STANDARD.encode(bytes) });
            said = client.post("/api/v1/liveness/detect", &frame)?;
            completed = said["session_completed"] == json!(true);
            let verified = said["verified"].as_array().is_some_and(|verified| verified.contains(&json!(position)));
            if completed || verified {
                break;
            }
        }
        let verified = said["verified"].as_array().is_some_and(|verified| verified.contains(&json!(position)));
        if !completed && !verified {
            return Err(format!("{}: no picture was accepted as {position}; the last answer: {said}", person.name));
        }
        println!("  {:16} {position:6} yaw {:>5.1}  live {}", person.name, number(&said["yaw"]), said["is_live"]);
    }
    if !completed {
        return Err(format!("{}: all three positions are verified, and the session is not complete", person.name));
    }
    let student = json!({ "name": person.name, "roll_number": person.roll_number, "session_id": session });
    client.post("/api/v1/liveness/register-student", &student).map(|_| ())
}

/// What a code for a terminal begins with.
const ESCAPE: u8 = 0x1b;
/// How long the recording may take: it lasts 6.4 seconds.
const WATCHING: Duration = Duration::from_secs(30);

/// Plays the recording of the class, which the server finds at `clip`, through live detection until it has ended;
/// returns who is marked then.
pub(crate) fn watch(client: &Client, clip: &str, wanted: usize) -> Result<Vec<Value>> {
    let camera = json!({ "camera_url": clip, "camera_location": "Sample class" });
    client.post("/api/v1/detection/start", &camera)?;
    let started = Instant::now();
    let mut seen_running = false;
    loop {
        let status = client.get("/api/v1/detection/status")?;
        let camera = &status["data"]["cameras"][clip];
        let running = camera["is_running"] == json!(true);
        seen_running |= running || camera["frame_count"].as_u64().is_some_and(|count| count > 0);
        // To the end, even when everybody is marked already: what comes after must not mark anybody else.
        if seen_running && !running {
            break;
        }
        if started.elapsed() > WATCHING {
            let found = attendance(client)?.len();
            return Err(format!("{found} of {wanted} are marked after {WATCHING:?}; the camera's status: {camera}"));
        }
        thread::sleep(Duration::from_millis(100));
    }
    client.post("/api/v1/detection/stop", &json!({ "camera_url": clip }))?;
    attendance(client)
}

/// Returns the first marks of the server, a hundred at most.
pub(crate) fn attendance(client: &Client) -> Result<Vec<Value>> {
    let page = client.get("/api/v1/attendance/?limit=100")?;
    page["items"].as_array().cloned().ok_or_else(|| format!("the attendance is no page: {page}"))
}

/// # Errors
/// Unless each of `people` is marked once, and nobody else is.
pub(crate) fn expect_marks(marks: &[Value], people: &[Person]) -> Result<()> {
    let mut counts: BTreeMap<&str, usize> = people.iter().map(|person| (person.roll_number.as_str(), 0)).collect();
    for mark in marks {
        let roll_number = text(&mark["student_roll_number"])?;
        *counts.get_mut(roll_number).ok_or_else(|| format!("{roll_number} is marked and should not be"))? += 1;
    }
    for person in people {
        match counts[person.roll_number.as_str()] {
            1 => {}
            0 => return Err(format!("{} was there and is not marked", person.name)),
            count => return Err(format!("{} is marked {count} times", person.name)),
        }
    }
    Ok(())
}

fn print_attendance(marks: &[Value]) {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    println!("{:8} {:18} {:28} {:8} {:>10}  camera", "roll no.", "name", "time", "status", "confidence");
    for mark in marks {
        println!(
            "{:8} {:18} {:28} {:8} {:>10.3}  {}",
            word(&mark["student_roll_number"]),
            word(&mark["student_name"]),
            word(&mark["timestamp"]),
            word(&mark["status"]),
            number(&mark["confidence_score"]),
            word(&mark["camera_location"]),
        );
    }
}

/// Returns the people of the sample media, each with a roll number.
pub(crate) fn people() -> Result<Vec<Person>> {
    let path = root().join("examples/media/index.json");
    let index = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let index: Value = serde_json::from_str(&index).map_err(|e| format!("{}: {e}", path.display()))?;
    let people = index["people"].as_array().ok_or_else(|| format!("{}: names nobody", path.display()))?;
    people
        .iter()
        .zip(1..)
        .map(|(person, number)| {
            let (folder, name) = (text(&person["folder"])?.to_owned(), text(&person["name"])?.to_owned());
            Ok(Person { folder, name, roll_number: format!("DEMO-{number}") })
        })
        .collect()
}

/// A folder that nothing has used before. It stays, so that the database can be looked at.
fn fresh_folder() -> Result<std::path::PathBuf> {
    let since = SystemTime::UNIX_EPOCH.elapsed().map_err(|e| format!("this machine's clock is wrong: {e}"))?;
    let name = format!("faceattend-demo-{}-{}", since.as_secs(), std::process::id());
    let folder = Path::join(&std::env::temp_dir(), name);
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    Ok(folder)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| format!("the server answered {value} where a text belongs"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// How long each step took.
#[derive(Default)]
struct Timings(Vec<(String, Duration)>);

impl Timings {
    fn of<T>(&mut self, step: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let done = work();
        self.0.push((step.to_owned(), started.elapsed()));
        done
    }

    fn print(&self) {
        println!();
        for (step, took) in &self.0 {
            println!("{step:28} {:6.2} s", took.as_secs_f32());
        }
        let total: Duration = self.0.iter().map(|(_, took)| *took).sum();
        println!("{:28} {:6.2} s", "together", total.as_secs_f32());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(roll_number: &str) -> Person {
        Person { folder: String::new(), name: roll_number.to_owned(), roll_number: roll_number.to_owned() }
    }

    fn mark(roll_number: &str) -> Value {
        json!({ "student_roll_number": roll_number })
    }

    #[test]
    fn everybody_must_be_marked_once_and_nobody_else() {
        let people = [person("1"), person("2")];
        assert!(expect_marks(&[mark("2"), mark("1")], &people).is_ok());
        assert!(expect_marks(&[mark("1")], &people).is_err(), "one is missing");
        assert!(expect_marks(&[mark("1"), mark("2"), mark("2")], &people).is_err(), "one is there twice");
        assert!(expect_marks(&[mark("1"), mark("2"), mark("3")], &people).is_err(), "a stranger");
    }
}
