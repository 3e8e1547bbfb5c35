//! The Node addon: its packages, its place, its tests.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::Result;
use crate::build::Built;
use crate::postgres;
use crate::workspace::{command, output, root, succeed};

/// The addon's folder.
pub(crate) const ADDON: &str = "bindings-node";
/// The folder of the service that shows it.
pub(crate) const SERVICE: &str = "examples/node-service";

/// Whether Node is here, and new enough.
///
/// # Errors
/// When it is not, saying what to do.
pub(crate) fn present() -> Result<()> {
    let remedy = "Node 20.3 or newer and its npm are needed: see your system's packages or the makers' own";
    let said = output(command("node").arg("--version")).map_err(|problem| format!("{remedy}\n{problem}"))?;
    let major = said.trim().trim_start_matches('v').split('.').next().and_then(|number| number.parse::<u32>().ok());
    if major.is_none_or(|major| major < 20) {
        return Err(format!("{remedy}; this is {}", said.trim()));
    }
    output(npm(ADDON).arg("--version")).map(|_| ()).map_err(|problem| format!("{remedy}\n{problem}"))
}

/// Puts the packages that `folder`'s lock file names into it.
///
/// # Errors
/// When npm cannot.
pub(crate) fn install(folder: &str) -> Result<()> {
    let folder_path = root().join(folder);
    let lock = folder_path.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).map_err(|e| format!("cannot read {}: {e}", lock.display()))?;
    // What was installed last, so that a second run asks no registry.
    let stamp = folder_path.join("node_modules/.installed-by-xtask");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("Installing npm packages into {folder} ...");
    // What npm says about its funding and about other Node versions helps nobody here.
    succeed(npm(folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    fs::write(&stamp, wanted).map_err(|e| format!("cannot write {}: {e}", stamp.display()))
}

/// Puts the addon of `built` and its types where the package has them.
///
/// # Errors
/// When a package of npm is missing, or the types name what is internal.
pub(crate) fn place(built: &Built) -> Result<()> {
    install(ADDON)?;
    let mut script = command("node");
    script.current_dir(root().join(ADDON)).arg("scripts/build.mjs");
    succeed(script.arg("--library").arg(built.node_library()).arg("--types").arg(built.node_types()))
}

/// Runs every test of the addon of `built` and of the service, with strict TypeScript; says how many passed.
///
/// # Errors
/// When one fails, or when the types in the repository are not those of the code.
pub(crate) fn test(built: &Built) -> Result<String> {
    if let Err(problem) = present() {
        // Who works on another part needs no Node; that nothing was tested stands in the summary.
        return Ok(format!("left out: {}", problem.lines().next().unwrap_or_default()));
    }
    let types = root().join(ADDON).join("index.d.ts");
    let read = || fs::read_to_string(&types).map_err(|e| format!("cannot read {}: {e}", types.display()));
    let before = read()?;
    place(built)?;
    if read()? != before {
        return Err(format!("{ADDON}/index.d.ts was not that of the code; it is now: look at it and commit it"));
    }
    succeed(npm(ADDON).args(["run", "--silent", "test:types"]))?;
    let mut tests = npm(ADDON);
    built.with_opencv(&mut tests);
    postgres::told_to(tests.args(["test", "--silent"]), |tests| {
        let addon = counted(tests)?;
        install(SERVICE)?;
        let service = counted(npm(SERVICE).args(["test", "--silent"]))?;
        Ok(format!("{} passed, {} skipped", addon.0 + service.0, addon.1 + service.1))
    })
}

/// A call of npm in `folder`. No install script of a package has to fetch anything.
pub(crate) fn npm(folder: &str) -> Command {
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(root().join(folder)).env("ONNXRUNTIME_NODE_INSTALL", "skip");
    npm
}

/// Runs node:test, shows what it prints, and returns how many tests passed and were skipped.
///
/// # Errors
/// When a test fails, or when there is none.
pub(crate) fn counted(command: &mut Command) -> Result<(u32, u32)> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| format!("cannot start npm: {e}"))?;
    let (mut passed, mut skipped) = (0, 0);
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
            println!("{line}");
            passed += figure(&line, "pass");
            skipped += figure(&line, "skipped");
        }
    }
    let status = child.wait().map_err(|e| format!("cannot wait for npm: {e}"))?;
    if status.success() && passed > 0 { Ok((passed, skipped)) } else { Err(format!("{passed} passed ({status})")) }
}

/// The figure of a summary line of node:test, `# pass 12` or `ℹ pass 12`; else 0.
fn figure(line: &str, name: &str) -> u32 {
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("#" | "ℹ"), Some(word), Some(number), None) if word == name => number.parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_both_reporters_is_understood() {
        assert_eq!(figure("# pass 12", "pass"), 12);
        assert_eq!(figure("ℹ pass 7", "pass"), 7);
        assert_eq!(figure("ℹ fail 7", "pass"), 0);
        assert_eq!(figure("✔ pass 7 people (3ms)", "pass"), 0);
    }
}
