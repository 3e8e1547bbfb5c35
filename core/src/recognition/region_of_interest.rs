//! The part of a camera's picture that counts.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::geometry::{Point, Rect};

/// A polygon in parts of the picture's sides: (0, 0) is its top left corner, (1, 1) its bottom right. Faces whose
/// center lies outside are nobody's, and what moves there is not looked at.
///
/// ```
/// use faceattend_core::geometry::{Point, Rect};
/// use faceattend_core::recognition::RegionOfInterest;
///
/// // The left half of the picture, in parts of its sides.
/// let corners = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
/// let door = RegionOfInterest::new(&corners)?;
/// assert!(door.contains(0.2, 0.5) && !door.contains(0.8, 0.5));
/// assert_eq!(door.bounds(640.0, 480.0), Rect::new(0.0, 0.0, 320.0, 480.0));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RegionOfInterest(Arc<[Point]>);

impl RegionOfInterest {
    /// Creates the region with these corners, in either direction of turning. It closes by itself.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than three corners and for one outside the picture.
    pub fn new(corners: &[Point]) -> Result<Self> {
        let inside = |p: &Point| (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y);
        if corners.len() < 3 || !corners.iter().all(inside) {
            let reason = "it needs three corners or more, each between 0 and 1 of the picture's width and height";
            return Err(Error::invalid_input("region of interest", reason));
        }
        Ok(Self(corners.into()))
    }

    /// Returns whether the point, in parts of the picture's sides, lies inside (even-odd rule).
    #[must_use]
    pub fn contains(&self, x: f32, y: f32) -> bool {
        let ends = self.0.iter().zip(self.0.iter().cycle().skip(1));
        ends.filter(|(a, b)| (a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x).count() % 2 == 1
    }

    /// Returns the box around it in a picture of this size, in pixels.
    #[must_use]
    pub fn bounds(&self, width: f32, height: f32) -> Rect {
        let first = Rect::new(f32::MAX, f32::MAX, f32::MIN, f32::MIN);
        let around = self.0.iter().fold(first, |around, p| {
            Rect::new(around.x1.min(p.x), around.y1.min(p.y), around.x2.max(p.x), around.y2.max(p.y))
        });
        Rect::new(around.x1 * width, around.y1 * height, around.x2 * width, around.y2 * height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_seen_from_the_side_is_a_polygon() {
        let corners = [(0.2, 0.0), (0.6, 0.0), (0.8, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let door = RegionOfInterest::new(&corners).unwrap();
        assert!(door.contains(0.4, 0.5) && door.contains(0.1, 0.9));
        assert!(!door.contains(0.1, 0.1) && !door.contains(0.9, 0.9));
        assert_eq!(door.bounds(1000.0, 500.0), Rect::new(0.0, 0.0, 800.0, 500.0));
    }

    #[test]
    fn what_is_no_region_is_refused() {
        let p = Point::new;
        for bad in [vec![], vec![p(0.0, 0.0), p(1.0, 1.0)], vec![p(0.0, 0.0), p(1.0, 0.0), p(f32::NAN, 1.0)]] {
            assert!(RegionOfInterest::new(&bad).is_err());
        }
    }
}
