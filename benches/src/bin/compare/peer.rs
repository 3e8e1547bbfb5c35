//! A side of the comparison in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use faceattend_benches::Outcome;

use crate::plan::{Models, default_pack};

/// What a side says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) ms: Vec<f64>,
    pub(crate) model_ms: Vec<f64>,
    pub(crate) faces: Vec<Face>,
    pub(crate) matches: Vec<(i64, f32)>,
    pub(crate) bytes: usize,
    pub(crate) peak_kib: Option<u64>,
    pub(crate) build_secs: f64,
    pub(crate) kib: i64,
    pub(crate) built: usize,
    /// For each probe, the people most similar first.
    pub(crate) found: Vec<Vec<i64>>,
}

/// A face as both sides describe it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Face {
    #[serde(rename = "box")]
    pub(crate) bounds: [f32; 4],
    pub(crate) embedding: Option<Vec<f32>>,
}

pub(crate) struct Peer {
    child: Child,
    // Taken away to let it end.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// From its start to its first face.
    pub(crate) first_face: Duration,
    pub(crate) first: Answer,
}

/// How to start the Python side.
pub(crate) struct Python<'a> {
    pub(crate) program: &'a Path,
    pub(crate) script: &'a Path,
}

impl Peer {
    /// Our index, or one of the others, in a process of its own.
    pub(crate) fn index(python: Option<&Python<'_>>, folder: &Path) -> Outcome<Self> {
        let mut command = match python {
            Some(python) => {
                let mut command = Command::new(python.program);
                command.arg(python.script);
                command
            }
            None => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--index-worker");
                command
            }
        };
        command.arg(folder);
        on_one_thread(&mut command);
        Self::start(command, &Models::default())
    }

    pub(crate) fn ours(folder: &Path, models: &Models) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--worker").arg(folder);
        Self::start(command, models)
    }

    pub(crate) fn theirs(python: &Python<'_>, folder: &Path, models: &Models) -> Outcome<Self> {
        let mut command = Command::new(python.program);
        command.arg(python.script).arg(folder).arg(default_pack());
        on_one_thread(&mut command);
        Self::start(command, models)
    }

    fn start(mut command: Command, models: &Models) -> Outcome<Self> {
        for (name, path) in [("--detector", &models.detector), ("--embedder", &models.embedder)] {
            if let Some(path) = path {
                command.arg(name).arg(path);
            }
        }
        let started = Instant::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut peer = Self { child, requests, answers, first_face: Duration::ZERO, first: Answer::default() };
        peer.first = peer.read()?;
        peer.first_face = started.elapsed();
        Ok(peer)
    }

    pub(crate) fn ask(&mut self, task: impl Serialize) -> Outcome<Answer> {
        let requests = self.requests.as_mut().ok_or("ended")?;
        writeln!(requests, "{}", serde_json::to_string(&task)?)?;
        requests.flush()?;
        self.read()
    }

    fn read(&mut self) -> Outcome<Answer> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("a side of the comparison ended ({})", self.child.wait()?).into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

/// Keeps the libraries of Python to one thread, as ours: this decides before they are loaded.
fn on_one_thread(command: &mut Command) {
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env(name, "1");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.requests = None;
        if let Err(problem) = self.child.wait() {
            eprintln!("a side of the comparison did not end: {problem}");
        }
    }
}
