//! Complete programs on the bindings, started with one command.

mod django;

use clap::{Args, Subcommand};

use crate::Result;

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    example: Example,
}

#[derive(Subcommand)]
enum Example {
    /// The Django admin on port 8000 and the reference server on port 8001, on one database.
    Django(django::Options),
}

/// Runs an example until it is stopped.
///
/// # Errors
/// When it cannot be built or started.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.example {
        Example::Django(options) => django::run(options),
    }
}
