//! The perceptual hash of a face alone: what stays of it when the frame is cropped, scaled, shifted or turned.

use super::perceptual_hash::{GRAY, PerceptualHash};
use crate::alignment::Template;
use crate::engine::Face;
use crate::frame::Frame;
use crate::geometry::{Affine, Landmarks5, Point};
use crate::preprocess::warp_gray;

/// Up to how many of the 143 coarse bits apart the hashes of a face and of a mirrored one show one picture. The figures
/// are in `docs/src/liveness.md` ("Mirrored pictures"): no genuine pair of opposite views came nearer than 32 bits.
const MIRRORED_BITS: u32 = 29;
/// By how much the crop is also moved to each side, in its pixels: the points of a face and of its mirror image are
/// found up to so far apart.
const MOVED: f32 = 2.5;

/// What is kept of a face to know it by: the hash of it alone, in one shape and size, and those of the crop moved a
/// little.
///
/// ```
/// use faceattend_core::liveness::frame_hash;
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let face = |view: &str| {
///     let frame = Frame::open(format!("../examples/media/hopper/{view}.jpg"))?;
///     let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
///     faceattend_core::Result::Ok(frame_hash(&frame).with_face(&frame, &analysis).face.expect("a face"))
/// };
/// // The other side of a head is not the mirror image of one side.
/// assert!(face("left")?.bits_to_mirrored(&face("right")?.crop) > 29);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaceHash {
    /// The hash of the crop.
    pub crop: PerceptualHash,
    moved: [PerceptualHash; 4],
}

impl FaceHash {
    /// Returns the hash of `face` in `frame`, brought to one shape by its five points; `None` without them.
    pub(super) fn of(frame: &Frame<'_>, face: &Face) -> Option<Self> {
        let map = flattened(face.landmarks.as_ref()?)?.inverse()?;
        let mut gray = vec![0.0; GRAY * GRAY];
        let mut hash = |x: f32, y: f32| {
            let [across, down] = map.rows.map(|[a, b, c]| [a, b, a * x + b * y + c]);
            warp_gray(frame, &Affine { rows: [across, down] }, GRAY, &mut gray);
            PerceptualHash::of_gray(&gray)
        };
        let moved = [(MOVED, 0.0), (-MOVED, 0.0), (0.0, MOVED), (0.0, -MOVED)].map(|(x, y)| hash(x, y));
        Some(Self { crop: hash(0.0, 0.0), moved })
    }

    /// Returns how many of the 143 coarse bits lie between this face and the mirror image of the face in `crop`: the
    /// fewest of the crop and the moved ones.
    #[must_use]
    pub fn bits_to_mirrored(&self, crop: &PerceptualHash) -> u32 {
        let mirrored = crop.mirrored();
        let least = self.moved.iter().map(|moved| moved.coarse_distance(&mirrored)).min().unwrap_or(u32::MAX);
        least.min(self.crop.coarse_distance(&mirrored))
    }

    /// Returns whether it is the face in `crop` as a mirror shows it.
    pub(super) fn is_mirror_of(&self, crop: &PerceptualHash) -> bool {
        self.bits_to_mirrored(crop) <= MIRRORED_BITS
    }
}

/// Returns the affine map that brings `points` nearest to the points of the template in the least-squares sense, in a
/// crop of the hash's size. Unlike an alignment it also stretches and shears: so a flat picture gives one crop however
/// it is held. `None` for points on a line.
fn flattened(points: &Landmarks5) -> Option<Affine> {
    let template = Template::arcface112();
    #[expect(clippy::cast_precision_loss, reason = "numbers below 200")]
    let scale = GRAY as f32 / template.size as f32;
    let to = template.points.map(|point| Point::new(point.x * scale, point.y * scale));
    let mean = |points: &Landmarks5| {
        let sum = points.0.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.x, sum.1 + p.y));
        (sum.0 / 5.0, sum.1 / 5.0)
    };
    let ((fx, fy), (tx, ty)) = (mean(points), mean(&to));
    let sum = |of: &dyn Fn(f32, f32, f32, f32) -> f32| -> f32 {
        points.0.iter().zip(&to.0).map(|(f, t)| of(f.x - fx, f.y - fy, t.x - tx, t.y - ty)).sum()
    };
    let (xx, xy, yy) = (sum(&|x, _, _, _| x * x), sum(&|x, y, _, _| x * y), sum(&|_, y, _, _| y * y));
    let det = xx * yy - xy * xy;
    if !det.is_finite() || det <= 1e-6 * (xx + yy) * (xx + yy) {
        return None;
    }
    let row = |xt: f32, yt: f32, t: f32| {
        let (a, b) = ((xt * yy - yt * xy) / det, (yt * xx - xt * xy) / det);
        [a, b, t - a * fx - b * fy]
    };
    let across = row(sum(&|x, _, t, _| x * t), sum(&|_, y, t, _| y * t), tx);
    let down = row(sum(&|x, _, _, t| x * t), sum(&|_, y, _, t| y * t), ty);
    Some(Affine { rows: [across, down] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_a_flat_picture_fall_into_one_place_however_it_is_held() {
        let face = Template::arcface112().points;
        let held = Affine { rows: [[1.7, 0.2, 40.0], [-0.3, 2.4, 9.0]] };
        let again = face.map(|point| held.apply(point));
        let (one, other) = (flattened(&face).unwrap(), flattened(&again).unwrap());
        for (a, b) in face.0.iter().zip(&again.0) {
            let (a, b) = (one.apply(*a), other.apply(*b));
            assert!((a.x - b.x).abs() < 1e-2 && (a.y - b.y).abs() < 1e-2, "{a:?} {b:?}");
        }
    }

    #[test]
    fn points_on_a_line_or_of_no_number_have_no_map() {
        let line = Landmarks5(std::array::from_fn(|i| Point::new(f32::from(i as u8), 5.0)));
        assert!(flattened(&line).is_none());
        assert!(flattened(&Landmarks5([Point::new(f32::NAN, 1.0); 5])).is_none());
    }
}
