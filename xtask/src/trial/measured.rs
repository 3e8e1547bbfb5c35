//! How long a stranger waits until the system knows somebody, step by step, and how much is fetched and kept for it.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::root::Root;
use crate::Result;
use crate::demo::http::Client;
use crate::demo::{Person, attendance, people, register};
use crate::workspace::root;

/// Where the recording of the sample media lies in a clean root: where the service may read it.
pub(super) const CLIP: &str = "/srv/media/class.avi";
/// How long it may take until a registered person is marked, once the recording plays.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a stranger is promised: from the installation to the first face.
const PROMISED: Duration = Duration::from_secs(60);

/// Times, in the order in which they were taken.
#[derive(Default)]
pub(super) struct Times(Vec<(&'static str, Duration)>);

impl Times {
    pub(super) fn of<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let done = work();
        self.0.push((name, started.elapsed()));
        done
    }

    /// Returns all of them together.
    pub(super) fn total(&self) -> Duration {
        self.0.iter().map(|(_, took)| *took).sum()
    }

    /// Prints them and returns their sum in words.
    ///
    /// # Errors
    /// When they are more than a stranger was promised.
    pub(super) fn first_face(&self) -> Result<String> {
        let total = self.total();
        let mut said = String::new();
        for (name, took) in &self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(said, "  {name:36} {:6.2} s", took.as_secs_f32());
        }
        println!("{said}  {:36} {:6.2} s", "from the installation to the first face", total.as_secs_f32());
        if total > PROMISED {
            return Err(format!("{:.1} s to the first face, and {PROMISED:?} are promised", total.as_secs_f32()));
        }
        Ok(format!("first face after {:.1} s", total.as_secs_f32()))
    }
}

/// Returns the people who are registered and the one who is not.
pub(super) fn punctual() -> Result<(Vec<Person>, Person)> {
    let mut people = people()?;
    let stranger = people.pop().ok_or("the sample media show nobody")?;
    Ok((people, stranger))
}

/// Puts the recording where the service in `clean` finds it.
pub(super) fn bring_media(clean: &Root) -> Result<()> {
    clean.copy(&root().join("examples/media/class.avi"), CLIP)
}

/// Registers one person, plays the recording, and waits until the person is marked.
pub(super) fn until_the_first_face(client: &Client, person: &Person, times: &mut Times) -> Result<()> {
    times.of("register a person", || register(client, person))?;
    times.of("recognize the person", || {
        client.post("/api/v1/detection/start", &json!({ "camera_url": CLIP, "camera_location": "Door" }))?;
        let started = Instant::now();
        loop {
            let marks = attendance(client)?;
            if marks.iter().any(|mark| mark["student_roll_number"] == json!(person.roll_number)) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{} was not marked within {PATIENCE:?}", person.name));
            }
            thread::sleep(Duration::from_millis(100));
        }
    })?;
    client.post("/api/v1/detection/stop", &json!({ "camera_url": CLIP })).map(drop)
}

/// Returns the number of bytes in words, such as "12.3 MB".
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
