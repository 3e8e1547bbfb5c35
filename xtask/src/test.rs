//! Every test there is, after the checks of `cargo xtask check`.

use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};

use crate::build::{self, Built};
use crate::postgres;
use crate::setup::Cameras;
use crate::steps::{self, Step};
use crate::workspace::cargo;
use crate::{Result, check, demo, fuzz, models, node, pages, python, schema, setup};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Run these tests alone.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Name>,
    /// Say what tests there are and how long each takes as a rule, and run none.
    #[arg(long)]
    list: bool,
}

/// The tests by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Formatting,
    Lines,
    Lints,
    BareLints,
    Documentation,
    Rust,
    Fuzz,
    Python,
    Node,
    Demo,
    Pages,
    Api,
    Models,
}

impl Name {
    /// Whether this step runs what is built for the tests.
    fn needs_build(self) -> bool {
        !matches!(self, Self::Formatting | Self::Lines | Self::Lints | Self::BareLints | Self::Documentation)
    }
}

/// Sets up and runs every test, or those that were asked for.
///
/// # Errors
/// When one fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let cameras = options.setup.cameras();
    let wanted = |step: &Step<'_>| {
        let asked = |name: &Name| name.to_possible_value().is_some_and(|value| value.get_name() == step.name);
        options.only.is_empty() || options.only.iter().any(asked)
    };
    if options.list {
        steps::list(&steps(cameras, &Built::for_tests()?));
        return Ok(());
    }
    setup::run_for_tests(&options.setup)?;
    if options.only.is_empty() || options.only.iter().any(|name| name.needs_build()) {
        build(cameras)?;
    }
    let built = Built::for_tests()?;
    steps::run(steps(cameras, &built).into_iter().filter(wanted).collect(), repeat)?;
    println!("\nEvery step passed.");
    Ok(())
}

/// The command that repeats one step.
pub(crate) fn repeat(name: &str) -> String {
    format!("cargo xtask test --only {name}")
}

/// Builds all that the tests run. The first thing to be done: where it fails there is nothing to test.
///
/// # Errors
/// When the code does not compile.
pub(crate) fn build(cameras: Cameras) -> Result<()> {
    println!("\n== Building everything that the tests run, once (8 min on a machine that has built nothing yet)");
    build::for_tests(cameras).map_err(|problem| format!("{problem}\nNothing was tested."))
}

/// The checks, and the tests of what has been built.
fn steps(cameras: Cameras, built: &Built) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = check::steps(cameras);
    steps.extend([
        Step::new("rust", "Rust, with a PostgreSQL of its own", 400, move || rust(cameras, built)),
        Step::new("fuzz", "Fuzzing, a few seconds each target", 150, move || fuzz::briefly(cameras)),
        Step::new("python", "Python: types, module, Django app", 120, || python::test_module(built)),
        Step::new("node", "Node: types, addon, example service", 90, || node::test(built)),
        Step::new("demo", "From registration to attendance", 20, || demo::play(&built.server())),
        Step::new("pages", "The server's pages in Chromium", 550, || pages::test(&built.server())),
        Step::new("api", "Every endpoint, asked with good and bad values", 60, || schema::check(built)),
        Step::new("models", "The default models, made again and compared with the originals", 40, || {
            models::compare_with_originals()?;
            models::rebuild(models::Rebuild::Check).map(|()| "the same bytes".to_owned())
        }),
    ]);
    steps
}

/// The variable that says how many tests of a program run at once. The longest ones wait for cameras and servers more
/// than they compute: with one for each core two thirds of two cores are idle.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

fn rust(cameras: Cameras, built: &Built) -> Result<String> {
    let mut tests = cargo(&["test", "--no-fail-fast"]);
    build::test_arguments(&mut tests, cameras);
    if std::env::var_os(TEST_THREADS).is_none() {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        tests.env(TEST_THREADS, (2 * cores).to_string());
    }
    if cameras == Cameras::With {
        built.with_opencv(&mut tests);
    }
    python::with_mail_server(&mut tests);
    postgres::told_to(&mut tests, counted)
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

    #[test]
    fn every_step_has_a_name_that_can_be_asked_for() {
        let built = Built::for_tests().unwrap();
        let steps: Vec<_> = steps(Cameras::With, &built).iter().map(|step| step.name).collect();
        let names: Vec<_> = Name::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        assert_eq!(steps, names.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>());
    }
}
