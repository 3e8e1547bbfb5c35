//! The server's pages, used as a person uses them: in Chromium, with a person before its camera.

use std::path::Path;

use clap::Args;

use crate::build::Built;
use crate::{Result, browser, node, python, setup};

#[derive(Args, Default)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
}

/// The folder of the tests.
const TESTS: &str = "reference-server/tests/browser";

/// Sets up, builds the server and tries its pages; says how many tests passed.
///
/// # Errors
/// When the server does not build, or a test fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run_for_tests(&options.setup)?;
    crate::test::build(options.setup.cameras())?;
    test(&Built::for_tests()?.server()).map(|told| println!("{told}"))
}

/// Tries every page of `server` in the browser; says how many tests passed. The pictures that the tests take are in
/// `target/browser` afterwards.
///
/// # Errors
/// When a test fails.
pub(crate) fn test(server: &Path) -> Result<String> {
    let missing = match (node::present(), browser::program()) {
        (Err(problem), _) => problem.lines().next().unwrap_or_default().to_owned(),
        (_, None) => format!("no Chromium is on the path, and {} names none", browser::VARIABLE),
        (Ok(()), Some(program)) => {
            node::install(TESTS)?;
            let mut tests = node::npm(TESTS);
            tests.args(["test", "--silent"]);
            tests.env(browser::VARIABLE, program).env("FACEATTEND_SERVER", server);
            python::with_mail_server(&mut tests);
            let (passed, skipped) = node::counted(&mut tests)?;
            return Ok(format!("{passed} passed, {skipped} skipped"));
        }
    };
    // Set-up installs the browser; without Debian's tools that is left to the person, and stands in the summary.
    Ok(format!("left out: {missing}"))
}
