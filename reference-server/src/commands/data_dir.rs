//! The folder in which the server keeps the database and its secrets.

use std::path::{Path, PathBuf};

use faceattend_core::own_file::{self, Readers};
use faceattend_core::{Error, Result};

use crate::commands::database::{Place, WAITING_BESIDE};
use crate::commands::io_advice;

/// The file of the JWT secret in the data folder.
pub(crate) const SECRET: &str = "jwt-secret";
/// The file of the receipt key in the data folder.
pub(crate) const RECEIPT_KEY: &str = "receipt-key";
/// The file in the data folder in which marks wait for a PostgreSQL.
const WAITING: &str = "waiting-writes";

/// Returns the data directory, which is `given` or faceattend's folder among the user's data. Creates it if it is
/// missing.
///
/// # Errors
/// [`Error::InvalidInput`] when the folder cannot be written.
pub(crate) fn data_dir(given: Option<PathBuf>) -> Result<PathBuf> {
    let dir = match given {
        Some(dir) => dir,
        None => default_data_dir()?,
    };
    let failed = |error: std::io::Error| {
        // The system says of a file in its place only that it exists.
        let error = if dir.is_file() { std::io::ErrorKind::NotADirectory.into() } else { error };
        let advice = io_advice::advice(&error).map(|advice| format!("; {advice}")).unwrap_or_default();
        let reason =
            format!("{} cannot be written ({error}){advice}. --data-dir chooses another folder", dir.display());
        Error::InvalidInput { what: "data directory", reason }
    };
    std::fs::create_dir_all(&dir).and_then(|()| check_writable(&dir)).map_err(failed)?;
    Ok(dir)
}

/// Writes a file into `dir` and removes it.
///
/// # Errors
/// What the system says when `dir` cannot be written.
pub(crate) fn check_writable(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(format!(".writable-{}", std::process::id()));
    own_file::open_or_create(&probe, Readers::Owner).and_then(|_| std::fs::remove_file(&probe))
}

/// Returns the folder for data that no setting names.
///
/// # Errors
/// [`Error::InvalidInput`] when the user has no home.
pub(crate) fn default_data_dir() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("XDG_DATA_HOME")
        .filter(|dir| dir.is_absolute())
        .or_else(|| from("HOME").map(|home| home.join(".local/share")))
        .or_else(|| from("LOCALAPPDATA"))
        .map(|dir| dir.join("faceattend"))
        .ok_or_else(|| Error::InvalidInput {
            what: "data directory",
            reason: "there is no home: use --data-dir".into(),
        })
}

/// Returns the file in which marks wait for the database: beside a SQLite file; for a PostgreSQL in the data folder,
/// which servers with names may share.
pub(crate) fn waiting_writes(place: &Place, dir: &Path, server: Option<&str>) -> PathBuf {
    let clean = |name: &str| name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    match (place, server) {
        (Place::File(file), _) => own_file::beside(file, WAITING_BESIDE),
        (Place::Url(_), Some(name)) => dir.join(format!("{WAITING}-{}", clean(name))),
        (Place::Url(_), None) => dir.join(WAITING),
    }
}
