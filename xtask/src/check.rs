//! What a contributor runs before a commit: everything that needs no test program. `cargo xtask test` does it too.

use std::process::Command;

use clap::Args;

use crate::setup::{self, Cameras};
use crate::steps::{self, Step};
use crate::workspace::{cargo, succeed};
use crate::{Result, build, lines, platforms, test};

#[derive(Args, Default)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Also check that the code compiles for Windows and macOS.
    #[arg(long)]
    platforms: bool,
}

/// Features that no test needs. Their code is linted and documented all the same.
const LINTED: &str = "xtask/media,faceattend-benches/criterion,faceattend-fuzz/libfuzzer";

/// Runs the steps that need no test program.
///
/// # Errors
/// When one of them fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(&options.setup)?;
    let mut steps = steps(options.setup.cameras());
    if options.platforms {
        steps.extend(platforms::steps());
    }
    let of_platform = |name: &str| platforms::steps().iter().any(|step| step.name == name);
    steps::run(
        steps,
        |name| {
            if of_platform(name) { "cargo xtask check --platforms".to_owned() } else { test::repeat(name) }
        },
    )
}

/// Returns the checks, in the order of their time: formatting, length of lines, lints, documentation.
///
/// Lints and documentation have the same features, and so share what is compiled of the dependencies.
pub(crate) fn steps(cameras: Cameras) -> Vec<Step<'static>> {
    vec![
        Step::new("formatting", "Formatting", 2, || quietly(&mut cargo(&["fmt", "--all", "--check"]))),
        Step::new("lines", "Length of lines", 1, lines::check),
        Step::new("lints", "Lints", 120, move || {
            let mut clippy = cargo(&["clippy", "--all-targets"]);
            arguments(&mut clippy, cameras);
            without_warnings(&mut clippy)
        }),
        Step::new("bare-lints", "Lints of the server alone, with OpenCV linked where it is there", 60, move || {
            let mut clippy = cargo(&["clippy", "--package", "faceattend-server", "--all-targets"]);
            if cameras == Cameras::With {
                clippy.args(["--features", "opencv"]);
            }
            without_warnings(&mut clippy)
        }),
        Step::new("documentation", "Documentation", 60, move || {
            let mut doc = cargo(&["doc", "--no-deps"]);
            arguments(&mut doc, cameras);
            quietly(doc.env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ]
}

/// The packages and features of the tests, and those that no test needs.
fn arguments(cargo: &mut Command, cameras: Cameras) {
    build::test_arguments(cargo, cameras);
    cargo.args(["--features", LINTED]);
}

fn without_warnings(clippy: &mut Command) -> Result<String> {
    quietly(clippy.args(["--", "-D", "warnings"]))
}

fn quietly(command: &mut Command) -> Result<String> {
    succeed(command).map(|()| String::new())
}
