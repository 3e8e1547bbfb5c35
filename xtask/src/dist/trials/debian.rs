//! The wheel in a clean system of Debian's next release, for the newest Python, which machines seldom have yet.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{PLACE, media, timed};
use crate::Result;
use crate::dist::folders::{copy, copy_tree, fresh};
use crate::workspace::{output, root};

/// The release of Debian that has the newest Python.
const RELEASE: &str = "forky";
/// What this machine has and the other one needs to reach a registry through the same net.
const NET: &[&str] = &["etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"];

/// Whether this machine can make a clean system: that takes root and a tool.
pub(super) fn can_be_made() -> bool {
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    is_root && output(Command::new("mmdebstrap").arg("--version")).is_ok()
}

/// Installs the wheel for Python 3.`minor` there, registers and recognizes.
///
/// # Errors
/// When no clean system can be made here, or the trial fails.
pub(super) fn wheel(wheel: &Path, minor: u32) -> Result<String> {
    let folder = fresh(&root().join(PLACE).join(format!("debian-{RELEASE}")))?;
    let mut make = Command::new("mmdebstrap");
    make.args(["--variant=minbase", &format!("--include=python3.{minor}-venv,ca-certificates"), RELEASE]);
    // A mirror may be a snapshot of an older day.
    make.arg("--aptopt=Acquire::Check-Valid-Until \"false\"");
    output(make.arg(&folder))?;
    for path in NET {
        copy(&Path::new("/").join(path), &folder.join(path))?;
    }
    copy(wheel, &folder.join("trial").join(wheel.file_name().unwrap_or_default()))?;
    copy(&root().join("xtask/dist/stranger.py"), &folder.join("trial/stranger.py"))?;
    copy_tree(&media(), &folder.join("trial/media"), &|_| true)?;
    let inside = |script: &str| {
        let mut command = Command::new("unshare");
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root");
        command.env("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt");
        command.arg("--mount").arg(format!("--mount-proc={}", folder.join("proc").display()));
        command.args(["--", "chroot"]).arg(&folder).args(["sh", "-ec", script]);
        output(&mut command)
    };
    inside(&format!("python3.{minor} -m venv /venv"))?;
    let install = "/venv/bin/pip install --quiet --disable-pip-version-check --only-binary=:all: /trial/*.whl";
    let (_, installing) = timed(|| inside(install))?;
    let (_, recognizing) = timed(|| inside("/venv/bin/python /trial/stranger.py /trial/media"))?;
    inside("/venv/bin/faceattend --version")?;
    let _ = fs::remove_dir_all(&folder);
    Ok(format!("3.{minor} in Debian {RELEASE}: installed in {installing:.1} s, recognized in {recognizing:.1} s"))
}
