//! What came of a frame, and of giving a face to a student.

use super::session::StoredSession;
use crate::error::{Error, Result};
use crate::gallery::Match;
use crate::liveness::{LivenessSession, Outcome};
use crate::store::Student;

/// What a frame of a session led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The session after the frame.
    pub session: StoredSession,
    /// What the frame was worth. When the completed face resembles another student, or is unlike the one that it
    /// replaces, the reasons say so.
    pub outcome: Outcome,
    /// What became of the face of a completed session.
    pub face: FaceOfSession,
}

/// What became of the face of a session that was begun for a student.
#[derive(Debug, Clone, PartialEq)]
pub enum FaceOfSession {
    /// The session is not completed, or names no student: the face stays in the session.
    Kept,
    /// The student has had the face since this frame.
    Saved(Box<Student>),
    /// The student has had the face since an earlier frame.
    SavedBefore,
    /// The session names a student that is not in the store, or was not when the session began.
    NoSuchStudent,
    /// The face is another student's, and the policy refuses it.
    Refused(Match),
    /// The face is unlike the one that the student has, and the actor may not replace that.
    Unlike,
}

/// What came of giving the face of a session to a student.
#[derive(Debug, Clone, PartialEq)]
pub enum EnrolmentOutcome {
    /// The student has the face.
    Enrolled(Box<Enrolled>),
    /// The store has no session with this id.
    UnknownSession,
    /// The session is not completed: it proves nothing yet.
    NotCompleted,
    /// The session has enrolled another student, or was begun for one.
    UsedUp,
    /// The face is unlike the one that the student has, and the actor may not replace that.
    Unlike,
    /// The store has no such student, or neither the caller nor the session names one.
    UnknownStudent,
    /// The face is another student's, and the policy refuses it.
    Refused(Match),
}

impl EnrolmentOutcome {
    /// Returns the enrolled student, and every other outcome as the error that it means to a caller who expected one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown session or student; [`Error::State`] for a session that is not completed or
    /// used up; [`Error::Conflict`] for a face that is another student's.
    pub fn into_enrolled(self) -> Result<Enrolled> {
        let state = |reason: &str| Err(Error::State { what: "liveness session", reason: reason.into() });
        match self {
            Self::Enrolled(enrolled) => Ok(*enrolled),
            Self::UnknownSession => Err(Error::NotFound { what: "liveness session" }),
            Self::UnknownStudent => Err(Error::NotFound { what: "student" }),
            Self::NotCompleted => state("it is not complete"),
            Self::UsedUp => state("it has enrolled a student already, or is for another one"),
            Self::Refused(_) => Err(Error::Conflict { what: "student with this face" }),
            Self::Unlike => Err(Error::Conflict { what: "unlike face of this student" }),
        }
    }
}

/// What came of giving a face to a student that no session proved.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum UnprovenOutcome {
    /// The student has the face.
    Enrolled {
        /// The student.
        student: Box<Student>,
        /// The other student whose face it resembles, under [`DuplicatePolicy::Warn`](super::DuplicatePolicy::Warn).
        resembles: Option<Match>,
        /// Whether it took the place of a face that it is unlike.
        is_unlike: bool,
    },
    /// The face is unlike the one that the student has, and the actor may not replace that.
    Unlike,
    /// The store has no such student.
    UnknownStudent,
    /// The face is another student's, and the policy refuses it.
    Refused(Match),
}

/// A student with a face that a session proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolled {
    /// The student.
    pub student: Student,
    /// The session that proved the face.
    pub session: LivenessSession,
    /// The other student whose face it resembles, under [`DuplicatePolicy::Warn`](super::DuplicatePolicy::Warn).
    pub resembles: Option<Match>,
    /// Whether it took the place of a face that it is unlike.
    pub is_unlike: bool,
    /// Whether this call wrote the face; `false` when the same session had given it to the same student before.
    pub is_new: bool,
}
