//! Where a database is: a SQLite file, or a PostgreSQL by its URL.

use std::fmt;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(feature = "postgres")]
use super::PostgresStore;
#[cfg(feature = "sqlite")]
use super::SqliteStore;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::{BackedUp, LockName, Portable, Survey};
use super::{Store, TemplateKeys};
use crate::error::{Error, Result};
use crate::redaction::{self, LoneUser};

/// Opens the database that `location` names: the path of a SQLite file, or `postgres://USER:PASSWORD@HOST/NAME`.
///
/// # Errors
/// Those of [`StoreLocation::parse`] and [`StoreLocation::open`].
///
/// # Examples
/// ```
/// # #[cfg(feature = "sqlite")] {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("attendance.db").display().to_string();
/// let store = faceattend_core::store::open(&file)?;
/// store.create_student("Grace Hopper", "R-1", jiff::Timestamp::now())?;
/// # }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn open(location: &str) -> Result<Arc<dyn Store>> {
    StoreLocation::parse(location)?.open(TemplateKeys::none())
}

/// Where a database is. Neither `Display` nor `Debug` shows the password of a URL.
///
/// ```
/// use faceattend_core::store::StoreLocation;
///
/// let location = StoreLocation::parse("postgres://me:secret@host/attendance")?;
/// assert!(location.is_shared());
/// assert_eq!(location.to_string(), "postgres://me:***@host/attendance");
/// # Ok::<_, faceattend_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// The file of a SQLite database.
    File(PathBuf),
    /// The URL of a PostgreSQL database.
    Url(String),
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&redacted(url)),
        }
    }
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreLocation({self})")
    }
}

impl StoreLocation {
    /// Reads a location: `postgres://` and `postgresql://` are a PostgreSQL; `sqlite:///` and everything without a
    /// scheme is the path of a SQLite file.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for another scheme. The message holds no password.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once("://") {
            None => Ok(Self::File(text.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Url(text.to_owned())),
            // As the replaced service spells a file: three slashes before a relative path, four before an absolute one.
            Some(("sqlite", path)) if path.starts_with('/') && path.len() > 1 => Ok(Self::File(path[1..].into())),
            Some((kind, _)) => {
                Err(Error::invalid_input("database", format!("{kind}:// is neither a file nor postgres://")))
            }
        }
    }

    /// Returns whether several machines can share the database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Url(_))
    }

    /// Opens the store and brings it to the current schema. Creates a file that is not there.
    ///
    /// # Errors
    /// Those of opening the database; [`Error::State`] when this build was made without its kind of database.
    pub fn open(&self, keys: TemplateKeys) -> Result<Arc<dyn Store>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(path) => Ok(Arc::new(SqliteStore::open_with_keys(path, keys)?)),
            #[cfg(feature = "postgres")]
            Self::Url(url) => Ok(Arc::new(PostgresStore::open_with_keys(url, keys)?)),
            #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
            _ => {
                drop(keys);
                Err(self.not_in_this_build())
            }
        }
    }

    /// Opens the database in order to copy it as a whole. What is encrypted stays encrypted, so no key is needed.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub fn open_portable(&self) -> Result<Box<dyn Portable>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(path) => Ok(Box::new(SqliteStore::open(path)?)),
            #[cfg(feature = "postgres")]
            Self::Url(url) => Ok(Box::new(PostgresStore::open(url)?)),
            #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
            _ => Err(self.not_in_this_build()),
        }
    }

    /// Returns what is in the database, without changing it.
    ///
    /// # Errors
    /// Those of reading the database; [`Error::State`] when this build was made without its kind of database.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub fn survey(&self) -> Result<Survey> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(path) => SqliteStore::survey(path),
            #[cfg(feature = "postgres")]
            Self::Url(url) => PostgresStore::survey(url),
            #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
            _ => Err(self.not_in_this_build()),
        }
    }

    /// Writes every row to `to`, as of one moment, for a back-up: in the form of
    /// [`Portable::export`](super::Portable::export), without photographs, and with values that are not of their kind.
    /// The database is not brought to the current schema, and others work with it meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`] when `to` cannot be written; those of reading the database; [`Error::State`] when this build was
    /// made without its kind of database.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub fn back_up(&self, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<BackedUp> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(path) => SqliteStore::back_up(path, to, progress),
            #[cfg(feature = "postgres")]
            Self::Url(url) => PostgresStore::back_up(url, to, progress),
            #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
            _ => {
                let _ = (to, progress);
                Err(self.not_in_this_build())
            }
        }
    }

    /// Takes a lock that several servers of one database share, until the value is dropped or the process dies;
    /// `None` while somebody else holds it. A file has no such lock: its server has it to itself.
    ///
    /// # Errors
    /// Those of reaching the database; [`Error::State`] when this build was made without its kind of database.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub fn lock(&self, name: LockName) -> Result<Option<DatabaseLock>> {
        match self {
            Self::File(_) => Ok(Some(DatabaseLock(None))),
            #[cfg(feature = "postgres")]
            Self::Url(url) => Ok(PostgresStore::lock(url, name)?.map(|held| DatabaseLock(Some(held)))),
            #[cfg(not(feature = "postgres"))]
            Self::Url(_) => {
                let _ = name;
                Err(self.not_in_this_build())
            }
        }
    }

    /// Returns the folder that a file lies in.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => path.parent(),
            Self::Url(_) => None,
        }
    }

    #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
    fn not_in_this_build(&self) -> Error {
        let kind = if self.is_shared() { "postgres" } else { "sqlite" };
        Error::State {
            what: "database",
            reason: format!("this build has no feature `{kind}`: build it with that feature"),
        }
    }
}

/// A lock of a database that is held.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[must_use]
pub struct DatabaseLock(#[expect(dead_code, reason = "held until it is dropped")] Option<Box<dyn Send>>);

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl fmt::Debug for DatabaseLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseLock")
    }
}

/// Returns `text` without the password that a URL holds before its host or among its parameters.
#[must_use]
pub fn redacted(text: &str) -> String {
    redaction::redacted(text, LoneUser::Shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_file_or_a_postgresql() {
        let file = |path: &str| StoreLocation::File(path.into());
        assert_eq!(StoreLocation::parse("a.db").unwrap(), file("a.db"));
        assert_eq!(StoreLocation::parse("sqlite:///a.db").unwrap(), file("a.db"));
        assert_eq!(StoreLocation::parse("sqlite:////srv/a.db").unwrap(), file("/srv/a.db"));
        assert!(StoreLocation::parse("postgresql://me@host/db").unwrap().is_shared());
        let refused = StoreLocation::parse("mysql://me:geheim@host/db").unwrap_err().to_string();
        assert!(refused.contains("mysql") && !refused.contains("geheim"), "{refused}");
    }

    #[test]
    fn a_password_is_not_shown() {
        for url in [
            "postgres://me:geheim@host:5432/db?sslmode=require",
            "postgres://me:geh@im:geheim@host/db",
            "postgres://host/db?user=me&password=geheim",
        ] {
            let location = StoreLocation::parse(url).unwrap();
            let shown = format!("{location} {location:?}");
            assert!(!shown.contains("geh") && shown.contains("host") && shown.contains("***"), "{shown}");
        }
        assert_eq!(redacted("postgres://me@host/db"), "postgres://me@host/db");
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_file_that_is_not_there_is_not_made_by_looking() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.db");
        assert!(StoreLocation::File(path.clone()).survey().is_err() && !path.exists());
    }
}
