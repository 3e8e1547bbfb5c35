//! The server's pages, used as a person uses them: in Chromium, with a person before its camera.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::build::Built;
use crate::{Result, node, setup};

#[derive(Args, Default)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
}

/// The folder of the tests.
const TESTS: &str = "reference-server/tests/browser";
/// The variable by which the tests, these and those of the Django pages, are told which browser to use.
pub(crate) const VARIABLE: &str = "FACEATTEND_CHROMIUM";
/// What Chromium is called on Debian, on others, and by its best known maker.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// The browser of this machine: what [`VARIABLE`] names, else the first of [`NAMES`] on the path.
pub(crate) fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        return Some(PathBuf::from(named));
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}

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
    let missing = match (node::present(), browser()) {
        (Err(problem), _) => problem.lines().next().unwrap_or_default().to_owned(),
        (_, None) => format!("no Chromium is on the path, and {VARIABLE} names none"),
        (Ok(()), Some(browser)) => {
            node::install(TESTS)?;
            let mut tests = node::npm(TESTS);
            tests.args(["test", "--silent"]);
            tests.env(VARIABLE, browser).env("FACEATTEND_SERVER", server);
            let (passed, skipped) = node::counted(&mut tests)?;
            return Ok(format!("{passed} passed, {skipped} skipped"));
        }
    };
    // Set-up installs the browser; without Debian's tools that is left to the person, and stands in the summary.
    Ok(format!("left out: {missing}"))
}
