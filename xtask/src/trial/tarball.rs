//! The archive on a bare system: unpacked, and started where it lies, by a user without rights.

use std::fs;
use std::path::Path;

use super::measured::{Times, bring_media, megabytes, punctual, until_the_first_face};
use super::root::{Ground, Root, trials};
use super::{service, the_package};
use crate::Result;
use crate::demo::log_in;
use crate::demo::server::Server;

/// Who unpacks and starts it: a user that every Debian has.
const USER: &str = "games";
const HOME: &str = "/home/somebody";

/// Unpacks and starts the archive, and recognizes somebody.
///
/// # Errors
/// When it does not run with what a bare system has.
pub(super) fn trial(packages: &Path, ground: &Ground) -> Result<String> {
    let archive = the_package(packages, "-linux-gnu.tar.gz")?;
    let root = Root::fresh("tarball", ground)?;
    bring_media(&root)?;
    root.copy(&archive, "/srv/faceattend.tar.gz")?;
    root.shell(&format!("install -d -o {USER} {HOME}"))?;
    let mut times = Times::default();
    times.of("unpack", || {
        let mut tar = root.command_as(Some(USER), "tar");
        tar.args(["-xzf", "/srv/faceattend.tar.gz", "--strip-components=1", "-C", HOME]);
        crate::workspace::output(&mut tar)
    })?;
    let mut serve = root.command_as(Some(USER), &format!("{HOME}/bin/faceattend"));
    serve.args(["serve", "--port", "0"]).env("HOME", HOME);
    let log = trials()?.join("server.log");
    let server = times.of("start the server", || Server::started(&mut serve, log))?;
    let mut client = service::client(&server);
    times.of("log in", || log_in(&mut client, "admin123").map(drop))?;
    let (people, _) = punctual()?;
    let first = people.first().ok_or("nobody is to be registered")?;
    until_the_first_face(&client, first, &mut times)?;
    drop(server);
    let size = fs::metadata(&archive).map_err(|e| format!("{}: {e}", archive.display()))?.len();
    Ok(format!("{}; archive {}", times.first_face()?, megabytes(size)))
}
