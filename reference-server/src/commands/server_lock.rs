//! A SQLite file has one server. Other programs on the file (Django, the module, the command line) are welcome.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use faceattend_core::own_file::{self, Readers};
use faceattend_core::{Error, Result};

use crate::commands::io_advice;

/// Holds a database file for one server until it is dropped. The operating system releases it when the process dies,
/// however it dies.
#[derive(Debug)]
pub(crate) struct ServerLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl ServerLock {
    /// Takes the lock of `database`, which need not be there yet.
    ///
    /// The lock is a file beside the database and not the database itself: closing another handle of the database's
    /// file would take SQLite's own locks away. It stays behind, empty: who deletes a lock file may delete another's.
    /// Two hard links, or two mounts, of one database have two locks.
    ///
    /// # Errors
    /// [`Error::State`] when another server holds it, or when the lock file cannot be made.
    pub(crate) fn take(database: &Path) -> Result<Self> {
        // A link names the same database: it has the same lock. Of a database to come, the folder is there.
        let whole = database.canonicalize().ok().or_else(|| {
            let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(folder.canonicalize().ok()?.join(database.file_name()?))
        });
        let whole = whole.unwrap_or_else(|| database.to_owned());
        let path = lock_file_of(&whole);
        let failed = |source: std::io::Error| Error::State {
            what: "database",
            reason: format!(
                "it cannot be kept for one server ({}: {source}{}): put it into a folder of this machine that the \
                 server may write to, and name it with --database or --data-dir",
                path.display(),
                io_advice::advice(&source).map(|advice| format!("; {advice}")).unwrap_or_default()
            ),
        };
        let file = own_file::open_or_create(&path, Readers::AsUsual).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::State {
                what: "database",
                reason: format!(
                    "another `faceattend serve` works with {}: stop it first, or let several servers share a \
                     PostgreSQL database (--database postgres://...)",
                    database.display()
                ),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
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
        let to_come = folder.path().join("to come.db");
        let held_too = ServerLock::take(&to_come).unwrap();
        std::fs::write(&to_come, "").unwrap();
        assert!(ServerLock::take(&to_come).is_err(), "the lock is the same once the file is there");
        drop((held, held_too));
        ServerLock::take(&file).unwrap();
    }
}
