//! Whose face a track is.

use crate::types::{Similarity, StudentId};

/// One face's way through the frames. Ids rise and are not used again by the same tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// Whose face a track is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// Too few good views yet, or none since another may have taken the place of a face that had a name: after a gap
    /// or a leap, no name is given before a view shows the same face again.
    Waiting,
    /// Good views enough, and nobody whom they show.
    Unknown,
    /// The views show somebody. It stays so until they show somebody else or speak against it, or three good views in
    /// a row show another face: somebody else has taken the track over.
    Known {
        /// Whom.
        student: StudentId,
        /// How alike the mean of the views is.
        similarity: Similarity,
    },
}
