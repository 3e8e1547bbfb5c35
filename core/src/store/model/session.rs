//! A liveness session as the database has it.

use std::fmt;

use jiff::Timestamp;

use crate::embedding::Embedding;
use crate::liveness::Status;
use crate::types::{SessionId, StudentId};

/// A new liveness session, which is pending.
#[derive(Clone, PartialEq)]
pub struct NewSession {
    /// The id of the session.
    pub id: SessionId,
    /// The student whose face the session proves, if the student exists already.
    pub student: Option<StudentId>,
    /// The session as text; the store does not read it.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A liveness session, as stored.
#[derive(Clone, PartialEq)]
pub struct SessionRecord {
    /// The id of the session.
    pub id: SessionId,
    /// The student it is for or has enrolled.
    pub student: Option<StudentId>,
    /// The status at the last change. A session past `expires_at` may still have an older status.
    pub status: Status,
    /// Its score so far, in [0, 1].
    pub liveness_score: f64,
    /// Whether the movement was verified.
    pub movement_verified: bool,
    /// The session as text; `None` for one that the existing service made.
    pub state: Option<String>,
    /// How often the session has changed; an argument of
    /// [`Sessions::update_session`](crate::store::Sessions::update_session).
    pub version: i64,
    /// When it was made, in whole seconds.
    pub created_at: Timestamp,
    /// When it ends. The database's word counts, also where `state` holds another time.
    pub expires_at: Timestamp,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
    /// When it enrolled a student. A session enrols once.
    pub consumed_at: Option<Timestamp>,
}

/// The complete new state of a liveness session.
#[derive(Clone, PartialEq)]
pub struct SessionUpdate {
    /// The status.
    pub status: Status,
    /// The session as text.
    pub state: String,
    /// Its score so far, in [0, 1].
    pub liveness_score: f64,
    /// Whether the movement is verified.
    pub movement_verified: bool,
    /// The columns of the three positions, for readers of the existing service's schema.
    pub center: PositionColumns,
    /// As `center`.
    pub left: PositionColumns,
    /// As `center`.
    pub right: PositionColumns,
    /// The embedding that a completed session enrols.
    pub final_embedding: Option<Embedding>,
    /// The last error.
    pub error_message: Option<String>,
    /// How many frames it has judged.
    pub attempts: u32,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
}

/// What the existing service's schema keeps of one position.
#[derive(Clone, PartialEq, Default)]
pub struct PositionColumns {
    /// The embedding of the accepted frame.
    pub embedding: Option<Embedding>,
    /// Whether the position is verified.
    pub verified: bool,
    /// The accepted frame as base64, only where the operator turned retention on.
    pub frame_data: Option<String>,
}

// Sessions carry embeddings in their state, so their `Debug` shows none of it.
impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSession({:?}, expires_at: {})", self.student, self.expires_at)
    }
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SessionRecord({:?}, {:?}, version: {}, expires_at: {}, consumed: {})",
            self.status,
            self.student,
            self.version,
            self.expires_at,
            self.consumed_at.is_some()
        )
    }
}

impl fmt::Debug for SessionUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionUpdate({:?}, attempts: {})", self.status, self.attempts)
    }
}

impl fmt::Debug for PositionColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PositionColumns(verified: {})", self.verified)
    }
}
