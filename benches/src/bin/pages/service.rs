//! The server in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;

/// How long an answer may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Service {
    child: Child,
    address: String,
    token: String,
    agent: ureq::Agent,
}

impl Service {
    /// Starts the server on the database in `folder`, or on `database`, and logs in.
    pub(crate) fn start(program: &Path, folder: &Path, database: Option<&str>) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--port", "0", "--time-zone", "UTC", "--data-dir"]).arg(folder);
        if let Some(database) = database {
            command.arg("--database").arg(database);
        }
        let mut child = command.env("RUST_LOG", "error").stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut address = None;
        for line in BufReader::new(output).lines() {
            let line = line?;
            if let Some(found) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                address = Some(found.trim_end_matches(',').to_owned());
                break;
            }
        }
        let address = address.ok_or("the server did not start")?;
        let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        let mut service = Self { child, address, token: String::new(), agent };
        let login = json!({ "username": "admin", "password": "admin123" }).to_string();
        let url = format!("{}/api/v1/auth/login", service.address);
        let mut answer = service.agent.post(url).header("Content-Type", "application/json").send(login)?;
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        service.token = format!("Bearer {}", answer["access_token"].as_str().ok_or("no login")?);
        Ok(service)
    }

    /// Sends a list of students, and returns the answer.
    pub(crate) fn send_list(&self, mode: &str, list: &str) -> Outcome<String> {
        const EDGE: &str = "end-of-the-list";
        let form = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\r\n\
             {list}\r\n--{EDGE}--\r\n"
        );
        let url = format!("{}/api/v1/students/import?mode={mode}", self.address);
        let kind = format!("multipart/form-data; boundary={EDGE}");
        let request = self.agent.post(url).header("Authorization", &self.token).header("Content-Type", kind);
        Ok(request.send(form)?.body_mut().with_config().limit(64 << 20).read_to_string()?)
    }

    /// Returns the answer to a question below `/api/v1`.
    pub(crate) fn get(&self, path: &str) -> Outcome<String> {
        let url = format!("{}/api/v1/{path}", self.address);
        let mut answer = self.agent.get(url).header("Authorization", &self.token).call()?;
        Ok(answer.body_mut().with_config().limit(64 << 20).read_to_string()?)
    }

    /// Returns the processor time that the server has used, in milliseconds, where Linux counts it.
    pub(crate) fn processor_ms(&self) -> Option<u64> {
        const TICK_MS: u64 = 10;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name may hold spaces; it ends at the last parenthesis. User and system time are the 12th and 13th after.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        Some((fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?) * TICK_MS)
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

impl Drop for Service {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("{} did not end", self.address);
        }
    }
}
