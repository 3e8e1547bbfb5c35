//! The RTSP server, and what it costs.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Arguments, Outcome};

/// A clip in a loop over RTSP.
pub(crate) struct Stream {
    child: Child,
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
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let stream = Self { child, url: format!("rtsp://127.0.0.1:{port}/live") };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim() == "ready" { Ok(stream) } else { Err("the RTSP server did not start".into()) }
    }

    /// Does `work`; how many seconds of a processor the server took in each second meanwhile.
    pub(crate) fn while_serving<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, f64)> {
        let (began, before) = (Instant::now(), busy(&self.child)?);
        let done = work()?;
        let took = (busy(&self.child)?.saturating_sub(before)).as_secs_f64();
        Ok((done, took / began.elapsed().as_secs_f64()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a process.
pub(crate) fn end(child: &mut Child) {
    if child.kill().and_then(|()| child.wait()).is_err() {
        eprintln!("a process did not end");
    }
}

/// The time that a process has had of the processors, as Linux counts it.
pub(crate) fn busy(child: &Child) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    // The name of the program, in parentheses, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).ok_or("no stat");
    // `utime` and `stime`, in hundredths of a second on every Linux that Rust runs on.
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
