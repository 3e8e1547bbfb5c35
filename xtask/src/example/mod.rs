//! Builds and starts one of the examples of how to put the library into a service.

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
    /// A Node service with registration and recognition, on the addon.
    Node(node::Options),
}

/// Builds the example and runs it until it is stopped.
///
/// # Errors
/// When a step fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.example {
        Example::Node(options) => node::run(options),
    }
}
