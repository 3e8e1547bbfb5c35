//! Face detection: one detector over several families of models, each decoded in a file of its own.

mod blazeface;
mod detector;
mod input_size;
mod kind;
mod nms;
mod options;
mod scrfd;
mod yolo_face;
mod yunet;

pub(crate) use detector::Detector;
pub use input_size::InputSize;
pub use kind::DetectorKind;
pub use options::DetectOptions;

use crate::geometry::{Landmarks5, Point, Rect};

/// A face that was found, in frame pixels.
///
/// ```
/// use faceattend_core::{Engine, Frame};
///
/// let faces = Engine::new()?.detect(&Frame::open("../examples/media/hopper/center.jpg")?)?;
/// assert!(faces.iter().all(|face| (0.0..=1.0).contains(&face.score)));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Detection {
    /// Its box.
    pub bbox: Rect,
    /// The confidence of the detector, in [0, 1].
    pub score: f32,
    /// The five points, from detectors that give them.
    pub landmarks: Option<Landmarks5>,
    /// The eyes on the image's left and right, from detectors that give those alone.
    pub eyes: Option<[Point; 2]>,
}

impl Detection {
    fn is_usable(&self) -> bool {
        let finite = |p: &Point| p.x.is_finite() && p.y.is_finite();
        let b = &self.bbox;
        [b.x1, b.y1, b.x2, b.y2].iter().all(|v| v.is_finite())
            && b.width() >= 1.0
            && b.height() >= 1.0
            && self.landmarks.is_none_or(|points| points.0.iter().all(finite))
            && self.eyes.is_none_or(|eyes| eyes.iter().all(finite))
    }
}

/// Reads five points out of `values`, each `step` values long, mapped into input pixels.
fn landmarks_at(values: &[f32], step: usize, map: impl Fn(f32, f32) -> (f32, f32)) -> Landmarks5 {
    Landmarks5(std::array::from_fn(|i| {
        let (x, y) = map(values[i * step], values[i * step + 1]);
        Point::new(x, y)
    }))
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detection_that_is_no_number_is_not_usable() {
        let detection = Detection { bbox: Rect::new(0.0, 0.0, f32::NAN, 5.0), score: 0.9, landmarks: None, eyes: None };
        assert!(!detection.is_usable());
    }
}
