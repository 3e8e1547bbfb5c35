//! `faceattend backup FILE`: one file with everything that a copy on another machine needs, made while the server runs.

pub(crate) mod passphrase;
pub(crate) mod sources;

use std::fs::File;
use std::io::{BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;
use faceattend_core::backup::{Head, Looked, Made, Part, Passphrase, Summary, look, make};
use faceattend_core::store::{NewAuditEntry, StoreLocation, TemplateKeys};
use faceattend_core::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::commands::database::that_is_there;
use crate::live::backup::AUDIT_SUBJECT;
use passphrase::PassphraseArgs;
use sources::DataArgs;

/// Makes a back-up: the database, the keys, the settings and what waits to be written, as one file.
///
/// The server may run meanwhile. `faceattend restore FILE` puts it back, on this machine or another one, into SQLite or
/// PostgreSQL. Pictures and logs are in no back-up.
#[derive(Debug, Args)]
pub struct BackupArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Encrypts the back-up with a passphrase, which is asked for unless a file or the environment holds it
    #[arg(long)]
    encrypt: bool,
    /// Replaces a file that is there
    #[arg(long)]
    force: bool,
    /// Reads a back-up to its end, checks it, and says what it holds. Changes nothing
    #[arg(long, conflicts_with_all = ["encrypt", "force"])]
    check: bool,
    /// The file
    file: PathBuf,
}

/// Runs the command with the file of settings, if there is one.
///
/// # Errors
/// Those of the files, of the passphrase and of the database.
pub fn run(args: &BackupArgs, settings: Option<&Path>) -> Result<()> {
    if args.check {
        return check(&args.file, &args.passphrase);
    }
    let places = args.data.places()?;
    that_is_there(places.database.clone())?;
    let passphrase = args.passphrase.for_new(args.encrypt)?;
    let mut source = places.source(settings);
    source.overwrites = args.force;
    let bar = bar();
    let made = make(&args.file, &source, passphrase.as_ref(), Timestamp::now(), &mut |rows| bar.set_position(rows));
    bar.finish_and_clear();
    let made = made?;
    if let Err(error) = noted(&places.database, &made) {
        tracing::warn!("the back-up is made, but the audit log does not have it: {error}");
    }
    say_made(&made, passphrase.is_some());
    Ok(())
}

/// Writes the entry of the audit log. A database of an older schema is left as it is.
fn noted(database: &StoreLocation, made: &Made) -> Result<()> {
    if database.survey()?.needs_migration() {
        return Ok(());
    }
    let store = database.open(TemplateKeys::none())?;
    let entry = NewAuditEntry {
        at: made.summary.made_at,
        actor: "command line".into(),
        action: "backup".into(),
        subject: Some(AUDIT_SUBJECT.into()),
        details: Some(format!("{}, {}", made.file.display(), size(made.bytes))),
    };
    store.add_audit(&entry).map(drop)
}

fn say_made(made: &Made, is_sealed: bool) {
    super::say(&format!("{}: {}", made.file.display(), size(made.bytes)));
    lines(&made.summary, made.sums.iter().map(|sum| sum.part)).iter().for_each(|line| super::say(line));
    if is_sealed {
        super::say("It is encrypted. Keep the passphrase where the back-up is not: without it nobody can read it.");
    } else {
        super::say(
            "It is NOT encrypted: whoever has this file can read the keys, the faces and the accounts. Keep it as safe \
             as the server, or make it with --encrypt.",
        );
    }
}

/// What a back-up holds, in lines.
pub(crate) fn lines(summary: &Summary, parts: impl Iterator<Item = Part>) -> Vec<String> {
    let rows = |table| summary.rows_of(table);
    let mut lines = vec![
        format!("of {}, made at {}", summary.database, summary.made_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        format!(
            "{} people, {} marks, {} accounts, schema {}",
            rows("students"),
            rows("attendance_log"),
            rows("admin_users"),
            summary.schema
        ),
        format!("parts: {}", parts.map(Part::name).collect::<Vec<_>>().join(", ")),
    ];
    lines.extend(summary.not_included.iter().map(|what| format!("not included: {what}")));
    if !summary.odd.is_empty() {
        let few: Vec<_> = summary.odd.iter().take(20).map(String::as_str).collect();
        lines.push(format!(
            "{} values are not of their column's kind and are kept as they are: {}",
            summary.odd.len(),
            few.join("; ")
        ));
    }
    lines
}

fn check(file: &Path, passphrase: &PassphraseArgs) -> Result<()> {
    let (looked, _) = looked(file, passphrase)?;
    super::say(&format!("{} is whole: {}", file.display(), size(looked.bytes)));
    lines(&looked.summary, looked.sums.iter().map(|sum| sum.part)).iter().for_each(|line| super::say(line));
    for sum in &looked.sums {
        super::say(&format!("{:<16} {:>12} bytes  sha256 {}", sum.part.name(), sum.bytes, sum.sha256));
    }
    super::say(if looked.is_sealed { "It is encrypted." } else { "It is not encrypted." });
    Ok(())
}

/// Looks through a back-up; returns the passphrase too that it needed.
///
/// # Errors
/// Those of the file and of the passphrase.
pub(crate) fn looked(file: &Path, passphrase: &PassphraseArgs) -> Result<(Looked, Option<Passphrase>)> {
    let opened = File::open(file).map_err(|source| Error::Io { action: "read", path: file.to_owned(), source })?;
    let head = Head::read(&mut BufReader::new(opened))?;
    let passphrase = if head.is_sealed() { Some(passphrase.for_sealed()?) } else { None };
    let bar = bar();
    let looked = look(file, passphrase.as_ref(), &mut |rows| bar.set_position(rows));
    bar.finish_and_clear();
    Ok((looked?, passphrase))
}

/// A size in words.
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let of = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", of(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", of(1_000_000)),
        _ => format!("{:.1} GB", of(1_000_000_000)),
    }
}

/// It shows itself on a terminal only.
pub(crate) fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} rows, {elapsed}");
    let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    bar
}
