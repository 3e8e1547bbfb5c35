//! How many network cameras this machine carries: 720p, 25 pictures a second, five of each analyzed, against a loop
//! over OpenCV with InsightFace's package, in one run. `cargo xtask bench --cameras N` installs the peer and runs this.
//!
//! One clip is encoded once and served over RTSP, packed once for all who watch it; what that costs is measured apart.
//! Both sides watch it as so many cameras. A side carries as many as all of which are analyzed [`ENOUGH`] times a
//! second; how many that are is found by doubling and halving.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on its standard streams")]

mod people;
mod report;
mod sides;
mod stream;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use faceattend_benches::{Outcome, exit_code, write_figures};
use report::{Report, Row};
use sides::{Ours, Peer, Side};
use stream::Stream;

#[derive(Parser)]
struct Arguments {
    /// The peer's Python.
    #[arg(long)]
    python: PathBuf,
    /// The peer.
    #[arg(long)]
    peer: PathBuf,
    /// The RTSP server, a script of the system's Python.
    #[arg(long)]
    stream: PathBuf,
    /// What it serves.
    #[arg(long)]
    clip: PathBuf,
    /// Where it keeps the encoded clip.
    #[arg(long)]
    encoded: PathBuf,
    /// Our server's program.
    #[arg(long)]
    server: PathBuf,
    /// An SCRFD detector with points.
    #[arg(long)]
    detector: PathBuf,
    /// An ArcFace-class embedder.
    #[arg(long)]
    embedder: PathBuf,
    /// The most cameras to try.
    #[arg(long)]
    cameras: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Write the figures here as well.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Pictures of each camera that are to be analyzed in a second, and how many count as that: a camera of 25 pictures a
/// second gives every fifth, and one may be late at either end.
const RATE: f64 = 5.0;
const ENOUGH: f64 = 4.75;

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let lasts = Duration::from_secs(arguments.seconds);
    let stream = Stream::start(arguments)?;
    let mut report = Report::default();
    let folder = tempfile::tempdir()?;
    let mut ours = Ours::start(arguments, folder.path(), &stream)?;
    measure(&mut ours, arguments.cameras, lasts, &stream, &mut report)?;
    drop(ours);
    let mut peer = Peer::start(arguments, &stream)?;
    measure(&mut peer, arguments.cameras, lasts, &stream, &mut report)?;
    drop(peer);
    println!("{report}");
    write_figures(arguments.json.as_deref(), &report)
}

/// Doubles the number of cameras until it is too many, then halves the distance.
fn measure(side: &mut dyn Side, most: usize, lasts: Duration, stream: &Stream, report: &mut Report) -> Outcome<()> {
    let (mut carried, mut too_many) = (0, None);
    let mut cameras = 1;
    loop {
        let (figures, served) = stream.while_serving(|| side.watch(cameras, lasts))?;
        let row = Row::new(side.name(), cameras, &figures, served);
        println!("{row}");
        let is_carried = row.least >= ENOUGH;
        report.rows.push(row);
        if is_carried {
            carried = cameras;
        } else {
            too_many = Some(cameras);
        }
        cameras = match too_many {
            None if carried >= most => break,
            None => (carried * 2).min(most),
            Some(too_many) if too_many - carried <= 1 => break,
            Some(too_many) => carried.midpoint(too_many),
        };
        if cameras == 0 {
            break;
        }
    }
    report.carried.insert(side.name(), carried);
    Ok(())
}
