//! What has to hold before a commit.

use std::process::Command;

use crate::steps::Steps;
use crate::workspace::{cargo, succeed};
use crate::{Result, setup, test};

/// Formatting, lints, documentation and every test.
///
/// # Errors
/// When one of them does not hold.
pub(crate) fn run() -> Result<()> {
    let options = test::Options::default();
    setup::run_for_tests(options.setup())?;
    let quietly = |command: &mut Command| succeed(command).map(|()| String::new());
    let mut steps = Steps::default();
    steps.run("formatting", || quietly(&mut cargo(&["fmt", "--all", "--check"])));
    steps.run("lints", || {
        quietly(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "xtask/media",
            "--",
            "-D",
            "warnings",
        ]))
    });
    steps.run("lints, no system library", || {
        let server = ["clippy", "--package", "faceattend-server", "--all-targets", "--no-default-features"];
        quietly(cargo(&server).args(["--", "-D", "warnings"]))
    });
    steps.run("documentation", || {
        quietly(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    });
    test::add_steps(&mut steps, &options);
    steps.finish()
}
