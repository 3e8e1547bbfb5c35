//! Makes a machine ready. Says first what is missing and what it will do, does only that, and is quick when nothing is.

mod models;
mod system;

use std::time::Instant;

use clap::Args;
use faceattend_runtime::Library;

use crate::Result;

/// Whether the build has cameras, which need the system's OpenCV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cameras {
    With,
    Without,
}

#[derive(Args, Clone, Copy, Default)]
// Other verbs take these options too, and a name for the group could be taken only once.
#[group(skip)]
pub(crate) struct Options {
    /// Leave out the cameras: then no system package is needed; browser frames and recordings still work.
    #[arg(long)]
    pub(crate) without_cameras: bool,
}

impl Options {
    /// Whether the build has cameras.
    pub(crate) fn cameras(&self) -> Cameras {
        if self.without_cameras { Cameras::Without } else { Cameras::With }
    }
}

/// What the machine is made ready for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Use,
    Tests,
}

/// Makes the machine ready.
///
/// # Errors
/// When something is missing that could not be installed; the error says what to run.
pub(crate) fn run(options: &Options) -> Result<()> {
    ready(options, Purpose::Use)
}

/// Makes the machine ready, with what only the tests need: the RTSP server that cameras are tested on, the browser
/// for the pages, and PostgreSQL.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_for_tests(options: &Options) -> Result<()> {
    ready(options, Purpose::Tests)
}

fn ready(options: &Options, purpose: Purpose) -> Result<()> {
    let started = Instant::now();
    // A model that is not what it should be cannot be mended from here, so it is looked at before anything is
    // installed.
    let models = models::verify()?;
    let packages = system::missing(options.cameras(), purpose)?;
    let runtime = Library::for_this_machine()?;
    let runtime_is_there = runtime.is_installed();

    if !packages.is_empty() || !runtime_is_there {
        println!("Set-up will install:");
        if !packages.is_empty() {
            println!("  - system packages: {}", packages.join(" "));
        }
        if !runtime_is_there {
            println!("  - {runtime}");
        }
        // The library first: it needs nobody's permission.
        if !runtime_is_there {
            runtime.install("python3".as_ref())?;
        }
        if !packages.is_empty() {
            system::install(&packages)?;
        }
    }
    println!("Ready: {runtime}; {models} ({:.2} s).", started.elapsed().as_secs_f32());
    Ok(())
}
