//! The entries of the audit log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::types::StudentId;

/// A new entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAuditEntry {
    /// The time of the action.
    pub at: Timestamp,
    /// The actor: the name of an admin user, or what acted on its own, such as `retention`.
    pub actor: String,
    /// The action, such as `student.delete`.
    pub action: String,
    /// The subject, such as `student_id 7`. Never a template, a password or a token.
    pub subject: Option<String>,
    /// What else matters, in one sentence.
    pub details: Option<String>,
}

impl NewAuditEntry {
    /// Returns how entries name a student as their subject: `student_id 7`.
    ///
    /// ```
    /// use faceattend_core::store::NewAuditEntry;
    /// use faceattend_core::types::StudentId;
    ///
    /// assert_eq!(NewAuditEntry::subject_of(StudentId(7)), "student_id 7");
    /// ```
    #[must_use]
    pub fn subject_of(student: StudentId) -> String {
        format!("student_id {student}")
    }
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The key of the row.
    pub id: i64,
    /// The content.
    pub entry: NewAuditEntry,
}
