//! Passive presentation attack detection: tells skin from paper and screens.
//!
//! The networks are MiniFASNet (Silent-Face, Apache-2.0). Each looks at a crop of the face with its surroundings and
//! has three classes, of which the second is "real". Their softmaxes are averaged.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};
use crate::geometry::{Affine, Rect};
use crate::models::session::ModelSession;
use crate::preprocess::{Normalization, warp};

/// The verdict of the passive check on one view.
///
/// ```
/// use faceattend_core::antispoof::PassivePad;
///
/// assert_eq!(PassivePad::Scored { real: 0.9 }.real(), Some(0.9));
/// assert_eq!(PassivePad::not_run().real(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum PassivePad {
    /// The model ran: the probability, in [0, 1], that a living face was seen.
    Scored {
        /// Mean of the models' softmaxes for the class "real".
        real: f32,
    },
    /// The model did not run.
    Unavailable {
        /// Why: not asked for, or no model installed, and then what to run.
        reason: &'static str,
    },
}

impl PassivePad {
    /// Creates the verdict of an analysis that stopped before this stage.
    #[must_use]
    pub fn not_run() -> Self {
        Self::Unavailable { reason: "not asked for" }
    }

    /// Returns the probability of a living face, if the model ran.
    #[must_use]
    pub fn real(&self) -> Option<f32> {
        match self {
            Self::Scored { real } => Some(*real),
            Self::Unavailable { .. } => None,
        }
    }
}

/// The side of the networks' input.
const CROP: usize = 80;
/// The class that means a living face, of three.
const REAL: usize = 1;

/// Loaded networks, each with the size of its crop over the face box.
pub(crate) struct PassiveModel {
    networks: Vec<(ModelSession, f32)>,
    input: Vec<f32>,
}

impl PassiveModel {
    pub(crate) fn new(networks: Vec<(ModelSession, f32)>) -> Result<Self> {
        for (session, _) in &networks {
            if session.input().shape[2..] != [80, 80] {
                return Err(Error::model(session.name(), "is no MiniFASNet: expected an input of 80x80"));
            }
        }
        Ok(Self { networks, input: vec![0.0; 3 * CROP * CROP] })
    }

    /// Judges the face in `bbox`.
    pub(crate) fn run(&mut self, frame: &Frame<'_>, bbox: &Rect) -> Result<PassivePad> {
        // The networks were trained on bytes as they are.
        let normalize = Normalization::uniform(ChannelOrder::Bgr, 0.0, 1.0);
        let mut sum = 0.0;
        for (session, scale) in &mut self.networks {
            let crop = crop(frame, bbox, *scale);
            warp(frame, &frame_from_crop(&crop), CROP, &normalize, &mut self.input);
            let name = session.name().to_owned();
            sum += session.run([1, 3, CROP, CROP], &self.input, |outputs| {
                let (_, logits) = outputs.at(0)?;
                softmax_of(logits, REAL).ok_or_else(|| Error::model(name, "expected three classes"))
            })?;
        }
        #[expect(clippy::cast_precision_loss, reason = "two networks")]
        let real = sum / self.networks.len().max(1) as f32;
        Ok(PassivePad::Scored { real })
    }
}

fn softmax_of(logits: &[f32], class: usize) -> Option<f32> {
    if logits.len() != 3 {
        return None;
    }
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|v| (v - highest).exp()).sum();
    let share = (logits[class] - highest).exp() / sum;
    // A network that answers with a NaN has seen no living face.
    Some(if share.is_finite() { share } else { 0.0 })
}

/// Returns the box `scale` times as large about the same center, shrunk to fit the frame if it must and moved inside
/// it, in whole pixels, the last one included: what the networks were trained on.
#[expect(clippy::cast_precision_loss, reason = "frames have far fewer than 2^24 pixels a side")]
fn crop(frame: &Frame<'_>, bbox: &Rect, scale: f32) -> Rect {
    let (last_x, last_y) = (frame.width() as f32 - 1.0, frame.height() as f32 - 1.0);
    let (width, height) = (bbox.width().max(1.0), bbox.height().max(1.0));
    let scale = scale.min(last_x / width).min(last_y / height);
    let wanted = Rect::from_center(bbox.center(), width * scale, height * scale);
    let inside = |low: f32, high: f32, last: f32| {
        let (low, high) = if low < 0.0 { (0.0, high - low) } else { (low, high) };
        if high > last { ((low - (high - last)).max(0.0), last) } else { (low, high) }
    };
    let (x1, x2) = inside(wanted.x1, wanted.x2, last_x);
    let (y1, y2) = inside(wanted.y1, wanted.y2, last_y);
    Rect::new(x1.floor(), y1.floor(), x2.floor() + 1.0, y2.floor() + 1.0)
}

/// Returns the map that scales a crop to the input as an image resize does: pixel edges on pixel edges.
#[expect(clippy::cast_precision_loss, reason = "a crop's side is small")]
fn frame_from_crop(crop: &Rect) -> Affine {
    let (sx, sy) = (crop.width() / CROP as f32, crop.height() / CROP as f32);
    Affine { rows: [[sx, 0.0, crop.x1 + 0.5 * sx - 0.5], [0.0, sy, crop.y1 + 0.5 * sy - 0.5]] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame<'static> {
        Frame::new(vec![0; 100 * 100 * 3], 100, 100, ChannelOrder::Rgb).unwrap()
    }

    #[test]
    fn a_crop_over_the_edge_is_moved_inside() {
        let crop = crop(&frame(), &Rect::new(0.0, 40.0, 20.0, 60.0), 2.7);
        assert_eq!((crop.x1, crop.x2), (0.0, 55.0));
        assert_eq!((crop.y1, crop.y2), (23.0, 78.0));
    }

    #[test]
    fn a_crop_larger_than_the_frame_is_shrunk_to_it() {
        let crop = crop(&frame(), &Rect::new(10.0, 10.0, 90.0, 90.0), 4.0);
        assert!(crop.x1 >= 0.0 && crop.y1 >= 0.0 && crop.x2 <= 100.0 && crop.y2 <= 100.0, "{crop:?}");
        assert!(crop.width() >= 99.0);
    }

    #[test]
    fn the_classes_share_one() {
        let logits = [0.5, 2.0, -1.0];
        let total: f32 = (0..3).map(|class| softmax_of(&logits, class).unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-6);
        assert_eq!(softmax_of(&[f32::NAN; 3], 1), Some(0.0));
        assert_eq!(softmax_of(&[1.0, 2.0], 1), None);
    }
}
