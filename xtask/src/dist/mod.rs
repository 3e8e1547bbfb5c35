//! Makes everything that a release consists of, on one machine: packages that install without a compiler.

pub(crate) mod compile;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::Result;
use crate::steps::{self, Step};
use crate::workspace::root;
use compile::Release;

/// Where the packages go, below the workspace.
const OUT: &str = "target/dist-out";

#[derive(Args)]
pub(crate) struct Options {
    /// Make these alone.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Artefact>,
    /// The folder for the packages.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,
    /// Compile nothing: take what the last release build has made.
    #[arg(long)]
    compiled: bool,
    /// Say what there is and how long each takes as a rule, and make nothing.
    #[arg(long)]
    list: bool,
}

/// What a release consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Artefact {
    /// The release build alone, which the others take their programs and libraries from.
    Compile,
}

impl Artefact {
    /// Whether this one holds what the release build makes.
    fn needs_compiled(self) -> bool {
        match self {
            Self::Compile => true,
        }
    }
}

/// Builds what the packages hold, and makes them.
///
/// # Errors
/// When one of them cannot be made.
pub(crate) fn run(options: &Options) -> Result<()> {
    // What another program is told must hold wherever it runs.
    let out = root().join(&options.out);
    let release = Release::of_this_machine()?;
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
    let needs_compiled = options.only.is_empty() || options.only.iter().any(|artefact| artefact.needs_compiled());
    if needs_compiled && !options.compiled {
        println!("== Building the server, the Python module and the Node addon, once (10 min where nothing is built)");
        release.build()?;
    }
    steps::run(steps, |name| format!("cargo xtask dist --only {name}"))?;
    println!("\nThe packages are in {}.", out.display());
    Ok(())
}

/// Every artefact, in the order in which they are made.
fn artefacts<'a>(release: &'a Release, _out: &'a Path) -> Vec<Step<'a>> {
    vec![Step::new("compile", "The compiled programs and libraries", 1, || release.describe())]
}
