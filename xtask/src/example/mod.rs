//! Complete programs on the bindings, started with one command.

mod django;
mod node;

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
    /// A Node service with registration and recognition, on the addon.
    Node(node::Options),
}

/// Builds the example and runs it until it is stopped.
///
/// # Errors
/// When it cannot be built or started.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.example {
        Example::Django(options) => django::run(options),
        Example::Node(options) => node::run(options),
    }
}
