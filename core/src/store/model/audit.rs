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
        format!("{STUDENT} {student}")
    }

    /// Returns the students whom subject and details name by their numbers, each once, in that order. The log keeps no
    /// names, which an erasure would have to find: who reads it asks what the students are called now.
    ///
    /// ```
    /// use faceattend_core::store::NewAuditEntry;
    /// use faceattend_core::types::StudentId;
    ///
    /// let entry = NewAuditEntry {
    ///     at: jiff::Timestamp::UNIX_EPOCH,
    ///     actor: "admin".into(),
    ///     action: "student.merge".into(),
    ///     subject: Some("student_id 7".into()),
    ///     details: Some("merged with student_id 8, 12; 3 marks".into()),
    /// };
    /// assert_eq!(entry.students(), [7, 8, 12].map(StudentId));
    /// ```
    #[must_use]
    pub fn students(&self) -> Vec<StudentId> {
        let mut found = Vec::new();
        for text in [&self.subject, &self.details].into_iter().flatten() {
            for listed in text.split(STUDENT).skip(1) {
                for number in numbers(listed) {
                    if !found.contains(&number) {
                        found.push(number);
                    }
                }
            }
        }
        found
    }
}

/// The word before the number of a student.
const STUDENT: &str = "student_id";

/// The numbers of a list such as ` 7, 8 at noon`, up to what is none.
fn numbers(listed: &str) -> impl Iterator<Item = StudentId> {
    listed.split(',').map_while({
        let mut is_over = false;
        move |part| {
            let part = part.trim_start();
            let digits = part.len() - part.trim_start_matches(|sign: char| sign.is_ascii_digit()).len();
            let number = part[..digits].parse().ok().filter(|_| !is_over)?;
            is_over = digits < part.len();
            Some(StudentId(number))
        }
    })
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The key of the row.
    pub id: i64,
    /// The content.
    pub entry: NewAuditEntry,
}
