//! How long a store's templates take to get into a gallery, and how much memory that takes at its most.
//!
//! ```sh
//! cargo run --release -p faceattend-benches --features stores --bin gallery_load -- \
//!     fill --people 1000000 --dimension 512 --sqlite /tmp/million.db
//! cargo run --release -p faceattend-benches --features stores --bin gallery_load -- \
//!     load --dimension 512 --sqlite /tmp/million.db
//! ```
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on its standard streams")]

mod fill;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use faceattend_benches::{Crowd, Outcome, exit_code, memory_kib, processor_time};
use faceattend_core::enrolment::{Actor, DuplicatePolicy, Registry, UnprovenOutcome};
use faceattend_core::gallery::Gallery;
use faceattend_core::store::{Enrolee, MarksOfErased, PostgresStore, SqliteStore, Store, TemplateKeys};
use jiff::Timestamp;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Writes people with a template each into a new database.
    Fill {
        /// How many.
        #[arg(long)]
        people: usize,
        /// Values of a template.
        #[arg(long)]
        dimension: usize,
        #[command(flatten)]
        place: Place,
    },
    /// Loads a gallery from it, and says what that took.
    Load {
        /// Values of a template.
        #[arg(long)]
        dimension: usize,
        /// Enrol so many people more, and say how long one takes. They are erased again.
        #[arg(long, default_value_t = 0)]
        enrol: usize,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
struct Place {
    /// A SQLite file.
    #[arg(long, required_unless_present = "postgres", conflicts_with = "postgres")]
    sqlite: Option<PathBuf>,
    /// The URL of a PostgreSQL database.
    #[arg(long)]
    postgres: Option<String>,
    /// A file of keys, where the templates are encrypted; `fill` makes it.
    #[arg(long)]
    keys: Option<PathBuf>,
}

impl Place {
    fn open(&self) -> Outcome<Box<dyn Store>> {
        let keys = self.keys.as_deref().map(TemplateKeys::read).transpose()?.unwrap_or_default();
        Ok(match (&self.sqlite, &self.postgres) {
            (Some(file), _) => Box::new(SqliteStore::open_with_keys(file, keys)?),
            (None, Some(url)) => Box::new(PostgresStore::open_with_keys(url, keys)?),
            (None, None) => return Err("no database is named".into()),
        })
    }
}

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse().action))
}

fn run(action: &Action) -> Outcome<()> {
    match action {
        Action::Fill { people, dimension, place } => fill::fill(place, *people, *dimension),
        Action::Load { dimension, enrol, place } => load(place, *dimension, *enrol),
    }
}

fn load(place: &Place, dimension: usize, more: usize) -> Outcome<()> {
    let store: Arc<dyn Store> = place.open()?.into();
    let crowd = Crowd::new(dimension);
    let gallery = Arc::new(Gallery::new(crowd.embedder()));
    let registry = Registry::new(Arc::clone(&store)).with_gallery(gallery, DuplicatePolicy::Warn);
    let (before, processor, began) = (resident_mib("VmRSS"), processor_secs(), Instant::now());
    let load = registry.load_gallery()?;
    let (took, processor) = (began.elapsed().as_secs_f64(), processor_secs() - processor);
    let (after, most) = (resident_mib("VmRSS"), resident_mib("VmHWM"));
    println!(
        "{} people of {dimension} values in {took:.2} s ({processor:.2} s of processors); memory {before} MiB before, \
         {after} after, {most} at most",
        load.people
    );
    let (mut took, mut enrolled, now) = (Vec::new(), Vec::new(), Timestamp::now());
    for i in 0..more {
        // The face is compared with everybody, and whoever it resembles is told and no reason to refuse it.
        let views = [crowd.stranger(i)];
        let roll_number = format!("More {i}");
        let began = Instant::now();
        let who = Enrolee::New { name: "More", roll_number: &roll_number };
        match registry.enrol_unproven(&who, &views, "bench", Actor::named("bench"), now)? {
            UnprovenOutcome::Enrolled { student, .. } => enrolled.push(student.id),
            refused => return Err(format!("{refused:?}").into()),
        }
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    for student in enrolled {
        registry.erase(student, MarksOfErased::Delete, now)?;
    }
    took.sort_by(f64::total_cmp);
    if let (Some(best), Some(median), Some(worst)) = (took.first(), took.get(took.len() / 2), took.last()) {
        println!("one more person enrolled in {median:.1} ms ({best:.1} to {worst:.1})");
    }
    Ok(())
}

/// A figure of this process's memory, as Linux counts it.
fn resident_mib(figure: &str) -> u64 {
    memory_kib(std::process::id(), figure).unwrap_or(0) / 1024
}

/// The seconds that all threads have worked, as Linux counts them.
fn processor_secs() -> f64 {
    processor_time(std::process::id()).unwrap_or_default().as_secs_f64()
}
