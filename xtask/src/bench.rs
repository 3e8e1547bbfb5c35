//! The benchmarks.

use clap::Args;

use crate::workspace::{cargo, succeed};
use crate::{Result, setup};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Further arguments for criterion, after `--`: a name to choose benchmarks by, `--save-baseline` ...
    #[arg(last = true)]
    criterion: Vec<String>,
}

/// Runs every benchmark.
///
/// # Errors
/// When one does not build or fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(&options.setup)?;
    succeed(cargo(&["bench", "--package", "faceattend-benches", "--benches", "--"]).args(&options.criterion))
}
