//! What an engine says of a frame. All coordinates are pixels of the frame as it was handed over, x to the right, y
//! down.

use faceattend_core::antispoof::PassivePad;
use faceattend_core::engine::{Analysis as CoreAnalysis, Face as CoreFace};
use faceattend_core::frame::Frame;
use faceattend_core::geometry::{Landmarks5, Rect as CoreRect};
use faceattend_core::pose::Pose as CorePose;
use faceattend_core::quality::{Quality as CoreQuality, QualityReason as CoreReason};
use napi::bindgen_prelude::Float32Array;
use napi_derive::napi;

use crate::embedding::Embedding;

/// A point in pixels.
#[napi(object)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// An upright box in pixels: `x1 <= x2`, `y1 <= y2`. It may reach over the frame's edge.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct Rect {
    pub x1: f64,
    pub y1: f64,
    pub x2: f64,
    pub y2: f64,
}

/// A head pose in degrees, in the frame as received.
#[napi(object)]
pub struct Pose {
    /// Positive when the nose points to the right edge of the image: in a frame that is not mirrored, the person's own
    /// left.
    pub yaw: f64,
    /// Positive when the face looks up.
    pub pitch: f64,
    /// Positive when the head leans clockwise as seen.
    pub roll: f64,
    /// Where the nose lies between the eyes. It does not move when a flat picture of a face is turned.
    pub nose_offset: f64,
}

/// A reason not to enrol or match a view.
#[napi(string_enum = "snake_case")]
pub enum QualityReason {
    TooSmall,
    Blurred,
    TooDark,
    TooBright,
    PoseTooFar,
    Truncated,
}

/// Figures about one view of a face.
#[napi(object)]
pub struct Quality {
    /// The distance between the eyes, in pixels.
    pub eye_distance: f64,
    /// Variance of the Laplacian of the gray face, aligned to 112 x 112; below 20 it counts as blurred.
    pub sharpness: f64,
    /// Mean luminance of the aligned face, in [0, 255].
    pub brightness: f64,
    /// The part of the face box that lies inside the frame, in [0, 1].
    pub visible: f64,
    /// What speaks against using this view; empty for a good one.
    pub reasons: Vec<QualityReason>,
}

/// A face that has been found and taken no further.
#[napi(object, use_nullable = true)]
pub struct Detection {
    /// Where it is.
    pub bbox: Rect,
    /// The detector's score, in [0, 1].
    pub score: f64,
    /// The eye on the image's left, the eye on its right, the nose, the mouth corner on the left, the one on the right;
    /// `null` when the detector gives none.
    pub landmarks: Option<Vec<Point>>,
}

/// One face of a frame. What the depth that was asked for does not reach is `null`.
#[napi(object, use_nullable = true)]
pub struct Face {
    /// Where it is.
    pub bbox: Rect,
    /// The detector's score, in [0, 1].
    pub score: f64,
    /// Five points: the eye on the image's left, the eye on its right, the nose, the mouth corner on the left, the one
    /// on the right.
    pub landmarks: Option<Vec<Point>>,
    /// The face mesh, where the engine has its model: 468 points as x, y, z one after the other, 1404 values, z away
    /// from the camera in pixels.
    pub mesh: Option<Float32Array>,
    /// The head pose.
    pub pose: Option<Pose>,
    /// Size, sharpness, light.
    pub quality: Option<Quality>,
    /// What recognition compares.
    pub embedding: Option<Embedding>,
    /// The probability of a living face by the passive check, in [0, 1]; `null` when it did not run.
    pub real: Option<f64>,
    /// Why the passive check did not run; `null` when it did.
    pub antispoof_unavailable: Option<String>,
}

/// What an engine found in a frame.
#[napi(object)]
pub struct Analysis {
    /// The faces: those taken furthest first, then by size, largest first. Empty when there is none.
    pub faces: Vec<Face>,
    /// The frame's width, after an encoded picture was turned upright.
    pub width: u32,
    /// The frame's height.
    pub height: u32,
    /// The longer side of the detector's input that found the faces, in pixels.
    pub input_size: u32,
}

impl From<&CoreRect> for Rect {
    fn from(rect: &CoreRect) -> Self {
        Self { x1: rect.x1.into(), y1: rect.y1.into(), x2: rect.x2.into(), y2: rect.y2.into() }
    }
}

impl From<Rect> for CoreRect {
    #[expect(clippy::cast_possible_truncation, reason = "pixels need no more than an f32")]
    fn from(rect: Rect) -> Self {
        Self::new(rect.x1 as f32, rect.y1 as f32, rect.x2 as f32, rect.y2 as f32)
    }
}

impl From<CorePose> for Pose {
    fn from(pose: CorePose) -> Self {
        Self {
            yaw: pose.yaw.0.into(),
            pitch: pose.pitch.0.into(),
            roll: pose.roll.0.into(),
            nose_offset: pose.nose_offset.into(),
        }
    }
}

impl From<CoreReason> for QualityReason {
    fn from(reason: CoreReason) -> Self {
        match reason {
            CoreReason::TooSmall => Self::TooSmall,
            CoreReason::Blurred => Self::Blurred,
            CoreReason::TooDark => Self::TooDark,
            CoreReason::TooBright => Self::TooBright,
            CoreReason::PoseTooFar => Self::PoseTooFar,
            CoreReason::Truncated => Self::Truncated,
        }
    }
}

impl From<&CoreQuality> for Quality {
    fn from(quality: &CoreQuality) -> Self {
        Self {
            eye_distance: quality.eye_distance.into(),
            sharpness: quality.sharpness.into(),
            brightness: quality.brightness.into(),
            visible: quality.visible.into(),
            reasons: quality.reasons.iter().copied().map(Into::into).collect(),
        }
    }
}

fn points(landmarks: &Landmarks5) -> Vec<Point> {
    landmarks.0.iter().map(|point| Point { x: point.x.into(), y: point.y.into() }).collect()
}

impl From<&CoreFace> for Detection {
    fn from(face: &CoreFace) -> Self {
        Self { bbox: (&face.bbox).into(), score: face.score.into(), landmarks: face.landmarks.as_ref().map(points) }
    }
}

impl From<&CoreFace> for Face {
    fn from(face: &CoreFace) -> Self {
        let (real, antispoof_unavailable) = match face.antispoof {
            PassivePad::Scored { real } => (Some(real.into()), None),
            PassivePad::Unavailable { reason } => (None, Some(reason.to_owned())),
        };
        Self {
            bbox: (&face.bbox).into(),
            score: face.score.into(),
            landmarks: face.landmarks.as_ref().map(points),
            mesh: face.mesh.as_ref().map(|mesh| Float32Array::new(mesh.points().as_flattened().to_vec())),
            pose: face.pose.map(Into::into),
            quality: face.quality.as_ref().map(Into::into),
            embedding: face.embedding.as_ref().map(Into::into),
            real,
            antispoof_unavailable,
        }
    }
}

impl Analysis {
    pub(crate) fn of(analysis: &CoreAnalysis, frame: &Frame<'_>) -> Self {
        Self {
            faces: analysis.faces.iter().map(Into::into).collect(),
            width: frame.width(),
            height: frame.height(),
            input_size: analysis.input_size,
        }
    }
}
