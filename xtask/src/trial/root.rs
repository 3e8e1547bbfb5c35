//! A system with nothing but its package manager, in a folder: Debian as a stranger's fresh machine has it. Programs in
//! it see its files alone; the network is this machine's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::workspace::{output, root, succeed, target};

/// The release of Debian that is tried unless another is asked for: the one of the image.
pub(super) const RELEASE: &str = "bookworm";
/// Where this machine says from which mirror it installs. It serves the trials too where the release is the same.
const SOURCES: &str = "/etc/apt/sources.list.d/debian.sources";

/// What the trials stand on.
pub(super) struct Ground {
    /// The release of Debian.
    pub(super) release: String,
    /// Whether the roots stay.
    pub(super) keep: bool,
}

/// A root that is removed when this is dropped.
pub(super) struct Root {
    folder: PathBuf,
    keep: bool,
}

/// Returns why no clean root can be made here; nothing where one can.
pub(super) fn missing() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("clean roots are made on Linux alone".to_owned());
    }
    if output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() != "0") {
        return Some("only root can make clean roots: run `sudo -E cargo xtask trial`".to_owned());
    }
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok_and(|said| said.status.success());
    let lacks = ["mmdebstrap", "unshare"].into_iter().find(|tool| !has(tool));
    lacks.map(|tool| format!("{tool} is not there: `apt-get install mmdebstrap util-linux`"))
}

impl Root {
    /// Makes a fresh one, named after the trial. The bare system is made once and kept in the target folder.
    ///
    /// # Errors
    /// When the mirror of Debian cannot be reached, or the system cannot be unpacked.
    pub(super) fn fresh(name: &str, ground: &Ground) -> Result<Self> {
        let bare = bare_system(ground)?;
        let folder = trials()?.join(name);
        remove(&folder)?;
        fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        let made = Self { folder, keep: ground.keep };
        output(Command::new("tar").args(["--numeric-owner", "-xf"]).arg(bare).arg("-C").arg(&made.folder))?;
        Ok(made)
    }

    /// Returns the root in a folder that somebody else has made, and removes.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder, keep: true }
    }

    /// The path from outside of what programs in the root know as `inside`.
    pub(super) fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside.trim_start_matches('/'))
    }

    /// Copies a file into the root.
    pub(super) fn copy(&self, from: &Path, inside: &str) -> Result<()> {
        let to = self.path(inside);
        let folder = to.parent().unwrap_or(&to);
        fs::create_dir_all(folder)
            .and_then(|()| fs::copy(from, &to))
            .map(drop)
            .map_err(|e| format!("cannot copy {} to {}: {e}", from.display(), to.display()))
    }

    /// Returns `program`, to be run in the root as root.
    pub(super) fn command(&self, program: &str) -> Command {
        self.command_as(None, program)
    }

    /// Returns `program`, to be run in the root as `user`, with the user's groups and no way to other rights: as
    /// systemd runs a service. The process has the number of the command itself.
    pub(super) fn command_as(&self, user: Option<&str>, program: &str) -> Command {
        let mut command = Command::new("unshare");
        command.arg("--mount").arg(format!("--mount-proc={}", self.path("proc").display())).args(["--", "chroot"]);
        command.arg(&self.folder);
        if let Some(user) = user {
            command.args(["setpriv", "--init-groups", "--no-new-privs", "--inh-caps=-all"]);
            command.args(["--reuid", user, "--regid", user, "--"]);
        }
        command.arg(program).current_dir("/").env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LANG", "C.UTF-8");
        command.env("HOME", "/root").env("DEBIAN_FRONTEND", "noninteractive");
        for (name, value) in std::env::vars_os() {
            // How this machine reaches the registries.
            if name.to_str().is_some_and(|name| name.to_lowercase().ends_with("_proxy")) {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs a line of shell in the root; returns what it printed.
    ///
    /// # Errors
    /// When it does not succeed.
    pub(super) fn shell(&self, line: &str) -> Result<String> {
        output(self.command("sh").args(["-ec", line])).map_err(|problem| format!("in the clean root: {problem}"))
    }

    /// Installs what `apt-get install` takes, and keeps changed settings, as an operator who presses Enter does.
    pub(super) fn apt_install(&self, arguments: &str) -> Result<String> {
        self.shell(&format!("apt-get install --yes --quiet -o Dpkg::Options::=--force-confold {arguments}"))
    }

    /// Returns how large the root's files are, in bytes, without what apt has fetched.
    pub(super) fn size(&self) -> Result<u64> {
        let said = output(
            Command::new("du")
                .args(["--summarize", "--bytes", "--one-file-system"])
                .args(["--exclude=var/lib/apt/lists", "--exclude=var/cache/apt"])
                .arg(&self.folder),
        )?;
        let size = said.split_whitespace().next().and_then(|size| size.parse().ok());
        size.ok_or_else(|| format!("du said `{said}`"))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if !self.keep
            && let Err(problem) = remove(&self.folder)
        {
            println!("{problem}");
        }
    }
}

/// Removes a root. What is mounted in one is mounted for its programs alone, so nothing of this machine can be below
/// it.
fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        output(Command::new("rm").args(["-rf", "--one-file-system"]).arg(folder))?;
    }
    Ok(())
}

/// Where the trials keep what they make.
pub(super) fn trials() -> Result<PathBuf> {
    Ok(target()?.join("trial"))
}

/// Returns the archive of the bare system, which is made where it is not there.
pub(super) fn bare_system(ground: &Ground) -> Result<PathBuf> {
    let release = &ground.release;
    let folder = trials()?;
    let archive = folder.join(format!("bare-{release}.tar"));
    if archive.is_file() {
        return Ok(archive);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    println!("Making a bare system of Debian ({release}) ...");
    let part = archive.with_extension("part.tar");
    let mut make = Command::new("mmdebstrap");
    make.current_dir(root()).args(["--variant=minbase", "--quiet", release]).arg(&part);
    let same = fs::read_to_string(SOURCES).is_ok_and(|sources| sources.contains(release));
    if same {
        make.arg(SOURCES);
    }
    succeed(&mut make)?;
    fs::rename(&part, &archive).map_err(|e| format!("cannot rename {}: {e}", part.display()))?;
    Ok(archive)
}
