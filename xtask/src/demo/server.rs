//! The real server, as a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::build::{self, Part, Profile};
use crate::setup::Cameras;
use crate::workspace::command;

/// How long a server may take over what it has begun, once it was told to stop.
const GRACE: Duration = Duration::from_secs(15);

/// A server that runs until this is dropped.
pub(crate) struct Server {
    process: Child,
    /// Kept open, so that what the server says finds a reader.
    said: BufReader<ChildStdout>,
    /// Host and port.
    pub(crate) address: String,
    /// What it logs.
    pub(crate) log: PathBuf,
}

impl Server {
    /// Starts `program` on a free port of this machine, with its data in `data`, and waits until it listens.
    ///
    /// # Errors
    /// When it ends before; the error holds what it complained of.
    pub(super) fn start(program: &Path, data: &Path) -> Result<Self> {
        let mut serve = command(program);
        serve.args(["serve", "--host", "127.0.0.1", "--port", "0", "--data-dir"]).arg(data);
        Self::started(&mut serve, data.join("server.log"))
    }

    /// Starts a server by a command, which logs to the file `log`, and waits until it listens.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub(crate) fn started(serve: &mut Command, log: PathBuf) -> Result<Self> {
        let complaints = File::create(&log).map_err(|e| format!("cannot write {}: {e}", log.display()))?;
        let mut process = serve
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", serve.get_program().display()))?;
        let said = process.stdout.take();
        // From here on a failure stops the process.
        let mut server = Self {
            process,
            said: BufReader::new(said.ok_or("the server has no standard output")?),
            address: String::new(),
            log,
        };
        let mut line = String::new();
        while server.said.read_line(&mut line).is_ok_and(|length| length > 0) {
            if let Some(address) = address_in(&line) {
                server.address = address.to_owned();
                return Ok(server);
            }
            line.clear();
        }
        let complaint = std::fs::read_to_string(&server.log).unwrap_or_default();
        Err(format!("the server did not start:\n{}", complaint.trim()))
    }
}

impl Drop for Server {
    /// Asks the server to stop, as Ctrl-C would, and sees that it does.
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().is_ok_and(|status| status.success());
        let deadline = Instant::now() + GRACE;
        while asked && Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address in the line by which the server says that it listens.
fn address_in(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("Listening on http://")?;
    rest.split(|c: char| c == ',' || c == '/' || c.is_whitespace()).next()
}

/// Builds the server in release and returns where it is.
///
/// # Errors
/// When it does not build.
pub(crate) fn build(cameras: Cameras) -> Result<PathBuf> {
    Ok(build::parts(&[Part::Server], Profile::Release, cameras)?.server())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_the_server_says() {
        let line = "Listening on http://127.0.0.1:40123, pages at http://127.0.0.1:40123/ui/\n";
        assert_eq!(address_in(line), Some("127.0.0.1:40123"));
        assert_eq!(address_in("Data in /tmp\n"), None);
    }
}
