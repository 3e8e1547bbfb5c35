//! The one door: every chore of this workspace is a verb here, one module each. `cargo xtask --help` tells them all.
//!
//! This crate is built before anything else on a machine that has only Rust, so its dependencies are few and small and
//! `faceattend-core` is not among them: what needs the core runs in a second build, asked for by the verb itself.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its standard streams")]

mod bench;
mod book;
mod browser;
mod build;
mod check;
mod demo;
mod dist;
mod example;
mod faults;
mod fuzz;
mod lines;
mod media;
mod models;
mod node;
mod pages;
mod platforms;
mod postgres;
mod python;
mod schema;
mod serve;
mod setup;
mod steps;
mod test;
mod trial;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What went wrong, in words for the person at the terminal.
pub(crate) type Result<T> = std::result::Result<T, String>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every chore of this workspace.", max_term_width = 120)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make this machine ready: system packages, ONNX Runtime, models. Says what it will do first.
    Setup(setup::Options),
    /// Set up, build and start the server on port 8001.
    Serve(serve::Options),
    /// Show the main job with no camera: register people, play a recording, print their attendance.
    Demo(demo::Options),
    /// Build and start a complete program on a binding: `example django`, `example node`.
    Example(example::Options),
    /// Set up and run every check and every test there is.
    Test(test::Options),
    /// Try the server's pages in Chromium, with a person before its camera.
    Pages(pages::Options),
    /// Break things around the server for long: kill it, fill its disk, hold, restart and replace its database.
    Faults(faults::Options),
    /// Put the server's OpenAPI document to the test: every endpoint, asked with good and bad values.
    Schema,
    /// Try the code that reads strangers' bytes with inputs made up by libFuzzer; `test` does it for a few seconds.
    Fuzz(fuzz::Options),
    /// What to run before a commit: formatting, length of lines, lints, documentation. `test` does it too.
    Check(check::Options),
    /// Build the book of the documentation into target/book; needs mdBook.
    Book,
    /// Compare speed and memory with a Python reference, or time stage by stage.
    Bench(bench::Options),
    /// Make everything that a release consists of: packages that install without a compiler.
    Dist(dist::Options),
    /// Install the packages that `dist` has made in clean systems of Debian, use, upgrade, remove and purge them.
    Trial(trial::Options),
    /// Render the sample media again from their photographs, check that, or make simulated clips of attacks.
    Media(media::Options),
    /// Make the default model pack again from its sources, or check that a rebuild gives the same bytes.
    Models(models::Options),
}

fn main() -> ExitCode {
    if let Some(compiled) = fuzz::in_place_of_rustc() {
        return compiled;
    }
    let outcome = match Arguments::parse().verb {
        Verb::Setup(options) => setup::run(&options),
        Verb::Serve(options) => serve::run(&options),
        Verb::Demo(options) => demo::run(&options),
        Verb::Example(options) => example::run(&options),
        Verb::Test(options) => test::run(&options),
        Verb::Pages(options) => pages::run(&options),
        Verb::Faults(options) => faults::run(&options),
        Verb::Schema => schema::run(),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::Check(options) => check::run(&options),
        Verb::Book => book::run(),
        Verb::Bench(options) => bench::run(&options),
        Verb::Dist(options) => dist::run(&options),
        Verb::Trial(options) => trial::run(&options),
        Verb::Media(options) => media::run(&options),
        Verb::Models(options) => models::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
