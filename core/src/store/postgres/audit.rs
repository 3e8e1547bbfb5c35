//! The audit log.

use postgres::Transaction;

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
}

pub(super) fn add_audit(db: &mut Transaction<'_>, entry: &NewAuditEntry) -> Outcome<i64> {
    let row = db.query_one(
        "INSERT INTO audit_log (timestamp, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        &[&micros(entry.at), &entry.actor, &entry.action, &entry.subject, &entry.details],
    )?;
    Ok(row.try_get(0)?)
}

pub(super) fn audit(db: &mut Transaction<'_>, page: Page) -> Outcome<Listed<AuditEntry>> {
    let total = count(&db.query_one("SELECT count(*) FROM audit_log", &[])?, 0)?;
    let rows = db.query(
        "SELECT id, timestamp, actor, action, subject, details FROM audit_log ORDER BY id DESC LIMIT $1 OFFSET $2",
        &[&i64::from(page.limit), &i64::from(page.skip)],
    )?;
    let items = rows
        .iter()
        .map(|row| {
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
        })
        .collect::<Outcome<_>>()?;
    Ok(Listed { items, total })
}
