//! Installs what `cargo xtask dist` has made as a stranger would: in clean systems of Debian that have nothing but
//! their package manager. Registers people there, recognizes them, upgrades, removes and purges.

mod deb;
mod image;
mod measured;
mod root;
mod service;
mod tarball;
mod upgrade;
mod wheel;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use root::Ground;

use crate::Result;
use crate::steps::{self, Step};

#[derive(Args)]
pub(crate) struct Options {
    /// Do these alone.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Trial>,
    /// The folder in which `cargo xtask dist` has put the packages.
    #[arg(long, value_name = "DIR", default_value = crate::dist::OUT)]
    packages: PathBuf,
    /// The release of Debian.
    #[arg(long, value_name = "NAME", default_value = root::RELEASE)]
    release: String,
    /// Keep the clean systems, to look at what is in them.
    #[arg(long)]
    keep: bool,
    /// Fail where no clean system can be made, instead of skipping the trials.
    #[arg(long)]
    required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Trial {
    /// The package of Debian: install, use, remove, install again, purge.
    Deb,
    /// From the package of an old commit to this one, with its database, keys and settings.
    Upgrade,
    /// The archive, unpacked.
    Tarball,
    /// The wheel, installed by pip into a virtual environment, and the server in it.
    Wheel,
    /// The image, built and started.
    Image,
}

/// Tries the packages.
///
/// # Errors
/// When one of them does not do what a stranger expects of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(reason) = root::missing() {
        let said = format!("skipped: {reason}");
        println!("{said}");
        return if options.required { Err(said) } else { Ok(()) };
    }
    let packages = crate::workspace::root().join(&options.packages);
    let wanted = |step: &Step<'_>| {
        let asked = |name: &Trial| name.to_possible_value().is_some_and(|value| value.get_name() == step.name);
        options.only.is_empty() || options.only.iter().any(asked)
    };
    let ground = Ground { release: options.release.clone(), keep: options.keep };
    root::bare_system(&ground)?;
    let steps = steps(&packages, &ground).into_iter().filter(wanted).collect();
    steps::run(steps, |name| format!("cargo xtask trial --only {name}"))
}

fn steps<'a>(packages: &'a Path, ground: &'a Ground) -> Vec<Step<'a>> {
    vec![
        Step::new("deb", "apt install ./faceattend.deb", 90, move || deb::trial(packages, ground)),
        Step::new("upgrade", "An upgrade from an old commit", 90, move || upgrade::trial(packages, ground)),
        Step::new("tarball", "The archive, unpacked", 30, move || tarball::trial(packages, ground)),
        Step::new("wheel", "pip install faceattend && faceattend serve", 60, move || wheel::trial(packages, ground)),
        Step::new("image", "The image", 120, move || image::trial(packages, ground)),
    ]
}

/// Returns the one package whose name ends so.
///
/// # Errors
/// When there is none, or several.
fn the_package(packages: &Path, end: &str) -> Result<PathBuf> {
    let read = std::fs::read_dir(packages).map_err(|e| format!("cannot read {}: {e}", packages.display()))?;
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("faceattend") && name.ends_with(end)
    };
    let found: Vec<_> = read.flatten().map(|entry| entry.path()).filter(is_it).collect();
    match found.as_slice() {
        [package] => Ok(package.clone()),
        _ => Err(format!(
            "{} has {} files faceattend*{end} where one belongs: `cargo xtask dist` makes it",
            packages.display(),
            found.len()
        )),
    }
}
