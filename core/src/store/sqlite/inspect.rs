//! Looking at a database file without changing it, for those who ask what is wrong with it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::TemplateForms;
use super::super::schema::newest_version;
use super::{Outcome, SqliteStore, Time, old_rows, reseal};
use crate::error::{Error, Result};

/// How long to wait for somebody who writes.
const WAIT: Duration = Duration::from_secs(5);
/// The tables that every database of the service has.
const TABLES: [&str; 2] = ["students", "attendance_log"];

/// What a database file is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its schema: 0 for one of the existing service that this library never opened.
    pub schema: i64,
    /// The newest version that this library knows, and brings an older one to when it opens it.
    pub newest_schema: i64,
    /// What SQLite finds wrong with the file, in its words; empty when it is sound.
    pub damage: Vec<String>,
    /// Why nothing can be written to it; `None` when something can.
    pub not_writable: Option<String>,
    /// How the values that hold a face lie there; `None` where the schema is not the newest.
    pub forms: Option<TemplateForms>,
    /// When the latest attendance was; a clock that is behind it is wrong.
    pub latest_attendance: Option<Timestamp>,
    /// What a person has to look at, a sentence each: rows whose time cannot be read, which no list shows, and students
    /// whose roll numbers are one, written differently.
    pub to_mend: Vec<String>,
}

impl SqliteStore {
    /// What the database at `path` is like. Nothing in it is changed, and a running server works on. Reads all of it.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no such file; [`Error::Store`] when it is no SQLite database, or not the service's.
    pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection> {
        let path = path.as_ref();
        std::fs::metadata(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source })?;
        look(path).map_err(|fault| fault.while_doing("read the database: is it a SQLite file of the service?"))
    }
}

fn look(path: &Path) -> Outcome<Inspection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(WAIT)?;
    let has = |db: &Connection, table: &str| -> rusqlite::Result<bool> {
        let query = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";
        db.query_row(query, [table], |row| row.get(0))
    };
    for table in TABLES {
        if !has(&db, table)? {
            return Err(Error::Store { reason: "it is no database of the service".into(), source: None }.into());
        }
    }
    let schema = if has(&db, "schema_migrations")? {
        db.query_row("SELECT COALESCE(max(version), 0) FROM schema_migrations", [], |row| row.get(0))?
    } else {
        0
    };
    let damage: Vec<String> =
        db.prepare("PRAGMA integrity_check(20)")?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let damage: Vec<String> = damage.into_iter().filter(|line| line != "ok").collect();
    let sound = damage.is_empty();
    let not_writable = match db.transaction_with_behavior(TransactionBehavior::Immediate) {
        // Dropped, it is rolled back.
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    let forms = if sound && schema == newest_version() { Some(reseal::count(&db)?) } else { None };
    let latest_attendance = if sound {
        let query = "SELECT timestamp FROM attendance_log ORDER BY timestamp DESC LIMIT 1";
        let mut statement = db.prepare(query)?;
        // A time that cannot be read says nothing about the clock.
        statement.query_map([], |row| row.get::<_, Time>(0))?.next().and_then(rusqlite::Result::ok).map(|time| time.0)
    } else {
        None
    };
    let to_mend = if sound { old_rows::to_mend(&db)? } else { Vec::new() };
    Ok(Inspection { to_mend, schema, newest_schema: newest_version(), damage, not_writable, forms, latest_attendance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::prelude::*;

    #[test]
    fn a_sound_database_is_told_as_one_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("face_attendance.db");
        assert!(matches!(SqliteStore::inspect(&path), Err(Error::Io { .. })));
        assert!(!path.exists(), "to look makes no database");
        let store = SqliteStore::open(&path).unwrap();
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let student = store.create_student("A", "R1", now).unwrap().id;
        let face = crate::embedding::Embedding::from_raw(crate::types::ModelId::new("m"), &[1.0, 2.0]).unwrap();
        store.replace_templates(student, &[face], now).unwrap();
        let row =
            "INSERT INTO attendance_log (student_id, timestamp, status) VALUES (1, '2026-03-02 08:00:00', 'Present')";
        Connection::open(&path).unwrap().execute_batch(row).unwrap();
        let seen = SqliteStore::inspect(&path).unwrap();
        assert_eq!((seen.schema, seen.damage.len(), seen.not_writable), (newest_version(), 0, None));
        assert_eq!(seen.forms.unwrap().plain, 3);
        assert_eq!(seen.latest_attendance, Some(now));
    }

    #[test]
    fn damage_and_strangers_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("face_attendance.db");
        let store = SqliteStore::open(&path).unwrap();
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        for n in 0..200 {
            store.create_student("A", &n.to_string(), now).unwrap();
        }
        drop(store);
        Connection::open(&path).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        // The roll numbers' index, or the rows: whichever lies at the end.
        let from = bytes.len() - 4096;
        bytes[from..].fill(0xa5);
        std::fs::write(&path, &bytes).unwrap();
        let told = SqliteStore::inspect(&path);
        assert!(told.as_ref().map_or(true, |seen| !seen.damage.is_empty()), "{told:?}");

        std::fs::write(
            &path,
            b"no database, and long enough to be taken for the head of one: it has a hundred bytes.....",
        )
        .unwrap();
        assert!(matches!(SqliteStore::inspect(&path), Err(Error::Store { .. })));
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
        assert!(SqliteStore::inspect(&other).unwrap_err().to_string().contains("no database of the service"));
    }
}
