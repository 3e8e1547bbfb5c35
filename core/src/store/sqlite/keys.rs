//! The keys of roll numbers and of the search. Whoever writes names without this library leaves them out, and they are
//! added before they are needed.

use rusqlite::{Connection, params};

use super::super::text_keys::{roll_key, search_key};
use super::SqliteStore;
use super::connection::text;

impl SqliteStore {
    /// Adds the keys that are missing. A search does without the students who have none while others hold the database.
    pub(super) fn complete_keys(&self) {
        let is_complete = self.read("look for keys", |db| Ok(is_complete(db)?)).unwrap_or(true);
        if !is_complete && let Err(error) = self.write("add keys", |db| Ok(complete(db)?)) {
            tracing::warn!("students whom another program added are not found yet: {error}");
        }
    }
}

fn is_complete(db: &Connection) -> rusqlite::Result<bool> {
    let query = "SELECT NOT EXISTS (SELECT 1 FROM students WHERE search_key IS NULL)";
    db.prepare_cached(query)?.query_row([], |row| row.get(0))
}

/// Adds the keys that are missing. Of several students with one key the first has the twin number 0, so that no new one
/// joins them.
pub(super) fn complete(db: &Connection) -> rusqlite::Result<()> {
    if is_complete(db)? {
        return Ok(());
    }
    let query = "SELECT id, name, roll_number FROM students WHERE search_key IS NULL ORDER BY id";
    let missing: Vec<(i64, String, String)> = db
        .prepare(query)?
        .query_map([], |row| Ok((row.get(0)?, text(row, 1)?, text(row, 2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut update = db.prepare(
        "UPDATE students SET roll_key = ?2, search_key = ?3, roll_twin = (SELECT CASE WHEN count(*) = 0 THEN 0
             ELSE max(roll_twin) + 1 END FROM students WHERE roll_key = ?2 AND id <> ?1) WHERE id = ?1",
    )?;
    for (id, name, roll_number) in missing {
        update.execute(params![id, roll_key(&roll_number), search_key(&name, &roll_number)])?;
    }
    Ok(())
}
