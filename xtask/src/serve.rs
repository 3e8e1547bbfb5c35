//! Starts the server: from a clone to an open page with one command.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::build::{self, Part, Profile};
use crate::setup::Cameras;
use crate::workspace::{command, output, succeed, target};
use crate::{Result, setup};

/// The port that the existing pages look for first.
const PORT: &str = "8001";
/// The program's name, and the version of this workspace, which `faceattend --version` tells too.
const PROGRAM: &str = "faceattend";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Build nothing: serve with the `faceattend` on the path, which must have this version.
    #[arg(long)]
    installed: bool,
    /// Further arguments for `faceattend serve`, after `--`; `--port` among them replaces 8001.
    #[arg(last = true)]
    server: Vec<String>,
}

/// Sets up, builds in release and runs the server until it is stopped.
///
/// # Errors
/// When a step fails, or the server ends with a failure.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = if options.installed {
        installed()?.ok_or_else(|| {
            format!("no `{PROGRAM}` of version {VERSION} is on the path; leave `--installed` out to build one")
        })?
    } else {
        announce("start the server");
        if let Ok(Some(program)) = installed() {
            println!("({} has this version: `--installed` serves with it and builds nothing.)", program.display());
        }
        setup::run(&options.setup)?;
        built(options.setup.cameras())?
    };
    let mut server = command(program);
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

/// Says at once what is going to happen before `then`, and about how long it takes.
pub(crate) fn announce(then: &str) {
    let known = target().is_ok_and(|target| target.join("release").join(PROGRAM).exists());
    let (setup, build) = if known { ("a second", "seconds, unless much has changed") } else { ("1 min", "5 min") };
    println!(
        "This will\n  1. set this machine up ({setup})\n  2. build the server ({build} on two cores)\n  3. {then}\n"
    );
}

fn built(cameras: Cameras) -> Result<PathBuf> {
    println!("Building the server ...");
    Ok(build::parts(&[Part::Server], Profile::Release, cameras)?.server())
}

/// The program on the path, if it has this workspace's version.
fn installed() -> Result<Option<PathBuf>> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
    let Some(program) = env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| path.is_file()) else {
        return Ok(None);
    };
    let said = output(Command::new(&program).arg("--version"))?;
    Ok((said.split_whitespace().last() == Some(VERSION)).then_some(program))
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
