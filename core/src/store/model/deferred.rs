//! Records that a program makes by itself, which may wait for a database that is held or away.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::attendance::{Marking, NewAttendance};
use super::audit::NewAuditEntry;
use super::detection_log::NewDetectionLog;
use super::second_look::{NewSecondLook, SecondLooking};
use crate::types::StudentId;

/// The name of a journal of records that wait for the database: a random UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JournalId(uuid::Uuid);

impl JournalId {
    /// Creates a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl fmt::Display for JournalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A record that a program makes by itself, with nobody waiting for an answer. It says its own time, so that it may be
/// written later. None holds a face, a name or a roll number of a student.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferred {
    /// A camera saw a student who may be marked.
    Sighting {
        /// The mark that it makes, unless the student is marked already.
        mark: NewAttendance,
        /// Whether a student who is marked already has been seen leaving.
        checks_out: bool,
    },
    /// A camera saw somebody for the second-look list.
    SecondLook(NewSecondLook),
    /// What cameras saw, in figures.
    DetectionLogs(Vec<NewDetectionLog>),
    /// An entry of the audit log.
    Audit(NewAuditEntry),
}

impl Deferred {
    /// Returns the student whom the record is about: an erasure takes it along. The audit log outlives its student.
    #[must_use]
    pub fn student(&self) -> Option<StudentId> {
        match self {
            Self::Sighting { mark, .. } => Some(mark.student),
            Self::SecondLook(new) => Some(new.sighting.student),
            Self::DetectionLogs(_) | Self::Audit(_) => None,
        }
    }
}

impl Deferred {
    /// Returns the record about another student, of whom it is one of the records.
    pub(crate) fn about(mut self, student: StudentId) -> Self {
        match &mut self {
            Self::Sighting { mark, .. } => mark.student = student,
            Self::SecondLook(new) => new.sighting.student = student,
            Self::DetectionLogs(_) | Self::Audit(_) => {}
        }
        self
    }
}

/// What became of a deferred record when it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum DeferredOutcome {
    /// The mark of a sighting.
    Marking(Marking),
    /// The entry of the second-look list.
    SecondLook(SecondLooking),
    /// Logs and audit entries: they are in the database.
    Written,
    /// It had been written before; nothing has changed.
    WrittenBefore,
    /// It was not written: its student is gone.
    StudentGone,
}
