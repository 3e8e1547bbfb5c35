//! The perceptual hash of a face alone: what stays of it when the frame is cropped, scaled, shifted or turned.

use super::perceptual_hash::{GRAY, PerceptualHash};
use crate::alignment::Template;
use crate::engine::Face;
use crate::frame::Frame;
use crate::geometry::{Affine, Landmarks5, Point};
use crate::preprocess::warp_gray;

/// Up to how many of the 143 coarse bits apart the hashes of a face and of a mirrored one show one picture. The figures
/// are in `docs/src/liveness.md` ("Mirrored pictures"): no genuine pair of opposite views came nearer than 34 bits.
const MIRRORED_BITS: u32 = 30;

/// Returns the hash of `face` in `frame`, brought to one shape by its five points; `None` without them.
pub(super) fn face_hash(frame: &Frame<'_>, face: &Face) -> Option<PerceptualHash> {
    let map = flattened(face.landmarks.as_ref()?)?.inverse()?;
    let mut gray = vec![0.0; GRAY * GRAY];
    warp_gray(frame, &map, GRAY, &mut gray);
    Some(PerceptualHash::of_gray(&gray))
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

/// Returns whether `a` and `b` are of one picture, one of them as a mirror shows it.
pub(super) fn is_mirrored(a: &PerceptualHash, b: &PerceptualHash) -> bool {
    a.mirrored().coarse_distance(b) <= MIRRORED_BITS
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
