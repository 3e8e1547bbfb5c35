//! A SQLite file has one server. Other programs on the file (Django, the module, the command line) are welcome.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use faceattend_core::{Error, Result};

/// Holds a database file for one server until it is dropped. The operating system releases it when the process dies,
/// however it dies.
#[derive(Debug)]
pub(crate) struct ServerLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl ServerLock {
    /// Takes the lock of `database`, which is there already.
    ///
    /// The lock is a file beside the database and not the database itself: closing another handle of the database's file
    /// would take SQLite's own locks away. It stays behind, empty: who deletes a lock file may delete another's.
    ///
    /// # Errors
    /// [`Error::State`] when another server holds it; [`Error::Io`] when the lock file cannot be made.
    pub(crate) fn take(database: &Path) -> Result<Self> {
        // A link names the same database: it has the same lock.
        let whole = database.canonicalize().unwrap_or_else(|_| database.to_owned());
        let path = lock_file_of(&whole);
        let io = |source| Error::Io { action: "lock", path: path.clone(), source };
        let file = File::options().create(true).append(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::State {
                what: "database",
                reason: format!(
                    "another `faceattend serve` works with {}: stop it first, or let several servers share a PostgreSQL \
                     database (--database postgres://...)",
                    database.display()
                ),
            }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

fn lock_file_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-server-lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_server_under_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["school.db", "other.db"].map(|name| folder.path().join(name));
        std::fs::write(&file, "").unwrap();
        std::fs::write(&other, "").unwrap();
        let held = ServerLock::take(&file).unwrap();
        let refused = ServerLock::take(&file).unwrap_err().to_string();
        assert!(refused.contains("another `faceattend serve`") && refused.contains("school.db"), "{refused}");
        #[cfg(unix)]
        {
            let link = folder.path().join("link.db");
            std::os::unix::fs::symlink(&file, &link).unwrap();
            assert!(ServerLock::take(&link).is_err(), "a link names the same file");
        }
        ServerLock::take(&other).unwrap();
        drop(held);
        ServerLock::take(&file).unwrap();
    }
}
