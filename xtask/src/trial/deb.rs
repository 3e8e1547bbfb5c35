//! The package of Debian on a bare system: install, use, remove, install again, purge.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::measured::{CLIP, Times, bring_media, megabytes, punctual, until_the_first_face};
use super::root::{Ground, Root};
use super::{service, the_package};
use crate::Result;
use crate::demo::{attendance, expect_marks, log_in, register, watch};

/// Where the package lies in the root.
pub(super) const PACKAGE: &str = "/root/faceattend.deb";
const FIRST_PASSWORD: &str = "admin123";
const NEW_PASSWORD: &str = "another one for the trial";
/// Names of the package that may stay after a purge: the user, whose number must not be given to somebody else.
const MAY_STAY: &[&str] = &["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"];

/// Installs, uses, removes and purges the package.
///
/// # Errors
/// When a step does not do what a stranger expects, or the first face takes too long.
pub(super) fn trial(packages: &Path, ground: &Ground) -> Result<String> {
    let package = the_package(packages, ".deb")?;
    let root = Root::fresh("deb", ground)?;
    let bare = root.size()?;
    root.copy(&package, PACKAGE)?;
    bring_media(&root)?;
    root.shell("apt-get update --quiet")?;
    // The promise is about packages that are here already; how much is fetched is said beside it. OpenCV, which is
    // recommended and large, is counted apart: the first face needs none.
    let archives = "var/cache/apt/archives";
    let lean = format!("--no-install-recommends {PACKAGE}");
    root.apt_install(&format!("--download-only {lean}"))?;
    let fetched = folder_size(&root, archives)?;

    let mut times = Times::default();
    let said = times.of("apt install ./faceattend.deb", || root.apt_install(&lean))?;
    if !said.contains("faceattend admin passwd") {
        return Err(format!("the installation does not say how the password is changed:\n{said}"));
    }
    let server = times.of("start the service", || service::start(&root, &[]))?;
    let mut client = service::client(&server);
    times.of("log in", || log_in(&mut client, FIRST_PASSWORD).map(drop))?;
    let (people, stranger) = punctual()?;
    let (first, others) = people.split_first().ok_or("nobody is to be registered")?;
    until_the_first_face(&client, first, &mut times)?;
    let first_face = times.first_face();

    for person in others {
        register(&client, person)?;
    }
    expect_marks(&watch(&client, CLIP, people.len())?, &people)?;
    println!("  {} are marked, {} is not registered and not marked", people.len(), stranger.name);
    root.shell("apt-get clean")?;
    let kept = root.size()?.saturating_sub(bare);
    let opencv = with_recommended(&root, archives)?;
    looks_installed(&root)?;
    change_password(&root)?;
    log_in(&mut client, NEW_PASSWORD)?;
    drop(server);

    root.shell("apt-get remove --yes --quiet faceattend")?;
    if root.path("/usr/bin/faceattend").exists() {
        return Err("the program is there after its removal".to_owned());
    }
    println!("  removed: {}", root.shell("ls /var/lib/faceattend /etc/faceattend | tr '\\n' ' '")?.trim());
    root.apt_install(PACKAGE)?;
    let server = service::start(&root, &[])?;
    let mut client = service::client(&server);
    log_in(&mut client, NEW_PASSWORD)?;
    expect_marks(&attendance(&client)?, &people)?;
    println!("  installed again: the password, the people and the marks are there");
    drop(server);

    root.shell("apt-get purge --yes --quiet faceattend")?;
    nothing_is_left(&root)?;
    let size = fs::metadata(&package).map_err(|e| format!("{}: {e}", package.display()))?.len();
    let sizes = format!(
        "package {}, fetched beside it {}, on the disk {}; {opencv}",
        megabytes(size),
        megabytes(fetched),
        megabytes(kept)
    );
    println!("  {sizes}");
    Ok(format!("{}; {sizes}", first_face?))
}

/// Installs what the package recommends; says how long that takes and how large it is.
fn with_recommended(root: &Root, archives: &str) -> Result<String> {
    let control = root.shell(&format!("dpkg-deb --field {PACKAGE} Recommends"))?;
    let names: Vec<_> = control.split(',').filter_map(|package| package.split_whitespace().next()).collect();
    if names.is_empty() {
        return Ok("nothing is recommended".to_owned());
    }
    let (names, before) = (names.join(" "), root.size()?);
    root.apt_install(&format!("--no-install-recommends --download-only {names}"))?;
    let fetched = folder_size(root, archives)?;
    let started = Instant::now();
    root.apt_install(&format!("--no-install-recommends {names}"))?;
    let took = started.elapsed().as_secs_f32();
    let kept = root.size()?.saturating_sub(before);
    let doctor = root.shell("faceattend doctor || true")?;
    let line = doctor.lines().find(|line| line.contains(" OpenCV ")).unwrap_or("nothing about OpenCV");
    if !line.starts_with("ok") {
        return Err(format!("OpenCV is installed and not loaded; doctor says: {line}"));
    }
    Ok(format!("OpenCV {} more, {} on the disk, {took:.1} s", megabytes(fetched), megabytes(kept)))
}

/// Changes the password as an operator does, as root, while the server runs.
fn change_password(root: &Root) -> Result<()> {
    root.shell(&format!("echo '{NEW_PASSWORD}' | faceattend admin passwd"))?;
    let foreign = root.shell("find /var/lib/faceattend ! -user faceattend")?;
    if foreign.trim().is_empty() {
        return Ok(());
    }
    Err(format!("root's command has left files that the service cannot write:\n{foreign}"))
}

/// What a package promises beside its program.
fn looks_installed(root: &Root) -> Result<()> {
    for path in [
        "/usr/lib/faceattend",
        "/usr/share/doc/faceattend/copyright",
        "/usr/share/doc/faceattend/onnxruntime/LICENSE",
        "/usr/share/doc/faceattend/models/default/licenses/Apache-2.0.txt",
        "/usr/share/bash-completion/completions/faceattend",
        "/usr/share/zsh/vendor-completions/_faceattend",
        "/usr/share/fish/vendor_completions.d/faceattend.fish",
    ] {
        if !root.path(path).exists() {
            return Err(format!("{path} is not installed"));
        }
    }
    let settings = root.shell("stat -c '%U %G %a' /etc/faceattend/config.toml")?;
    if settings.trim() != "root faceattend 640" {
        return Err(format!("config.toml belongs to, and has the mode: {settings}"));
    }
    let groups = root.shell("id -nG faceattend")?;
    if !groups.split_whitespace().any(|group| group == "video") {
        return Err(format!("the service may open no camera: its groups are {groups}"));
    }
    // The user of the service reads its settings, and another user of the machine does not.
    let data_dir = |user: &str| {
        let mut config = root.command_as(Some(user), "faceattend");
        crate::workspace::output(config.arg("config"))
            .map(|said| said.lines().find(|line| line.starts_with("data-dir ")).unwrap_or_default().to_owned())
    };
    if !data_dir("faceattend")?.contains("/var/lib/faceattend") {
        return Err("the service's user does not find its settings".to_owned());
    }
    if data_dir("games")?.contains("/var/lib/faceattend") {
        return Err("another user works with the service's settings".to_owned());
    }
    // Where systemd came along, it reads the unit.
    if root.path("/usr/bin/systemd-analyze").exists() {
        let said =
            root.shell("systemd-analyze verify --man=no /usr/lib/systemd/system/faceattend.service 2>&1 || true")?;
        let about_us: Vec<_> = said.lines().filter(|line| line.contains("faceattend")).collect();
        if !about_us.is_empty() {
            return Err(format!("systemd complains of the unit:\n{}", about_us.join("\n")));
        }
        println!("  systemd-analyze verify: nothing to complain of");
    }
    Ok(())
}

/// # Errors
/// When a purge has left a file of the package.
fn nothing_is_left(root: &Root) -> Result<()> {
    let names = "find / -xdev -path /proc -prune -o -name '*faceattend*' -print";
    let texts = "grep -rIl faceattend /etc /var/lib/dpkg/info /var/lib/systemd 2>/dev/null || true";
    let found = root.shell(&format!("{names}; {texts}"))?;
    let left: Vec<_> = found.lines().filter(|path| *path != PACKAGE && !is_of_the_user(path)).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("a purge has left: {}", left.join(" "))) }
}

/// Whether a file is one of the lists of users, or the copy that the tools for users keep of one.
fn is_of_the_user(path: &str) -> bool {
    MAY_STAY.contains(&path.trim_end_matches('-'))
}

fn folder_size(root: &Root, folder: &str) -> Result<u64> {
    let read = fs::read_dir(root.path(folder)).map_err(|e| format!("cannot read {folder}: {e}"))?;
    Ok(read.flatten().filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|it| it.len()).sum())
}
