//! Where things are, and how `cargo` is called from here.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Cargo's target folder: this program lies in `<target>/<profile>/`.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe().map_err(|e| format!("cannot tell where this program is: {e}"))?;
    program.ancestors().nth(2).map(Path::to_path_buf).ok_or_else(|| format!("{} is in no folder", program.display()))
}

/// `program`, to be run in the workspace's folder, with the environment that this program was called in.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(describes_xtask) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether cargo has set this variable for `xtask` itself. The build script of `ring` looks at such ones: with them,
/// and then without them in a call of cargo by hand, half of the workspace would be compiled again each time.
fn describes_xtask(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| variable.starts_with(prefix)) || variable == "CARGO_BIN_NAME"
}

/// A call of cargo, with OpenCV's places for this machine's architecture.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    // Cargo has put `.cargo/config.toml` into this program's environment, and that file knows Debian on x86_64 only.
    let multiarch = format!("{}-linux-gnu", env::consts::ARCH);
    if cfg!(target_os = "linux") && multiarch != X86_64 {
        for name in ["OPENCV_INCLUDE_PATHS", "OPENCV_LINK_PATHS"] {
            if let Ok(paths) = env::var(name)
                && paths.contains(X86_64)
            {
                cargo.env(name, paths.replace(X86_64, &multiarch));
            }
        }
    }
    cargo
}

const X86_64: &str = "x86_64-linux-gnu";

/// Runs `command` to its end.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let said = describe(command);
    let status = command.status().map_err(|e| format!("cannot start `{said}`: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{said}` failed ({status})")) }
}

/// Runs `command` to its end and returns what it wrote on its standard output.
///
/// # Errors
/// When it cannot be started or does not succeed; the error holds what it complained of.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let said = describe(command);
    let output = command.output().map_err(|e| format!("cannot start `{said}`: {e}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{said}` failed ({}):\n{}", output.status, complaint.trim()))
    }
}

/// The program and its arguments on one line.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut line = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
