//! What the programs share that measure other programs: how they end, and the server in a process of its own.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

/// A benchmark has nobody to whom the kind of an error matters.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// How a program ends: a problem is told.
#[must_use]
#[expect(clippy::print_stderr, reason = "a command-line tool speaks on its standard streams")]
pub fn exit_code(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Writes figures to the file that was asked for, if any.
///
/// # Errors
/// When it cannot be written.
pub fn write_figures(path: Option<&Path>, figures: &impl Serialize) -> Outcome<()> {
    let Some(path) = path else { return Ok(()) };
    Ok(std::fs::write(path, serde_json::to_string_pretty(figures)?)?)
}

/// A program that ends with its benchmark.
pub struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When the system cannot.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        Ok(Self(command.spawn()?))
    }

    /// Returns the process, for its streams.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Returns its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "a command-line tool speaks on its standard streams")]
    fn drop(&mut self) {
        if self.0.kill().and_then(|()| self.0.wait()).is_err() {
            eprintln!("process {} did not end", self.0.id());
        }
    }
}

/// Returns the processor time that a process has had, as Linux counts it; elsewhere it is not known.
#[must_use]
pub fn processor_time(process: u32) -> Option<Duration> {
    // `utime` and `stime` are in hundredths of a second on every Linux that Rust runs on.
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name may hold spaces; it ends at the last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * TICK_MS))
}

/// Returns a figure of a process's memory in KiB, as Linux calls it (`VmRSS`, and `VmHWM` for the most so far);
/// elsewhere it is not known.
#[must_use]
pub fn memory_kib(process: u32, figure: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let found = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':')?.trim().strip_suffix("kB"));
    found?.trim().parse().ok()
}

/// Our server, which listens.
pub struct Server {
    /// The process.
    pub process: Process,
    /// Such as `http://127.0.0.1:8000`.
    pub address: String,
    /// The header `Authorization` of an admin.
    pub token: String,
}

/// How long a login may take.
const PATIENCE: Duration = Duration::from_secs(120);

impl Server {
    /// Starts `program` with `serve` and these arguments on a free port, and logs in.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, arguments: impl FnOnce(&mut Command)) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--port", "0"]).env("RUST_LOG", "error").stdout(Stdio::piped());
        arguments(&mut command);
        let mut process = Process::start(&mut command)?;
        let output = process.child().stdout.take().ok_or("no output")?;
        // What an operator has to know may stand before it.
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.strip_prefix("Listening on ")?.split(',').next()?.to_owned()));
        let address = address.ok_or("our server did not start")?;
        let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        let login = json!({ "username": "admin", "password": "admin123" }).to_string();
        let url = format!("{address}/api/v1/auth/login");
        let mut answer = agent.post(url).header("Content-Type", "application/json").send(login)?;
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        let token = format!("Bearer {}", answer["access_token"].as_str().ok_or("no login")?);
        Ok(Self { process, address, token })
    }
}
