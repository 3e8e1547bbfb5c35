//! System packages, on Debian and what descends from it.

use std::collections::HashSet;
use std::process::{Command, Stdio};

use super::{Cameras, Purpose};
use crate::workspace::succeed;
use crate::{Result, browser, postgres};

/// What compiling C parts needs (SQLite is built in), beside the linker that Rust needs anyway.
const COMPILER: &[&str] = &["gcc", "libc6-dev"];

/// What the cameras need: OpenCV's video input, and libclang to read its headers with.
const OPENCV: &[&str] = &["libopencv-videoio-dev", "clang", "libclang-dev"];

/// What the tests of network cameras need: GStreamer's RTSP server, for a script of Debian's own Python.
const RTSP_SERVER: &[&str] = &[
    "python3-gi",
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-ugly",
];

/// What the tests of the pages need, unless a browser of its kind is there already.
const BROWSER: &[&str] = &["chromium"];

/// What the tests of a browser on another machine need: the kernel's network namespaces, and the browser's store of
/// certificates. The proxies of the book are left out: Debian's nginx and Caddy begin to serve once they are installed,
/// which nobody who runs tests asked for. Their tests say by name that they are skipped.
const ANOTHER_MACHINE: &[&str] = &["iproute2", "libnss3-tools"];

/// What the tests of the shared database need, unless a PostgreSQL is there already.
const POSTGRES: &[&str] = &["postgresql"];

/// The packages this machine lacks.
///
/// # Errors
/// On a system without Debian's package tools, where only the person at it can know.
pub(super) fn missing(cameras: Cameras, purpose: Purpose) -> Result<Vec<&'static str>> {
    let mut wanted = COMPILER.to_vec();
    if cameras == Cameras::With {
        wanted.extend(OPENCV);
        if purpose == Purpose::Tests {
            wanted.extend(RTSP_SERVER);
        }
    }
    // Nobody else can make one.
    if purpose == Purpose::Tests && is_root() {
        wanted.extend(ANOTHER_MACHINE);
    }
    if purpose == Purpose::Tests && browser::program().is_none() {
        wanted.extend(BROWSER);
    }
    if purpose == Purpose::Tests && postgres::programs().is_none() {
        wanted.extend(POSTGRES);
    }
    // It fails when a package is unknown, and lists the others all the same.
    let query = Command::new("dpkg-query").args(["-W", "-f=${Package} ${db:Status-Status}\n"]).args(&wanted).output();
    match query {
        Ok(query) => {
            let listed = String::from_utf8_lossy(&query.stdout);
            let installed: HashSet<_> = listed.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
            Ok(wanted.into_iter().filter(|package| !installed.contains(package)).collect())
        }
        Err(_) if cameras == Cameras::Without || cv_is_set_by_hand() => Ok(Vec::new()),
        Err(_) => Err("this system has no dpkg, so set-up cannot install OpenCV on it. Install OpenCV 4 (with its \
                       headers), clang and libclang yourself and set OPENCV_INCLUDE_PATHS, OPENCV_LINK_PATHS and \
                       OPENCV_LINK_LIBS, or add --without-cameras"
            .to_owned()),
    }
}

/// Whether the person has told the `opencv` crate where to look, rather than leaving it to `.cargo/config.toml`.
fn cv_is_set_by_hand() -> bool {
    std::env::var("OPENCV_LINK_PATHS").is_ok_and(|paths| !paths.contains("x86_64-linux-gnu"))
}

/// Installs `packages`.
///
/// # Errors
/// When that needs a password: the error holds the line to run.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let prefix: &[&str] = if is_root() {
        &[]
    } else if sudo_asks_nothing() {
        // `env` keeps the variable through sudo, which clears the environment.
        &["sudo", "-n"]
    } else {
        return Err(format!(
            "installing system packages needs an administrator. Run this line, then this command again:\n\n    \
             sudo apt-get update && sudo apt-get install --yes --no-install-recommends {list}\n\n\
             or leave the cameras out with --without-cameras"
        ));
    };
    println!("Installing {list} ...");
    let apt = |arguments: &[&str]| {
        let mut words = prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).chain(arguments);
        let mut command = Command::new(words.next().copied().unwrap_or("env"));
        command.args(words);
        command
    };
    // A machine made from an image has no package lists, or old ones.
    succeed(&mut apt(&["update", "-q"]))?;
    succeed(apt(&["install", "--yes", "--no-install-recommends"]).args(packages))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

fn sudo_asks_nothing() -> bool {
    let quiet = Stdio::null;
    Command::new("sudo").args(["-n", "true"]).stdout(quiet()).stderr(quiet()).status().is_ok_and(|s| s.success())
}
