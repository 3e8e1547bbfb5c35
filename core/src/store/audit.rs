//! Who changed what.

use super::{AuditEntry, Listed, NewAuditEntry, Page};
use crate::error::Result;

/// The audit log.
pub trait Audit: Send + Sync {
    /// Writes an entry of the audit log; returns its id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_audit(&self, entry: &NewAuditEntry) -> Result<i64>;

    /// Returns a page of the audit log, newest first, and how many entries there are in all.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn audit(&self, page: Page) -> Result<Listed<AuditEntry>>;

    /// Returns every entry with this subject, such as `student_id 7`, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn audit_about(&self, subject: &str) -> Result<Vec<AuditEntry>>;
}
