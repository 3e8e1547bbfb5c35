//! The server under load, against a FastAPI service on InsightFace's package: the same weights, the same 720p
//! pictures, the same people, in one run. `cargo xtask bench --server` installs the peer and runs this.
//!
//! Three services are up at once and asked in turn, so that what else the machine does falls on all of them: the peer,
//! ours with everything equal (the detector at 640), and ours with its automatic size. Before anything is timed they
//! must give the same answers. What the models alone allow is measured in this process, with as many threads.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on its standard streams")]

mod client;
mod models;
mod report;
mod service;

use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use client::{Load, OTHER_SIZE, Picture, SAME_SIZE};
use faceattend_benches::{Outcome, exit_code, write_figures};
use report::Report;
use service::Service;

#[derive(Parser)]
struct Arguments {
    /// The peer's Python.
    #[arg(long)]
    python: PathBuf,
    /// The peer.
    #[arg(long)]
    peer: PathBuf,
    /// Our server's program.
    #[arg(long)]
    server: PathBuf,
    /// An SCRFD detector with points.
    #[arg(long)]
    detector: PathBuf,
    /// An ArcFace-class embedder.
    #[arg(long)]
    embedder: PathBuf,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Write the figures here as well.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Requests in flight.
const CONCURRENCY: [usize; 4] = [1, 2, 4, 8];
/// Far more than the server takes on.
const OVERLOAD: usize = 200;

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let lasts = Duration::from_secs(arguments.seconds);
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let engine = models::engine(arguments, threads)?;
    let pictures: Vec<Picture> = faceattend_benches::portraits_720p().into_iter().map(Picture::new).collect();
    let folder = tempfile::tempdir()?;
    let people = models::people(&engine, &pictures)?;

    let peer = Service::peer(arguments, &folder.path().join("people.json"), &people)?;
    let equal = Service::ours(arguments, &folder.path().join("equal"), &people, "640")?;
    let auto = Service::ours(arguments, &folder.path().join("auto"), &people, "auto")?;
    let faces = client::agree(&peer, &[(&equal, SAME_SIZE), (&auto, OTHER_SIZE)], &pictures)?;
    println!(
        "{} pictures of 1280x720, {faces} faces, the same people in the same places for all three",
        pictures.len()
    );

    let mut report = Report::new(threads.get());
    report.allowed = models::allowed(&engine, &pictures, threads, lasts)?;
    drop(engine);
    for in_flight in CONCURRENCY {
        for (name, service) in [("peer", &peer), ("equal", &equal), ("auto", &auto)] {
            report.add(name, in_flight, &Load::run(service, &pictures, in_flight, lasts)?);
        }
    }
    for (name, service) in [("peer", &peer), ("equal", &equal), ("auto", &auto)] {
        report.peak_mib.insert(name, service.peak_mib());
    }
    report.overload = Some(client::overload(&auto, &pictures, OVERLOAD, lasts)?);
    println!("{report}");
    write_figures(arguments.json.as_deref(), &report)
}
