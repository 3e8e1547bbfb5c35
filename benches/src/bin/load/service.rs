//! A service in a process of its own.

use faceattend_core::store::prelude::*;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use faceattend_core::store::SqliteStore;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::models::Person;
use crate::{Arguments, Outcome};

/// How long a service may take to start: the peer imports much.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Service {
    child: Child,
    pub(crate) address: String,
    pub(crate) token: Option<String>,
}

impl Service {
    pub(crate) fn peer(arguments: &Arguments, list: &Path, people: &[Person]) -> Outcome<Self> {
        let known: Vec<_> =
            people.iter().map(|p| json!({ "name": p.name, "embedding": p.embedding.values() })).collect();
        std::fs::write(list, serde_json::to_vec(&known)?)?;
        // Free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(&arguments.python);
        command.arg(&arguments.peer).arg(port.to_string()).arg(list);
        command.arg("--detector").arg(&arguments.detector).arg("--embedder").arg(&arguments.embedder);
        // NumPy's own threads would fight with those of the requests.
        for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(name, "1");
        }
        let child = command.stdout(Stdio::null()).spawn()?;
        let service = Self { child, address: format!("http://127.0.0.1:{port}"), token: None };
        service.wait_until_it_answers()?;
        Ok(service)
    }

    pub(crate) fn ours(arguments: &Arguments, data: &Path, people: &[Person], size: &str) -> Outcome<Self> {
        std::fs::create_dir_all(data)?;
        let store = SqliteStore::open(data.join("face_attendance.db"))?;
        for (number, person) in people.iter().enumerate() {
            let student = store.create_student(&person.name, &format!("R{number}"), Timestamp::now())?;
            store.replace_templates(student.id, std::slice::from_ref(&person.embedding), Timestamp::now())?;
        }
        drop(store);
        let mut command = Command::new(&arguments.server);
        command.args(["serve", "--port", "0", "--detector-size", size, "--data-dir"]).arg(data);
        command.arg("--detector").arg(&arguments.detector).arg("--embedder").arg(&arguments.embedder);
        let mut child = command.env("RUST_LOG", "error").stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        // Made first: a server that says something else is ended.
        let mut service = Self { child, address: String::new(), token: None };
        // What the operator has to know may stand before it.
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.strip_prefix("Listening on ")?.split(',').next()?.to_owned()));
        service.address = address.ok_or("our server did not start")?;
        service.wait_until_it_answers()?;
        let url = format!("{}/api/v1/auth/login", service.address);
        let login = json!({ "username": "admin", "password": "admin123" }).to_string();
        let mut answer = ureq::post(url).header("Content-Type", "application/json").send(login)?;
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        service.token = answer["access_token"].as_str().map(|token| format!("Bearer {token}"));
        Ok(service)
    }

    fn wait_until_it_answers(&self) -> Outcome<()> {
        let since = Instant::now();
        while ureq::get(format!("{}/health", self.address)).call().is_err() {
            if since.elapsed() > PATIENCE {
                return Err(format!("{} does not answer", self.address).into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// The most memory that the process has held, as Linux counts it; elsewhere it is not known.
    pub(crate) fn peak_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"))?;
        Some(kib.trim().parse::<u64>().ok()? / 1024)
    }

    /// What asks it, with one connection a thread.
    pub(crate) fn agent() -> Arc<ureq::Agent> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Arc::new(config.into())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("{} did not end", self.address);
        }
    }
}
