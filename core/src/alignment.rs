//! Alignment: turns, scales and moves a face so that its points lie where the embedding model expects them.

use serde::{Deserialize, Serialize};

use crate::geometry::{Affine, Landmarks5, Point};

/// The places of the five points in a model's input, in its pixels.
///
/// ```
/// use faceattend_core::alignment::Template;
/// use faceattend_core::geometry::Point;
///
/// let template = Template::arcface112();
/// // A face that is the template, twice as large, needs half of the scale.
/// let face = template.points.map(|p| Point::new(p.x * 2.0, p.y * 2.0));
/// let map = template.align(&face).expect("five points in place");
/// assert!((map.scale() - 0.5).abs() < 1e-3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// The points.
    pub points: Landmarks5,
    /// The side of the square input.
    pub size: usize,
}

/// The five points of the ArcFace template in a 112 x 112 crop (InsightFace, `arcface_dst`).
const ARCFACE_112: [[f32; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

impl Template {
    /// Returns the ArcFace template: 112 x 112.
    #[must_use]
    pub fn arcface112() -> Self {
        Self { points: Landmarks5(ARCFACE_112.map(|[x, y]| Point::new(x, y))), size: 112 }
    }

    /// Finds the map from the frame to this template that brings `landmarks` nearest to its points in the
    /// least-squares sense, among turning, scaling and moving (Umeyama 1991; in the plane it has a closed form
    /// without an SVD). `None` when all points coincide.
    #[must_use]
    pub fn align(&self, landmarks: &Landmarks5) -> Option<Affine> {
        let mean = |points: &[Point; 5]| {
            let sum = points.iter().fold((0.0f64, 0.0f64), |s, p| (s.0 + f64::from(p.x), s.1 + f64::from(p.y)));
            (sum.0 / 5.0, sum.1 / 5.0)
        };
        let (from, to) = (&landmarks.0, &self.points.0);
        let ((fx, fy), (tx, ty)) = (mean(from), mean(to));
        // As complex numbers about their means the best map is t = z f, with z = sum(t conj(f)) / sum(|f|^2).
        let (mut re, mut im, mut norm) = (0.0f64, 0.0f64, 0.0f64);
        for (f, t) in from.iter().zip(to) {
            let (ax, ay) = (f64::from(f.x) - fx, f64::from(f.y) - fy);
            let (bx, by) = (f64::from(t.x) - tx, f64::from(t.y) - ty);
            re += ax * bx + ay * by;
            im += ax * by - ay * bx;
            norm += ax * ax + ay * ay;
        }
        if !norm.is_finite() || norm < 1e-9 || (re == 0.0 && im == 0.0) {
            return None;
        }
        let (re, im) = (re / norm, im / norm);
        #[expect(clippy::cast_possible_truncation, reason = "pixel coordinates fit an f32")]
        let row = |a: f64, b: f64, c: f64| [a as f32, b as f32, c as f32];
        Some(Affine { rows: [row(re, -im, tx - re * fx + im * fy), row(im, re, ty - im * fx - re * fy)] })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_in_one_place_cannot_be_aligned() {
        assert!(Template::arcface112().align(&Landmarks5([Point::new(3.0, 4.0); 5])).is_none());
        assert!(Template::arcface112().align(&Landmarks5([Point::new(f32::NAN, 4.0); 5])).is_none());
    }

    proptest! {
        #[test]
        fn a_turned_and_scaled_template_comes_back(
            angle in -3.1f32..3.1, scale in 0.1f32..10.0, dx in -1000.0f32..1000.0, dy in -1000.0f32..1000.0,
        ) {
            let template = Template::arcface112();
            let (sin, cos) = angle.sin_cos();
            let moved = Affine { rows: [[scale * cos, -scale * sin, dx], [scale * sin, scale * cos, dy]] };
            let aligned = template.align(&template.points.map(|p| moved.apply(p))).unwrap();
            for point in template.points.0 {
                prop_assert!(aligned.apply(moved.apply(point)).distance(point) < 0.05);
            }
        }
    }
}
