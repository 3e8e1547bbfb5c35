//! The fault programme: the tests of `reference-server/tests/faults`, for longer than a test run has time.
//!
//! `cargo xtask test` runs the same tests with a few kills and short waits.

use clap::{Args, ValueEnum};

use crate::Result;
use crate::build;
use crate::postgres::{self, Postgres};
use crate::setup::Cameras;
use crate::steps::{self, Step};
use crate::workspace::{cargo, succeed};

/// How often the server is killed while it works, unless the command says otherwise.
const KILLS: u32 = 1000;
/// The same over PostgreSQL.
const KILLS_ON_POSTGRESQL: u32 = 300;

#[derive(Args)]
pub(crate) struct Options {
    /// Run these cases alone.
    #[arg(value_name = "CASE")]
    cases: Vec<Case>,
    /// Kill the server so often, in place of 1,000 times over SQLite and 300 over PostgreSQL.
    #[arg(long, value_name = "N")]
    kills: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    /// SIGKILL under load, over SQLite.
    Kill,
    /// The same over PostgreSQL.
    KillPostgres,
    /// A disk that is full, read-only or limited. Needs root for a file system of its own.
    Disk,
    /// Another program that holds the database for 25 seconds.
    Locked,
    /// A PostgreSQL that crashes, and one whose standby takes over.
    Postgres,
    /// The server with its models in 300 MB. Needs root for a control group.
    Memory,
}

impl Case {
    /// The name of the step, its title, how long it takes in seconds, and the filter of its tests.
    fn describe(self) -> (&'static str, &'static str, u32, &'static str) {
        match self {
            Self::Kill => {
                ("kill", "SIGKILL under load, SQLite", 1800, "killed::what_was_answered_survives_a_kill_at_any_moment")
            }
            Self::KillPostgres => (
                "kill-postgres",
                "SIGKILL under load, PostgreSQL",
                600,
                "killed::what_was_answered_survives_a_kill_at_any_moment_on_postgresql",
            ),
            Self::Disk => ("disk", "Full, read-only and limited disks", 20, "disk::"),
            Self::Locked => ("locked", "A database that another program holds", 30, "locked::"),
            Self::Postgres => {
                ("postgres", "A PostgreSQL that crashes, and a standby that takes over", 50, "postgres_away::")
            }
            Self::Memory => ("memory", "The server in 300 MB", 15, "memory::"),
        }
    }
}

/// Runs the cases one after another.
///
/// # Errors
/// When the code does not compile, or a case fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut build = cargo(&["test", "--no-run", "--test", "faults"]);
    build::test_arguments(&mut build, Cameras::With);
    succeed(&mut build)?;
    let asked = |case: &&Case| options.cases.is_empty() || options.cases.contains(case);
    let steps = Case::value_variants().iter().filter(asked).map(|case| {
        let (name, title, usual, _) = case.describe();
        Step::new(name, title, usual, move || attempt(*case, options.kills))
    });
    steps::run(steps.collect(), |name| format!("cargo xtask faults {name}"))
}

fn attempt(case: Case, kills: Option<u32>) -> Result<String> {
    let (.., filter) = case.describe();
    let mut test = cargo(&["test", "--test", "faults"]);
    build::test_arguments(&mut test, Cameras::With);
    test.args(["--", filter, "--nocapture", "--test-threads", "1"]).env("FACEATTEND_FAULTS_LONG", "1");
    if matches!(case, Case::Kill | Case::KillPostgres) {
        test.arg("--exact");
        let usual = if case == Case::Kill { KILLS } else { KILLS_ON_POSTGRESQL };
        test.env("FACEATTEND_KILLS", kills.unwrap_or(usual).to_string());
    }
    if case != Case::KillPostgres || std::env::var_os(postgres::VARIABLE).is_some() {
        return succeed(&mut test).map(|()| String::new());
    }
    let database = Postgres::start()?;
    succeed(test.env(postgres::VARIABLE, database.url())).map(|()| database.version().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_asked_for_by_the_name_of_its_step() {
        for case in Case::value_variants() {
            let asked = case.to_possible_value().unwrap();
            assert_eq!(asked.get_name(), case.describe().0);
        }
    }
}
