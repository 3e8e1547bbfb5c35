//! The server in a process of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use faceattend_benches::{Outcome, Server, processor_time};

/// How long an answer may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Service {
    server: Server,
    agent: ureq::Agent,
}

impl Service {
    /// Starts the server on the database in `folder`, or on `database`, and logs in.
    pub(crate) fn start(program: &Path, folder: &Path, database: Option<&str>) -> Outcome<Self> {
        let server = Server::start(program, |command| {
            command.args(["--time-zone", "UTC", "--data-dir"]).arg(folder);
            if let Some(database) = database {
                command.arg("--database").arg(database);
            }
        })?;
        let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        Ok(Self { server, agent })
    }

    /// Sends a list of students, and returns the answer.
    pub(crate) fn send_list(&self, mode: &str, list: &str) -> Outcome<String> {
        const EDGE: &str = "end-of-the-list";
        let form = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\r\n\
             {list}\r\n--{EDGE}--\r\n"
        );
        let url = format!("{}/api/v1/students/import?mode={mode}", self.server.address);
        let kind = format!("multipart/form-data; boundary={EDGE}");
        let request = self.agent.post(url).header("Authorization", &self.server.token).header("Content-Type", kind);
        Ok(request.send(form)?.body_mut().with_config().limit(64 << 20).read_to_string()?)
    }

    /// Returns the answer to a question below `/api/v1`.
    pub(crate) fn get(&self, path: &str) -> Outcome<String> {
        let url = format!("{}/api/v1/{path}", self.server.address);
        let mut answer = self.agent.get(url).header("Authorization", &self.server.token).call()?;
        Ok(answer.body_mut().with_config().limit(64 << 20).read_to_string()?)
    }

    /// Returns the processor time that the server has used, in milliseconds, where Linux counts it.
    pub(crate) fn processor_ms(&self) -> Option<u64> {
        u64::try_from(processor_time(self.server.process.id())?.as_millis()).ok()
    }
}

/// Copies the database in `folder` into a PostgreSQL database, unless there is one in it.
pub(crate) fn copy(program: &Path, folder: &Path, database: &str) -> Outcome<()> {
    let file = folder.join("school.jsonl");
    let run = |command: &mut Command| -> Outcome<Option<String>> {
        let done = command.args(["--data-dir"]).arg(folder).output()?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        Ok(if done.status.success() { None } else { Some(said) })
    };
    if let Some(said) = run(Command::new(program).args(["db", "export"]).arg(&file))? {
        return Err(said.into());
    }
    let refused = run(Command::new(program).args(["db", "import"]).arg(&file).args(["--database", database]))?;
    std::fs::remove_file(&file)?;
    match refused {
        Some(said) if !said.contains("is not empty") => Err(said.into()),
        _ => Ok(()),
    }
}
