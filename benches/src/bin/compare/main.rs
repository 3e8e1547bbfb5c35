//! Ours against a Python reference (onnxruntime, NumPy, OpenCV), side by side in one run: the same models, the same
//! pictures, one thread each. `cargo xtask bench` installs the reference and runs this.
//!
//! Each row is measured in rounds, ours and theirs in turn, so that what else the machine does falls on both; the
//! ratio is the median of the rounds' ratios. Before anything is timed both sides must agree on boxes, embeddings and
//! matches.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its standard streams")]

mod agree;
mod index_worker;
mod indexes;
mod peer;
mod plan;
mod report;
mod worker;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agree::{LARGE, SMALL};
use clap::Parser;
use faceattend_benches::{Crowd, Outcome, exit_code, one_face_720p, six_faces, write_figures, write_values};

use peer::{Answer, Peer, Python};
use plan::{BATCH, DIMENSION, Models, Task};
use report::{Report, Row};

#[derive(Parser)]
struct Arguments {
    /// The reference's Python.
    #[arg(long, required_unless_present_any = ["worker", "index_worker"])]
    python: Option<PathBuf>,
    /// The reference; of the indexes, what speaks for the others.
    #[arg(long, required_unless_present_any = ["worker", "index_worker"])]
    reference: Option<PathBuf>,
    /// Compare our index with others instead.
    #[arg(long)]
    search: bool,
    #[command(flatten)]
    indexes: indexes::Options,
    /// A short run: fewer rounds, no million people.
    #[arg(long)]
    quick: bool,
    /// Write the figures here as well.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    models: Models,
    /// Be our side, on the pictures in this folder.
    #[arg(long, hide = true)]
    worker: Option<PathBuf>,
    /// Be our index, on the people and the probes in this folder.
    #[arg(long, hide = true)]
    index_worker: Option<PathBuf>,
}

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Outcome<()> {
    if let Some(folder) = &arguments.worker {
        return worker::serve(folder, &arguments.models);
    }
    if let Some(folder) = &arguments.index_worker {
        return index_worker::serve(folder);
    }
    let (Some(program), Some(script)) = (&arguments.python, &arguments.reference) else {
        return Err("the reference is not named".into());
    };
    let python = Python { program, script };
    let folder = tempfile::tempdir()?;
    if arguments.search {
        let table = indexes::compare(&python, folder.path(), &arguments.indexes, arguments.quick)?;
        println!("{table}");
        return write_figures(arguments.json.as_deref(), &table);
    }
    std::fs::write(folder.path().join("one.jpg"), one_face_720p())?;
    std::fs::write(folder.path().join("six.jpg"), six_faces())?;
    write_values(&folder.path().join("crowd.f32"), Crowd::new(DIMENSION).drawn())?;

    let bench = Bench { python, folder: folder.path(), rounds: if arguments.quick { 3 } else { 9 } };
    let mut report = Report::default();
    bench.models("default pack", &Models::default(), &mut report)?;
    if arguments.models.are_given() {
        bench.models("own models", &arguments.models, &mut report)?;
    }
    let sizes: &[usize] =
        if arguments.quick { &[1_000, 10_000, 100_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    bench.searches(sizes, &mut report)?;
    println!("{report}");
    write_figures(arguments.json.as_deref(), &report)
}

struct Bench<'a> {
    python: Python<'a>,
    folder: &'a Path,
    rounds: usize,
}

impl Bench<'_> {
    fn ours(&self, models: &Models) -> Outcome<Peer> {
        Peer::ours(self.folder, models)
    }

    fn theirs(&self, models: &Models) -> Outcome<Peer> {
        Peer::theirs(&self.python, self.folder, models)
    }

    /// Every row that runs models.
    fn models(&self, pack: &str, models: &Models, report: &mut Report) -> Outcome<()> {
        eprintln!("{pack} ...");
        let (mut ours, mut theirs) = (self.ours(models)?, self.theirs(models)?);
        agree::on_faces(&ours.first, &theirs.first, 1, LARGE).map_err(|e| format!("{pack}, one face: {e}"))?;

        let rows = [
            ("one face, 720p", Task::One { repeat: 10 }, 1, LARGE),
            ("six faces", Task::Six { repeat: 3 }, 6, SMALL),
            ("base64 to boxes, 720p", Task::Base64 { repeat: 10 }, 1, LARGE),
            ("batch of 8 crops embedded", Task::Batch { repeat: 4 }, 1, LARGE),
        ];
        for (name, task, faces, tolerance) in rows {
            let mut row = Row::new(format!("{pack}: {name}"), "ms");
            let mut outside = Row::new(format!("{pack}: {name} / its models"), "x");
            for _ in 0..self.rounds {
                let (a, b) = (ours.ask(task)?, theirs.ask(task)?);
                agree::on_faces(&a, &b, faces, tolerance).map_err(|e| format!("{pack}, {name}: {e}"))?;
                let per_model = |answer: &Answer| -> Vec<f64> {
                    answer.ms.iter().zip(&answer.model_ms).map(|(all, models)| all / models).collect()
                };
                outside.add(&per_model(&a), &per_model(&b));
                row.add(&a.ms, &b.ms);
            }
            report.add(row);
            if !outside.is_empty() {
                report.add(outside);
            }
        }
        drop((ours, theirs));

        let mut start = Row::new(format!("{pack}: start to first face, whole process"), "ms");
        let mut peak = Row::new(format!("{pack}: peak memory, whole process"), "MiB");
        for _ in 0..self.rounds {
            let (a, b) = (self.first_face(self.ours(models)?)?, self.first_face(self.theirs(models)?)?);
            start.add(&[a.0], &[b.0]);
            if let (Some(a), Some(b)) = (a.1, b.1) {
                peak.add(&[a], &[b]);
            }
        }
        report.add(start);
        report.add(peak);
        Ok(())
    }

    /// The milliseconds to the first face, and the peak in MiB after a few more.
    fn first_face(&self, mut peer: Peer) -> Outcome<(f64, Option<f64>)> {
        peer.ask(Task::One { repeat: 10 })?;
        #[expect(clippy::cast_precision_loss, reason = "less than 2^53 KiB")]
        let peak = peer.ask(Task::Peak)?.peak_kib.map(|kib| kib as f64 / 1024.0);
        Ok((peer.first_face.as_secs_f64() * 1e3, peak))
    }

    fn searches(&self, sizes: &[usize], report: &mut Report) -> Outcome<()> {
        let models = Models::default();
        let (mut ours, mut theirs) = (self.ours(&models)?, self.theirs(&models)?);
        for &rows in sizes {
            eprintln!("1:{rows} ...");
            // About 100 ms a round, and at least three searches.
            let repeat = (1_000_000 / rows).clamp(3, 200);
            let bytes = rows * DIMENSION * size_of::<f32>();
            let mut row = Row::new(format!("1:N among {rows}, {DIMENSION} values"), "ms");
            let mut share =
                Row::new(format!("1:N among {rows}: GB/s, as if it read every f32, and a plain read's"), "GB/s");
            for _ in 0..self.rounds {
                let task = Task::Search { rows, repeat };
                let (a, b) = (ours.ask(task)?, theirs.ask(task)?);
                agree::on_matches(&a, &b).map_err(|e| format!("1:{rows}: {e}"))?;
                let read = ours.ask(Task::Read { bytes, repeat })?;
                let rate = |ms: &[f64], bytes: usize| -> Vec<f64> {
                    #[expect(clippy::cast_precision_loss, reason = "less than 2^53 bytes")]
                    ms.iter().map(|ms| bytes as f64 / ms / 1e6).collect()
                };
                share.add(&rate(&a.ms, bytes), &rate(&read.ms, read.bytes));
                row.add(&a.ms, &b.ms);
            }
            report.add(row);
            report.add(share);
        }
        Ok(())
    }
}

/// The batch row's name says how many.
const _: () = assert!(BATCH == 8);
