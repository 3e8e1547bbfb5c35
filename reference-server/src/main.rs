//! The `faceattend` binary.

use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;

use clap::ArgMatches;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use faceattend_server::commands::{
    admin, backup, calibrate, config, db, doctor, eval, generate, installed, io_advice, keys, kiosks, models, restore,
    serve, settings, students,
};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Face liveness registration and live attendance.
#[derive(Debug, Parser)]
#[command(name = "faceattend", version, about)]
struct Cli {
    /// A TOML file with settings of `serve`, named like its flags. Flags and environment variables override it
    /// [default: that of the installed service, for root and the service's user]
    #[arg(long, env = "FACEATTEND_CONFIG", value_name = "FILE", global = true)]
    config: Option<std::path::PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the server
    Serve(serve::ServeArgs),
    /// Shows every setting of `serve`, its value, the source of the value, and where files and folders really are
    Config(config::ConfigArgs),
    /// Checks everything that `serve` needs, with the same settings, and says how to fix what is wrong
    Doctor(doctor::DoctorArgs),
    /// Checks, migrates, exports and imports the database
    Db(db::DbArgs),
    /// Makes a back-up of everything that a copy on another machine needs, while the server runs
    Backup(backup::BackupArgs),
    /// Puts a back-up into the place of what is there
    Restore(restore::RestoreArgs),
    /// Imports and exports the list of students, from a spreadsheet or to one
    Students(students::StudentsArgs),
    /// Creates and changes user accounts
    Admin(admin::AdminArgs),
    /// Lists kiosks and revokes their tablets
    Kiosks(kiosks::KiosksArgs),
    /// Encrypts the stored faces
    Keys(keys::KeysArgs),
    /// Lists, downloads and checks model packs
    Models(models::ModelsArgs),
    /// Measures the models on labeled pictures, and reports error rates with sample sizes and confidence intervals
    Eval(eval::EvalArgs),
    /// Proposes a threshold for a target false match rate, measured on the enrolled students
    Calibrate(calibrate::CalibrateArgs),
    /// Writes shell completions, manual pages, or a settings file with every setting
    Generate(generate::GenerateArgs),
}

fn main() -> ExitCode {
    // `FACEATTEND_LOG` is a list of targets with their levels, such as `debug,ort=info`.
    let chosen = std::env::var("FACEATTEND_LOG").ok().and_then(|text| text.parse().ok());
    let default = || Targets::new().with_default(LevelFilter::INFO).with_target("ort", LevelFilter::WARN);
    // At a finer level PostgreSQL's client writes the values of its statements: faces and password hashes.
    let filter = chosen.unwrap_or_else(default).with_target("tokio_postgres", LevelFilter::WARN);
    // A file or a pipe is read by programs and by editors, which show escape codes as rubbish.
    let colors = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colors);
    let log = if std::env::var("FACEATTEND_LOG_FORMAT").is_ok_and(|format| format == "json") {
        log.json().boxed()
    } else {
        log.boxed()
    };
    tracing_subscriber::registry().with(log.with_filter(filter)).init();
    let mut known = None;
    let Err(error) = run(&mut known) else { return ExitCode::SUCCESS };
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "faceattend: {error}");
    for cause in std::iter::successors(std::error::Error::source(&error), |cause| cause.source()) {
        let _ = write!(stderr, ": {cause}");
    }
    let _ = writeln!(stderr, "{}", io_advice::explained(&error, known.as_ref()));
    ExitCode::FAILURE
}

/// Runs the command. The settings are there for an error's advice once they are known.
fn run(known: &mut Option<ArgMatches>) -> faceattend_core::Result<()> {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let named = settings::file_named_in(&arguments);
    let installed = if named.is_none() { installed::settings() } else { None };
    let file = named.as_ref().or(installed.as_ref());
    let from_file = file.map(|file| settings::read(file)).transpose()?.unwrap_or_default();
    let mut command = settings::with_defaults(Cli::command(), &from_file)?;
    let matches = known.insert(command.get_matches_mut());
    if installed.is_some()
        && let Some(folder) = installed::folder_of(matches)
    {
        installed::go_on_as_owner_of(&folder)?;
    }
    let mut cli = Cli::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    cli.config = cli.config.or(installed);
    match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Config(args) => {
            if let (Some(command), Some(matches)) =
                (command.find_subcommand("config"), matches.subcommand_matches("config"))
            {
                config::show(&args, command, matches, &from_file, cli.config.as_deref());
            }
            Ok(())
        }
        Command::Doctor(args) => doctor::run(&args),
        Command::Db(args) => db::run(args),
        Command::Backup(args) => backup::run(&args, cli.config.as_deref()),
        Command::Restore(args) => restore::run(&args),
        Command::Students(args) => students::run(args),
        Command::Admin(args) => admin::run(args),
        Command::Kiosks(args) => kiosks::run(args),
        Command::Keys(args) => keys::run(args),
        Command::Models(args) => models::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Generate(args) => generate::run(args, Cli::command()),
    }
}
