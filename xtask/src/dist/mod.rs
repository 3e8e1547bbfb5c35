//! Makes everything that a release consists of, on one machine: packages that install without a compiler.

mod addon;
mod checksums;
pub(crate) mod compile;
mod crates;
mod deb;
mod folders;
pub(crate) mod notices;
mod sbom;
mod server_files;
mod tarball;
mod trials;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::Result;
use crate::setup;
use crate::steps::{self, Step};
use crate::workspace::root;
use compile::Release;
pub(crate) use deb::build as build_deb;
pub(crate) use server_files::Server;

/// Where the packages go, below the workspace.
pub(crate) const OUT: &str = "target/dist-out";

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Make these alone.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Artefact>,
    /// The folder for the packages.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,
    /// Compile nothing: take what the last release build has made.
    #[arg(long)]
    compiled: bool,
    /// Then install each package as a stranger would, register people, recognize them and start the server.
    #[arg(long = "try")]
    trial: bool,
    /// Make no package: try those that are there.
    #[arg(long, requires = "trial")]
    made: bool,
    /// Say what there is and how long each takes as a rule, and make nothing.
    #[arg(long)]
    list: bool,
}

/// What a release consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Artefact {
    /// The release build alone, which the others take their programs and libraries from.
    Compile,
    Wheel,
    Sdist,
    Addon,
    Deb,
    Tarball,
    Crate,
    Sbom,
}

impl Artefact {
    /// Whether this one holds what the release build makes.
    fn needs_compiled(self) -> bool {
        matches!(self, Self::Compile | Self::Wheel | Self::Addon | Self::Deb | Self::Tarball)
    }
}

/// Builds what the packages hold, and makes them.
///
/// # Errors
/// When one of them cannot be made.
pub(crate) fn run(options: &Options) -> Result<()> {
    // What another program is told must hold wherever it runs.
    let out = root().join(&options.out);
    let release = Release::of_this_machine(options.setup.cameras())?;
    let wanted = |step: &Step<'_>| {
        let asked = |name: &Artefact| name.to_possible_value().is_some_and(|value| value.get_name() == step.name);
        options.only.is_empty() || options.only.iter().any(asked)
    };
    let steps: Vec<_> = artefacts(&release, &out).into_iter().filter(wanted).collect();
    if options.list {
        steps::list(&steps);
        return Ok(());
    }
    fs::create_dir_all(&out).map_err(|e| format!("cannot make {}: {e}", out.display()))?;
    let again = |name: &str| format!("cargo xtask dist --only {name}");
    if !options.made {
        let needs_compiled = options.only.is_empty() || options.only.iter().any(|artefact| artefact.needs_compiled());
        if needs_compiled && !options.compiled {
            setup::run(&options.setup)?;
            println!(
                "== Building the server, the Python module and the Node addon, once (10 min where nothing is built)"
            );
            release.build()?;
        }
        steps::run(steps, again)?;
        println!("SHA256SUMS: {}", checksums::write(&out)?);
    }
    if options.trial {
        steps::run(trials(&out).into_iter().filter(wanted).collect(), |name| again(name) + " --try --made")?;
    }
    println!("\nThe packages are in {}.", out.display());
    Ok(())
}

/// Every artefact, in the order in which they are made.
fn artefacts<'a>(release: &'a Release, out: &'a Path) -> Vec<Step<'a>> {
    vec![
        Step::new("compile", "The compiled programs and libraries", 1, || release.describe()),
        Step::new("wheel", "Python: the wheel, with the server in it", 10, || wheel::wheel(release, out)),
        Step::new("sdist", "Python: the source archive", 5, || wheel::sdist(out)),
        Step::new("addon", "Node: the package of this platform and the main one", 10, || addon::packages(release, out)),
        Step::new("deb", "Server: the package of Debian", 60, || deb::package(release, out)),
        Step::new("tarball", "Server: the archive", 20, || tarball::archive(release, out)),
        Step::new("crate", "Rust: the core and what it needs, built from its packages", 150, || crates::packages(out)),
        Step::new("sbom", "The bill of materials", 2, || sbom::write(release, out)),
    ]
}

/// The trials, each by the name of the artefact that it installs.
fn trials(out: &Path) -> Vec<Step<'_>> {
    vec![
        Step::new("wheel", "The wheel, on every Python that is here", 120, || trials::python::wheel(out)),
        Step::new("sdist", "The source archive, built by pip", 300, || trials::python::sdist(out)),
        Step::new("addon", "The npm packages, on Node 20, 22 and 24", 60, || trials::node::packages(out)),
        Step::new("crate", "A program outside this workspace", 150, || trials::rust::program(out)),
    ]
}
