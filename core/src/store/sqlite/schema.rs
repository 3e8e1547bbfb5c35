//! The migrations of a file.

use rusqlite::{Connection, TransactionBehavior, params};

use super::super::schema::{MIGRATIONS, newest_version};
use super::connection::Outcome;
use super::keys;
use super::old_rows::{mend_all_times, mend_attendance, named, refuse_doubles};
use crate::error::Error;

/// The step that writes times anew which are spelled otherwise.
const TIMES_ARE_MENDED: i64 = 12;

pub(super) fn migrate(connection: &mut Connection) -> Outcome<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations
             (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,
              applied_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    )?;
    let found: i64 =
        transaction.query_row("SELECT COALESCE(max(version), 0) FROM schema_migrations", [], |row| row.get(0))?;
    let known = newest_version();
    if found > known {
        let reason = format!(
            "the database has schema {found}, this version knows schemas up to {known}: use the newer version that \
             wrote it"
        );
        return Err(Error::Store { reason, source: None }.into());
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        transaction.execute_batch(migration.tables)?;
        for (table, column, definition) in migration.columns {
            let there: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)",
                [table, column],
                |row| row.get(0),
            )?;
            if !there {
                transaction.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {definition}"))?;
            }
        }
        if migration.version == 1 {
            refuse_doubles(&transaction)?;
        }
        if migration.version == TIMES_ARE_MENDED {
            mend_all_times(&transaction)?;
        }
        transaction.execute_batch(migration.after)?;
        transaction.execute(
            "INSERT INTO schema_migrations (version, name) VALUES (?1, ?2)",
            params![migration.version, migration.name],
        )?;
    }
    keys::complete(&transaction)?;
    let unreadable = mend_attendance(&transaction)?;
    if !unreadable.is_empty() {
        let rows = named(&unreadable);
        tracing::warn!(rows, "attendance rows hold a time that cannot be read: no list shows them");
    }
    Ok(transaction.commit()?)
}
