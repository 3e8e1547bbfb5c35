//! Options of detection: the lowest score, the highest overlap, the input size.

use super::input_size::InputSize;
use crate::error::{Error, Result};

/// Options of face detection.
///
/// ```
/// use faceattend_core::detection::{DetectOptions, InputSize};
///
/// let options = DetectOptions::default().with_min_score(0.7).with_input_size(InputSize::AutoUpTo(640));
/// assert_eq!(options.min_score, Some(0.7));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct DetectOptions {
    /// The lowest score of a face, in [0, 1]. Default: the usual one of the detector's family.
    pub min_score: Option<f32>,
    /// The highest overlap (intersection over union) of two faces, in [0, 1]. Default: the family's.
    pub max_iou: Option<f32>,
    /// The longer side of the detector's input.
    pub input_size: InputSize,
}

impl DetectOptions {
    /// Returns the same options with another lowest score, in [0, 1].
    #[must_use]
    pub fn with_min_score(mut self, min_score: f32) -> Self {
        self.min_score = Some(min_score);
        self
    }

    /// Returns the same options with another highest overlap, in [0, 1].
    #[must_use]
    pub fn with_max_iou(mut self, max_iou: f32) -> Self {
        self.max_iou = Some(max_iou);
        self
    }

    /// Returns the same options with another input size.
    #[must_use]
    pub fn with_input_size(mut self, input_size: InputSize) -> Self {
        self.input_size = input_size;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        for (what, value) in [("min_score", self.min_score), ("max_iou", self.max_iou)] {
            if value.is_some_and(|v| !(0.0..=1.0).contains(&v)) {
                return Err(Error::invalid_input(what, format!("{value:?} is not between 0 and 1")));
            }
        }
        self.input_size.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_outside_their_range_are_refused() {
        assert!(DetectOptions::default().with_min_score(1.5).check().is_err());
        assert!(DetectOptions::default().with_max_iou(f32::NAN).check().is_err());
        assert!(DetectOptions::default().with_input_size(InputSize::Fixed(5)).check().is_err());
    }
}
