//! The wheel on a bare system: `pip install faceattend && faceattend serve`, by a user without rights.

use std::fs;
use std::path::Path;

use super::measured::{Times, bring_media, megabytes, punctual, until_the_first_face};
use super::root::{Ground, Root, trials};
use super::{service, the_package};
use crate::Result;
use crate::demo::log_in;
use crate::demo::server::Server;
use crate::workspace::output;

/// Who installs it: a user that every Debian has.
const USER: &str = "games";
const HOME: &str = "/home/somebody";
/// How this machine reaches the Python registry, if it says so: files, and what variables of pip begin with.
const FILES: &[&str] = &["/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt"];
const VARIABLES: &str = "PIP_";

/// Installs the wheel into a virtual environment, starts the server, and recognizes somebody.
///
/// # Errors
/// When it does not install or run with what a bare system and its Python have.
pub(super) fn trial(packages: &Path, ground: &Ground) -> Result<String> {
    let wheel = the_package(packages, ".whl")?;
    let name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let root = Root::fresh("wheel", ground)?;
    bring_media(&root)?;
    root.copy(&wheel, &format!("/srv/{name}"))?;
    root.shell(&format!("install -d -o {USER} {HOME}"))?;
    root.shell("apt-get update --quiet")?;
    let python = "--no-install-recommends python3-venv";
    root.apt_install(&format!("--download-only {python}"))?;
    let mut times = Times::default();
    times.of("apt install python3-venv", || root.apt_install(python))?;
    // After the packages, one of which makes a list of certificates of its own.
    for file in FILES.iter().filter(|file| Path::new(file).is_file()) {
        root.copy(Path::new(file), file)?;
    }
    let run = |program: &str, arguments: &[&str]| {
        let mut command = root.command_as(Some(USER), program);
        command.args(arguments).env("HOME", HOME);
        command.envs(std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(VARIABLES)));
        command
    };
    let environment = format!("{HOME}/env");
    times.of("python3 -m venv", || output(&mut run("python3", &["-m", "venv", &environment])))?;
    let (pip, package) = (format!("{environment}/bin/pip"), format!("/srv/{name}"));
    // The promise is about what is here already, as in the trial of the package.
    let fetched = format!("{HOME}/fetched");
    output(&mut run(&pip, &["download", "--quiet", "--dest", &fetched, &package]))?;
    let local = ["install", "--quiet", "--no-index", "--find-links", &fetched, &package];
    times.of("pip install", || output(&mut run(&pip, &local)))?;
    let program = format!("{environment}/bin/faceattend");
    let log = trials()?.join("server.log");
    let mut serve = run(&program, &["serve", "--port", "0"]);
    let server = times.of("start the server", || Server::started(&mut serve, log))?;
    let mut client = service::client(&server);
    times.of("log in", || log_in(&mut client, "admin123").map(drop))?;
    let (people, _) = punctual()?;
    until_the_first_face(&client, people.first().ok_or("nobody is to be registered")?, &mut times)?;
    drop(server);
    let size = fs::metadata(&wheel).map_err(|e| format!("{}: {e}", wheel.display()))?.len();
    Ok(format!("{}; wheel {}", times.first_face()?, megabytes(size)))
}
