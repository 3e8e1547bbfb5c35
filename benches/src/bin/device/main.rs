//! How many pictures a second an accelerator carries, and how long one search among millions takes: ours beside
//! InsightFace's package on the same ONNX Runtime. `cargo xtask bench --device cuda` installs the peer and runs this;
//! `--device cpu` is its rehearsal on any machine.
//!
//! Each row is measured in rounds, ours and the peer in turn; the ratio is the median of the rounds' ratios. Both sides
//! must find the same faces before anything is timed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its standard streams")]

mod ours;
mod peer;

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use faceattend_benches::{Outcome, exit_code, write_figures, write_values};
use faceattend_core::models::ExecutionProvider;
use serde::Serialize;

use ours::Ours;
use peer::Peer;

#[derive(Parser)]
struct Arguments {
    /// The peer's Python.
    #[arg(long)]
    python: PathBuf,
    /// The peer.
    #[arg(long)]
    peer: PathBuf,
    /// Where the models run.
    #[arg(long)]
    device: Device,
    /// An SCRFD detector with points.
    #[arg(long)]
    detector: PathBuf,
    /// An ArcFace-class embedder.
    #[arg(long)]
    embedder: PathBuf,
    /// People in the search. The peer holds four bytes of each value on the device, ours three in memory.
    #[arg(long, default_value_t = 10_000_000)]
    people: usize,
    /// Rounds of each row.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Write the figures here as well.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Where the models run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Device {
    Cpu,
    Cuda,
    Tensorrt,
}

impl Device {
    fn provider(self) -> ExecutionProvider {
        match self {
            Self::Cpu => ExecutionProvider::Cpu,
            Self::Cuda => ExecutionProvider::Cuda,
            Self::Tensorrt => ExecutionProvider::TensorRt,
        }
    }
}

/// Pictures or crops that are handed over at once.
const BATCHES: [usize; 3] = [1, 8, 64];
/// Values of a row of the search: ArcFace's.
const DIMENSION: usize = 512;
/// How many people a search returns.
const SEARCH_K: usize = 5;

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

/// One row: milliseconds of a hand-over in each round.
#[derive(Serialize)]
struct Row {
    what: String,
    ours_ms: f64,
    peer_ms: f64,
    /// Of the peer's time.
    ratio: f64,
    /// Ours, in pictures, crops or searches a second.
    per_second: f64,
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("one.jpg"), faceattend_benches::one_face_720p())?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    eprintln!("Loading the models on {:?}, {threads} threads ...", arguments.device);
    let mut ours = Ours::new(arguments, threads)?;
    write_values(&folder.path().join("crowd.f32"), ours.crowd.drawn())?;
    let mut peer = Peer::start(arguments, folder.path(), threads)?;
    ours.agrees_with(&peer.faces)?;

    let mut rows = Vec::new();
    for batch in BATCHES {
        let name = format!("detection at 640, {batch} pictures of 1280x720 handed over together");
        eprintln!("{name} ...");
        rows.push(row(name, batch, arguments.rounds, || Ok((ours.detect(batch)?, peer.ask("detect", batch)?)))?);
    }
    for batch in BATCHES {
        let name = format!("embedding, {batch} crops in one run");
        eprintln!("{name} ...");
        rows.push(row(name, batch, arguments.rounds, || Ok((ours.embed(batch)?, peer.ask("embed", batch)?)))?);
    }
    let name = format!("1:{} of {DIMENSION} values", arguments.people);
    eprintln!("{name} ...");
    let people = arguments.people;
    ours.enrol(people)?;
    let found = peer.search(people)?;
    ours.finds(&found)?;
    rows.push(row(name, 1, arguments.rounds, || Ok((ours.search()?, peer.ask("search", people)?)))?);

    println!("{}", table(arguments.device, threads, &rows));
    write_figures(arguments.json.as_deref(), &rows)
}

/// Measures a row: `measure` gives the milliseconds of ours and of the peer's. The first round warms up.
fn row(what: String, items: usize, rounds: usize, mut measure: impl FnMut() -> Outcome<(f64, f64)>) -> Outcome<Row> {
    measure()?;
    let all: Vec<(f64, f64)> = (0..rounds.max(1)).map(|_| measure()).collect::<Outcome<_>>()?;
    let ours_ms = median(all.iter().map(|(ours, _)| *ours).collect());
    let peer_ms = median(all.iter().map(|(_, peer)| *peer).collect());
    let ratio = median(all.iter().map(|(ours, peer)| ours / peer).collect());
    #[expect(clippy::cast_precision_loss, reason = "a batch")]
    let per_second = items as f64 / ours_ms * 1e3;
    Ok(Row { what, ours_ms, peer_ms, ratio, per_second })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn table(device: Device, threads: NonZero<usize>, rows: &[Row]) -> String {
    let mut text = format!("\n{device:?}, {threads} threads\n\n| what | ours ms | peer ms | ratio | ours a second |\n");
    text.push_str("|---|---|---|---|---|\n");
    for Row { what, ours_ms, peer_ms, ratio, per_second } in rows {
        // A string takes whatever is written to it.
        let _ = writeln!(text, "| {what} | {ours_ms:.2} | {peer_ms:.2} | {ratio:.2} | {per_second:.1} |");
    }
    text
}
