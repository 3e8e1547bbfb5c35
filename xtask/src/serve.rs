//! Starts the server: from a clone to an open page with one command.

use clap::Args;

use crate::workspace::{camera_features, cargo, command, succeed, target};
use crate::{Result, setup};

/// The port that the existing pages look for first.
const PORT: &str = "8001";

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Further arguments for `faceattend serve`, after `--`; `--port` among them replaces 8001.
    #[arg(last = true)]
    server: Vec<String>,
}

/// Sets up, builds in release and runs the server until it is stopped.
///
/// # Errors
/// When a step fails, or the server ends with a failure.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(&options.setup)?;
    println!("Building the server (the first time takes some minutes) ...");
    let features = camera_features(options.setup.cameras());
    succeed(cargo(&["build", "--release", "--package", "faceattend-server", "--bin", "faceattend"]).args(features))?;

    let mut server = command(target()?.join("release/faceattend"));
    server.arg("serve");
    let port = chosen_port(&options.server).unwrap_or_else(|| {
        server.args(["--port", PORT]);
        PORT
    });
    server.args(&options.server);
    println!(
        "\nOpen http://localhost:{port}/ui/ (admin / admin123) once the server says that it listens; \
         the API is described at http://localhost:{port}/docs. Ctrl-C stops it.\n"
    );
    succeed(&mut server)
}

/// The port among the server's own arguments.
fn chosen_port(arguments: &[String]) -> Option<&str> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--port" {
            return arguments.next().map(String::as_str);
        }
        if let Some(port) = argument.strip_prefix("--port=") {
            return Some(port);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_the_users_own_replaces_the_default() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(chosen_port(&words("--data x --port 9000")), Some("9000"));
        assert_eq!(chosen_port(&words("--port=9000")), Some("9000"));
        assert_eq!(chosen_port(&words("--data x")), None);
    }
}
