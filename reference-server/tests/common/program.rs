//! The real program as a server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A server that listens; dropping it kills it with SIGKILL.
pub(crate) struct Program(Child);

impl Program {
    /// Starts `serve`, a command of the program, and waits until it listens.
    pub(crate) fn start(serve: &mut Command) -> Self {
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let listens = lines.any(|line| line.contains("Listening on http://"));
        let program = Self(child);
        assert!(listens, "the server ended before it listened");
        // What it says later needs a reader.
        std::thread::spawn(move || lines.for_each(drop));
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
