//! The pages of a large school: how long the server takes for the data of Today, Register, Person, Trends and the
//! lists, with 5,000 students in 150 groups and two years of marks, and for the import of a list of as many students.
//! `cargo xtask bench --pages` builds the server and runs this.
//!
//! The database is made once, from the same seed everywhere, and kept where `--data-dir` says. Each page is asked
//! often, one request after the other, over one connection on this machine: what is measured is the server's work, the
//! answer's way over the loopback included.
//!
//! With `--database` the server works on PostgreSQL: the school is copied there if the database is empty.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on its standard streams")]

mod ask;
mod list;
mod school;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use faceattend_benches::{Outcome, exit_code, write_figures};
use service::Service;

#[derive(Parser)]
struct Arguments {
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// Where the school's database is, or is made; a folder that is deleted afterwards without it.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Let the server use this PostgreSQL database, to which the school is copied where it is empty.
    #[arg(long)]
    database: Option<String>,
    /// Import the list into this empty PostgreSQL database, and not into a new file.
    #[arg(long)]
    list_database: Option<String>,
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
    exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let temporary = tempfile::tempdir()?;
    let folder = arguments.data_dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let school = school::School::new(arguments.students, arguments.groups, arguments.days);
    let marks = school.build(&folder)?;
    println!("{} students, {} groups, {marks} marks", school.students, school.groups);
    if let Some(database) = &arguments.database {
        service::copy(&arguments.server, &folder, database)?;
    }
    let service = Service::start(&arguments.server, &folder, arguments.database.as_deref())?;
    let pages = ask::pages(&service, &school, arguments.times)?;
    println!("{pages}");
    drop(service);
    let list = if arguments.database.is_none() || arguments.list_database.is_some() {
        let empty = tempfile::tempdir()?;
        let service = Service::start(&arguments.server, empty.path(), arguments.list_database.as_deref())?;
        Some(list::import(&service, &school)?)
    } else {
        None
    };
    if let Some(list) = &list {
        println!("{list}");
    }
    write_figures(arguments.json.as_deref(), &serde_json::json!({ "pages": pages, "list": list }))
}
