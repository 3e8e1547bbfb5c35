//! `faceattend eval pad | verify | pose | identify | live | gate`: how well the models do on labeled pictures of
//! one's own.
//!
//! Each command reads folders or a CSV, measures every picture once, and reports rates with their sample sizes and
//! confidence intervals: a table on the terminal, JSON, and an HTML page that needs nothing from anywhere. The
//! arithmetic is `faceattend_core::evaluation`.

mod by_group;
mod gate;
mod identify;
mod input;
mod live;
mod models;
mod pad;
pub(super) mod plot;
mod pose;
mod reading;
pub(super) mod report;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use faceattend_core::{Error, Result};

use report::ReportArgs;

/// Measures the models on labeled pictures.
#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Presentation attacks: APCER for each kind of attack, BPCER, ACER, for frames and for clips
    Pad(pad::PadArgs),
    /// Pairs of pictures: true accept rate at false accept rates, EER, and both errors at the threshold
    Verify(verify::VerifyArgs),
    /// Labeled head poses: the error of the yaw, and how many pictures each gate lets through
    Pose(pose::PoseArgs),
    /// Enrolled people and strangers: TPIR and FPIR of searches
    Identify(identify::IdentifyArgs),
    /// Clips of people, as strangers and as students: false names a minute, and the time to the right name
    Live(live::LiveArgs),
    /// Clips of living people and of pictures of people: who is marked, who is looked at again, and how soon
    Gate(gate::GateArgs),
}

/// What every evaluation has.
#[derive(Debug, Clone, Args)]
struct CommonArgs {
    #[command(flatten)]
    models: models::ModelArgs,
    #[command(flatten)]
    report: ReportArgs,
    /// Measures every picture again instead of resuming an earlier run
    #[arg(long)]
    fresh: bool,
    /// The folder for measured scores, from which a stopped run resumes [default: faceattend/eval in the user's cache]
    #[arg(long, value_name = "DIR", env = "FACEATTEND_EVAL_CACHE")]
    cache_dir: Option<PathBuf>,
    /// Keeps the embeddings of a finished run for the next one. They are biometric data; without this they are
    /// deleted as soon as the report is written
    #[arg(long)]
    keep_embeddings: bool,
}

/// Runs the subcommand, writing the tables to standard output.
///
/// # Errors
/// [`Error::InvalidInput`] naming the file or line that is wrong and what to do; those of the models.
pub fn run(args: &EvalArgs) -> Result<()> {
    let (finished, common) = match &args.action {
        Action::Pad(args) => (pad::evaluate(args)?, &args.common),
        Action::Verify(args) => (verify::evaluate(args)?, &args.common),
        Action::Pose(args) => (pose::evaluate(args)?, &args.common),
        Action::Identify(args) => (identify::evaluate(args)?, &args.common),
        Action::Live(args) => (live::evaluate(args)?, &args.common),
        Action::Gate(args) => (gate::evaluate(args)?, &args.common),
    };
    finished.report.emit(&common.report, &mut std::io::stdout().lock())?;
    finished.cache.map_or(Ok(()), |cache| cache.finish(common.keep_embeddings))
}

/// A report, and the cache that it no longer needs, where it has one.
struct Finished {
    report: report::Report,
    cache: Option<reading::Cache>,
}

/// An error about what the caller gave.
pub(super) fn bad(what: &'static str, reason: impl Into<String>) -> Error {
    Error::InvalidInput { what, reason: reason.into() }
}
