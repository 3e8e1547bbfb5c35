//! Head pose from five points.

use serde::{Deserialize, Serialize};

use crate::types::Degrees;

/// A head pose, in the frame as received.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pose {
    /// Positive when the nose points to the right edge of the image.
    pub yaw: Degrees,
    /// Positive when the face looks up.
    pub pitch: Degrees,
    /// Positive when the head leans clockwise as seen.
    pub roll: Degrees,
    /// Where the nose lies between the eyes' line's ends: b - a of nose = a eyeL + b eyeR + c mouth, a + b + c = 1.
    /// Affine-invariant: it does not move when a flat picture of a face is turned.
    pub nose_offset: f32,
}
