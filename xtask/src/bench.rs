//! The benchmarks: against a Python reference, and stage by stage.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::workspace::{cargo, command, root, succeed, target};
use crate::{Result, python, setup};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Run criterion's benchmarks, a file a stage, instead of the comparison with Python.
    #[arg(long, conflicts_with_all = ["quick", "json", "detector", "embedder"])]
    stages: bool,
    /// A short comparison: fewer rounds, and no million people.
    #[arg(long)]
    quick: bool,
    /// Write the comparison's figures here as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare with this SCRFD detector as well, beside the default pack.
    #[arg(long, value_name = "FILE", requires = "embedder")]
    detector: Option<PathBuf>,
    /// The ArcFace-class embedder that goes with the detector.
    #[arg(long, value_name = "FILE", requires = "detector")]
    embedder: Option<PathBuf>,
    /// Further arguments for criterion, after `--`: a name to choose benchmarks by, `--save-baseline` ...
    #[arg(last = true, requires = "stages")]
    criterion: Vec<String>,
}

/// Compares with the Python reference, or runs criterion's benchmarks.
///
/// # Errors
/// When something does not build, the reference cannot be installed, or both sides do not agree on the answers.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(&options.setup)?;
    if options.stages {
        return succeed(
            cargo(&["bench", "--package", "faceattend-benches", "--benches", "--"]).args(&options.criterion),
        );
    }
    let python = python::environment(".cache/bench-python", &["benches/python/requirements.txt"])?;
    println!("Building (the first time takes some minutes) ...");
    succeed(&mut cargo(&["build", "--release", "--package", "faceattend-benches", "--bin", "compare"]))?;
    let mut compare = command(target()?.join("release/compare"));
    compare.arg("--python").arg(python).arg("--reference").arg(root().join("benches/python/reference.py"));
    if options.quick {
        compare.arg("--quick");
    }
    for (name, path) in
        [("--json", &options.json), ("--detector", &options.detector), ("--embedder", &options.embedder)]
    {
        if let Some(path) = path {
            compare.arg(name).arg(absolute(path)?);
        }
    }
    succeed(&mut compare)
}

/// A path as the user meant it: the comparison runs in the workspace's folder.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))
}
