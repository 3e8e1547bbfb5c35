//! Installs each package as a stranger would: in an empty place, with no cache of ours, no variable of ours and nothing
//! of the repository but the pictures. Registers people, recognizes them, and starts the server.

mod debian;
pub(super) mod node;
pub(super) mod python;
pub(super) mod rust;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use super::folders::{entries, fresh};
use crate::Result;
use crate::workspace::{output, root};

/// Where the trials install.
const PLACE: &str = "target/dist-trials";
/// How a variable begins that a stranger has too: where the registries are, and how they are reached.
const KEPT: &[&str] =
    &["PIP_", "NPM_CONFIG_", "SSL_CERT", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "LANG"];

/// An empty home.
pub(super) struct Stranger {
    pub(super) home: PathBuf,
}

impl Stranger {
    /// Makes the place of the trial called `name`, empty.
    ///
    /// # Errors
    /// When what an earlier trial has left cannot be removed.
    pub(super) fn new(name: &str) -> Result<Self> {
        Ok(Self { home: fresh(&root().join(PLACE).join(name))? })
    }

    /// Returns `program`, to be run in the home with the environment of somebody who has just logged in.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.home).env_clear().env("HOME", &self.home).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        for (name, value) in env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if KEPT.iter().any(|kept| upper.starts_with(kept)) {
                command.env(name, value);
            }
        }
        command
    }

    /// Plays the demo with the server `program`: it answers at `/health`, people register, a recording marks them.
    ///
    /// # Errors
    /// When the demo fails.
    pub(super) fn demo(&self, program: &Path) -> Result<()> {
        let this = env::current_exe().map_err(|e| format!("cannot tell where this program is: {e}"))?;
        output(self.command(this).arg("demo").arg("--program").arg(program)).map(|_| ())
    }
}

/// Returns the folder of the sample media.
pub(super) fn media() -> PathBuf {
    root().join("examples/media")
}

/// Returns the newest file in `out` whose name begins and ends so.
///
/// # Errors
/// When there is none.
pub(super) fn package(out: &Path, begin: &str, end: &str) -> Result<PathBuf> {
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(begin) && name.ends_with(end)
    };
    let changed = |path: &PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
    let found = entries(out)?.into_iter().filter(named).max_by_key(changed);
    found.ok_or_else(|| format!("{} has no {begin}*{end}: `cargo xtask dist` makes it", out.display()))
}

/// Runs `work` and returns what it returns, and how many seconds it took.
pub(super) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f32)> {
    let started = Instant::now();
    let done = work()?;
    Ok((done, started.elapsed().as_secs_f32()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_has_an_empty_home_and_none_of_our_variables() {
        let stranger = Stranger::new("test-of-the-stranger").unwrap();
        let said = output(&mut stranger.command("env")).unwrap();
        fs::remove_dir_all(&stranger.home).unwrap();
        assert!(said.lines().any(|line| line == format!("HOME={}", stranger.home.display())), "{said}");
        // Cargo sets many for a test, and these would help our programs to find what a stranger does not have.
        for ours in ["CARGO", "VIRTUAL_ENV", "ORT_DYLIB_PATH", "FACEATTEND", "XDG_CACHE_HOME", "PYTHONPATH"] {
            assert!(!said.lines().any(|line| line.starts_with(ours)), "{ours}: {said}");
        }
    }

    #[test]
    fn the_newest_package_is_tried() {
        let folder = env::temp_dir().join(format!("faceattend-trials-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, age) in [("faceattend-0.1.0.whl", 10), ("faceattend-0.2.0.whl", 0), ("other-0.1.0.whl", 0)] {
            let file = fs::File::create(folder.join(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
        }
        let found = package(&folder, "faceattend-", ".whl");
        let missing = package(&folder, "faceattend-", ".deb");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, Ok(folder.join("faceattend-0.2.0.whl")));
        assert!(missing.unwrap_err().contains("cargo xtask dist"));
    }
}
