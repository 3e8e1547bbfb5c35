//! The Node service in `examples/node-service`.

use clap::Args;

use crate::Result;
use crate::build::{self, Part, Profile};
use crate::node::{SERVICE, install, npm, place, present};
use crate::setup::Cameras;
use crate::workspace::succeed;

#[derive(Args)]
pub(crate) struct Options {
    /// The port to listen on.
    #[arg(long, default_value_t = 8011)]
    port: u16,
    /// How many workers look at pictures; by default as many as there are processors, four at most.
    #[arg(long)]
    workers: Option<u16>,
}

/// Builds the addon, installs the service and runs it until it is stopped.
///
/// # Errors
/// When Node is missing, a package cannot be installed, or the code does not compile.
pub(crate) fn run(options: &Options) -> Result<()> {
    present()?;
    println!("Building the addon (about 3 minutes the first time) ...");
    place(&build::parts(&[Part::NodeAddon], Profile::Release, Cameras::Without)?)?;
    install(SERVICE)?;
    let mut service = npm(SERVICE);
    service.args(["start", "--silent"]).env("PORT", options.port.to_string());
    if let Some(workers) = options.workers {
        service.env("WORKERS", workers.to_string());
    }
    println!("{SERVICE}/README.md has the calls to try.");
    succeed(&mut service)
}
