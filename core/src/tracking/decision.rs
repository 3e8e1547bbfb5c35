//! The identity of a track.

use crate::gallery::Match;
use crate::types::{Similarity, StudentId};

/// One face's way through the frames. Ids rise and are not used again by the same tracker.
///
/// ```
/// use faceattend_core::Timestamp;
/// use faceattend_core::geometry::Rect;
/// use faceattend_core::tracking::{Tracker, TrackingOptions};
///
/// let mut tracker = Tracker::new(TrackingOptions::default());
/// let now = Timestamp::UNIX_EPOCH;
/// let ids = tracker.update(&[Rect::new(0.0, 0.0, 80.0, 80.0), Rect::new(300.0, 0.0, 380.0, 80.0)], now);
/// assert_ne!(ids[0], ids[1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// The identity of a track.
///
/// ```
/// use faceattend_core::Timestamp;
/// use faceattend_core::geometry::Rect;
/// use faceattend_core::tracking::{Decision, Tracker, TrackingOptions};
///
/// let mut tracker = Tracker::new(TrackingOptions::default());
/// let id = tracker.update(&[Rect::new(0.0, 0.0, 80.0, 80.0)], Timestamp::UNIX_EPOCH)[0];
/// // No view has been taken in.
/// assert_eq!(tracker.decision(id), Decision::Waiting);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// Too few good views yet, or none since another may have taken the place of a face that had a name: after a gap
    /// or a leap, no name is given before a view shows the same face again.
    Waiting,
    /// The good views are enough and show no enrolled person.
    Unknown,
    /// The views show this person. The decision stays until the views show another person or speak against it, or
    /// until three good views in a row show another face that has taken the track over.
    Known {
        /// The person.
        student: StudentId,
        /// The similarity of the mean of the views.
        similarity: Similarity,
    },
}

/// Two enrolled people whom the views of a face fit alike: one person who is enrolled twice, or two who look alike.
///
/// ```
/// use faceattend_core::tracking::Ambiguity;
///
/// fn told(face: &Ambiguity) -> String {
///     let pair = format!("students {} and {}", face.best.student, face.second.student);
///     face.named.map_or_else(|| format!("{pair}: neither"), |named| format!("{pair}: {named}"))
/// }
/// # let _ = told;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Ambiguity {
    /// The more similar one.
    pub best: Match,
    /// The other.
    pub second: Match,
    /// Whose name the face has all the same: the older record of two that hold the same pictures. `None` where nobody
    /// is named.
    pub named: Option<StudentId>,
}
