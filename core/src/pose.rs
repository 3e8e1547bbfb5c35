//! Head pose from five points.
//!
//! Yaw is read from where the nose lies between the eyes, with the mouth as the third corner: write nose = a eyeL + b
//! eyeR + c mouth with a + b + c = 1; then yaw = atan(k (b - a) + b0). The error is no larger than that of a
//! perspective fit. No affine map of the plane changes b - a, so a flat photograph keeps its yaw however it is turned;
//! half of such prints fool a perspective fit.

use serde::{Deserialize, Serialize};

use crate::geometry::Landmarks5;
use crate::types::Degrees;

/// A head pose, in the frame as received.
///
/// ```
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/yaw+20.jpg")?;
/// let pose = engine.analyze(&frame, &AnalyzeOptions::default())?.faces[0].pose.expect("a pose");
/// // The nose points to the right edge of the picture.
/// assert!((pose.yaw.0 - 20.0).abs() < 8.0, "{}", pose.yaw);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pose {
    /// Positive when the nose points to the right edge of the image.
    pub yaw: Degrees,
    /// Positive when the face looks up.
    pub pitch: Degrees,
    /// Positive when the head leans clockwise as seen.
    pub roll: Degrees,
    /// The place of the nose between the eyes: b - a of nose = a eyeL + b eyeR + c mouth, a + b + c = 1.
    /// Affine-invariant: it does not move when a flat picture of a face is turned.
    pub nose_offset: f32,
}

/// From the nose's weights to angles, for one source of points: yaw = atan(`k` (b - a) + `b0`),
/// pitch = atan(`pitch_slope` (`pitch_level` - c)).
///
/// Fitted on 583 labeled faces (GENKI-4K and AFLW2000-3D, all within 60 degrees). Mean errors in yaw: mesh 3.6, SCRFD
/// 3.7, YOLO-face 4.9, YuNet 5.8 degrees; in pitch: mesh 4.6, SCRFD 4.5 degrees, where always answering the mean errs
/// by 5.3.
///
/// ```
/// use faceattend_core::alignment::Template;
/// use faceattend_core::pose::{Pose, PoseFit};
///
/// // The template is a face that looks straight ahead.
/// let pose = Pose::from_landmarks(&Template::arcface112().points, PoseFit::SCRFD).expect("a face");
/// assert!(pose.yaw.0.abs() < 5.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoseFit {
    /// The slope of the yaw's tangent.
    pub k: f32,
    /// The tangent of the yaw at offset 0.
    pub b0: f32,
    /// The nose's share of the way from the eyes' line to the mouth in a level face.
    pub pitch_level: f32,
    /// The slope of the pitch's tangent.
    pub pitch_slope: f32,
}

impl PoseFit {
    /// SCRFD's points.
    pub const SCRFD: Self = Self { k: 0.935, b0: -0.017, pitch_level: 0.57, pitch_slope: 1.2 };
    /// YuNet's points. They hardly follow the pitch.
    pub const YUNET: Self = Self { k: 0.875, b0: -0.011, pitch_level: 0.58, pitch_slope: 1.0 };
    /// YOLO-face's points.
    pub const YOLO_FACE: Self = Self { k: 0.91, b0: -0.015, pitch_level: 0.56, pitch_slope: 1.2 };
    /// The five points taken from the face mesh.
    pub const MESH: Self = Self { k: 0.84, b0: -0.01, pitch_level: 0.62, pitch_slope: 1.2 };

    /// Returns the fit with a model's own yaw: [k, b0], as the manifest gives it.
    #[must_use]
    pub fn with_yaw(self, [k, b0]: [f32; 2]) -> Self {
        Self { k, b0, ..self }
    }
}

impl Pose {
    /// Measures the pose of a face with these points; `None` when eyes and mouth lie on one line.
    #[must_use]
    pub fn from_landmarks(points: &Landmarks5, fit: PoseFit) -> Option<Self> {
        let [a, b, c] = nose_weights(points)?;
        let eyes = (points.right_eye().x - points.left_eye().x, points.right_eye().y - points.left_eye().y);
        let nose_offset = b - a;
        Some(Self {
            yaw: Degrees((fit.k * nose_offset + fit.b0).atan().to_degrees()),
            pitch: Degrees((fit.pitch_slope * (fit.pitch_level - c)).atan().to_degrees()),
            roll: Degrees(eyes.1.atan2(eyes.0).to_degrees()),
            nose_offset,
        })
    }
}

/// Returns the barycentric weights of the nose in the triangle of left eye, right eye and mouth.
fn nose_weights(points: &Landmarks5) -> Option<[f32; 3]> {
    let (l, r, m, n) = (points.left_eye(), points.right_eye(), points.mouth(), points.nose());
    let (rx, ry, mx, my, nx, ny) = (r.x - l.x, r.y - l.y, m.x - l.x, m.y - l.y, n.x - l.x, n.y - l.y);
    let area = rx * my - ry * mx;
    let size = rx.hypot(ry) * mx.hypot(my);
    // A triangle flatter than 1:1000 says nothing; points of a model are never that exact.
    if !area.is_finite() || area.abs() <= 1e-3 * size || size <= 0.0 {
        return None;
    }
    let b = (nx * my - ny * mx) / area;
    let c = (rx * ny - ry * nx) / area;
    Some([1.0 - b - c, b, c])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alignment::Template;
    use crate::geometry::{Affine, Point};

    fn with_nose_at(x: f32, y: f32) -> Landmarks5 {
        let mut points = Template::arcface112().points;
        points.0[2] = Point::new(x, y);
        points
    }

    #[test]
    fn a_nose_towards_the_right_edge_is_a_positive_yaw() {
        let yaw = |x| Pose::from_landmarks(&with_nose_at(x, 71.7), PoseFit::SCRFD).unwrap().yaw.0;
        assert!(yaw(70.0) > 15.0 && yaw(42.0) < -15.0 && yaw(56.0).abs() < 5.0);
    }

    #[test]
    fn a_nose_near_the_eyes_looks_up() {
        let pitch = |y| Pose::from_landmarks(&with_nose_at(56.0, y), PoseFit::SCRFD).unwrap().pitch.0;
        assert!(pitch(60.0) > pitch(72.0) && pitch(72.0) > pitch(84.0));
    }

    #[test]
    fn a_head_that_leans_clockwise_has_a_positive_roll() {
        let (sin, cos) = 20f32.to_radians().sin_cos();
        let clockwise = Affine { rows: [[cos, -sin, 0.0], [sin, cos, 0.0]] };
        let points = Template::arcface112().points.map(|p| clockwise.apply(p));
        let roll = Pose::from_landmarks(&points, PoseFit::SCRFD).unwrap().roll.0;
        assert!((roll - 20.0).abs() < 0.5, "{roll}");
    }

    #[test]
    fn points_on_one_line_have_no_pose() {
        let line = Landmarks5(std::array::from_fn(|i| Point::new(i as f32 * 10.0, 5.0)));
        assert!(Pose::from_landmarks(&line, PoseFit::MESH).is_none());
    }

    proptest! {
        /// What makes a flat photograph keep its yaw: DESIGN's reason for this formula over a perspective fit.
        #[test]
        fn turning_a_flat_picture_moves_nothing(
            squeeze in 0.4f32..1.0, shear in -0.3f32..0.3, scale in 0.5f32..4.0, nose in 40f32..72.0,
        ) {
            let points = with_nose_at(nose, 70.0);
            let flat = Affine { rows: [[scale * squeeze, 0.0, 30.0], [scale * shear, scale, -20.0]] };
            let before = Pose::from_landmarks(&points, PoseFit::SCRFD).unwrap();
            let after = Pose::from_landmarks(&points.map(|p| flat.apply(p)), PoseFit::SCRFD).unwrap();
            prop_assert!((before.nose_offset - after.nose_offset).abs() < 1e-3);
            prop_assert!((before.yaw.0 - after.yaw.0).abs() < 0.1);
        }
    }
}
