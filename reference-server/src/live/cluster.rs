//! What several servers share on one PostgreSQL database.

use faceattend_core::store::{Cluster, Store};
use faceattend_core::{Error, Result};

/// Returns what several servers share on this database.
///
/// # Errors
/// [`Error::State`] for a database that one server has to itself.
pub(super) fn cluster(store: &dyn Store) -> Result<&dyn Cluster> {
    store.cluster().ok_or_else(|| Error::State {
        what: "server name",
        reason: "several servers share a PostgreSQL database, and a SQLite file has one server: leave out \
                 --server-name, or move the data (`faceattend db export`, `faceattend db import`) and start with \
                 --database postgres://..."
            .into(),
    })
}
