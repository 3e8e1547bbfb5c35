//! The face mesh: 468 points with depth, and the five points that alignment and pose use.

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};
use crate::geometry::{Affine, Landmarks5, Point, Rect};
use crate::models::session::ModelSession;
use crate::preprocess::{Normalization, warp};

/// The number of points of a mesh.
pub const MESH_POINTS: usize = 468;

/// A face mesh in frame pixels: x right, y down, z away from the camera in the same unit, relative to the head.
///
/// ```
/// use faceattend_core::landmarks::MESH_POINTS;
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
/// let face = engine.analyze(&frame, &AnalyzeOptions::default())?.faces.remove(0);
/// assert_eq!(face.mesh.expect("the default pack has a mesh").points().len(), MESH_POINTS);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Mesh {
    points: Box<[[f32; 3]]>,
}

impl Mesh {
    /// Creates a mesh from its points; `None` unless there are [`MESH_POINTS`] of them.
    #[must_use]
    pub fn new(points: Vec<[f32; 3]>) -> Option<Self> {
        (points.len() == MESH_POINTS).then(|| Self { points: points.into_boxed_slice() })
    }

    /// Returns the points, [`MESH_POINTS`] of [x, y, z].
    #[must_use]
    pub fn points(&self) -> &[[f32; 3]] {
        &self.points
    }

    /// Returns the five points: eye centers as the mean of their corners, the tip of the nose, the mouth's corners.
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

/// The side of the model's input.
const CROP: usize = 192;
/// The crop's side over the longer side of the detector's box (MediaPipe's graph).
const CROP_OVER_BOX: f32 = 1.5;
/// The largest number of faces in one run, which bounds the buffers.
const BATCH: usize = 8;
/// The least presence, in [0, 1], of a crop that holds a face (MediaPipe's `min_face_presence`).
const MIN_PRESENCE: f32 = 0.5;

/// A loaded mesh model with the buffer that its runs reuse.
pub(crate) struct MeshModel {
    session: ModelSession,
    input: Vec<f32>,
}

impl MeshModel {
    pub(crate) fn new(session: ModelSession) -> Result<Self> {
        if session.input().shape[2..] != [192, 192] {
            return Err(Error::model(session.name(), "is no face mesh: expected an input of 192x192"));
        }
        Ok(Self { session, input: Vec::new() })
    }

    /// Finds the meshes of the faces in `boxes`, each with the eyes if the detector saw them; `None` where the model
    /// sees no face.
    pub(crate) fn run(
        &mut self,
        frame: &Frame<'_>,
        boxes: &[(Rect, Option<[Point; 2]>)],
        meshes: &mut Vec<Option<Mesh>>,
    ) -> Result<()> {
        let normalize = Normalization::uniform(ChannelOrder::Rgb, 0.0, 255.0);
        let plane = 3 * CROP * CROP;
        for batch in boxes.chunks(BATCH) {
            self.input.resize(batch.len() * plane, 0.0);
            for ((bbox, eyes), crop) in batch.iter().zip(self.input.chunks_exact_mut(plane)) {
                warp(frame, &frame_from_crop(bbox, *eyes), CROP, &normalize, crop);
            }
            self.session.run([batch.len(), 3, CROP, CROP], &self.input, |outputs| {
                let (points, presence) = (outputs.named("points")?, outputs.named("presence")?);
                for ((bbox, eyes), (points, presence)) in
                    batch.iter().zip(points.chunks_exact(3 * MESH_POINTS).zip(presence))
                {
                    meshes.push((*presence >= MIN_PRESENCE).then(|| {
                        let map = frame_from_crop(bbox, *eyes);
                        let scale = map.scale();
                        Mesh {
                            points: points
                                .as_chunks::<3>()
                                .0
                                .iter()
                                .map(|[x, y, z]| {
                                    let p = map.apply(Point::new(*x, *y));
                                    [p.x, p.y, z * scale]
                                })
                                .collect(),
                        }
                    }));
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Returns the crop of a face: a square about its box, turned so that the eyes are level.
#[expect(clippy::cast_precision_loss, reason = "a crop's side is small")]
fn frame_from_crop(bbox: &Rect, eyes: Option<[Point; 2]>) -> Affine {
    let center = bbox.center();
    let scale = bbox.width().max(bbox.height()) * CROP_OVER_BOX / CROP as f32;
    let angle = eyes.map_or(0.0, |[l, r]| (r.y - l.y).atan2(r.x - l.x));
    let (sin, cos) = (scale * angle.sin(), scale * angle.cos());
    let half = CROP as f32 / 2.0;
    Affine { rows: [[cos, -sin, center.x - cos * half + sin * half], [sin, cos, center.y - sin * half - cos * half]] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crop_is_centered_on_the_box_and_turned_with_the_eyes() {
        let bbox = Rect::new(100.0, 100.0, 200.0, 300.0);
        let map = frame_from_crop(&bbox, Some([Point::new(120.0, 150.0), Point::new(120.0, 170.0)]));
        assert!(map.apply(Point::new(96.0, 96.0)).distance(bbox.center()) < 1e-3);
        // The right eye lies straight below the left: the crop's x runs down the frame.
        let right = map.apply(Point::new(192.0, 96.0));
        assert!(right.distance(Point::new(150.0, 350.0)) < 1e-2, "{right:?}");
    }

    #[test]
    fn a_mesh_has_as_many_points_as_it_must() {
        assert!(Mesh::new(vec![[0.0; 3]; 467]).is_none());
        assert!(Mesh::new(vec![[0.0; 3]; 468]).is_some());
    }
}
