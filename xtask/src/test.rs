//! Every test there is.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use clap::Args;

use crate::postgres::{self, Postgres};
use crate::steps::Steps;
use crate::workspace::{camera_features, cargo};
use crate::{Result, demo, models, node, pages, python, schema, setup};

#[derive(Args, Default)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
}

impl Options {
    pub(crate) fn setup(&self) -> &setup::Options {
        &self.setup
    }
}

/// Sets up and runs every test.
///
/// # Errors
/// When one fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run_for_tests(&options.setup)?;
    let mut steps = Steps::default();
    add_steps(&mut steps, options);
    steps.finish()
}

/// The tests, as steps of a longer list.
pub(crate) fn add_steps(steps: &mut Steps, options: &Options) {
    steps.run("Rust", || {
        let features = camera_features(options.setup.cameras());
        let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
        tests.args(features);
        if std::env::var_os(postgres::VARIABLE).is_some() {
            return counted(&mut tests).map(|said| format!("{said}; on the PostgreSQL of {}", postgres::VARIABLE));
        }
        match Postgres::start() {
            Ok(database) => {
                tests.env(postgres::VARIABLE, database.url());
                counted(&mut tests).map(|said| format!("{said}; with {}", database.version()))
            }
            // Set-up installs it; where it cannot, those tests say that they are left out, and so does the summary.
            Err(problem) => counted(&mut tests).map(|said| format!("{said}; without PostgreSQL: {problem}")),
        }
    });
    steps.run("Python", || python::test_module(options.setup.cameras()));
    steps.run("Node", node::test);
    steps.run("from registration to attendance", demo::play_with_tested_server);
    steps.run("Pages in Chromium", pages::test_built_by_tests);
    steps.run("the OpenAPI document, asked with values of every kind", schema::check_built_by_tests);
    steps.run("models against the original networks", || models::compare_with_originals().map(|()| String::new()));
    steps.run("models made again", || models::rebuild(models::Rebuild::Check).map(|()| "the same bytes".to_owned()));
}

/// Runs a call of `cargo test`, shows what it prints, and says how many tests passed and were left out.
fn counted(command: &mut Command) -> Result<String> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| format!("cannot start cargo: {e}"))?;
    let mut total = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
            println!("{line}");
            total.add(&line);
        }
    }
    let status = child.wait().map_err(|e| format!("cannot wait for cargo: {e}"))?;
    let Counts { passed, failed, ignored } = total;
    let said = format!("{passed} passed, {failed} failed, {ignored} ignored");
    if status.success() { Ok(said) } else { Err(format!("{said} ({status})")) }
}

#[derive(Default)]
struct Counts {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Counts {
    /// Adds one line "test result: ok. 3 passed; 0 failed; 1 ignored; ...".
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        for part in result.split(['.', ';']) {
            if let Some((number, what)) = part.trim().split_once(' ')
                && let Ok(number) = number.parse::<u32>()
            {
                match what {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    "ignored" => self.ignored += number,
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_add_up() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s");
        counts.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.23s");
        counts.add("12 passed; 9 failed");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (14, 1, 1));
    }
}
