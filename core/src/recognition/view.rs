//! The quality of a view, as a weight among the views of its track.

use crate::engine::Face;
use crate::quality::QualityReason;

/// Returns whether a view is good enough to judge a face by.
pub(super) fn is_good(face: &Face) -> bool {
    face.quality.as_ref().is_none_or(|quality| quality.reasons.is_empty())
}

/// Returns the first reason why a view is too poor to judge a face by.
pub(super) fn why_poor(face: &Face) -> Option<QualityReason> {
    face.quality.as_ref()?.reasons.first().copied()
}

/// The eye distance, in pixels, from which a view gains nothing more: the aligned face's own 35 pixels.
const FULL_EYE_DISTANCE: f32 = 35.0;
/// The sharpness from which a view gains nothing more: the fifth percentile of 400 LFW pictures.
const FULL_SHARPNESS: f32 = 60.0;

/// Returns the weight of a view among those of its track, in [0.2, 1]: size, sharpness and how far the face is turned,
/// each in proportion.
///
/// ```
/// use faceattend_core::engine::Face;
/// use faceattend_core::geometry::Rect;
/// use faceattend_core::recognition::view_weight;
///
/// // Nothing is known against a face that was only detected.
/// assert_eq!(view_weight(&Face::detected(Rect::new(0.0, 0.0, 80.0, 80.0), 0.9, None)), 1.0);
/// ```
#[must_use]
pub fn view_weight(face: &Face) -> f32 {
    let size = face.quality.as_ref().map_or(1.0, |quality| quality.eye_distance / FULL_EYE_DISTANCE);
    let sharp = face.quality.as_ref().map_or(1.0, |quality| quality.sharpness / FULL_SHARPNESS);
    let turn = face.pose.map_or(1.0, |pose| pose.yaw.0.to_radians().cos() * pose.pitch.0.to_radians().cos());
    (size.clamp(0.0, 1.0) * sharp.clamp(0.0, 1.0).sqrt() * turn).clamp(0.2, 1.0)
}
