//! Liveness sessions and what is remembered of their frames.

use jiff::Timestamp;

use super::{NewSession, SessionRecord, SessionSummary, SessionUpdate};
use crate::error::Result;
use crate::liveness::SeenFrame;
use crate::types::{SessionId, StudentId};

/// The liveness sessions.
pub trait Sessions: Send + Sync {
    /// Creates a session.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when it names a student that is not there.
    fn create_session(&self, new: &NewSession) -> Result<SessionRecord>;

    /// Returns the session with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>>;

    /// Writes the new state of a session if its version still is `expected_version`. Returns the new version, or `None`
    /// when another call came first: then the caller reads the session and applies its frame again.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown session.
    fn update_session(&self, id: SessionId, expected_version: i64, update: &SessionUpdate) -> Result<Option<i64>>;

    /// Remembers that `session` has had a frame that looks like `frame`, so that another session can be told. The
    /// newest
    /// [`MAX_SEEN_FRAMES`](super::MAX_SEEN_FRAMES) are kept; of a frame only its hash and yaw are written.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn remember_frame(&self, session: SessionId, frame: &SeenFrame, now: Timestamp) -> Result<()>;

    /// Returns whether another session than `session` has had a frame like `frame` ([`SeenFrame::is_like`]) at `since`
    /// or later.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn frame_seen_elsewhere(&self, session: SessionId, frame: &SeenFrame, since: Timestamp) -> Result<bool>;

    /// Returns the liveness sessions of the student, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn sessions_of(&self, student: StudentId) -> Result<Vec<SessionSummary>>;
}
