//! Fuzzing with libFuzzer on a stable compiler: the targets of `reference-server/fuzz`.
//!
//! The crates of this workspace are compiled with counters at every branch, the libraries as they are for the tests:
//! so the build takes a minute, and shares everything else. With `--libraries` they have counters too, which finds more
//! in what decodes and parses, and compiles everything again.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Args;

use crate::setup::{self, Cameras};
use crate::workspace::{cargo, command, output, root, succeed, target};
use crate::{Result, build};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Run these targets alone.
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u32,
    /// How many targets run at once. Default: one for each core.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Count the branches of libraries too. Compiles all of them again, into target/fuzz/libraries.
    #[arg(long)]
    libraries: bool,
    /// Say what targets there are, and run none.
    #[arg(long)]
    list: bool,
    /// What libFuzzer is told besides, such as the file of one input: it is tried, and nothing is looked for.
    #[arg(last = true)]
    libfuzzer: Vec<OsString>,
}

/// The crate of the targets.
const CRATE: &str = "reference-server/fuzz";

/// How long each target runs in `cargo xtask test`, in seconds.
pub(crate) const IN_TESTS: u32 = 5;

/// Seconds that one input may take. The slowest of the corpus takes 0.1 s in this build.
const TIMEOUT: &str = "-timeout=10";

/// MiB that one target may take. Databases and OpenCV's libraries take 150 of them.
const MEMORY: &str = "-rss_limit_mb=1024";

/// What makes the compiler count branches and tell comparisons, as `cargo fuzz` has it: LLVM's SanitizerCoverage.
const COUNTERS: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The variable by which this program knows that cargo calls it in place of the compiler.
const IN_PLACE_OF_RUSTC: &str = "FACEATTEND_XTASK_COUNTS_BRANCHES";

/// Builds and runs the targets.
///
/// # Errors
/// When the code does not compile, or a target found something.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut names = targets()?;
    if options.list {
        names.iter().for_each(|name| println!("  {name}"));
        return Ok(());
    }
    if let Some(unknown) = options.targets.iter().find(|name| !names.contains(name)) {
        return Err(format!("there is no target {unknown}; there are {}", names.join(", ")));
    }
    names.retain(|name| options.targets.is_empty() || options.targets.contains(name));
    if !has_cpp_compiler() {
        return Err("libFuzzer is compiled with a C++ compiler: `sudo apt-get install --yes g++`".to_owned());
    }
    setup::run(&options.setup)?;
    let programs = if options.libraries { with_libraries()? } else { ours(options.setup.cameras())? };
    let jobs = options.jobs.unwrap_or_else(cores).max(1);
    let said = all(&names, &programs, options.seconds, jobs, &options.libfuzzer)?;
    println!("\n{said}");
    Ok(())
}

/// Runs every target for a few seconds, from the corpus.
///
/// # Errors
/// As [`run`].
pub(crate) fn briefly(cameras: Cameras) -> Result<String> {
    if !has_cpp_compiler() {
        return Ok("left out: there is no C++ compiler for libFuzzer".to_owned());
    }
    all(&targets()?, &ours(cameras)?, IN_TESTS, cores(), &[])
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn has_cpp_compiler() -> bool {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    output(command(compiler).arg("--version")).is_ok()
}

/// Returns the names of the targets, from the manifest of their crate.
fn targets() -> Result<Vec<String>> {
    let path = root().join(CRATE).join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let manifest: toml::Table = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let programs = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(programs.filter_map(|program| program.get("name")?.as_str().map(str::to_owned)).collect())
}

/// Builds the targets with the features and the libraries of the tests; returns where they lie.
fn ours(cameras: Cameras) -> Result<PathBuf> {
    let running = std::env::current_exe().map_err(|e| format!("cannot tell where this program is: {e}"))?;
    // The build of the tests has put another build of this program in its place: Linux says so behind the name.
    let named = running.to_string_lossy();
    let wrapper = PathBuf::from(named.strip_suffix(" (deleted)").unwrap_or(&named));
    let mut cargo = cargo(&["build"]);
    build::test_arguments(&mut cargo, cameras);
    cargo.args(["--features", "faceattend-fuzz/libfuzzer"]);
    targets()?.iter().for_each(|name| _ = cargo.args(["--bin", name]));
    // Cargo keeps what it compiles through a wrapper apart from the rest, and the libraries do not go through it.
    cargo.env("RUSTC_WORKSPACE_WRAPPER", wrapper).env(IN_PLACE_OF_RUSTC, "1");
    succeed(&mut cargo)?;
    Ok(target()?.join("debug"))
}

/// Builds the targets and all libraries with counters, without those that no target needs.
fn with_libraries() -> Result<PathBuf> {
    let version = output(command("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not name its host")?;
    let folder = target()?.join("fuzz/libraries");
    let mut cargo = cargo(&["build", "--package", "faceattend-fuzz", "--features", "libfuzzer", "--bins"]);
    // A target that is named keeps the flags from build scripts and macros.
    cargo.args(["--target", host]).env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", COUNTERS.join(" "));
    succeed(&mut cargo)?;
    Ok(folder.join(host).join("debug"))
}

/// Compiles in place of `rustc`, with counters, when cargo has called this program to do so.
pub(crate) fn in_place_of_rustc() -> Option<ExitCode> {
    std::env::var_os(IN_PLACE_OF_RUSTC)?;
    let mut arguments = std::env::args_os().skip(1);
    let mut rustc = Command::new(arguments.next()?);
    let arguments: Vec<OsString> = arguments.collect();
    rustc.args(&arguments);
    if has_counters(&arguments) {
        rustc.args(COUNTERS);
    }
    let succeeded = rustc.status().is_ok_and(|status| status.success());
    Some(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a call of the compiler makes a part of a target: no build script and no macro, which run by themselves.
fn has_counters(arguments: &[OsString]) -> bool {
    let value_of = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.to_str()
    };
    value_of("--crate-name").is_some_and(|name| !name.starts_with("build_script"))
        && value_of("--crate-type") != Some("proc-macro")
}

/// Runs `names`, `jobs` at a time; says what each did.
fn all(names: &[String], programs: &Path, seconds: u32, jobs: usize, libfuzzer: &[OsString]) -> Result<String> {
    let waiting: Mutex<VecDeque<&String>> = Mutex::new(names.iter().collect());
    let failed = Mutex::new(Vec::new());
    let executed = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..jobs.min(names.len()) {
            scope.spawn(|| {
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                while let Some(name) = next() {
                    match one(name, programs, seconds, libfuzzer) {
                        Ok(runs) => *executed.lock().unwrap_or_else(PoisonError::into_inner) += runs,
                        Err(problem) => {
                            println!("{name}: {problem}");
                            failed.lock().unwrap_or_else(PoisonError::into_inner).push(name.as_str());
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !failed.is_empty() {
        return Err(format!("found something: {}", failed.join(", ")));
    }
    let executed = executed.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(format!("{} targets, {executed} inputs", names.len()))
}

/// Runs the target `name`; returns the number of inputs that it tried.
fn one(name: &str, programs: &Path, seconds: u32, libfuzzer: &[OsString]) -> Result<u64> {
    let work = target()?.join("fuzz");
    let (kept, found) = (work.join("corpus").join(name), work.join("found").join(name));
    for folder in [&kept, &found] {
        fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    }
    let program = programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut run = command(&program);
    run.args([TIMEOUT, MEMORY, "-print_final_stats=1", &format!("-max_total_time={seconds}")]);
    run.arg(format!("-artifact_prefix={}/", found.display()));
    let words = root().join(CRATE).join("dictionaries").join(format!("{name}.dict"));
    if words.is_file() {
        run.arg(format!("-dict={}", words.display()));
    }
    if libfuzzer.is_empty() {
        // New inputs go into the first folder: the tree stays as it is.
        run.args([&kept, &root().join(CRATE).join("corpus").join(name)]);
    }
    let ran = run.args(libfuzzer).stdin(Stdio::null()).output();
    let ran = ran.map_err(|e| format!("cannot start {}: {e}", program.display()))?;
    let said = String::from_utf8_lossy(&ran.stderr);
    if !ran.status.success() {
        return Err(format!("{} ({})\n    again: cargo xtask fuzz {name} -- FILE", last_words(&said), ran.status));
    }
    let summary = Summary::of(&said);
    println!("{name}: {summary}");
    Ok(summary.executed)
}

/// Returns what libFuzzer and the target said at the end, without the stack of libFuzzer and the bytes of the input.
fn last_words(said: &str) -> String {
    let is_noise = |line: &&str| {
        ["#", "stat::", "0x", "Base64:", "MS:", "NOTE:"].iter().any(|start| line.trim_start().starts_with(start))
    };
    let lines: Vec<&str> = said.lines().filter(|line| !is_noise(line) && !line.is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join("\n    ")
}

/// What libFuzzer says of a run that found nothing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    executed: u64,
    /// Edges of the program that were reached, as the last line of progress has them.
    edges: u64,
    peak_mib: u64,
}

impl Summary {
    fn of(said: &str) -> Self {
        let mut summary = Self::default();
        for line in said.lines() {
            let mut words = line.split_whitespace();
            let mut number = |name: &str| words.find(|word| *word == name).and_then(|_| words.next()?.parse().ok());
            if line.starts_with("stat::number_of_executed_units:") {
                summary.executed = number("stat::number_of_executed_units:").unwrap_or_default();
            } else if line.starts_with("stat::peak_rss_mb:") {
                summary.peak_mib = number("stat::peak_rss_mb:").unwrap_or_default();
            } else if let Some(edges) = number("cov:") {
                summary.edges = edges;
            }
        }
        summary
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} inputs, {} edges, at most {} MiB", self.executed, self.edges, self.peak_mib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_are_those_of_the_crate() {
        let names = targets().unwrap();
        assert!(names.len() >= 14 && names.contains(&"sealed_value".to_owned()), "{names:?}");
        for name in names {
            assert!(root().join(CRATE).join("corpus").join(&name).is_dir(), "{name} has no corpus");
        }
    }

    #[test]
    fn what_runs_while_it_is_built_has_no_counters() {
        let call = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(has_counters(&call("--crate-name faceattend_core --edition=2024 core/src/lib.rs --crate-type lib")));
        assert!(!has_counters(&call("--crate-name build_script_build build.rs --crate-type bin")));
        assert!(!has_counters(&call("--crate-name some_derive lib.rs --crate-type proc-macro")));
        assert!(!has_counters(&call("-vV")));
    }

    #[test]
    fn the_figures_of_a_run_are_the_last() {
        let said = "INFO: Seed: 7\n#2\tINITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 30Mb\n\
                    #99\tREDUCE cov: 42 ft: 50 corp: 2/2b lim: 4 exec/s: 0 rss: 31Mb L: 1/1 MS: 1 EraseBytes-\n\
                    Done 1000 runs in 6 second(s)\nstat::number_of_executed_units: 1000\nstat::peak_rss_mb:  35\n";
        assert_eq!(Summary::of(said), Summary { executed: 1000, edges: 42, peak_mib: 35 });
    }
}
