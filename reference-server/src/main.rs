//! The `faceattend` binary.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use faceattend_server::commands::{admin, calibrate, eval, models, serve};

/// Face liveness registration and live attendance.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the server
    Serve(serve::ServeArgs),
    /// Changes the admin users
    Admin(admin::AdminArgs),
    /// Lists, fetches and checks model packs
    Models(models::ModelsArgs),
    /// Measures the models on labelled pictures: error rates with sample sizes and intervals
    Eval(eval::EvalArgs),
    /// Proposes a threshold for a wished false match rate, from the enrolled students
    Calibrate(calibrate::CalibrateArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("FACEATTEND_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,ort=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let ended = match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Admin(args) => admin::run(args),
        Command::Models(args) => models::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
    };
    let Err(error) = ended else { return ExitCode::SUCCESS };
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "faceattend: {error}");
    for cause in std::iter::successors(std::error::Error::source(&error), |cause| cause.source()) {
        let _ = write!(stderr, ": {cause}");
    }
    let _ = writeln!(stderr);
    ExitCode::FAILURE
}
