//! InsightFace's package in a process of its own (`benches/python/device.py`): a line of JSON for each request.

use std::io::{BufRead, BufReader, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::json;

use crate::{Arguments, Outcome};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    faces: Vec<[f32; 4]>,
    people: Vec<i64>,
    ms: f64,
}

pub(crate) struct Peer {
    child: Child,
    // Taken away to let it end.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The boxes of the one-face picture.
    pub(crate) faces: Vec<[f32; 4]>,
}

impl Peer {
    pub(crate) fn start(arguments: &Arguments, folder: &Path, threads: NonZero<usize>) -> Outcome<Self> {
        let mut command = Command::new(&arguments.python);
        command.arg(&arguments.peer).arg(folder);
        command.arg("--device").arg(format!("{:?}", arguments.device).to_lowercase());
        command.arg("--threads").arg(threads.to_string());
        command.arg("--detector").arg(&arguments.detector).arg("--embedder").arg(&arguments.embedder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut peer = Self { child, requests, answers, faces: Vec::new() };
        peer.faces = peer.read()?.faces;
        Ok(peer)
    }

    /// The milliseconds of a task.
    pub(crate) fn ask(&mut self, task: &str, count: usize) -> Outcome<f64> {
        Ok(self.answer(task, count)?.ms)
    }

    /// The people whom a search among so many finds.
    pub(crate) fn search(&mut self, people: usize) -> Outcome<Vec<i64>> {
        Ok(self.answer("search", people)?.people)
    }

    fn answer(&mut self, task: &str, count: usize) -> Outcome<Answer> {
        let requests = self.requests.as_mut().ok_or("ended")?;
        writeln!(requests, "{}", json!({ "task": task, "count": count }))?;
        requests.flush()?;
        self.read()
    }

    fn read(&mut self) -> Outcome<Answer> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("the peer ended ({})", self.child.wait()?).into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.requests = None;
        if let Err(problem) = self.child.wait() {
            eprintln!("the peer did not end: {problem}");
        }
    }
}
