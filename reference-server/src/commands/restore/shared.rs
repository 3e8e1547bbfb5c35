//! A restore into PostgreSQL: the rows change in one transaction, which also says that the names of the files do.

use std::path::PathBuf;

use faceattend_core::Result;
use faceattend_core::backup::{self, Source, Swap, make};
use faceattend_core::store::{Imported, Survey};

use super::Restore;
use super::files::other_parts;
use super::unfinished::{OF_DATABASE, is_restored};
use crate::commands::backup::bar;
use crate::commands::database::restore_plan;

/// Puts the back-up into the place of the database. Returns what was restored, and where the old data is.
pub(super) fn replace(restore: &Restore<'_>, present: Option<&Survey>) -> Result<(Imported, Vec<PathBuf>)> {
    let mut before = Vec::new();
    if present.is_some_and(|present| !present.rows.is_empty()) {
        // PostgreSQL has no file to keep: a back-up of what is there is one.
        let file = restore.beside(&restore.places.dir.join("database.backup"), "before-restore");
        let source = Source { overwrites: true, ..Source::new(restore.places.database.clone()) };
        make(&file, &source, restore.passphrase.as_ref(), restore.at, &mut |_| {})?;
        before.push(file);
    }
    let store = restore.places.database.open_portable()?;
    let id = format!("{OF_DATABASE}{}", uuid::Uuid::new_v4());
    let plan = restore_plan(&restore.places.dir, &restore.places.database);
    let swap = Swap::begin(&plan, &id, other_parts(restore)?)?;
    let bar = bar();
    let imported = backup::restore(
        restore.file,
        restore.passphrase.as_ref(),
        &*store,
        &restore.erased,
        &restore.entry(&id),
        &mut |rows| bar.set_position(rows),
    );
    bar.finish_and_clear();
    match imported {
        Ok(imported) => {
            before.extend(swap.finish()?);
            Ok((imported, before))
        }
        Err(error) => {
            // Whether the transaction was over may not be known: a connection that was lost. The database knows.
            // Where it does not answer, the plan stays for the next start.
            match is_restored(&*store, &id, restore.at) {
                Ok(true) => swap.finish().map(drop)?,
                Ok(false) => swap.give_up()?,
                Err(_) => {}
            }
            Err(error)
        }
    }
}
