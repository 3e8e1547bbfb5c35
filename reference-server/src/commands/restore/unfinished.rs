//! A restore that was cut off: who comes next finishes it, or undoes it where nothing had changed.

use std::path::Path;

use faceattend_core::Result;
use faceattend_core::backup::Swap;
use faceattend_core::store::{NewAuditEntry, Store, StoreLocation, TemplateKeys};
use jiff::Timestamp;

use crate::commands::database::restore_plan;

/// What the plan of a restore into files is begun with.
pub(super) const OF_FILES: &str = "files";
/// What the plan of a restore into PostgreSQL is begun with. The whole of it is the subject of an entry in the audit
/// log, if the rows were replaced.
pub(super) const OF_DATABASE: &str = "restore ";

/// Finishes a restore that was cut off; whether there was one. Only for who has the database alone.
///
/// # Errors
/// Those of the files and of the database.
pub(crate) fn finish_what_was_cut_off(dir: &Path, database: &StoreLocation) -> Result<bool> {
    let Some(swap) = Swap::unfinished(&restore_plan(dir, database))? else { return Ok(false) };
    let is_done = !swap.id().starts_with(OF_DATABASE)
        || is_restored(&*database.open(TemplateKeys::none())?, swap.id(), Timestamp::now())?;
    if is_done {
        swap.finish()?;
        tracing::warn!("a restore that was cut off is finished now");
    } else {
        swap.give_up()?;
        tracing::warn!("a restore that was cut off had changed nothing, and is given up");
    }
    Ok(true)
}

/// Returns whether the transaction of the restore `id` has happened. It may still be on its way when its process is
/// gone: it holds the tables, so what is written first here waits until it is over.
///
/// # Errors
/// Those of the store.
pub(super) fn is_restored<S: Store + ?Sized>(store: &S, id: &str, now: Timestamp) -> Result<bool> {
    let entry = NewAuditEntry {
        at: now,
        actor: "command line".into(),
        action: "restore was cut off".into(),
        subject: None,
        details: None,
    };
    store.add_audit(&entry)?;
    Ok(!store.audit_about(id)?.is_empty())
}
