//! From the package of an old commit to this one: the database, the keys, the settings and the logins of before hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measured::{CLIP, bring_media, punctual};
use super::root::{Ground, Root, trials};
use super::{deb, service, the_package};
use crate::Result;
use crate::demo::{attendance, expect_marks, log_in, people, register, watch};
use crate::dist::{Server, build_deb};
use crate::workspace::{command, output, succeed};

/// The commit before the packages, with a database that has been migrated several times since.
const COMMIT: &str = "14efdad";
/// Sorts before every version of this workspace.
const OLD_VERSION: &str = "0.0.1";
const PASSWORD: &str = "a password from before";
/// A setting that the operator has changed, and how the server says it.
const ZONE: &str = "Asia/Kolkata";

/// Installs the old package, works with it, and installs the new one over it.
///
/// # Errors
/// When the old commit cannot be built, or something of before does not hold.
pub(super) fn trial(packages: &Path, ground: &Ground) -> Result<String> {
    let new = the_package(packages, ".deb")?;
    let old = old_package(&new)?;
    let clean = Root::fresh("upgrade", ground)?;
    bring_media(&clean)?;
    clean.copy(&old, "/root/old.deb")?;
    clean.copy(&new, deb::PACKAGE)?;
    clean.shell("apt-get update --quiet")?;
    clean.apt_install("/root/old.deb")?;
    clean.shell(&format!("sed -i 's,^#time-zone = .*,time-zone = \"{ZONE}\",' /etc/faceattend/config.toml"))?;

    // The old program does not look below /usr/lib/faceattend.
    let library = clean.shell("ls /usr/lib/faceattend/libonnxruntime.so*")?;
    let server = service::start(&clean, &[("ORT_DYLIB_PATH", library.trim())])?;
    let mut client = service::client(&server);
    log_in(&mut client, "admin123")?;
    let (people_of_before, newcomer) = punctual()?;
    for person in &people_of_before {
        register(&client, person)?;
    }
    watch(&client, CLIP, people_of_before.len())?;
    let marks = attendance(&client)?;
    expect_marks(&marks, &people_of_before)?;
    // The old program knows nothing of the settings of the service.
    let mut passwd = clean.command_as(Some("faceattend"), "faceattend");
    passwd.args(["admin", "passwd", "--data-dir", "/var/lib/faceattend"]).env("FACEATTEND_NEW_PASSWORD", PASSWORD);
    output(&mut passwd)?;
    let token = log_in(&mut client, PASSWORD)?;
    drop(server);
    let kept = ["/etc/faceattend/config.toml", "/var/lib/faceattend/jwt-secret", "/var/lib/faceattend/receipt-key"];
    let read = |path: &&str| fs::read(clean.path(path)).map_err(|e| format!("cannot read {path}: {e}"));
    let before: Vec<_> = kept.iter().map(read).collect::<Result<_>>()?;
    println!("  {COMMIT}: {} people registered, {} marks", people_of_before.len(), marks.len());

    clean.apt_install(deb::PACKAGE)?;
    let after: Vec<_> = kept.iter().map(read).collect::<Result<_>>()?;
    if let Some((path, _)) = kept.iter().zip(before.iter().zip(&after)).find(|(_, (before, after))| before != after) {
        return Err(format!("the upgrade has changed {path}"));
    }
    let server = service::start(&clean, &[])?;
    let mut client = service::client(&server);
    client.log_in_with(&token);
    expect_marks(&attendance(&client)?, &people_of_before)?;
    println!("  a login of before the upgrade holds, and its marks are there");
    log_in(&mut client, PASSWORD)?;
    // Who was registered before is recognized, and who is registered now is marked beside them.
    register(&client, &newcomer)?;
    expect_marks(&watch(&client, CLIP, people_of_before.len() + 1)?, &people()?)?;
    let policy = client.get("/api/v1/detection/status")?;
    drop(server);
    let config = clean.shell("faceattend config")?;
    let zone = config.lines().find(|line| line.starts_with("time-zone ")).unwrap_or_default();
    if !zone.contains(ZONE) || !zone.contains("file") {
        return Err(format!("the time zone of before does not hold: `{zone}`; {policy}"));
    }
    let doctor = clean.shell("faceattend doctor")?;
    let migrated = doctor.lines().find(|line| line.contains("schema")).unwrap_or_default().trim().to_owned();
    Ok(format!("from {COMMIT}: database, keys, settings and logins hold; {migrated}"))
}

/// Returns the package of the old commit, which is built once and kept. What describes it is of now, as the old program
/// writes no manual.
fn old_package(new: &Path) -> Result<PathBuf> {
    let sources = trials()?.join(COMMIT);
    let made = |what: &str| sources.with_file_name(format!("{COMMIT}-{what}"));
    if !sources.join("Cargo.toml").is_file() {
        fs::create_dir_all(&sources).map_err(|e| format!("cannot make {}: {e}", sources.display()))?;
        let archive = made("sources.tar");
        output(command("git").args(["archive", "--output"]).arg(&archive).arg(COMMIT))
            .map_err(|problem| format!("the history of this checkout does not reach back to {COMMIT}: {problem}"))?;
        output(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&sources))?;
    }
    let built = made("build");
    let program = built.join("debug/faceattend");
    // A commit does not change.
    if !program.is_file() {
        println!("Building the server of {COMMIT}, once (10 min) ...");
        let mut build = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.current_dir(&sources).args([
            "build",
            "--locked",
            "--package",
            "faceattend-server",
            "--bin",
            "faceattend",
        ]);
        succeed(build.args(["--no-default-features", "--target-dir"]).arg(&built))?;
    }
    let describer = made("describer");
    fs::create_dir_all(&describer).map_err(|e| format!("cannot make {}: {e}", describer.display()))?;
    output(Command::new("dpkg-deb").arg("--extract").arg(new).arg(&describer))?;
    let server = Server {
        program,
        opencv_library: None,
        describer: describer.join("usr/bin/faceattend"),
        version: OLD_VERSION.to_owned(),
        release: None,
    };
    build_deb(&server, &made("package"))
}
