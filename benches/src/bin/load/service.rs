//! A service in a process of its own.

use faceattend_core::store::prelude::*;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use faceattend_benches::{Process, Server, memory_kib};
use faceattend_core::store::SqliteStore;
use jiff::Timestamp;
use serde_json::json;

use crate::models::Person;
use crate::{Arguments, Outcome};

/// How long a service may take to start: the peer imports much.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Service {
    process: Process,
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
        let process = Process::start(command.stdout(Stdio::null()))?;
        let service = Self { process, address: format!("http://127.0.0.1:{port}"), token: None };
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
        let Server { process, address, token } = Server::start(&arguments.server, |command| {
            command.args(["--detector-size", size, "--data-dir"]).arg(data);
            command.arg("--detector").arg(&arguments.detector).arg("--embedder").arg(&arguments.embedder);
        })?;
        Ok(Self { process, address, token: Some(token) })
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
        Some(memory_kib(self.process.id(), "VmHWM")? / 1024)
    }

    /// What asks it, with one connection a thread.
    pub(crate) fn agent() -> Arc<ureq::Agent> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Arc::new(config.into())
    }
}
