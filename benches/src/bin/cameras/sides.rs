//! Our server and the peer, each in a process of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use faceattend_benches::{Process, Server};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stream::{Stream, busy};
use crate::{Arguments, Outcome, RATE, people};

/// How long every camera may take to give pictures, and an answer to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of watching so many cameras.
#[derive(Deserialize)]
pub(crate) struct Figures {
    /// Pictures analyzed in a second, of each camera.
    pub(crate) rates: Vec<f64>,
    /// Pictures that were due and that a newer one replaced.
    pub(crate) dropped: u64,
    /// Seconds of a processor in each second.
    pub(crate) cpu: f64,
}

/// Watches cameras.
pub(crate) trait Side {
    fn name(&self) -> &'static str;

    /// Watches so many cameras, and measures for so long once all of them run.
    fn watch(&mut self, cameras: usize, lasts: Duration) -> Outcome<Figures>;
}

/// Our server.
pub(crate) struct Ours {
    server: Server,
    agent: ureq::Agent,
    url: String,
    cameras: usize,
}

impl Ours {
    pub(crate) fn start(arguments: &Arguments, data: &Path, stream: &Stream) -> Outcome<Self> {
        people::enrol(arguments, data)?;
        let server = Server::start(&arguments.server, |command| {
            command.args(["--rate", &RATE.to_string(), "--max-cameras", "512", "--data-dir"]).arg(data);
            command.arg("--detector").arg(&arguments.detector).arg("--embedder").arg(&arguments.embedder);
            command.stderr(Stdio::null());
        })?;
        let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        Ok(Self { server, agent, url: stream.url.clone(), cameras: 0 })
    }

    fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        let request = self
            .agent
            .post(format!("{}/api/v1/{path}", self.server.address))
            .header("Authorization", &self.server.token);
        let mut answer = request.header("Content-Type", "application/json").send(body.to_string())?;
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }

    /// How many pictures of each camera were analyzed and dropped.
    fn counted(&self) -> Outcome<Vec<(u64, u64)>> {
        let request = self.agent.get(format!("{}/api/v1/detection/status", self.server.address));
        let mut answer = request.header("Authorization", &self.server.token).call()?;
        let status: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        let cameras = status["data"]["cameras"].as_object().ok_or("no cameras")?;
        let count = |camera: &Value, of: &str| camera[of].as_u64().unwrap_or(0);
        Ok(cameras.values().map(|camera| (count(camera, "frames_analysed"), count(camera, "frames_dropped"))).collect())
    }

    /// The address of a camera: the same stream under as many names.
    fn camera(&self, number: usize) -> Value {
        json!({ "camera_url": format!("{}?camera={number:03}", self.url), "camera_location": format!("Gate {number}") })
    }
}

impl Side for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn watch(&mut self, cameras: usize, lasts: Duration) -> Outcome<Figures> {
        while self.cameras > cameras {
            self.cameras -= 1;
            self.post("detection/stop", &self.camera(self.cameras))?;
        }
        while self.cameras < cameras {
            self.post("detection/start", &self.camera(self.cameras))?;
            self.cameras += 1;
        }
        let since = Instant::now();
        while self.counted()?.iter().filter(|(analyzed, _)| *analyzed > 0).count() < cameras {
            if since.elapsed() > PATIENCE {
                return Err(format!("{cameras} cameras do not all give pictures").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let (before, began, cpu) = (self.counted()?, Instant::now(), busy(&self.server.process)?);
        std::thread::sleep(lasts);
        let (after, took) = (self.counted()?, began.elapsed().as_secs_f64());
        let cpu = (busy(&self.server.process)? - cpu).as_secs_f64() / took;
        #[expect(clippy::cast_precision_loss, reason = "hundreds")]
        let rates = after.iter().zip(&before).map(|(now, then)| (now.0 - then.0) as f64 / took).collect();
        let dropped = after.iter().zip(&before).map(|(now, then)| now.1 - then.1).sum();
        Ok(Figures { rates, dropped, cpu })
    }
}

/// A loop over OpenCV with InsightFace's package.
pub(crate) struct Peer {
    /// Ends with this.
    _process: Process,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start(arguments: &Arguments, stream: &Stream) -> Outcome<Self> {
        let mut command = Command::new(&arguments.python);
        command.arg(&arguments.peer).arg(&stream.url).args(["--rate", &RATE.to_string()]);
        command.arg("--detector").arg(&arguments.detector).arg("--embedder").arg(&arguments.embedder);
        // NumPy's own threads would fight with those of the cameras.
        for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(name, "1");
        }
        let mut process = Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let child = process.child();
        let (asks, answers) = (child.stdin.take().ok_or("no input")?, child.stdout.take().ok_or("no output")?);
        let mut peer = Self { _process: process, asks, answers: BufReader::new(answers) };
        match peer.line()?.as_str() {
            "ready" => Ok(peer),
            line => Err(format!("the peer did not start: {line}").into()),
        }
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Side for Peer {
    fn name(&self) -> &'static str {
        "peer"
    }

    fn watch(&mut self, cameras: usize, lasts: Duration) -> Outcome<Figures> {
        writeln!(self.asks, "{cameras} {}", lasts.as_secs_f64())?;
        Ok(serde_json::from_str(&self.line()?)?)
    }
}
