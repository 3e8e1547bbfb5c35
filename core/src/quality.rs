//! What speaks for and against a view of a face.

use serde::{Deserialize, Serialize};

/// Figures about one view of a face, and the reasons not to enrol or match it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// The distance between the eyes, in frame pixels.
    pub eye_distance: f32,
    /// Variance of the Laplacian of the aligned grey face: below about 20 is blurred.
    pub sharpness: f32,
    /// Mean luminance of the aligned face, in [0, 255].
    pub brightness: f32,
    /// The part of the face box that lies inside the frame, in [0, 1].
    pub visible: f32,
    /// What speaks against using this view; empty for a good one.
    pub reasons: Vec<QualityReason>,
}

/// A reason not to use a view, with a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityReason {
    /// Too few pixels between the eyes.
    TooSmall,
    /// Out of focus or moving.
    Blurred,
    /// Too little light.
    TooDark,
    /// Too much light.
    TooBright,
    /// Turned, tilted or leaning too far for a template.
    PoseTooFar,
    /// Cut off by the edge of the frame.
    Truncated,
}

impl QualityReason {
    /// The stable code, in snake case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooSmall => "too_small",
            Self::Blurred => "blurred",
            Self::TooDark => "too_dark",
            Self::TooBright => "too_bright",
            Self::PoseTooFar => "pose_too_far",
            Self::Truncated => "truncated",
        }
    }

    /// What the person in front of the camera can do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::TooSmall => "come closer",
            Self::Blurred => "hold still",
            Self::TooDark => "more light on the face, please",
            Self::TooBright => "less light on the face, please",
            Self::PoseTooFar => "look towards the camera",
            Self::Truncated => "move into the middle of the picture",
        }
    }
}
