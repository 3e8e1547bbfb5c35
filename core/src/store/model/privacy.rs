//! Consent, erasure and retention.

use jiff::Timestamp;

use super::Student;
use crate::types::StudentId;

/// The consent of a person to the use of the face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The time of the consent.
    pub given_at: Timestamp,
    /// Who gave it: the person, or a parent.
    pub given_by: String,
    /// The wording that the person agreed to.
    pub notice: String,
}

/// What an erasure does with the marks of the student.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarksOfErased {
    /// Delete them.
    #[default]
    Delete,
    /// Keep them for the statistics, for a student without a name, a real roll number, or a face.
    Anonymise,
}

/// The receipt of an erasure.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// The student as it was.
    pub student: Student,
    /// How many templates were deleted.
    pub templates: u64,
    /// How many liveness sessions were deleted.
    pub sessions: u64,
    /// How many attendance rows were deleted.
    pub marks_deleted: u64,
    /// How many attendance rows stayed, without a name.
    pub marks_anonymised: u64,
    /// How many entries of the second-look list were deleted.
    pub second_looks: u64,
}

/// A liveness session as the person it is of may see it: without the state, which is the server's.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionSummary {
    /// The id of the session.
    pub id: String,
    /// The status.
    pub status: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
    /// How many frames it judged.
    pub attempts: u32,
}

/// Rows from before these times are deleted; `None` keeps them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Liveness sessions that ended before; with them go the embeddings in their state.
    pub sessions_before: Option<Timestamp>,
    /// Detection logs from before.
    pub detection_logs_before: Option<Timestamp>,
    /// Attendance from before, and with it sightings of the second-look list and excuses.
    pub attendance_before: Option<Timestamp>,
    /// Entries of the audit log from before.
    pub audit_before: Option<Timestamp>,
    /// Logins that ended before.
    pub logins_before: Option<Timestamp>,
}

/// How many rows a retention run deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retired {
    /// Liveness sessions.
    pub sessions: u64,
    /// Detection logs.
    pub detection_logs: u64,
    /// Attendance rows.
    pub attendance: u64,
    /// Entries of the second-look list.
    pub second_looks: u64,
    /// Excuses.
    pub excuses: u64,
    /// Audit entries.
    pub audit: u64,
    /// Logins.
    pub logins: u64,
}

impl Retired {
    /// Returns the sum of all rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sessions
            + self.detection_logs
            + self.attendance
            + self.second_looks
            + self.excuses
            + self.audit
            + self.logins
    }
}

/// The name of a student who was erased while the marks stay.
pub(in crate::store) const NAME_OF_ERASED: &str = "Erased";

/// Returns whether the student was erased while the marks stay.
pub(crate) fn is_erased(student: &Student) -> bool {
    student.name == NAME_OF_ERASED && student.roll_number == roll_number_of_erased(student.id)
}

/// The roll number of a student who was erased while the marks stay: unique, and of nobody.
pub(in crate::store) fn roll_number_of_erased(id: StudentId) -> String {
    format!("erased-{}", id.0)
}
