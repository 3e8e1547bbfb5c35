//! The image: built from the `Dockerfile` by buildah, without a daemon and without a registry. Its base is the bare
//! system of the other trials. No container engine runs, so the program is started in the image's files, as the image's
//! user and with its variables.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::measured::{Times, bring_media, megabytes, punctual, until_the_first_face};
use super::root::{Ground, Root, bare_system, trials};
use super::{service, the_package};
use crate::Result;
use crate::demo::log_in;
use crate::demo::server::Server;
use crate::workspace::{output, root, succeed};

/// What the `Dockerfile` builds upon.
const BASE: &str = "docker.io/library/debian:bookworm-slim";
const IMAGE: &str = "localhost/faceattend:trial";
const PASSWORD: &str = "a password for the image";

/// Builds and starts the image, and recognizes somebody.
///
/// # Errors
/// When it does not build, or does not run as its user.
pub(super) fn trial(packages: &Path, ground: &Ground) -> Result<String> {
    if Command::new("buildah").arg("--version").output().is_err() {
        return Ok("skipped: buildah is not there (`apt-get install buildah`)".to_owned());
    }
    let store = Store::fresh(ground)?;
    store.make_base(ground)?;
    let context = store.folder.join("context");
    let package = context.join(crate::dist::OUT).join("faceattend_trial.deb");
    for (from, to) in
        [(the_package(packages, ".deb")?, package), (root().join("Dockerfile"), context.join("Dockerfile"))]
    {
        let folder = to.parent().unwrap_or(&to);
        fs::create_dir_all(folder)
            .and_then(|()| fs::copy(&from, &to))
            .map_err(|e| format!("cannot copy {} to {}: {e}", from.display(), to.display()))?;
    }
    let mut build = store.buildah(&["build", "--isolation=chroot", "--format=docker", "--pull-never", "--quiet"]);
    build.args(["--build-arg=PACKAGE=made", "--tag", IMAGE]).arg(&context);
    output(&mut build)?;

    let container = output(&mut store.buildah(&["from", "--pull-never", IMAGE]))?;
    let files = output(&mut store.buildah(&["mount", container.trim()]))?;
    let clean = Root::at(PathBuf::from(files.trim()));
    bring_media(&clean)?;
    let described: Value = serde_json::from_str(&output(&mut store.buildah(&["inspect", container.trim()]))?)
        .map_err(|e| format!("buildah describes the container with no JSON: {e}"))?;
    let config = &described["Docker"]["config"];
    let in_it = |program: &str| -> Result<Command> {
        let user = config["User"].as_str().filter(|user| !user.is_empty()).ok_or("the image runs as root")?;
        let mut command = clean.command_as(Some(user), program);
        let pairs = config["Env"].as_array().into_iter().flatten().filter_map(|pair| pair.as_str()?.split_once('='));
        command.envs(pairs);
        Ok(command)
    };
    let words = |key: &str| -> Result<Vec<String>> {
        let list = config[key].as_array().ok_or_else(|| format!("the image has no {key}"))?;
        Ok(list.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect())
    };
    let (entry, default) = (words("Entrypoint")?, words("Cmd")?);
    let program = entry.first().ok_or("the image's entry point is empty")?;
    let log = trials()?.join("server.log");
    let serve = || -> Result<Command> {
        let mut serve = in_it(program)?;
        serve.args(&entry[1..]).args(&default).env("FACEATTEND_PORT", "0");
        Ok(serve)
    };
    // Listening for others with a password that everybody knows is refused, with what to do.
    match Server::started(&mut serve()?, log.clone()) {
        Ok(_) => return Err("the image listens on every address with the documented password".to_owned()),
        Err(refusal) if refusal.contains("faceattend admin passwd") => {}
        Err(problem) => return Err(problem),
    }
    let mut times = Times::default();
    times.of("change the password", || {
        output(in_it(program)?.args(["admin", "passwd"]).env("FACEATTEND_NEW_PASSWORD", PASSWORD))
    })?;
    let server = times.of("start the server", || Server::started(&mut serve()?, log.clone()))?;
    let port = server.address.rsplit(':').next().unwrap_or_default().to_owned();
    let mut client = service::client(&server);
    times.of("log in", || log_in(&mut client, PASSWORD).map(drop))?;
    let (people, _) = punctual()?;
    until_the_first_face(&client, people.first().ok_or("nobody is to be registered")?, &mut times)?;

    let health = words("Healthcheck").or_else(|_| -> Result<Vec<String>> {
        let test = config["Healthcheck"]["Test"].as_array().ok_or("the image has no health check")?;
        Ok(test.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect())
    })?;
    let [kind, line] = health.as_slice() else { return Err(format!("a health check of another form: {health:?}")) };
    if kind != "CMD-SHELL" {
        return Err(format!("a health check of another kind: {kind}"));
    }
    let healthy = || -> Result<bool> {
        let check = in_it("sh")?.args(["-c", line]).env("FACEATTEND_PORT", &port).output();
        Ok(check.map_err(|e| format!("cannot check the health: {e}"))?.status.success())
    };
    if !healthy()? {
        return Err(format!("the health check fails while the server runs: {line}"));
    }
    drop(server);
    if healthy()? {
        return Err("the health check succeeds while no server runs".to_owned());
    }
    let size = clean.size()?;
    let said = times.first_face()?;
    Ok(format!("{said}; image {} unpacked; started without a container engine", megabytes(size)))
}

/// A store of images of the trial's own.
struct Store {
    folder: PathBuf,
    keep: bool,
}

impl Store {
    fn fresh(ground: &Ground) -> Result<Self> {
        let store = Self { folder: trials()?.join("images"), keep: ground.keep };
        store.remove()?;
        fs::create_dir_all(&store.folder).map_err(|e| format!("cannot make {}: {e}", store.folder.display()))?;
        Ok(store)
    }

    /// Returns a call of buildah on this store, with files that are plain folders.
    fn buildah(&self, arguments: &[&str]) -> Command {
        let mut buildah = Command::new("buildah");
        buildah.args(["--storage-driver", "vfs", "--root"]).arg(self.folder.join("root"));
        buildah.arg("--runroot").arg(self.folder.join("run")).args(arguments);
        buildah
    }

    /// Makes the image that the `Dockerfile` begins with out of the bare system.
    fn make_base(&self, ground: &Ground) -> Result<()> {
        let container = output(&mut self.buildah(&["from", "scratch"]))?;
        let container = container.trim();
        succeed(self.buildah(&["add", "--quiet", container]).arg(bare_system(ground)?).arg("/"))?;
        output(&mut self.buildah(&["commit", "--quiet", "--rm", container, BASE])).map(drop)
    }

    fn remove(&self) -> Result<()> {
        if self.folder.exists() {
            output(Command::new("rm").args(["-rf", "--one-file-system"]).arg(&self.folder))?;
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if !self.keep
            && let Err(problem) = self.remove()
        {
            println!("{problem}");
        }
    }
}
