//! The keys of roll numbers and of the search. Whoever writes names without this library leaves them out, and they are
//! added before they are needed.

use postgres::Transaction;

use super::super::text_keys::{roll_key, search_key};
use super::{Outcome, PostgresStore};

/// Whoever adds keys holds this lock until the transaction is over: "keys" in ASCII.
const LOCK: i64 = 0x6b65_7973;

impl PostgresStore {
    /// Adds the keys that are missing. A search does without the students who have none while the database takes
    /// nothing.
    pub(super) fn complete_keys(&self) {
        let is_complete = self.read("look for keys", is_complete).unwrap_or(true);
        if !is_complete && let Err(error) = self.write("add keys", complete) {
            tracing::warn!("students whom another program added are not found yet: {error}");
        }
    }
}

fn is_complete(db: &mut Transaction<'_>) -> Outcome<bool> {
    let query = "SELECT NOT EXISTS (SELECT 1 FROM students WHERE search_key IS NULL)";
    Ok(db.query_one(query, &[])?.try_get(0)?)
}

/// Adds the keys that are missing. Of several students with one key the first has the twin number 0, so that no new one
/// joins them.
pub(super) fn complete(db: &mut Transaction<'_>) -> Outcome<()> {
    if is_complete(db)? {
        return Ok(());
    }
    db.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    let query = "SELECT id::bigint, name::text, roll_number::text FROM students WHERE search_key IS NULL ORDER BY id";
    let update = db.prepare(
        "UPDATE students SET roll_key = $2, search_key = $3, roll_twin = (SELECT COALESCE(max(roll_twin) + 1, 0)
             FROM students WHERE roll_key = $2 AND id <> $1::bigint) WHERE id = $1::bigint",
    )?;
    for row in db.query(query, &[])? {
        let (id, name, roll_number): (i64, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        db.execute(&update, &[&id, &roll_key(&roll_number), &search_key(&name, &roll_number)])?;
    }
    Ok(())
}
