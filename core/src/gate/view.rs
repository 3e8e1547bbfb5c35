//! What one view of a face tells of life.

use std::hash::{DefaultHasher, Hasher as _};

use jiff::Timestamp;

use crate::embedding::Embedding;
use crate::engine::Face;
use crate::frame::Frame;
use crate::geometry::Point;
use crate::pose::Pose;

/// The mesh points of the eyelids: upper and lower, of the eye on the image's left, then of the other.
const LIDS: [usize; 12] = [159, 158, 160, 145, 153, 144, 386, 385, 387, 374, 380, 373];
/// The mesh points that move when a face blinks, speaks or chews: eyes, lips and chin. The others move with the skull.
#[rustfmt::skip]
const SOFT: [usize; 94] = [
    // Eyes.
    33, 133, 159, 158, 160, 145, 153, 144, 161, 246, 173, 157, 154, 155, 163, 7,
    263, 362, 386, 385, 387, 374, 380, 373, 388, 466, 398, 384, 381, 382, 390, 249,
    // Lips.
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    // Chin.
    152, 148, 176, 149, 150, 377, 400, 378, 379, 175, 199, 200, 18, 313, 83, 406, 182, 335, 421, 201, 194, 418,
];
/// One in so many points of the mesh is looked at: more say the same.
const MESH_STEP: usize = 3;

/// The number of rows by which two pictures are compared. The noise of a sensor is in every row.
const PICTURE_ROWS: usize = 32;

/// What one good view of a face tells of life.
///
/// ```
/// use faceattend_core::gate::LifeView;
/// use faceattend_core::{AnalyzeOptions, Engine, Frame, Timestamp};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
/// let face = engine.analyze(&frame, &AnalyzeOptions::default())?.faces.remove(0);
/// let view = LifeView::of(&face, Timestamp::now()).expect("the default pack gives points").in_frame(&frame);
/// assert!(view.passive().is_none(), "no antispoof model is installed");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LifeView {
    pub(super) at: Timestamp,
    /// The points that move with the skull, or the five of a detector without a mesh.
    pub(super) skull: Vec<Point>,
    /// The lids, in the order of [`LIDS`]; `None` without a mesh.
    pub(super) lids: Option<[Point; LIDS.len()]>,
    pub(super) pose: Option<Pose>,
    pub(super) passive: Option<f32>,
    pub(super) embedding: Option<Embedding>,
    /// Of the whole picture that the view is from.
    pub(super) picture: Option<u64>,
}

impl LifeView {
    /// Reads a face that was seen at `at`; `None` when it has no points.
    #[must_use]
    pub fn of(face: &Face, at: Timestamp) -> Option<Self> {
        let (skull, lids) = match (&face.mesh, &face.landmarks) {
            (Some(mesh), _) => {
                let point = |index: usize| Point::new(mesh.points()[index][0], mesh.points()[index][1]);
                let rigid = (0..mesh.points().len()).step_by(MESH_STEP).filter(|index| !SOFT.contains(index));
                (rigid.map(point).collect(), Some(LIDS.map(point)))
            }
            (None, Some(five)) => (five.0.to_vec(), None),
            (None, None) => return None,
        };
        Some(Self {
            at,
            skull,
            lids,
            pose: face.pose,
            passive: face.antispoof.real(),
            embedding: face.embedding.clone(),
            picture: None,
        })
    }

    /// Returns the same view as one of `frame`: no camera takes the very same picture twice.
    #[must_use]
    pub fn in_frame(mut self, frame: &Frame<'_>) -> Self {
        let row = frame.width() as usize * 3;
        let every = (frame.height() as usize / PICTURE_ROWS).max(1) * row;
        let mut hasher = DefaultHasher::new();
        frame.pixels().chunks_exact(row).step_by(every / row).for_each(|row| hasher.write(row));
        self.picture = Some(hasher.finish());
        self
    }

    /// Returns the passive check's probability of a living face, in [0, 1], where it ran.
    #[must_use]
    pub fn passive(&self) -> Option<f32> {
        self.passive
    }

    /// Returns whether the face was embedded, which shows whose it is.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.embedding.is_some()
    }

    /// Returns when it was seen.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// Returns the mean gap between the lids of each eye, of points in [`LifeView::lids`]' order.
pub(super) fn lid_gaps(lids: &[Point; LIDS.len()]) -> [f32; 2] {
    let gap = |from: usize| (0..3).map(|n| lids[from + n].distance(lids[from + 3 + n])).sum::<f32>() / 3.0;
    [gap(0), gap(6)]
}
