//! The audit log.

use rusqlite::{Connection, Row, params};

use super::super::naive_time::to_micros;
use super::super::rules::without_nul;
use super::super::{Audit, AuditEntry, Listed, NewAuditEntry, Page};
use super::SqliteStore;
use super::connection::Time;
use crate::error::Result;

impl Audit for SqliteStore {
    fn add_audit(&self, entry: &NewAuditEntry) -> Result<i64> {
        self.write("write the audit log", |db| Ok(add(db, entry)?))
    }

    fn audit(&self, page: Page) -> Result<Listed<AuditEntry>> {
        self.read("read the audit log", |db| Ok(list(db, page)?))
    }

    fn audit_about(&self, subject: &str) -> Result<Vec<AuditEntry>> {
        self.read("read the audit log", |db| Ok(about(db, subject)?))
    }
}

pub(super) fn add(db: &Connection, entry: &NewAuditEntry) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "INSERT INTO audit_log (timestamp, actor, action, subject, details) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        to_micros(entry.at),
        without_nul(&entry.actor),
        without_nul(&entry.action),
        entry.subject.as_deref().map(without_nul),
        entry.details.as_deref().map(without_nul),
    ])?;
    Ok(db.last_insert_rowid())
}

pub(super) fn list(db: &Connection, page: Page) -> rusqlite::Result<Listed<AuditEntry>> {
    let total = db.query_row("SELECT count(*) FROM audit_log", [], |row| row.get(0))?;
    let items = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit_log ORDER BY id DESC LIMIT ?1 OFFSET ?2"))?
        .query_map([page.limit, page.skip], entry)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Listed { items, total })
}

fn about(db: &Connection, subject: &str) -> rusqlite::Result<Vec<AuditEntry>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM audit_log WHERE subject = ?1 ORDER BY id"))?
        .query_map([subject], entry)?
        .collect()
}

const COLUMNS: &str = "id, timestamp, actor, action, subject, details";

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.get(0)?,
        entry: NewAuditEntry {
            at: row.get::<_, Time>(1)?.0,
            actor: row.get(2)?,
            action: row.get(3)?,
            subject: row.get(4)?,
            details: row.get(5)?,
        },
    })
}
