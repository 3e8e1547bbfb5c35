//! `faceattend db check | migrate | export | import`: the database as a whole.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use faceattend_core::backlog::waiting_in;
use faceattend_core::own_file::{self, Readers};
use faceattend_core::store::{Counts, NewAuditEntry, Present, Store, Survey, schema};
use faceattend_core::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::commands::data_dir::data_dir;
use crate::commands::database::{DatabaseArgs, Place, WAITING_BESIDE, that_is_there};

/// Checks, migrates and copies the database.
///
/// To move from SQLite to PostgreSQL: stop the server, `faceattend db export school.jsonl`, `faceattend db import
/// school.jsonl --database postgres://...`, and start the server with that --database.
#[derive(Debug, Args)]
pub struct DbArgs {
    /// The folder of the database, unless --database names one
    #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks the database without changing it, and fails when something is wrong
    Check,
    /// Brings the database to this version's schema; only adds, so that every row and the replaced service's own
    /// columns stay
    Migrate,
    /// Writes every row, with faces and accounts, into a file of JSON lines that only its owner can read
    Export {
        /// The file, which must not exist
        file: PathBuf,
    },
    /// Inserts the rows of an export into the database: all of them or, when anything is wrong, none
    Import {
        /// A file that `faceattend db export` wrote, from any kind of database
        file: PathBuf,
        /// Deletes the rows of the database first, in the same transaction. Without this the database must be empty
        #[arg(long)]
        replace: bool,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// [`Error::State`] when a check found something wrong; those of the files and of the store.
pub fn run(args: DbArgs) -> Result<()> {
    let place = args.database.place(|| data_dir(args.data_dir))?;
    match args.action {
        Action::Check => check(&that_is_there(place)?),
        Action::Migrate => migrate(&that_is_there(place)?),
        Action::Export { file } => export(&that_is_there(place)?, &file),
        Action::Import { file, replace } => {
            import(&place, &file, if replace { Present::Replace } else { Present::Refuse })
        }
    }
}

fn check(place: &Place) -> Result<()> {
    let survey = place.survey()?;
    super::say(&told(place, &survey));
    if survey.problems.is_empty() {
        return Ok(());
    }
    let reason = format!("{}: restore a back-up, or mend it by hand", survey.problems.join("; "));
    Err(Error::State { what: "the database is not sound", reason })
}

/// What a look found, in lines.
fn told(place: &Place, survey: &Survey) -> String {
    let newest = schema::newest_version();
    let mut lines = vec![place.to_string()];
    lines.push(match survey.schema {
        found if found == newest => format!("schema {found}, the newest"),
        0 if survey.rows.is_empty() => "no schema".to_owned(),
        0 => format!(
            "the replaced service's schema: `faceattend db migrate` or a start of the server adds what {newest} needs"
        ),
        found if found < newest => {
            format!("schema {found}: `faceattend db migrate` or a start of the server brings it to {newest}")
        }
        found => format!("schema {found}, newer than the {newest} of this version: use the version that wrote it"),
    });
    lines.extend(counted(&survey.rows));
    lines.extend(survey.problems.iter().map(|problem| format!("problem: {problem}")));
    lines.join("\n")
}

fn counted(rows: &Counts) -> impl Iterator<Item = String> {
    rows.iter().map(|(table, rows)| format!("{rows:>10} {table}"))
}

fn migrate(place: &Place) -> Result<()> {
    let before = place.survey()?;
    let store = place.open_portable()?;
    let after = place.survey()?;
    // Nobody else writes while a school moves; but a server that runs may.
    let lost: Vec<_> = before
        .rows
        .iter()
        .filter(|(table, rows)| after.rows.iter().any(|(other, now)| other == table && now < rows))
        .map(|(table, _)| *table)
        .collect();
    if before.schema == after.schema {
        super::say(&format!("{place} has schema {} already.", after.schema));
        return Ok(());
    }
    audit(&*store, "database migrate", format!("from schema {} to {}", before.schema, after.schema))?;
    super::say(&format!("{place} went from schema {} to {}.", before.schema, after.schema));
    if !lost.is_empty() {
        tracing::warn!(tables = lost.join(", "), "fewer rows than before: did a server delete some meanwhile?");
    }
    Ok(())
}

fn export(place: &Place, file: &Path) -> Result<()> {
    let io = |action: &'static str, path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    };
    if file.exists() {
        let reason = format!("{} is there: an export overwrites nothing", file.display());
        return Err(Error::InvalidInput { what: "export file", reason });
    }
    let store = place.open_portable()?;
    // Beside it and then in its place: what is there under its name is whole.
    let beside = own_file::beside(file, ".part");
    // It holds faces and password hashes. What is there already is somebody else's, or a link to it.
    let created = own_file::create_new(&beside, Readers::Owner).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let reason =
                format!("{} is there: delete it, if it is what an export that was cut off has left", beside.display());
            Error::InvalidInput { what: "export file", reason }
        }
        _ => io("create", &beside)(source),
    })?;
    let part = Part(beside);
    let mut out = BufWriter::new(created);
    let bar = bar();
    let rows = store.export(&mut out, &mut |rows| bar.set_position(rows))?;
    bar.finish_and_clear();
    let out = out.into_inner().map_err(|error| io("write", &part.0)(error.into_error()))?;
    out.sync_all().map_err(io("write", &part.0))?;
    std::fs::rename(&part.0, file).map_err(io("create", file))?;
    let total = total(&rows);
    audit(&*store, "database export", format!("{total} rows"))?;
    counted(&rows).for_each(|line| super::say(&line));
    if let Place::File(path) = place
        && let Ok(waiting @ 1..) = waiting_in(&own_file::beside(path, WAITING_BESIDE))
    {
        super::say(&format!(
            "{waiting} marks or log entries wait beside the database, and are not in it: start the server"
        ));
    }
    super::say(&format!(
        "{total} rows of {place} are in {}. It holds faces and accounts: keep it as safe as the database.",
        file.display()
    ));
    Ok(())
}

/// A file that is gone when it is not finished.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn import(place: &Place, file: &Path, present: Present) -> Result<()> {
    let opened = File::open(file).map_err(|source| Error::Io { action: "read", path: file.to_owned(), source })?;
    let store = place.open_portable()?;
    let bar = bar();
    let imported = store.import(&mut BufReader::new(opened), present, &mut |rows| bar.set_position(rows));
    bar.finish_and_clear();
    let imported = imported.map_err(|error| match error {
        Error::State { what: what @ "the database is not empty", .. } => {
            let reason = format!("nothing was changed in {place}. With --replace its rows are deleted first");
            Error::State { what, reason }
        }
        other => other,
    })?;
    let total = total(&imported.rows);
    audit(&*store, "database import", format!("{total} rows"))?;
    counted(&imported.rows).for_each(|line| super::say(&line));
    super::say(&format!("{total} rows are in {place}."));
    if imported.of_nobody > 0 {
        super::say(&format!("{} marks and templates of students who are not there were left out.", imported.of_nobody));
    }
    Ok(())
}

fn total(rows: &Counts) -> u64 {
    rows.iter().map(|(_, rows)| rows).sum()
}

fn audit<S: Store + ?Sized>(store: &S, action: &str, details: String) -> Result<()> {
    let entry = NewAuditEntry {
        at: Timestamp::now(),
        actor: "command line".into(),
        action: action.into(),
        subject: None,
        details: Some(details),
    };
    store.add_audit(&entry).map(drop)
}

/// It shows itself on a terminal only.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} rows, {elapsed}");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

#[cfg(test)]
mod tests {
    use faceattend_core::store::prelude::*;
    use faceattend_core::store::{Page, SqliteStore};

    use super::*;

    fn filled(path: &Path) -> SqliteStore {
        let store = SqliteStore::open(path).unwrap();
        store.create_student("Asha", "R1", Timestamp::now()).unwrap();
        store
    }

    #[test]
    fn an_export_is_whole_private_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (database, file) = (folder.path().join("a.db"), folder.path().join("a.jsonl"));
        filled(&database);
        let place = Place::File(database);
        export(&place, &file).unwrap();
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(!folder.path().join("a.jsonl.part").exists());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("\"Asha\""));
        assert!(export(&place, &file).unwrap_err().to_string().contains("overwrites nothing"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }

    #[test]
    fn an_import_fills_an_empty_database_and_replaces_only_when_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        filled(&path("a.db"));
        export(&Place::File(path("a.db")), &path("a.jsonl")).unwrap();
        let to = Place::File(path("b.db"));
        import(&to, &path("a.jsonl"), Present::Refuse).unwrap();
        let store = SqliteStore::open(path("b.db")).unwrap();
        store.create_student("Bela", "R2", Timestamp::now()).unwrap();
        let refused = import(&to, &path("a.jsonl"), Present::Refuse).unwrap_err().to_string();
        assert!(refused.contains("--replace"), "{refused}");
        assert_eq!(store.students(None, Page::ALL).unwrap().total, 2);
        import(&to, &path("a.jsonl"), Present::Replace).unwrap();
        assert_eq!(store.students(None, Page::ALL).unwrap().total, 1);
        let newest = store.audit(Page::ALL).unwrap().items.remove(0).entry;
        assert_eq!((newest.actor.as_str(), newest.action.as_str()), ("command line", "database import"));
    }

    #[test]
    fn a_check_tells_what_to_do_and_fails_when_something_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        filled(&path);
        let place = Place::File(path.clone());
        check(&place).unwrap();
        migrate(&place).unwrap();
        let text = told(&place, &place.survey().unwrap());
        assert!(text.contains("the newest") && text.contains("         1 students"), "{text}");
        let old = Survey { schema: 0, rows: vec![("students", 3)], problems: vec!["it burns".into()] };
        let text = told(&place, &old);
        assert!(text.contains("faceattend db migrate") && text.contains("problem: it burns"), "{text}");
        std::fs::write(&path, vec![b'x'; 5000]).unwrap();
        assert!(check(&place).is_err());
    }
}
