//! The archive of the server for systems that know no packages of Debian: unpacked anywhere, or over `/usr/local`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::compile::{Release, megabytes};
use super::deb::set_modes;
use super::folders::{fresh, set_time};
use super::server_files::{PACKAGING, Server, name_of, write};
use crate::Result;
use crate::workspace::{output, root};

/// Where the archive is put together.
const STAGING: &str = "target/dist-tarball";
/// Where the archive is unpacked for a service.
const PREFIX: &str = "/usr/local";
/// Where the files of the service are that only a package of the system puts into place.
const SERVICE: &str = "share/doc/faceattend/service";

/// Makes the archive of the release in `out`; says how large it is.
///
/// # Errors
/// When the program does not run on this machine, or tar is missing.
pub(super) fn archive(release: &Release, out: &Path) -> Result<String> {
    let server = Server::of(release);
    let name = format!("faceattend-{}-{}", server.version, release.triple);
    let tree = fresh(&root().join(STAGING).join(&name))?;
    server.lay_out(&tree)?;
    // Nothing is put where systemd looks: the program may stay where it was unpacked.
    let service = tree.join(SERVICE);
    for (from, to) in [
        ("lib/systemd/system/faceattend.service", "faceattend.service"),
        ("lib/sysusers.d/faceattend.conf", "faceattend.sysusers"),
    ] {
        let text = fs::read_to_string(tree.join(from)).map_err(|e| format!("{from}: {e}"))?;
        write(&service.join(to), &text.replace("/usr/bin/", &format!("{PREFIX}/bin/")))?;
    }
    for folder in ["lib/systemd", "lib/sysusers.d"] {
        fs::remove_dir_all(tree.join(folder)).map_err(|e| format!("cannot remove {folder}: {e}"))?;
    }
    write(&service.join("config.toml"), &server.settings()?)?;
    let readme = root().join(PACKAGING).join("tarball.md");
    let readme = fs::read_to_string(&readme).map_err(|e| format!("cannot read {}: {e}", readme.display()))?;
    write(&tree.join("share/doc/faceattend/README.md"), &readme)?;
    set_modes(&tree)?;

    let made = out.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--gzip", "--create", "--file"]).arg(&made);
    tar.arg("--directory").arg(root().join(STAGING)).arg(&name);
    // The time of the commit, as in the other packages.
    set_time(&mut tar)?;
    let time = tar.get_envs().find(|(key, _)| *key == "SOURCE_DATE_EPOCH").and_then(|(_, value)| value);
    let time = time.map(std::ffi::OsStr::to_os_string).or_else(|| std::env::var_os("SOURCE_DATE_EPOCH"));
    if let Some(time) = time {
        tar.arg(format!("--mtime=@{}", time.to_string_lossy()));
    }
    output(&mut tar)?;
    Ok(format!("{}, {}", name_of(&made), megabytes(&made)?))
}
