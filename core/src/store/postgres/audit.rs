//! The audit log.

use postgres::{Row, Transaction};

use super::super::rules::without_nul;
use super::super::{Audit, AuditEntry, Listed, NewAuditEntry, Page};
use super::{Outcome, PostgresStore, certain_time, count, micros};
use crate::error::Result;

impl Audit for PostgresStore {
    fn add_audit(&self, entry: &NewAuditEntry) -> Result<i64> {
        self.write("write the audit log", |db| add_audit(db, entry))
    }

    fn audit(&self, page: Page) -> Result<Listed<AuditEntry>> {
        self.read("read the audit log", |db| audit(db, page))
    }

    fn audit_about(&self, subject: &str) -> Result<Vec<AuditEntry>> {
        self.read("read the audit log", |db| about(db, subject))
    }
}

pub(super) fn add_audit(db: &mut Transaction<'_>, entry: &NewAuditEntry) -> Outcome<i64> {
    let row = db.query_one(
        "INSERT INTO audit_log (timestamp, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        &[
            &micros(entry.at),
            &without_nul(&entry.actor),
            &without_nul(&entry.action),
            &entry.subject.as_deref().map(without_nul),
            &entry.details.as_deref().map(without_nul),
        ],
    )?;
    Ok(row.try_get(0)?)
}

pub(super) fn audit(db: &mut Transaction<'_>, page: Page) -> Outcome<Listed<AuditEntry>> {
    let total = count(&db.query_one("SELECT count(*) FROM audit_log", &[])?, 0)?;
    let rows = db.query(
        &format!("SELECT {COLUMNS} FROM audit_log ORDER BY id DESC LIMIT $1 OFFSET $2"),
        &[&i64::from(page.limit), &i64::from(page.skip)],
    )?;
    Ok(Listed { items: rows.iter().map(entry).collect::<Outcome<_>>()?, total })
}

fn about(db: &mut Transaction<'_>, subject: &str) -> Outcome<Vec<AuditEntry>> {
    let rows = db.query(&format!("SELECT {COLUMNS} FROM audit_log WHERE subject = $1 ORDER BY id"), &[&subject])?;
    rows.iter().map(entry).collect()
}

const COLUMNS: &str = "id, timestamp, actor, action, subject, details";

fn entry(row: &Row) -> Outcome<AuditEntry> {
    Ok(AuditEntry {
        id: row.try_get(0)?,
        entry: NewAuditEntry {
            at: certain_time(row, 1)?,
            actor: row.try_get(2)?,
            action: row.try_get(3)?,
            subject: row.try_get(4)?,
            details: row.try_get(5)?,
        },
    })
}
