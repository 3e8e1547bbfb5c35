//! Which database a command works with: a SQLite file, or a PostgreSQL by its URL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use faceattend_core::store::{Portable, PostgresStore, SqliteStore, Store, Survey, TemplateKeys};
use faceattend_core::{Error, Result};

/// The database's file in the data directory: the name that the replaced service gave it.
pub(crate) const DATABASE: &str = "face_attendance.db";

/// Where the database is.
#[derive(Clone, Default, Args)]
pub struct DatabaseArgs {
    /// The database: a SQLite file, or a PostgreSQL as postgres://USER:PASSWORD@HOST/NAME, better through the
    /// environment or the file, where other users do not see the password [default: face_attendance.db in the data
    /// directory]
    #[arg(long, env = "FACEATTEND_DATABASE", hide_env_values = true, value_name = "FILE|URL", global = true)]
    database: Option<String>,
}

// It may hold a password.
impl fmt::Debug for DatabaseArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseArgs({:?})", self.database.as_deref().map(redacted))
    }
}

impl DatabaseArgs {
    /// The database that is named, else the file in the data directory `dir`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the URL of another kind of database, and those of `dir`.
    pub fn place(&self, dir: impl FnOnce() -> Result<PathBuf>) -> Result<Place> {
        match self.database.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Place::parse(text),
            None => Ok(Place::File(dir()?.join(DATABASE))),
        }
    }
}

/// A database that can be opened. It shows itself without its password.
#[derive(Clone)]
pub enum Place {
    /// SQLite.
    File(PathBuf),
    /// PostgreSQL.
    Url(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&redacted(url)),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self> {
        match text.split_once("://") {
            None => Ok(Self::File(text.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Url(text.to_owned())),
            // As the replaced service spells a file: three slashes before a relative path, four before an absolute one.
            Some(("sqlite", path)) if path.starts_with('/') && path.len() > 1 => Ok(Self::File(path[1..].into())),
            Some((kind, _)) => {
                let reason = format!("{kind}:// is neither a file nor postgres://");
                Err(Error::InvalidInput { what: "database", reason })
            }
        }
    }

    /// Whether several machines can share it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Url(_))
    }

    /// The store, brought to the current schema; a file is made when it is not there.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`] and [`PostgresStore::open`].
    pub fn open(&self, keys: TemplateKeys) -> Result<Arc<dyn Store>> {
        Ok(match self {
            Self::File(path) => Arc::new(SqliteStore::open_with_keys(path, keys)?),
            Self::Url(url) => Arc::new(PostgresStore::open_with_keys(url, keys)?),
        })
    }

    /// As [`open`](Self::open), for copying it whole. What is encrypted stays so, and no key is needed.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_portable(&self) -> Result<Box<dyn Portable>> {
        Ok(match self {
            Self::File(path) => Box::new(SqliteStore::open(path)?),
            Self::Url(url) => Box::new(PostgresStore::open(url)?),
        })
    }

    /// What is in it, with nothing changed for the look.
    ///
    /// # Errors
    /// Those of [`SqliteStore::survey`] and [`PostgresStore::survey`].
    pub fn survey(&self) -> Result<Survey> {
        match self {
            Self::File(path) => SqliteStore::survey(path),
            Self::Url(url) => PostgresStore::survey(url),
        }
    }

    /// This database, if it is there: a wrong folder must not look like a database without anybody in it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a file that is not there.
    pub fn that_is_there(self) -> Result<Self> {
        match &self {
            Self::File(path) if !path.is_file() => {
                let reason = format!(
                    "{} is not there: give the server's folder with --data-dir, or its database with --database",
                    path.display()
                );
                Err(Error::InvalidInput { what: "database", reason })
            }
            Self::File(_) | Self::Url(_) => Ok(self),
        }
    }

    /// The folder that a file lies in.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => path.parent(),
            Self::Url(_) => None,
        }
    }
}

/// `text` without the password that a URL holds before its host or among its parameters.
pub(crate) fn redacted(text: &str) -> String {
    let Some((kind, rest)) = text.split_once("://") else { return text.to_owned() };
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    // A password may hold a sign that should have been encoded: everything up to the last is taken for it.
    let address = match address.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => address.to_owned(),
        },
        None => address.to_owned(),
    };
    let query = query.map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((key, _)) if key.eq_ignore_ascii_case("password") => format!("{key}=***"),
            _ => part.to_owned(),
        });
        format!("?{}", parts.collect::<Vec<_>>().join("&"))
    });
    format!("{kind}://{address}{}", query.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Result<Place> {
        DatabaseArgs { database: Some(text.into()) }.place(|| Ok("/data".into()))
    }

    #[test]
    fn a_database_is_a_file_or_a_postgresql() {
        assert!(matches!(place("a.db").unwrap(), Place::File(path) if path == Path::new("a.db")));
        assert!(matches!(place("sqlite:///a.db").unwrap(), Place::File(path) if path == Path::new("a.db")));
        assert!(matches!(place("sqlite:////srv/a.db").unwrap(), Place::File(path) if path == Path::new("/srv/a.db")));
        assert!(place("postgresql://me@host/db").unwrap().is_shared());
        let none = DatabaseArgs::default().place(|| Ok("/data".into())).unwrap();
        assert!(matches!(none, Place::File(path) if path == Path::new("/data").join(DATABASE)));
        let refused = place("mysql://me:geheim@host/db").unwrap_err().to_string();
        assert!(refused.contains("mysql") && !refused.contains("geheim"), "{refused}");
    }

    #[test]
    fn a_password_is_not_shown() {
        for url in [
            "postgres://me:geheim@host:5432/db?sslmode=require",
            "postgres://me:geh@im:geheim@host/db",
            "postgres://host/db?user=me&password=geheim",
        ] {
            let place = Place::parse(url).unwrap();
            let args = DatabaseArgs { database: Some(url.into()) };
            let shown = format!("{place} {place:?} {args:?}");
            assert!(!shown.contains("geh") && shown.contains("host") && shown.contains("***"), "{shown}");
        }
        assert_eq!(redacted("postgres://me@host/db"), "postgres://me@host/db");
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.db");
        let refused = Place::File(path.clone()).that_is_there().unwrap_err().to_string();
        assert!(refused.contains("none.db") && refused.contains("--database"), "{refused}");
        assert!(Place::File(path.clone()).survey().is_err() && !path.exists());
    }
}
