//! What an enrolment asks of the store: who gets the face, and whether it may be written.

use super::StoredTemplate;
use crate::error::Result;
use crate::types::StudentId;

/// Who gets the face of a completed session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolee<'a> {
    /// A student who is created with the face.
    New {
        /// The name.
        name: &'a str,
        /// The roll number, unique.
        roll_number: &'a str,
    },
    /// A student who is in the store; the face takes the place of the one that the student had.
    Student(StudentId),
}

/// The advisory lock of PostgreSQL that whoever writes registered templates holds until its transaction is over:
/// "faceenro" in ASCII. For programs that write them by themselves.
pub const ENROLMENT_LOCK: i64 = 0x6661_6365_656e_726f;

/// A moment in the writing of templates: see [`Templates::newest_template`](crate::store::Templates::newest_template).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateMark(pub(crate) i64);

impl TemplateMark {
    /// Before the first template.
    pub const BEGINNING: Self = Self(0);
    /// After every template.
    pub const END: Self = Self(i64::MAX);
}

/// The question that [`Students::enrol`](crate::store::Students::enrol) asks before it writes a face, inside its
/// transaction: no other enrolment is written between the answer and the write, by this process or by another.
pub struct FaceCheck<'a> {
    /// Who has had a template written since then is among those compared with.
    pub since: TemplateMark,
    /// So are these students, whenever their templates were written.
    pub of: &'a [StudentId],
    /// What to do with the face, given all templates of those students. Must not call the store.
    pub admits: &'a mut dyn FnMut(Vec<StoredTemplate>) -> Result<Admission>,
}

/// The answer to a [`FaceCheck`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Nothing is written.
    Refused,
    /// The face is written.
    Admitted,
    /// The face is written, and the audit log says that it is unlike the one whose place it takes.
    AdmittedUnlike,
}

impl std::fmt::Debug for FaceCheck<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FaceCheck({:?}, {:?})", self.since, self.of)
    }
}
