//! The store in one SQLite file. This file and its folder are the only place that knows `rusqlite`.
//!
//! One connection writes, so that writers queue here instead of failing with "busy"; a pool reads.
//! Write-ahead logging lets reads go on while a write runs. `synchronous=FULL` makes a commit return only after the
//! log is on the disk: a killed process would lose nothing with `NORMAL` either, because the log is already with the
//! kernel, but a power cut would take back attendance that a person saw acknowledged, and there are only a few writes
//! a person a day. Another process on the same file (the existing service, a second server) is waited for up to
//! [`BUSY_TIMEOUT`], and every write begins as `IMMEDIATE`, so that what a transaction read still holds when it writes.

mod accounts;
mod alone;
mod attendance;
mod audit;
mod connection;
mod deferred;
mod detection_logs;
mod enrol;
mod inspect;
mod kept_cameras;
mod keys;
mod kiosks;
mod merge;
mod notices;
mod old_rows;
mod outbox;
mod portable;
mod privacy;
mod reseal;
mod roster_marks;
mod rosters;
mod schema;
mod second_looks;
mod seen;
mod sessions;
mod students;
mod templates;
mod writer;

pub use inspect::Inspection;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, TransactionBehavior};

use super::codec::TemplateKeys;
use super::notices::Follower;
use super::{Cluster, Store, StoreTrouble};
use crate::error::{Error, Result};
use connection::{BUSY_TIMEOUT, FOR_READERS, Fault, Outcome, Time, make_private, prepare_writer};
use schema::migrate;
use sessions::{completed_session, use_up};
use students::{insert_student, student, touch};
use templates::{visit_written_since, write_templates};
use writer::Writer;

/// How texts are compared byte by byte: as they always are here.
const AS_BYTES: &str = "";

/// Connections for reading: enough for the blocking threads of a server on a common machine, at 2 MB of cache each.
const READERS: u32 = 8;

/// The store in one SQLite file.
pub struct SqliteStore {
    writer: Writer,
    readers: r2d2::Pool<SqliteConnectionManager>,
    keys: TemplateKeys,
    path: PathBuf,
    /// Tells this store's notices from others'.
    name: String,
    /// A hash of the attendance rows whose times were spelled otherwise when they were looked at last.
    unreadable: AtomicU64,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStore")
    }
}

impl SqliteStore {
    /// The store in the file at `path`, which is made when it is not there, readable by its owner alone. A database
    /// of the existing service, or of an earlier version of this library, is brought to the current schema first.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be made; [`Error::Store`] when it is no SQLite database, is not one of the
    /// service's, or was written by a newer version of this library.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with_keys(path, TemplateKeys::none())
    }

    /// As [`open`](Self::open), where faces are encrypted: what is written is sealed with the first of `keys`, and what
    /// is read may be plain or sealed with any of them. What none of them opens is [`Error::Store`] when it is read.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_keys(path: impl AsRef<Path>, keys: TemplateKeys) -> Result<Self> {
        let path = path.as_ref();
        make_private(path)?;
        let failed =
            |error: rusqlite::Error| Fault::Sql(error).while_doing(&format!("open the database {}", path.display()));
        let mut writer = Connection::open(path).map_err(failed)?;
        prepare_writer(&writer).map_err(failed)?;
        migrate(&mut writer).map_err(|fault| fault.while_doing(&format!("migrate the database {}", path.display())))?;

        let manager = SqliteConnectionManager::file(path).with_init(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "query_only", true)
        });
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(BUSY_TIMEOUT)
            .build(manager)
            .map_err(|source| Error::Store {
                reason: "cannot make the pool of readers".into(),
                source: Some(source.into()),
            })?;
        let name = uuid::Uuid::new_v4().simple().to_string();
        Ok(Self { writer: Writer::new(writer), readers, keys, path: path.into(), name, unreadable: AtomicU64::new(0) })
    }

    /// Runs `change` as one transaction.
    fn write<T>(&self, doing: &str, change: impl FnOnce(&Connection) -> Outcome<T>) -> Result<T> {
        let run = |connection: &mut Connection| -> Outcome<T> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        let Some(done) = self.writer.in_turn(run) else {
            return Err(StoreTrouble::Busy.while_doing(doing, "others write".into()));
        };
        done.map_err(|fault| fault.while_doing(doing))
    }

    /// Empties SQLite's log: pages in it still hold what was deleted or changed. A reader can stand in the way, and
    /// then they are overwritten later; nobody waits long for that.
    fn empty_log(&self) {
        let emptied = self.writer.in_turn(|connection| {
            connection.busy_timeout(FOR_READERS)?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
        });
        if !matches!(emptied, Some(Ok(true))) {
            tracing::info!("the database's log could not be emptied while others read; deleted rows leave it later");
        }
    }

    /// Runs `query` on one snapshot of the database.
    fn read<T>(&self, doing: &str, query: impl FnOnce(&Connection) -> Outcome<T>) -> Result<T> {
        let mut connection =
            self.readers.get().map_err(|source| StoreTrouble::Busy.while_doing(doing, source.into()))?;
        let run = || -> Outcome<T> { query(&*connection.transaction()?) };
        run().map_err(|fault| fault.while_doing(doing))
    }
}

impl Store for SqliteStore {
    fn check(&self) -> Result<()> {
        self.read("reach the database", |db| Ok(db.query_row("SELECT 1 FROM schema_migrations", [], |_| Ok(()))?))
    }

    fn follow(&self) -> Result<Box<dyn Follower>> {
        let following = notices::Following::begin(&self.path, &self.name);
        let following = following.map_err(|error| Fault::Sql(error).while_doing("follow the database"))?;
        Ok(Box::new(following))
    }

    fn cluster(&self) -> Option<&dyn Cluster> {
        None
    }
}
