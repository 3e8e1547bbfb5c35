//! The folder in which the server keeps the database and its secrets.

use std::path::{Path, PathBuf};

use faceattend_core::own_file::{self, Readers};
use faceattend_core::{Error, Result};

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
    std::fs::create_dir_all(&dir).and_then(|()| check_writable(&dir)).map_err(|error| Error::InvalidInput {
        what: "data directory",
        reason: format!("{} cannot be written ({error}): choose another with --data-dir", dir.display()),
    })?;
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
