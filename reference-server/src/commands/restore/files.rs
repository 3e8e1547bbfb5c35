//! A restore into a file of SQLite: a new file is made beside the old one, and all names change by one plan.

use std::path::{Path, PathBuf};

use faceattend_core::backup::{self, Change, Part, Swap};
use faceattend_core::own_file::{self, Readers};
use faceattend_core::store::{Imported, SqliteStore};
use faceattend_core::{Error, Result};

use super::unfinished::OF_FILES;
use super::{Restore, settings_of};
use crate::commands::backup::bar;
use crate::commands::database::restore_plan;

/// Puts the back-up into the place of the file. Returns what was restored, and where the old files are.
pub(super) fn replace(restore: &Restore<'_>, database: &Path, is_there: bool) -> Result<(Imported, Vec<PathBuf>)> {
    let staged = restore.beside(database, "comes");
    let made = new_database(restore, &staged).and_then(|imported| {
        give_to_owner_of(&restore.places.dir, &staged);
        let mut changes = vec![change(restore, database, Some(staged.clone()))];
        // A file that can be read leaves nothing beside it; what lies beside a damaged one belongs to it.
        if is_there && !SqliteStore::settle(database)? {
            let beside = ["-wal", "-shm"].map(|ending| own_file::beside(database, ending));
            let logs = beside.into_iter().filter(|file| file.exists());
            changes.splice(0..0, logs.map(|file| change(restore, &file, None)));
        }
        changes.extend(other_parts(restore)?);
        Ok((imported, changes))
    });
    let (imported, changes) = made.inspect_err(|_| {
        let _ = std::fs::remove_file(&staged);
    })?;
    let plan = restore_plan(&restore.places.dir, &restore.places.database);
    let kept = Swap::begin(&plan, OF_FILES, changes)?.finish()?;
    Ok((imported, kept))
}

/// Makes the database in a file of its own, with nothing beside it.
fn new_database(restore: &Restore<'_>, staged: &Path) -> Result<Imported> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        match std::fs::remove_file(own_file::beside(staged, ending)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Io { action: "delete", path: staged.to_owned(), source });
            }
            _ => {}
        }
    }
    let store = SqliteStore::open(staged)?;
    let bar = bar();
    let imported = backup::restore(
        restore.file,
        restore.passphrase.as_ref(),
        &store,
        &restore.erased,
        &restore.entry("restore"),
        &mut |rows| bar.set_position(rows),
    );
    bar.finish_and_clear();
    let imported = imported?;
    drop(store);
    SqliteStore::settle(staged)?;
    Ok(imported)
}

/// Writes the other parts beside the files that they replace; returns the changes of names.
pub(super) fn other_parts(restore: &Restore<'_>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let settings = settings_of(restore);
    let targets = restore.targets().chain(settings.iter().map(|(part, file)| (*part, file.as_path())));
    for (part, target) in targets {
        let comes = match restore.looked.part(part) {
            Some(contents) => Some(staged(restore, target, contents)?),
            // What waits belongs to the database that goes; keys that the back-up does not have stay.
            None if part == Part::WaitingWrites && target.exists() => None,
            None => continue,
        };
        changes.push(change(restore, target, comes));
    }
    Ok(changes)
}

fn staged(restore: &Restore<'_>, target: &Path, contents: &[u8]) -> Result<PathBuf> {
    let staged = restore.beside(target, "comes");
    let write = || -> std::io::Result<()> {
        match std::fs::remove_file(&staged) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::io::Write::write_all(&mut own_file::create_new(&staged, Readers::Owner)?, contents)
    };
    write().map_err(|source| Error::Io { action: "write", path: staged.clone(), source })?;
    give_to_owner_of(&restore.places.dir, &staged);
    Ok(staged)
}

fn change(restore: &Restore<'_>, target: &Path, comes: Option<PathBuf>) -> Change {
    Change { target: target.to_owned(), comes, kept: restore.beside(target, "before-restore") }
}

/// Gives a file to the user whose folder it is: a restore may be run by root, and the server by another user.
#[cfg(unix)]
fn give_to_owner_of(folder: &Path, file: &Path) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if let (Ok(folder), Ok(of_file)) = (folder.metadata(), file.metadata())
        && folder.uid() != of_file.uid()
    {
        // Only root may; anybody else is told by the next start of the server.
        let _ = chown(file, Some(folder.uid()), Some(folder.gid()));
    }
}

#[cfg(not(unix))]
fn give_to_owner_of(_folder: &Path, _file: &Path) {}
