//! The RTSP server, and what it costs.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use faceattend_benches::{Process, processor_time};

use crate::{Arguments, Outcome};

/// A clip in a loop over RTSP.
pub(crate) struct Stream {
    process: Process,
    pub(crate) url: String,
}

impl Stream {
    pub(crate) fn start(arguments: &Arguments) -> Outcome<Self> {
        // Free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        // Debian's own, which has the bindings; another may come first in the path.
        let debian = "/usr/bin/python3";
        let mut command = Command::new(if Path::new(debian).exists() { debian } else { "python3" });
        command.arg(&arguments.stream).arg(port.to_string()).arg(&arguments.clip).arg(&arguments.encoded);
        let mut process = Process::start(command.stdout(Stdio::piped()))?;
        let output = process.child().stdout.take().ok_or("no output")?;
        let stream = Self { process, url: format!("rtsp://127.0.0.1:{port}/live") };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim() == "ready" { Ok(stream) } else { Err("the RTSP server did not start".into()) }
    }

    /// Does `work`; how many seconds of a processor the server took in each second meanwhile.
    pub(crate) fn while_serving<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, f64)> {
        let (began, before) = (Instant::now(), busy(&self.process)?);
        let done = work()?;
        let took = (busy(&self.process)?.saturating_sub(before)).as_secs_f64();
        Ok((done, took / began.elapsed().as_secs_f64()))
    }
}

/// The time that a process has had of the processors.
pub(crate) fn busy(process: &Process) -> Outcome<Duration> {
    Ok(processor_time(process.id()).ok_or("this system does not count processor time")?)
}
