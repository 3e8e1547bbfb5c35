//! Whether the code compiles for systems that nothing here runs. It is only checked: nothing is linked or tried.

use std::process::Command;

use crate::Result;
use crate::dist::compile::zig;
use crate::steps::Step;
use crate::workspace::{root, succeed};

/// A target folder of its own, so that the tests need not be built again.
const TARGET: &str = "target/platforms";

/// The platforms, and the packages that are checked for each.
const PLATFORMS: [(&str, &str, &[&str]); 2] = [
    // The addon needs Node's own library to be built for this platform, which no registry has.
    ("windows", "x86_64-pc-windows-gnu", &["faceattend-server", "faceattend-python"]),
    ("macos", "aarch64-apple-darwin", &["faceattend-server", "faceattend-python", "faceattend-node"]),
];

/// Returns a step for each platform.
pub(crate) fn steps() -> Vec<Step<'static>> {
    let step =
        |(name, triple, packages): (&'static str, _, _)| Step::new(name, triple, 240, move || check(triple, packages));
    PLATFORMS.into_iter().map(step).collect()
}

fn check(triple: &str, packages: &[&str]) -> Result<String> {
    // It does nothing where the standard library of that platform is there.
    succeed(Command::new("rustup").args(["target", "add", triple]))?;
    // Zig has a C compiler for each, for SQLite and the cryptography.
    let mut cargo = zig("check")?;
    cargo.args(["--locked", "--target", triple, "--target-dir"]).arg(root().join(TARGET));
    for package in packages {
        cargo.args(["--package", package]);
    }
    succeed(&mut cargo).map(|()| packages.join(", "))
}
