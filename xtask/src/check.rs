//! What has to hold before a commit.

use std::process::Command;

use crate::steps::{self, Step};
use crate::workspace::{cargo, succeed};
use crate::{Result, build, setup, test};

/// Features that no test needs and whose code is linted all the same.
const LINTED: &str = "xtask/media,faceattend-benches/criterion";

/// Formatting, lints, documentation and every test.
///
/// # Errors
/// When one of them does not hold.
pub(crate) fn run() -> Result<()> {
    let options = test::Options::default();
    let cameras = options.setup().cameras();
    setup::run_for_tests(options.setup())?;
    let quietly = |command: &mut Command| succeed(command).map(|()| String::new());
    let lints = |cargo: &mut Command| quietly(cargo.args(["--", "-D", "warnings"]));
    test::build(cameras)?;
    let built = build::Built::for_tests()?;
    let mut checks = vec![
        Step::new("formatting", "Formatting", 2, || quietly(&mut cargo(&["fmt", "--all", "--check"]))),
        Step::new("lints", "Lints", 120, || {
            lints(&mut cargo(&["clippy", "--workspace", "--all-targets", "--features", LINTED]))
        }),
        Step::new("bare-lints", "Lints of the server without a system library", 60, || {
            lints(&mut cargo(&["clippy", "-p", "faceattend-server", "--all-targets", "--no-default-features"]))
        }),
        Step::new("documentation", "Documentation", 60, || {
            quietly(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ];
    checks.extend(test::steps(cameras, &built));
    steps::run(checks, |name| match name {
        "formatting" => "cargo fmt --all --check".to_owned(),
        "lints" => {
            "cargo clippy --workspace --all-targets --features xtask/media,faceattend-benches/criterion -- -D warnings"
                .to_owned()
        }
        "bare-lints" => {
            "cargo clippy -p faceattend-server --all-targets --no-default-features -- -D warnings".to_owned()
        }
        "documentation" => "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps".to_owned(),
        test => test::repeat(test),
    })
}
