//! Which database a command works with: a SQLite file, or a PostgreSQL by its URL.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
pub use faceattend_core::store::StoreLocation as Place;
pub(crate) use faceattend_core::store::redacted;
use faceattend_core::{Error, Result, own_file};

/// The database's file in the data directory: the name that the replaced service gave it.
pub(crate) const DATABASE: &str = "face_attendance.db";

/// What the name of the file ends with in which writes wait for a SQLite file, beside it.
pub(crate) const WAITING_BESIDE: &str = "-waiting";

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
    /// [`Error::InvalidInput`] for the URL of another kind of database, and those of `dir`; [`Error::State`] while a
    /// restore of a file is not finished.
    pub fn place(&self, dir: impl FnOnce() -> Result<PathBuf>) -> Result<Place> {
        let place = self.place_for_server(dir)?;
        if let Place::File(file) = &place
            && restore_plan(Path::new(""), &place).exists()
        {
            let reason = format!(
                "a restore of {} is at work, or was cut off: start the server or run `faceattend restore --finish`, \
                 which finish it",
                file.display()
            );
            return Err(Error::State { what: "database", reason });
        }
        Ok(place)
    }

    /// The same for who finishes a restore that was cut off.
    ///
    /// # Errors
    /// As [`place`](Self::place), but for the last.
    pub(crate) fn place_for_server(&self, dir: impl FnOnce() -> Result<PathBuf>) -> Result<Place> {
        match self.database.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Place::parse(text),
            None => Ok(Place::File(dir()?.join(DATABASE))),
        }
    }
}

/// Returns the file that tells of a restore at work: beside a file of SQLite, in the data folder for PostgreSQL.
pub(crate) fn restore_plan(dir: &Path, database: &Place) -> PathBuf {
    match database {
        Place::File(file) => own_file::beside(file, "-restore"),
        Place::Url(_) => dir.join("database-restore"),
    }
}

/// Returns `place` if a database is there: a wrong folder must not look like a database without anybody in it.
///
/// # Errors
/// [`Error::InvalidInput`] for a file that is not there.
pub(crate) fn that_is_there(place: Place) -> Result<Place> {
    match &place {
        Place::File(path) if !path.is_file() => {
            let reason = format!(
                "{} is not there: give the server's folder with --data-dir, or its database with --database",
                path.display()
            );
            Err(Error::InvalidInput { what: "database", reason })
        }
        Place::File(_) | Place::Url(_) => Ok(place),
    }
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
        let refused = that_is_there(Place::File(path.clone())).unwrap_err().to_string();
        assert!(refused.contains("none.db") && refused.contains("--database"), "{refused}");
        assert!(Place::File(path.clone()).survey().is_err() && !path.exists());
    }
}
