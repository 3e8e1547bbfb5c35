//! Tells a head that turned from a picture that was turned.
//!
//! Two measures of parallax are blind to how a flat picture is held:
//!
//! - the *nose shift*: the nose stands out from the plane of eyes and mouth, so on a real head it moves against them.
//!   The nose offset of [`crate::pose::Pose`] measures this movement, and no affine map changes it;
//! - the *relief*: the rest that the best affine map from one view to the other leaves. A flat picture leaves the
//!   error of the points, a head leaves its depth. The default pack's mesh gives it many points.

use serde::{Deserialize, Serialize};

use super::position::{Mirrored, Position};
use crate::engine::Face;
use crate::geometry::Point;

/// Returns by how much the nose moved from center to `side`, positive when it moved to the side that was asked for.
pub(super) fn nose_shift(center_offset: f32, side_offset: f32, side: Position, mirrored: Mirrored) -> f32 {
    let to_own_left = mirrored.to_own_left(side_offset - center_offset);
    match side {
        Position::Left => to_own_left,
        Position::Right => -to_own_left,
        Position::Center | Position::Up | Position::Down => 0.0,
    }
}

/// Returns how clear a shift is, in [0, 1]: 0.5 at the threshold, 1 from twice that on.
pub(super) fn clearness(shift: f32, min_shift: f32) -> f32 {
    if min_shift > 0.0 { (shift / (2.0 * min_shift)).clamp(0.0, 1.0) } else { 1.0 }
}

/// One in so many points of the mesh is kept: 117 of 468 say as much (see `docs/src/liveness.md`) for a quarter of
/// the room.
const MESH_STEP: usize = 4;

/// The points of a face in one view, as far as they tell relief: of the mesh where there is one, else the five.
///
/// ```
/// use faceattend_core::liveness::Shape;
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let shape = |view: &str| -> faceattend_core::Result<Shape> {
///     let frame = Frame::open(format!("../examples/media/hopper/{view}.jpg"))?;
///     Ok(Shape::of(&engine.analyze(&frame, &AnalyzeOptions::default())?.faces[0]))
/// };
/// // Two views of a head have depth between them.
/// assert!(shape("center")?.relief(&shape("left")?).is_some_and(|relief| relief > 0.06));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape {
    /// In frame pixels, from the first point, in tenths of a pixel: small to write down, and finer than any model.
    points: Vec<[i16; 2]>,
}

impl Shape {
    /// Returns the shape of `face`; empty when it has no points.
    #[must_use]
    pub fn of(face: &Face) -> Self {
        let points: Vec<Point> = match (&face.mesh, &face.landmarks) {
            (Some(mesh), _) => mesh.points().iter().step_by(MESH_STEP).map(|[x, y, _]| Point::new(*x, *y)).collect(),
            (None, Some(five)) => five.0.to_vec(),
            (None, None) => Vec::new(),
        };
        Self::from_points(&points)
    }

    fn from_points(points: &[Point]) -> Self {
        let Some(first) = points.first() else { return Self::default() };
        #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and no face spans 6,500 pixels")]
        let tenths = |v: f32| (v * 10.0).round() as i16;
        Self { points: points.iter().map(|p| [tenths(p.x - first.x), tenths(p.y - first.y)]).collect() }
    }

    /// Returns the number of points: 117 from a mesh, 5 without one, 0 for none.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Returns whether there are no points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Returns the relief between this view and `other`: the root mean square of what the best affine map leaves,
    /// over that of the points about their center. 0 for a flat picture and exact points, however it is held. `None`
    /// when the two have different points, or too few, or lie on a line.
    #[must_use]
    pub fn relief(&self, other: &Self) -> Option<f32> {
        // An affine map takes up three points whole.
        if self.len() != other.len() || self.len() < 4 {
            return None;
        }
        let (from, to) = (centered(&self.points), centered(&other.points));
        let sum = |f: &dyn Fn(&[f64; 2], &[f64; 2]) -> f64| from.iter().zip(&to).map(|(p, q)| f(p, q)).sum::<f64>();
        let (xx, xy, yy) = (sum(&|p, _| p[0] * p[0]), sum(&|p, _| p[0] * p[1]), sum(&|p, _| p[1] * p[1]));
        let det = xx * yy - xy * xy;
        let spread = sum(&|_, q| q[0] * q[0] + q[1] * q[1]);
        if det <= 1e-6 * (xx + yy) * (xx + yy) || spread <= 0.0 {
            return None;
        }
        let mut left = 0.0;
        for axis in 0..2 {
            let (xq, yq) = (sum(&|p, q| p[0] * q[axis]), sum(&|p, q| p[1] * q[axis]));
            let (a, b) = ((xq * yy - yq * xy) / det, (yq * xx - xq * xy) / det);
            left += sum(&|p, q| (q[axis] - a * p[0] - b * p[1]).powi(2));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a ratio in [0, 1]")]
        Some((left / spread).sqrt() as f32)
    }
}

#[expect(clippy::cast_precision_loss, reason = "hundreds of points")]
fn centered(points: &[[i16; 2]]) -> Vec<[f64; 2]> {
    let count = points.len() as f64;
    let mean = |axis: usize| points.iter().map(|p| f64::from(p[axis])).sum::<f64>() / count;
    let (x, y) = (mean(0), mean(1));
    points.iter().map(|p| [f64::from(p[0]) - x, f64::from(p[1]) - y]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shift_counts_only_towards_the_side_asked_for() {
        let shift = |side, mirrored| nose_shift(0.05, 0.45, side, mirrored);
        assert!((shift(Position::Right, Mirrored::Yes) - 0.4).abs() < 1e-6);
        assert!((shift(Position::Left, Mirrored::Yes) + 0.4).abs() < 1e-6);
        assert!((shift(Position::Left, Mirrored::No) - 0.4).abs() < 1e-6);
        assert_eq!(shift(Position::Center, Mirrored::No), 0.0);
    }

    #[test]
    fn clearness_is_half_at_the_threshold_and_whole_at_twice() {
        assert_eq!(clearness(0.2, 0.2), 0.5);
        assert_eq!(clearness(0.9, 0.2), 1.0);
        assert_eq!(clearness(0.0, 0.0), 1.0);
    }

    /// Returns a grid of points on a dome `depth` deep, seen by a camera far away after a turn of `yaw`.
    fn dome(depth: f32, yaw: f32) -> Shape {
        let (sin, cos) = yaw.to_radians().sin_cos();
        let points: Vec<Point> = (0..49)
            .map(|i| ((i % 7) as f32 - 3.0, (i / 7) as f32 - 3.0))
            .map(|(x, y)| Point::new(100.0 + 30.0 * (x * cos + depth * (9.0 - x * x - y * y) / 9.0 * sin), 30.0 * y))
            .collect();
        Shape::from_points(&points)
    }

    #[test]
    fn a_dome_that_turns_has_relief_and_a_plane_has_none() {
        let relief = |depth| dome(depth, 0.0).relief(&dome(depth, 25.0)).unwrap();
        assert!(relief(0.0) < 0.002, "{}", relief(0.0));
        assert!(relief(2.0) > 0.05 && relief(3.0) > relief(2.0), "{}", relief(2.0));
    }

    #[test]
    fn views_that_cannot_be_compared_have_no_relief() {
        let five = Shape::from_points(&[Point::default(); 5]);
        assert_eq!(five.relief(&dome(1.0, 0.0)), None, "different points");
        assert_eq!(five.relief(&five), None, "all in one place");
        assert_eq!(Shape::default().relief(&Shape::default()), None);
    }

    proptest! {
        #[test]
        fn no_way_to_hold_a_flat_picture_gives_it_relief(
            a in 0.3f32..1.5, b in -0.5f32..0.5, c in -0.5f32..0.5, d in 0.3f32..1.5, depth in 0.0f32..3.0,
        ) {
            prop_assume!((a * d - b * c).abs() > 0.1);
            let picture = dome(depth, 10.0);
            let held: Vec<Point> = picture.points.iter().map(|[x, y]| {
                let (x, y) = (f32::from(*x) / 10.0, f32::from(*y) / 10.0);
                Point::new(a * x + b * y, c * x + d * y)
            }).collect();
            let relief = picture.relief(&Shape::from_points(&held)).unwrap();
            prop_assert!(relief < 0.005, "{relief}");
        }
    }
}
