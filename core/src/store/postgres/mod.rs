//! The store in PostgreSQL, for when one machine is not enough. This file and its folder are the only place that knows
//! the crate `postgres`.
//!
//! Servers share the database and write at the same time, so nothing here relies on being alone: rows that a decision
//! depends on are locked before it is made, and what must happen once is a unique key. A write is one transaction in
//! READ COMMITTED; a read is one snapshot. `synchronous_commit` is on, whatever the database's default: what was
//! acknowledged survives a power cut, as it does in the file of [`SqliteStore`](super::SqliteStore).
//!
//! The tables are those of SQLite with PostgreSQL's types (see [`schema`]); times are naive UTC. Text is text: the
//! widths that the existing service declares are not enforced there either, and a camera's place that is too long must
//! not cost a mark.

mod accounts;
mod attendance;
mod audit;
mod cluster;
mod connection;
mod deferred;
mod detection_logs;
mod enrol;
mod kept_cameras;
mod keys;
mod kiosks;
mod locks;
mod merge;
mod notices;
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

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use postgres::error::SqlState;
use postgres::{Row, Transaction};

use super::codec::TemplateKeys;
use super::notices::Follower;
use super::rules::{TAKEN, TAKEN_NAME};
use super::{Cluster, Store, StoreTrouble};
use crate::error::{Error, Result};
use connection::{Pool, is_lost};

/// How texts are compared byte by byte, whatever the database's collation is.
const AS_BYTES: &str = " COLLATE \"C\"";

/// The store in a PostgreSQL database.
///
/// Every call waits for the database, with a client that runs its own executor: from asynchronous code, call it on a
/// thread that may block. That client also tells the log, at the level `debug` and under the name `tokio_postgres`, the
/// values of its statements: keep that name at `warn`, as the server does, or faces and password hashes are in the log.
pub struct PostgresStore {
    pool: Pool,
    keys: TemplateKeys,
    /// Tells this store's notices from others'.
    name: String,
}

/// Names no address: it may hold a password.
impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresStore")
    }
}

/// What can stop a transaction: the database, or an answer of ours.
enum Fault {
    Sql(postgres::Error),
    Ours(Error),
}

impl From<postgres::Error> for Fault {
    fn from(error: postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Fault {
    fn while_doing(self, doing: &str) -> Error {
        let error = match self {
            Self::Ours(error) => return error,
            Self::Sql(error) => error,
        };
        // Two servers at once: the unique key decides, and the one that lost is told what it would have been told
        // before.
        if let Some(database) = error.as_db_error() {
            let constraint = database.constraint().unwrap_or_default();
            match *database.code() {
                SqlState::UNIQUE_VIOLATION if constraint.contains("roll_") => return TAKEN,
                SqlState::UNIQUE_VIOLATION if constraint.contains("username") => return TAKEN_NAME,
                SqlState::CHARACTER_NOT_IN_REPERTOIRE | SqlState::UNTRANSLATABLE_CHARACTER => {
                    return Error::invalid_input("text", "PostgreSQL keeps no NUL character");
                }
                SqlState::STRING_DATA_RIGHT_TRUNCATION => {
                    return Error::invalid_input("text", "it is longer than its column in this database");
                }
                _ => {}
            }
        }
        match trouble_of(&error) {
            Some(trouble) => trouble.while_doing(doing, without_values(error)),
            None => Error::Store { reason: format!("cannot {doing}"), source: Some(without_values(error)) },
        }
    }
}

/// Returns what PostgreSQL's code says about the server, its disk, and the other programs on it.
fn trouble_of(error: &postgres::Error) -> Option<StoreTrouble> {
    if is_lost(error) {
        return Some(StoreTrouble::Lost);
    }
    let code = error.code()?;
    if *code == SqlState::DISK_FULL {
        return Some(StoreTrouble::Full);
    }
    // A server that has become a standby, or is kept from writing by its operator.
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Some(StoreTrouble::ReadOnly);
    }
    if *code == SqlState::IO_ERROR {
        return Some(StoreTrouble::Disk);
    }
    let busy = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::OUT_OF_MEMORY,
        SqlState::TOO_MANY_CONNECTIONS,
    ];
    busy.contains(code).then_some(StoreTrouble::Busy)
}

/// The database's error without its details, which quote the values of a row.
fn without_values(error: postgres::Error) -> crate::error::Cause {
    match error.as_db_error() {
        Some(database) => format!("{}: {}", database.code().code(), database.message()).into(),
        None => error.into(),
    }
}

type Outcome<T> = std::result::Result<T, Fault>;

impl PostgresStore {
    /// The store in the database at `url`, such as `postgres://user:password@host/database?sslmode=require`. A database
    /// of the existing service, or of an earlier version of this library, is brought to the current schema first; of
    /// several servers that start at once one does it.
    ///
    /// With `sslmode=require` (the default for another machine) the connection is encrypted, and the server's
    /// certificate checked against the web's authorities, or against those in the PEM file that `sslrootcert=FILE`
    /// names.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a URL that is none; [`Error::Store`] when the database does not answer, refuses the
    /// user, or was written by a newer version of this library. No message holds the password.
    pub fn open(url: &str) -> Result<Self> {
        Self::open_with_keys(url, TemplateKeys::none())
    }

    /// As [`open`](Self::open), where faces are encrypted: what is written is sealed with the first of `keys`, and what
    /// is read must be sealed with one of them, unless they accept plain values.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_keys(url: &str, keys: TemplateKeys) -> Result<Self> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let store = Self { pool: Pool::open(url)?, keys, name };
        store.write("migrate the database", schema::migrate)?;
        Ok(store)
    }

    /// Runs `change` as one transaction.
    fn write<T>(&self, doing: &str, change: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>) -> Result<T> {
        self.pool.run(doing, false, change)
    }

    /// Runs `query` on one snapshot of the database.
    fn read<T>(&self, doing: &str, query: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>) -> Result<T> {
        self.pool.run(doing, true, query)
    }
}

impl Store for PostgresStore {
    fn check(&self) -> Result<()> {
        self.read("reach the database", |db| {
            db.query_one("SELECT max(version) FROM schema_migrations", &[])?;
            Ok(())
        })
    }

    fn follow(&self) -> Result<Box<dyn Follower>> {
        Ok(Box::new(notices::Following::begin(self.pool.connector(), &self.name)?))
    }

    fn cluster(&self) -> Option<&dyn Cluster> {
        Some(self)
    }
}

/// A time as a column holds it: naive UTC, to the microsecond.
fn micros(at: Timestamp) -> DateTime {
    cut(at, Unit::Microsecond)
}

/// The same in whole seconds, as the existing service's database writes `created_at` and `updated_at`.
fn seconds(at: Timestamp) -> DateTime {
    cut(at, Unit::Second)
}

fn cut(at: Timestamp, unit: Unit) -> DateTime {
    let naive = TimeZone::UTC.to_datetime(at);
    let cut = jiff::civil::DateTimeRound::new().smallest(unit).mode(jiff::RoundMode::Trunc);
    // Cutting off cannot leave the range of times.
    naive.round(cut).unwrap_or(naive)
}

/// The time in a column of naive UTC.
fn time(row: &Row, column: usize) -> Outcome<Option<Timestamp>> {
    let naive: Option<DateTime> = row.try_get(column)?;
    Ok(naive.and_then(|naive| TimeZone::UTC.to_timestamp(naive).ok()))
}

/// The same where a query leaves no null.
fn certain_time(row: &Row, column: usize) -> Outcome<Timestamp> {
    Ok(time(row, column)?.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A count, which is never negative.
fn count(row: &Row, column: usize) -> Outcome<u64> {
    Ok(u64::try_from(row.try_get::<_, i64>(column)?).unwrap_or(0))
}
