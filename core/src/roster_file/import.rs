//! The import of a list that was read.

use jiff::Timestamp;

use super::rows::RosterFile;
use crate::error::Result;
use crate::store::{RosterImport, RosterOrder, Store};

/// Imports the people of `list` as `order`, made of its rows, says: all of it, or nothing when anything is wrong. A
/// list with problems is refused, with the plan of what would change without the lines that have them.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::Timestamp;
/// use faceattend_core::roster_file::{ReadOptions, import, read};
/// use faceattend_core::store::{RosterImport, RosterOrder, SqliteStore, Unlisted};
/// use jiff::civil::date;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let store = SqliteStore::open(path)?;
/// let list = read(b"name,roll_number\nAsha Rao,017\n,018\n", &ReadOptions::default());
/// let day = date(2026, 3, 2);
/// let order = RosterOrder { rows: &list.rows, unlisted: Unlisted::Keep, day, language: "en" };
/// let outcome = import(&store, &list, &order, None, "Ms Rao", Timestamp::UNIX_EPOCH)?;
/// assert!(matches!(outcome, RosterImport::Refused(plan) if plan.new.len() == 1));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// Those of [`Rosters::import_roster`](crate::store::Rosters::import_roster).
pub fn import(
    store: &dyn Store,
    list: &RosterFile,
    order: &RosterOrder<'_>,
    fingerprint: Option<&str>,
    by: &str,
    now: Timestamp,
) -> Result<RosterImport> {
    if list.problems.is_empty() {
        store.import_roster(order, fingerprint, by, now)
    } else {
        Ok(RosterImport::Refused(store.plan_import(order)?))
    }
}
