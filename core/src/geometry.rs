//! Points, boxes and plane transforms, in pixels of the frame unless a name says otherwise; x to the right, y down.

use serde::{Deserialize, Serialize};

/// A point in pixels.
///
/// ```
/// use faceattend_core::geometry::Point;
///
/// let (eye, mouth) = (Point::new(0.0, 0.0), Point::new(3.0, 4.0));
/// assert_eq!(eye.distance(mouth), 5.0);
/// assert_eq!(eye.midpoint(mouth), Point::new(1.5, 2.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// Creates a point.
    #[must_use]
    pub fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Returns the distance to `other`.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Returns the point half way to `other`.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self::new((self.x + other.x) / 2.0, (self.y + other.y) / 2.0)
    }
}

/// An upright box: `x1 <= x2`, `y1 <= y2`. It may reach over the frame's edge.
///
/// ```
/// use faceattend_core::geometry::{Point, Rect};
///
/// let face = Rect::new(10.0, 20.0, 50.0, 60.0);
/// assert_eq!((face.width(), face.height(), face.area()), (40.0, 40.0, 1600.0));
/// assert_eq!(face.center(), Point::new(30.0, 40.0));
/// assert_eq!(face.scaled(2.0), Rect::new(-10.0, 0.0, 70.0, 80.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x1: f32,
    /// Top edge.
    pub y1: f32,
    /// Right edge.
    pub x2: f32,
    /// Bottom edge.
    pub y2: f32,
}

impl Rect {
    /// Creates a box from its edges.
    #[must_use]
    pub fn new(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self { x1, y1, x2, y2 }
    }

    /// Creates a box from its center and size.
    ///
    /// ```
    /// use faceattend_core::geometry::{Point, Rect};
    ///
    /// assert_eq!(Rect::from_center(Point::new(5.0, 5.0), 4.0, 2.0), Rect::new(3.0, 4.0, 7.0, 6.0));
    /// ```
    #[must_use]
    pub fn from_center(center: Point, width: f32, height: f32) -> Self {
        Self::new(center.x - width / 2.0, center.y - height / 2.0, center.x + width / 2.0, center.y + height / 2.0)
    }

    /// Returns the width.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.x2 - self.x1
    }

    /// Returns the height.
    #[must_use]
    pub fn height(&self) -> f32 {
        self.y2 - self.y1
    }

    /// Returns the area, 0 for a box turned inside out.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// Returns the center.
    #[must_use]
    pub fn center(&self) -> Point {
        Point::new((self.x1 + self.x2) / 2.0, (self.y1 + self.y2) / 2.0)
    }

    /// Returns the part that lies in a picture of this size; a box beside it becomes one of no area at its border.
    ///
    /// ```
    /// use faceattend_core::geometry::Rect;
    ///
    /// assert_eq!(Rect::new(-4.0, 10.0, 30.0, 90.0).clipped(640, 80), Rect::new(0.0, 10.0, 30.0, 80.0));
    /// ```
    #[must_use]
    pub fn clipped(&self, width: u32, height: u32) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "pictures have far fewer than 2^24 pixels a side")]
        let (width, height) = (width as f32, height as f32);
        let (x, y) = (|x: f32| x.clamp(0.0, width), |y: f32| y.clamp(0.0, height));
        Self::new(x(self.x1), y(self.y1), x(self.x2), y(self.y2))
    }

    /// Returns the part that lies in `other`; of zero area when they do not meet.
    ///
    /// ```
    /// use faceattend_core::geometry::Rect;
    ///
    /// let (left, right) = (Rect::new(0.0, 0.0, 2.0, 2.0), Rect::new(1.0, 0.0, 3.0, 2.0));
    /// assert_eq!(left.intersection(&right), Rect::new(1.0, 0.0, 2.0, 2.0));
    /// ```
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (x1, y1) = (self.x1.max(other.x1), self.y1.max(other.y1));
        Self::new(x1, y1, self.x2.min(other.x2).max(x1), self.y2.min(other.y2).max(y1))
    }

    /// Returns the smallest box around both.
    ///
    /// ```
    /// use faceattend_core::geometry::Rect;
    ///
    /// let both = Rect::new(0.0, 0.0, 1.0, 1.0).union(&Rect::new(3.0, 2.0, 4.0, 3.0));
    /// assert_eq!(both, Rect::new(0.0, 0.0, 4.0, 3.0));
    /// ```
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::new(self.x1.min(other.x1), self.y1.min(other.y1), self.x2.max(other.x2), self.y2.max(other.y2))
    }

    /// Returns the intersection over union, in [0, 1].
    ///
    /// ```
    /// use faceattend_core::geometry::Rect;
    ///
    /// let (left, right) = (Rect::new(0.0, 0.0, 2.0, 2.0), Rect::new(1.0, 0.0, 3.0, 2.0));
    /// assert_eq!(left.iou(&left), 1.0);
    /// assert!((left.iou(&right) - 1.0 / 3.0).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other).area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Returns the box about the same center, `factor` times as large on each side.
    ///
    /// ```
    /// use faceattend_core::geometry::Rect;
    ///
    /// assert_eq!(Rect::new(0.0, 0.0, 2.0, 2.0).scaled(2.0), Rect::new(-1.0, -1.0, 3.0, 3.0));
    /// ```
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        Self::from_center(self.center(), self.width() * factor, self.height() * factor)
    }
}

/// Five face points in the order of the ArcFace template: the eye on the image's left, the eye on its right, the nose,
/// the mouth corner on the left, the one on the right. Left and right are the image's, not the person's.
///
/// ```
/// use faceattend_core::geometry::{Landmarks5, Point};
///
/// let points = [(10.0, 10.0), (30.0, 10.0), (20.0, 20.0), (12.0, 30.0), (28.0, 30.0)];
/// let face = Landmarks5(points.map(|(x, y)| Point::new(x, y)));
/// assert_eq!(face.nose(), Point::new(20.0, 20.0));
/// assert_eq!(face.mouth(), Point::new(20.0, 30.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Landmarks5(pub [Point; 5]);

impl Landmarks5 {
    /// Returns the eye on the image's left.
    #[must_use]
    pub fn left_eye(&self) -> Point {
        self.0[0]
    }

    /// Returns the eye on the image's right.
    #[must_use]
    pub fn right_eye(&self) -> Point {
        self.0[1]
    }

    /// Returns the tip of the nose.
    #[must_use]
    pub fn nose(&self) -> Point {
        self.0[2]
    }

    /// Returns the middle of the mouth.
    #[must_use]
    pub fn mouth(&self) -> Point {
        self.0[3].midpoint(self.0[4])
    }

    /// Returns every point mapped by `map`.
    #[must_use]
    pub fn map(&self, map: impl FnMut(Point) -> Point) -> Self {
        Self(self.0.map(map))
    }

    /// Returns the smallest upright box around the points.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        let first = self.0[0];
        self.0.iter().fold(Rect::new(first.x, first.y, first.x, first.y), |bounds, p| {
            bounds.union(&Rect::new(p.x, p.y, p.x, p.y))
        })
    }
}

/// A plane affine map: (x, y) to (a x + b y + c, d x + e y + f), as the rows [a, b, c] and [d, e, f].
///
/// ```
/// use faceattend_core::geometry::{Affine, Point};
///
/// let map = Affine::scale_then_move(2.0, 1.0, 0.0);
/// assert_eq!(map.apply(Point::new(3.0, 4.0)), Point::new(7.0, 8.0));
/// let back = map.inverse().expect("a scale has an inverse");
/// assert_eq!(back.apply(Point::new(7.0, 8.0)), Point::new(3.0, 4.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    /// The two rows.
    pub rows: [[f32; 3]; 2],
}

impl Affine {
    /// The map that leaves every point where it is.
    pub const IDENTITY: Self = Self { rows: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] };

    /// Creates the map that scales by `scale`, then moves by (`dx`, `dy`).
    #[must_use]
    pub fn scale_then_move(scale: f32, dx: f32, dy: f32) -> Self {
        Self { rows: [[scale, 0.0, dx], [0.0, scale, dy]] }
    }

    /// Returns where `point` goes.
    #[must_use]
    pub fn apply(&self, point: Point) -> Point {
        let [[a, b, c], [d, e, f]] = self.rows;
        Point::new(a * point.x + b * point.y + c, d * point.x + e * point.y + f)
    }

    /// Returns the map back, or `None` when this one flattens the plane.
    ///
    /// ```
    /// use faceattend_core::geometry::Affine;
    ///
    /// assert_eq!(Affine::IDENTITY.inverse(), Some(Affine::IDENTITY));
    /// // A map that flattens the plane has no inverse.
    /// assert_eq!(Affine::scale_then_move(0.0, 0.0, 0.0).inverse(), None);
    /// ```
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, c], [d, e, f]] = self.rows;
        let det = a * e - b * d;
        if !det.is_finite() || det.abs() < 1e-12 {
            return None;
        }
        let (ia, ib, id, ie) = (e / det, -b / det, -d / det, a / det);
        Some(Self { rows: [[ia, ib, -(ia * c + ib * f)], [id, ie, -(id * c + ie * f)]] })
    }

    /// Returns how much the map enlarges lengths, on average over directions.
    #[must_use]
    pub fn scale(&self) -> f32 {
        let [[a, b, _], [d, e, _]] = self.rows;
        (a * e - b * d).abs().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn boxes_that_only_touch_share_nothing() {
        let left = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert_eq!(left.iou(&Rect::new(10.0, 0.0, 20.0, 10.0)), 0.0);
        assert_eq!(left.iou(&left), 1.0);
    }

    #[test]
    fn a_map_that_flattens_the_plane_has_no_inverse() {
        assert!(Affine { rows: [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]] }.inverse().is_none());
    }

    proptest! {
        #[test]
        fn an_inverse_brings_a_point_back(
            angle in -3.0f32..3.0, scale in 0.2f32..5.0, dx in -500.0f32..500.0, dy in -500.0f32..500.0,
            x in -1000.0f32..1000.0, y in -1000.0f32..1000.0,
        ) {
            let (sin, cos) = angle.sin_cos();
            let map = Affine { rows: [[scale * cos, -scale * sin, dx], [scale * sin, scale * cos, dy]] };
            let back = map.inverse().unwrap().apply(map.apply(Point::new(x, y)));
            prop_assert!((back.x - x).abs() < 0.05 && (back.y - y).abs() < 0.05, "{back:?}");
        }

        #[test]
        fn overlap_is_symmetric_and_bounded(
            a in prop::array::uniform4(-50f32..50.0),
            b in prop::array::uniform4(-50f32..50.0),
        ) {
            let rect = |v: [f32; 4]| Rect::new(v[0].min(v[2]), v[1].min(v[3]), v[0].max(v[2]), v[1].max(v[3]));
            let (a, b) = (rect(a), rect(b));
            prop_assert_eq!(a.iou(&b), b.iou(&a));
            prop_assert!((0.0..=1.0).contains(&a.iou(&b)));
        }
    }
}
