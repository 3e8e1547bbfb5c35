//! The face mesh: 468 points with depth, and the five points that alignment and pose use.

use crate::geometry::{Landmarks5, Point};

/// The number of points of a mesh.
pub const MESH_POINTS: usize = 468;

/// A face mesh in frame pixels: x right, y down, z away from the camera in the same unit, relative to the head.
#[derive(Clone, PartialEq)]
pub struct Mesh {
    points: Box<[[f32; 3]]>,
}

impl Mesh {
    /// A mesh from its points; `None` unless there are [`MESH_POINTS`] of them.
    #[must_use]
    pub fn new(points: Vec<[f32; 3]>) -> Option<Self> {
        (points.len() == MESH_POINTS).then(|| Self { points: points.into_boxed_slice() })
    }

    /// The points, [`MESH_POINTS`] of [x, y, z].
    #[must_use]
    pub fn points(&self) -> &[[f32; 3]] {
        &self.points
    }

    /// The five points: eye centres as the mean of their corners, the tip of the nose, the mouth's corners.
    #[must_use]
    pub fn five(&self) -> Landmarks5 {
        let at = |i: usize| Point::new(self.points[i][0], self.points[i][1]);
        Landmarks5([at(33).midpoint(at(133)), at(362).midpoint(at(263)), at(1), at(61), at(291)])
    }
}

/// Says that it is a mesh, not where its points lie.
impl std::fmt::Debug for Mesh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mesh(468 points)")
    }
}
