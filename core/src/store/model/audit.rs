//! The entries of the audit log.

use jiff::Timestamp;

/// Somebody did something: an entry of the audit log to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: the name of an admin user, or what acted on its own, such as `retention`.
    pub actor: String,
    /// What was done, such as `student.delete`.
    pub action: String,
    /// To what, such as `student 7`. Never a template, a password or a token.
    pub subject: Option<String>,
    /// What else matters, in one sentence.
    pub details: Option<String>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its key.
    pub id: i64,
    /// What it says.
    pub entry: NewAuditEntry,
}
