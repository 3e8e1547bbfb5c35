//! The pages of a large school: how long the server takes for the data of Today, Register, Person and Trends, with
//! 5,000 students in 150 groups and two years of marks. `cargo xtask bench --pages` builds the server and runs this.
//!
//! The database is made once, from the same seed everywhere, and kept where `--data-dir` says. Each page is asked
//! often, one request after the other, over one connection on this machine: what is measured is the server's work, the
//! answer's way over the loopback included.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its standard streams")]

mod ask;
mod school;
mod service;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use service::Service;

/// A benchmark has nobody to whom the kind of an error matters.
type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Parser)]
struct Arguments {
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// Where the school's database is, or is made; a folder that is deleted afterwards without it.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Let the server use this PostgreSQL database, which holds the school already.
    #[arg(long)]
    database: Option<String>,
    /// How many students there are.
    #[arg(long, default_value_t = 5000)]
    students: u32,
    /// How many groups they are in.
    #[arg(long, default_value_t = 150)]
    groups: u32,
    /// How many days of marks there are.
    #[arg(long, default_value_t = 730)]
    days: u32,
    /// How often each page is asked.
    #[arg(long, default_value_t = 30)]
    times: usize,
    /// Write the figures here as well.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let temporary = tempfile::tempdir()?;
    let folder = arguments.data_dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let school = school::School::new(arguments.students, arguments.groups, arguments.days);
    if arguments.database.is_none() {
        let marks = school.build(&folder)?;
        println!("{} students, {} groups, {marks} marks", school.students, school.groups);
    }
    let service = Service::start(&arguments.server, &folder, arguments.database.as_deref())?;
    let report = ask::pages(&service, &school, arguments.times)?;
    println!("{report}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}
