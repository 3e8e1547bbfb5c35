//! `faceattend restore FILE`: a back-up in the place of what is there, all of it or none.

mod files;
mod shared;
mod unfinished;

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use faceattend_core::backup::{Lineage, Looked, Part, Passphrase, lineage};
use faceattend_core::store::{
    Imported, LockName, NewAuditEntry, StoreLocation, Survey, TemplateKeys, schema::newest_version,
};
use faceattend_core::{Error, Result};
use jiff::Timestamp;

use crate::commands::backup::passphrase::PassphraseArgs;
use crate::commands::backup::sources::{DataArgs, Places};
use crate::commands::backup::{lines, looked, size};
use crate::commands::server_lock::ServerLock;
pub(crate) use unfinished::finish_what_was_cut_off;

/// Puts a back-up into the place of the database, the keys and what waits to be written.
///
/// Nothing changes before the whole file has been checked and you have agreed. What is replaced stays beside, named with
/// the time. Stop the server first.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Does not ask
    #[arg(long)]
    yes: bool,
    /// Also restores people who have been erased, merged or deleted since the back-up was made: for an erasure that was
    /// a mistake
    #[arg(long)]
    with_erased: bool,
    /// Only finishes a restore that was cut off, as a start of the server does
    #[arg(long, conflicts_with = "file")]
    finish: bool,
    /// The back-up
    #[arg(required_unless_present = "finish")]
    file: Option<PathBuf>,
}

/// What is restored.
struct Restore<'r> {
    file: &'r Path,
    looked: Looked,
    passphrase: Option<Passphrase>,
    places: Places,
    /// Where the keys of the faces go, where the settings name no file.
    template_keys: Option<PathBuf>,
    erased: BTreeSet<i64>,
    at: Timestamp,
}

impl Restore<'_> {
    /// The name of a file that is kept or comes, with the time of the restore.
    fn beside(&self, target: &Path, what: &str) -> PathBuf {
        faceattend_core::own_file::beside(target, &format!(".{what}-{}", self.at.strftime("%Y-%m-%dT%H%M%SZ")))
    }

    fn entry(&self, subject: &str) -> NewAuditEntry {
        let mut details = format!("back-up of {}", self.looked.summary.made_at.strftime("%Y-%m-%d %H:%M:%S UTC"));
        if !self.erased.is_empty() {
            details += &format!(", without {} people who were erased since", self.erased.len());
        }
        NewAuditEntry {
            at: self.at,
            actor: "command line".into(),
            action: "restore".into(),
            subject: Some(subject.into()),
            details: Some(details),
        }
    }

    /// The files of the parts, where they go.
    fn targets(&self) -> impl Iterator<Item = (Part, &Path)> {
        let keys = self.template_keys.as_deref().map(|file| (Part::TemplateKeys, file));
        self.places.files.iter().map(|(part, file)| (*part, file.as_path())).chain(keys)
    }
}

/// Runs the command.
///
/// # Errors
/// [`Error::State`] while a server runs, and when the answer is no; those of the file and of the database.
pub fn run(args: &RestoreArgs) -> Result<()> {
    let places = args.data.places()?;
    let _alone = alone(&places.database)?;
    let was_cut_off = finish_what_was_cut_off(&places.dir, &places.database)?;
    if args.finish && !was_cut_off {
        super::say("No restore was cut off.");
    }
    let Some(file) = &args.file else { return Ok(()) };
    let (looked, passphrase) = looked(file, &args.passphrase)?;
    let template_keys = (looked.part(Part::TemplateKeys).is_some() && places.file(Part::TemplateKeys).is_none())
        .then(|| places.dir.join("template-keys"));
    let mut restore =
        Restore { file, looked, passphrase, places, template_keys, erased: BTreeSet::new(), at: Timestamp::now() };
    let present = present(&restore.places.database);
    super::say(&format!("The back-up {}, {}:", file.display(), size(restore.looked.bytes)));
    let parts = restore.looked.sums.iter().map(|sum| sum.part);
    lines(&restore.looked.summary, parts).iter().for_each(|line| super::say(&format!("  {line}")));
    super::say(&format!("  latest mark: {}", time(restore.looked.newest_mark())));
    match &present {
        None => super::say(&format!("takes its place in {}, where no database is yet.", restore.places.database)),
        Some(present) => {
            super::say(&format!("replaces {}:", restore.places.database));
            told(&restore.places.database, present).iter().for_each(|line| super::say(&format!("  {line}")));
        }
    }
    say_erased(&mut restore, present.as_ref(), args.with_erased);
    if !args.yes {
        ask()?;
    }
    let (imported, kept) = match &restore.places.database {
        StoreLocation::File(database) => files::replace(&restore, database, present.is_some())?,
        StoreLocation::Url(_) => shared::replace(&restore, present.as_ref())?,
    };
    say_done(&restore, &imported, &kept);
    Ok(())
}

/// How often and after what time it is tried again to have a shared database alone.
const TRIES: u32 = 10;
const AGAIN: Duration = Duration::from_millis(200);

/// Keeps servers away while it is held.
fn alone(database: &StoreLocation) -> Result<Box<dyn std::any::Any>> {
    match database {
        StoreLocation::File(file) => match ServerLock::take(file) {
            Ok(lock) => Ok(Box::new(lock)),
            Err(Error::State { reason, .. }) if reason.starts_with("another `faceattend serve`") => {
                let reason = format!(
                    "`faceattend serve` works with {}: stop it first (`systemctl stop faceattend`)",
                    file.display()
                );
                Err(Error::State { what: "restore", reason })
            }
            Err(error) => Err(error),
        },
        StoreLocation::Url(_) => {
            // PostgreSQL takes a moment to hear that a process is gone.
            for _ in 0..TRIES {
                if let Some(lock) = database.lock(LockName::Restore)? {
                    return Ok(Box::new(lock));
                }
                std::thread::sleep(AGAIN);
            }
            let reason = format!("a server works with {database}, or another restore: stop every server first");
            Err(Error::State { what: "restore", reason })
        }
    }
}

/// What is there: `None` where nothing is; a survey without rows where it cannot be read.
fn present(database: &StoreLocation) -> Option<Survey> {
    match database {
        StoreLocation::File(file) if !file.exists() => None,
        _ => match database.survey() {
            Ok(survey) if survey.rows.is_empty() && database.is_shared() => None,
            Ok(survey) => Some(survey),
            Err(error) => Some(Survey { problems: vec![error.to_string()], ..Survey::default() }),
        },
    }
}

fn told(database: &StoreLocation, present: &Survey) -> Vec<String> {
    let rows = |table| present.rows.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows);
    let mut lines = vec![format!(
        "{} people, {} marks, {} accounts, schema {}",
        rows("students"),
        rows("attendance_log"),
        rows("admin_users"),
        present.schema
    )];
    if let StoreLocation::File(file) = database
        && let Ok(metadata) = file.metadata()
    {
        let changed = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        lines.push(format!("{}, changed at {}", size(metadata.len()), time(changed)));
    }
    lines.extend(present.problems.iter().map(|problem| format!("problem: {problem}")));
    lines
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "none".into(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Finds who was erased since the back-up, and says what becomes of them: the law asks that they do not come back.
fn say_erased(restore: &mut Restore<'_>, present: Option<&Survey>, with_erased: bool) {
    let known = present.is_some_and(|present| present.schema == newest_version() && present.problems.is_empty());
    let found = if known {
        let store = restore.places.database.open(TemplateKeys::none());
        store.and_then(|store| lineage(&restore.looked, &*store))
    } else {
        Ok(Lineage::Unknown)
    };
    match found {
        Ok(Lineage::Later { erased }) if erased.is_empty() => {}
        Ok(Lineage::Later { erased }) if with_erased => {
            super::say(&format!(
                "{} people who were erased, merged or deleted since COME BACK (--with-erased).",
                erased.len()
            ));
        }
        Ok(Lineage::Later { erased }) => {
            super::say(&format!(
                "{} people of the back-up were erased, merged or deleted since: they stay away, with their faces and \
                 marks. --with-erased brings them back, where that was a mistake.",
                erased.len()
            ));
            restore.erased = erased;
        }
        _ => super::say(&format!(
            "Who was erased after {} cannot be known from what is there. If somebody was, erase them again: the \
             receipts of erasures name them.",
            time(Some(restore.looked.summary.made_at))
        )),
    }
}

fn ask() -> Result<()> {
    if !std::io::stdin().is_terminal() {
        let reason = "there is no terminal to ask at: read the lines above, and run it again with --yes".into();
        return Err(Error::State { what: "nothing was changed", reason });
    }
    let _ = write!(std::io::stdout(), "Restore? Type yes: ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    Err(Error::State { what: "nothing was changed", reason: "the answer was not yes".into() })
}

fn say_done(restore: &Restore<'_>, imported: &Imported, kept: &[PathBuf]) {
    let rows: u64 = imported.rows.iter().map(|(_, rows)| rows).sum();
    super::say(&format!("{rows} rows are in {}.", restore.places.database));
    if imported.of_nobody > 0 {
        super::say(&format!("{} rows of people who are not there were left out.", imported.of_nobody));
    }
    if !imported.unreadable.is_empty() {
        super::say(&format!(
            "{} rows cannot be read, and this database cannot keep them as they are: {}",
            imported.unreadable.len(),
            imported.unreadable.join(", ")
        ));
    }
    for file in kept {
        super::say(&format!("What was there before is kept in {}.", file.display()));
    }
    if !kept.is_empty() {
        super::say("Delete it once all is well: it holds faces and accounts.");
    }
    if let Some(file) = &restore.template_keys {
        super::say(&format!("The faces are encrypted: start the server with --template-key-file {}", file.display()));
    }
    if let Some((part, file)) = settings_of(restore) {
        super::say(&format!(
            "The {part} of the back-up are in {}: compare them with yours; nothing uses them by itself.",
            file.display()
        ));
    }
    for what in restore.looked.summary.not_included.iter().filter(|what| what.contains("FACEATTEND_")) {
        super::say(&format!("The back-up does not have {what}."));
    }
}

/// The file of settings of the back-up, which names folders and addresses of its machine: it is put beside.
fn settings_of(restore: &Restore<'_>) -> Option<(Part, PathBuf)> {
    restore.looked.part(Part::Settings)?;
    let file = restore.beside(&restore.places.dir.join("settings.toml"), "of-the-back-up");
    Some((Part::Settings, file))
}
