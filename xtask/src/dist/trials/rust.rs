//! A program outside this workspace, built from the packages of the crates.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Stranger, media, timed};
use crate::Result;
use crate::dist::crates::{TARGET, published};
use crate::workspace::{output, root};

/// Builds the program, with the feature that fetches ONNX Runtime, and has it recognize people.
///
/// # Errors
/// When it does not build, or does not find ONNX Runtime.
pub(in crate::dist) fn program(out: &Path) -> Result<String> {
    let stranger = Stranger::new("rust")?;
    let io = |e: std::io::Error| format!("cannot write in {}: {e}", stranger.home.display());
    let (registry, program) = (stranger.home.join("registry"), stranger.home.join("program"));
    fs::create_dir_all(&registry).and_then(|()| fs::create_dir_all(program.join("src"))).map_err(io)?;
    // In place of the registry, which does not have them before they are published.
    let mut patch = String::new();
    for package in published()? {
        output(stranger.command("tar").arg("-xzf").arg(out.join(package.file())).arg("-C").arg(&registry))?;
        patch += &format!("{} = {{ path = \"../registry/{}\" }}\n", package.name, package.folder());
    }
    let manifest = format!(
        "[package]\nname = \"stranger\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nfaceattend-core = \
         {{ version = \"{}\", features = [\"fetch-runtime\"] }}\n\n[patch.crates-io]\n{patch}\n[workspace]\n",
        env!("CARGO_PKG_VERSION")
    );
    fs::write(program.join("Cargo.toml"), manifest).map_err(io)?;
    // The versions of the dependencies that the packages were checked with, so that they are compiled once.
    fs::copy(root().join("Cargo.lock"), program.join("Cargo.lock")).map_err(io)?;
    fs::copy(root().join("xtask/dist/stranger.rs"), program.join("src/main.rs")).map_err(io)?;

    let target = root().join(TARGET);
    let mut cargo = stranger.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&program).env("PATH", env::var_os("PATH").unwrap_or_default()).args(["build", "--target-dir"]);
    let user = env::home_dir().unwrap_or_default();
    for (name, default) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        cargo.env(name, env::var_os(name).map_or_else(|| user.join(default), PathBuf::from));
    }
    cargo.arg(&target).env("CARGO_PROFILE_DEV_DEBUG", "false");
    let (_, building) = timed(|| output(&mut cargo))?;
    // With its own home alone: the library is in the cache that the build filled.
    let built = target.join("debug/stranger");
    let (_, recognizing) = timed(|| output(stranger.command(built).arg(media())))?;
    let _ = fs::remove_dir_all(&stranger.home);
    Ok(format!("built with ONNX Runtime fetched in {building:.0} s, recognized in {recognizing:.1} s"))
}
