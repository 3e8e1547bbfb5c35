//! The size of the detector's input.

use serde::{Deserialize, Serialize};

use super::Detection;
use super::kind::DetectorKind;
use crate::error::{Error, Result};
use crate::geometry::Rect;

/// The longer side of the detector's input, in pixels. Cost grows with its square.
///
/// ```
/// use faceattend_core::detection::InputSize;
///
/// assert_eq!("auto".parse::<InputSize>()?, InputSize::Auto);
/// assert_eq!("640".parse::<InputSize>()?, InputSize::Fixed(640));
/// assert!("7".parse::<InputSize>().is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputSize {
    /// Small first; larger when nothing or only little faces turn up. Finds the face that fills the frame and the one
    /// of thirty pixels.
    #[default]
    Auto,
    /// As `Auto`, but no larger than this: a bound on the cost of an empty frame.
    AutoUpTo(usize),
    /// Always this, rounded up to a multiple of 32.
    Fixed(usize),
}

/// Bounds of a size that makes sense: below, a cell of the coarsest grid; above, 100 times the cost of a usual input.
const RANGE: std::ops::RangeInclusive<usize> = 32..=4096;

impl std::str::FromStr for InputSize {
    type Err = Error;

    /// Reads `auto`, or a number of pixels from 32 to 4096.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(side) if RANGE.contains(&side) => Ok(Self::Fixed(side)),
            _ => Err(Error::invalid_input(
                "detector size",
                format!("{text:?} is neither auto nor a number of pixels from {} to {}", RANGE.start(), RANGE.end()),
            )),
        }
    }
}

impl InputSize {
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::AutoUpTo(size) | Self::Fixed(size) if !RANGE.contains(&size) => {
                Err(Error::invalid_input("input_size", format!("{size} is not between {RANGE:?} pixels")))
            }
            Self::Auto | Self::AutoUpTo(_) | Self::Fixed(_) => Ok(()),
        }
    }

    /// Returns the sizes to try in turn on `region`.
    pub(super) fn ladder(self, kind: DetectorKind, region: &Rect) -> [Option<usize>; 3] {
        let steps = steps(kind);
        let limit = match self {
            Self::Fixed(size) => return [Some(size.next_multiple_of(32)), None, None],
            Self::AutoUpTo(limit) => limit,
            Self::Auto => usize::MAX,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a frame's side is small")]
        let side = region.width().max(region.height()) as usize;
        std::array::from_fn(|i| {
            // A step is worth its cost only while it still enlarges: the one below must have shrunk the frame.
            let enlarges = i == 0 || steps[i - 1] < side + side * margin(kind) / 100;
            (i == 0 || (enlarges && steps[i] <= limit)).then_some(steps[i])
        })
    }
}

/// Returns the sizes of `auto`, each about four times the cost of the one before.
fn steps(kind: DetectorKind) -> [usize; 3] {
    match kind {
        DetectorKind::Blazeface => [256, 512, 1024],
        DetectorKind::Scrfd
        | DetectorKind::Yunet
        | DetectorKind::YoloV5
        | DetectorKind::YoloV8
        | DetectorKind::YoloV10 => [320, 640, 1280],
    }
}

/// Returns the room that the layout leaves around the frame, in percent of its side, both sides together.
fn margin(kind: DetectorKind) -> usize {
    if kind == DetectorKind::Blazeface { 50 } else { 0 }
}

/// Returns the side, in input pixels, below which a face is little: another look at a larger size may find its like.
fn little(kind: DetectorKind) -> f32 {
    match kind {
        DetectorKind::Blazeface => 24.0,
        DetectorKind::Scrfd
        | DetectorKind::Yunet
        | DetectorKind::YoloV5
        | DetectorKind::YoloV8
        | DetectorKind::YoloV10 => 40.0,
    }
}

/// Returns whether what was found at `scale` input pixels per frame pixel settles the search: some face, and none of
/// them little.
pub(super) fn large_enough(kind: DetectorKind, found: &[Detection], scale: f32) -> bool {
    !found.is_empty() && found.iter().all(|d| d.bbox.width().min(d.bbox.height()) * scale >= little(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_frame_is_not_enlarged_beyond_its_use() {
        let small = Rect::new(0.0, 0.0, 250.0, 250.0);
        assert_eq!(InputSize::Auto.ladder(DetectorKind::Scrfd, &small), [Some(320), None, None]);
        let hd = Rect::new(0.0, 0.0, 1280.0, 720.0);
        assert_eq!(InputSize::Auto.ladder(DetectorKind::Scrfd, &hd), [Some(320), Some(640), Some(1280)]);
        assert_eq!(InputSize::AutoUpTo(640).ladder(DetectorKind::Scrfd, &hd), [Some(320), Some(640), None]);
        assert_eq!(InputSize::Fixed(600).ladder(DetectorKind::Scrfd, &hd), [Some(608), None, None]);
    }

    #[test]
    fn a_size_is_auto_or_a_number_in_range() {
        assert_eq!("auto".parse::<InputSize>().unwrap(), InputSize::Auto);
        assert_eq!("640".parse::<InputSize>().unwrap(), InputSize::Fixed(640));
        for wrong in ["31", "4097", "-1", "large", ""] {
            let error = wrong.parse::<InputSize>().unwrap_err().to_string();
            assert!(error.contains("from 32 to 4096"), "{error}");
        }
    }

    #[test]
    fn a_little_face_calls_for_a_closer_look() {
        let face =
            |side: f32| Detection { bbox: Rect::new(0.0, 0.0, side, side), score: 0.9, landmarks: None, eyes: None };
        assert!(!large_enough(DetectorKind::Scrfd, &[], 0.5));
        assert!(large_enough(DetectorKind::Scrfd, &[face(100.0)], 0.5));
        assert!(!large_enough(DetectorKind::Scrfd, &[face(100.0), face(60.0)], 0.5));
    }
}
