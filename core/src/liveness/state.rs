//! The state of a session that a store keeps between frames.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::challenge::Challenge;
use super::movement::Shape;
use super::options::LivenessOptions;
use super::pad::PadTally;
use super::replay::{CountedFrames, SeenFrames};
use super::stored_embedding;
use super::stream::Stream;
use crate::embedding::Embedding;
use crate::types::{Degrees, SessionId, StudentId};

/// The view that verified a position. The first that passes stays; later ones cannot replace it.
///
/// ```
/// use faceattend_core::{LivenessOptions, LivenessSession, Position, SessionId, Timestamp};
///
/// let session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), Timestamp::now());
/// assert!(session.position(Position::Center).is_none(), "no frame has come");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VerifiedPosition {
    /// The template.
    #[serde(with = "stored_embedding")]
    pub embedding: Embedding,
    /// The yaw, in the frame as received.
    pub yaw: Degrees,
    /// The pitch, which nods are measured against.
    #[serde(default)]
    pub pitch: Degrees,
    /// The nose offset: see [`crate::pose::Pose::nose_offset`].
    pub nose_offset: f32,
    /// The points that tell its relief against other views.
    #[serde(default)]
    pub shape: Shape,
    /// How well the view shows the position: see [`super::Outcome::confidence`].
    pub confidence: f32,
    /// The time of the verification.
    pub at: Timestamp,
}

/// A session as a store keeps it, between frames: JSON-able, with embeddings in base64. Its `Debug` shows none of
/// them.
///
/// ```
/// use faceattend_core::liveness::SessionState;
/// use faceattend_core::{LivenessOptions, LivenessSession, SessionId, Timestamp};
///
/// let session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), Timestamp::now());
/// let state: SessionState = session.to_state();
/// assert!(serde_json::to_string(&state).is_ok_and(|text| text.contains("created_at")));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionState {
    pub(super) version: u32,
    pub(super) id: SessionId,
    pub(super) student: Option<StudentId>,
    pub(super) options: LivenessOptions,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) revision: u64,
    pub(super) center: Option<VerifiedPosition>,
    pub(super) left: Option<VerifiedPosition>,
    pub(super) right: Option<VerifiedPosition>,
    pub(super) pad: PadTally,
    pub(super) counted: CountedFrames,
    pub(super) suspicious: u32,
    pub(super) progress: Progress,
    // Since version 2.
    #[serde(default)]
    pub(super) challenge: Challenge,
    #[serde(default)]
    pub(super) wrong_turns: u32,
    #[serde(default)]
    pub(super) mirrored: u32,
    #[serde(default)]
    pub(super) frames: u32,
    #[serde(default)]
    pub(super) seen: SeenFrames,
    #[serde(default)]
    pub(super) stream: Stream,
    #[serde(default)]
    pub(super) source: Option<Source>,
}

/// Where the frames come from, as far as they say so: fixed by the first verified position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) size: [u32; 2],
    pub(super) camera: Option<u64>,
}

/// The version of [`SessionState`] that this release writes. It reads version 1 too: such a session has no order.
pub(super) const STATE_VERSION: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "at")]
pub(super) enum Progress {
    Pending,
    Begun,
    /// Closed too early. Late frames may still complete it: the page's requests overlap, and nothing is waived.
    ClosedEarly,
    /// Too many frames, or too many suspicious ones. For good.
    GivenUp,
    Completed {
        score: f32,
        consumed: bool,
    },
}
