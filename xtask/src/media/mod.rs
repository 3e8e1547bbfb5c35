//! The sample media: head turns of exactly known yaw, rendered from public-domain photographs.

#[cfg(feature = "media")]
mod avi;
#[cfg(feature = "media")]
mod clip;
#[cfg(feature = "media")]
mod head;
#[cfg(feature = "media")]
mod people;
#[cfg(feature = "media")]
mod raster;
#[cfg(feature = "media")]
mod render;

use clap::Args;

use crate::Result;

#[derive(Args)]
pub(crate) struct Options {
    /// Render elsewhere and say whether the committed files are the same, byte for byte.
    #[arg(long)]
    check: bool,
}

/// Renders the media into `examples/media/`, or checks them.
///
/// # Errors
/// When a photograph cannot be fetched, or, in a check, a file is not what it should be.
#[cfg(feature = "media")]
pub(crate) fn run(options: &Options) -> Result<()> {
    render::run(options.check)
}

/// Builds this program again with what rendering needs, and hands over to it.
///
/// # Errors
/// As the other build says.
#[cfg(not(feature = "media"))]
pub(crate) fn run(options: &Options) -> Result<()> {
    use crate::workspace::{cargo, succeed};
    let mut rebuilt = cargo(&["run", "--quiet", "--package", "xtask", "--features", "media", "--", "media"]);
    if options.check {
        rebuilt.arg("--check");
    }
    succeed(&mut rebuilt)
}
