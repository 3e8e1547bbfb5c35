//! The quality of a view of a face, and the reasons not to use it.

use serde::{Deserialize, Serialize};

use crate::alignment::Template;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::{Landmarks5, Rect};
use crate::pose::Pose;
use crate::preprocess::warp_gray;

/// Figures about one view of a face, and the reasons not to enrol or match it.
///
/// ```
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
/// let quality = engine.analyze(&frame, &AnalyzeOptions::default())?.faces.remove(0).quality.expect("a quality");
/// println!("{:.0} pixels between the eyes, sharpness {:.0}", quality.eye_distance, quality.sharpness);
/// for reason in &quality.reasons {
///     println!("{}: {}", reason.code(), reason.advice());
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quality {
    /// The distance between the eyes, in frame pixels.
    pub eye_distance: f32,
    /// Variance of the Laplacian of the gray face, aligned to 112 x 112.
    pub sharpness: f32,
    /// Mean luminance of the aligned face, in [0, 255].
    pub brightness: f32,
    /// The part of the face box that lies inside the frame, in [0, 1].
    pub visible: f32,
    /// The reasons against using this view; empty for a good one.
    pub reasons: Vec<QualityReason>,
}

/// A reason not to use a view, with a stable code.
///
/// ```
/// use faceattend_core::quality::QualityReason;
///
/// assert_eq!(QualityReason::TooDark.code(), "too_dark");
/// assert_eq!(QualityReason::TooSmall.advice(), "come closer");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityReason {
    /// Too few pixels between the eyes.
    TooSmall,
    /// Out of focus or moving.
    Blurred,
    /// Too little light.
    TooDark,
    /// Too much light.
    TooBright,
    /// Turned, tilted or leaning too far for a template.
    PoseTooFar,
    /// Cut off by the edge of the frame.
    Truncated,
}

impl QualityReason {
    /// Returns the stable code, in snake case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooSmall => "too_small",
            Self::Blurred => "blurred",
            Self::TooDark => "too_dark",
            Self::TooBright => "too_bright",
            Self::PoseTooFar => "pose_too_far",
            Self::Truncated => "truncated",
        }
    }

    /// Returns what the person in front of the camera can do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::TooSmall => "come closer",
            Self::Blurred => "hold still",
            Self::TooDark => "more light on the face, please",
            Self::TooBright => "less light on the face, please",
            Self::PoseTooFar => "look towards the camera",
            Self::Truncated => "move into the middle of the picture",
        }
    }
}

/// The limits below which a view is not good enough.
///
/// ```
/// use faceattend_core::Engine;
/// use faceattend_core::quality::QualityOptions;
///
/// let mut quality = QualityOptions::default();
/// quality.min_eye_distance = 40.0;
/// let engine = Engine::builder().with_quality_options(quality).build()?;
/// # drop(engine);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct QualityOptions {
    /// The least distance between the eyes, in pixels. Default 16: half of what the 112 x 112 crop has, where a third
    /// of its detail is interpolation. Of 40 pairs of LFW the default pack takes 0.95 for one person at full size,
    /// 0.925 with one picture reduced to 18 or 14 pixels, 0.90 at 10.
    pub min_eye_distance: f32,
    /// The least variance of the Laplacian. Default 20: of 400 LFW pictures 1 in 200 lies below it.
    pub min_sharpness: f32,
    /// The range of mean luminance, in [0, 255]. Default 40 to 225: outside it more than half of a face clips.
    pub brightness: (f32, f32),
    /// The largest yaw and pitch either way, in degrees. Default 45: beyond it the far eye is hidden.
    pub max_turn: f32,
    /// The least part of the face box inside the frame. Default 0.85.
    pub min_visible: f32,
}

impl Default for QualityOptions {
    fn default() -> Self {
        Self {
            min_eye_distance: 16.0,
            min_sharpness: 20.0,
            brightness: (40.0, 225.0),
            max_turn: 45.0,
            min_visible: 0.85,
        }
    }
}

impl QualityOptions {
    pub(crate) fn check(&self) -> Result<()> {
        let all = [
            self.min_eye_distance,
            self.min_sharpness,
            self.brightness.0,
            self.brightness.1,
            self.max_turn,
            self.min_visible,
        ];
        if all.iter().all(|v| v.is_finite() && *v >= 0.0) && self.brightness.0 <= self.brightness.1 {
            return Ok(());
        }
        Err(Error::invalid_input("quality options", format!("{self:?} has a negative or undefined limit")))
    }
}

/// The side of the gray face that is judged.
const SIDE: usize = 112;

/// The judge of views, with the buffers that it reuses.
pub(crate) struct QualityJudge {
    options: QualityOptions,
    gray: Vec<f32>,
}

impl QualityJudge {
    pub(crate) fn new(options: QualityOptions) -> Self {
        Self { options, gray: vec![0.0; SIDE * SIDE] }
    }

    /// Judges the view of the face with these points; `None` when the points give no alignment.
    pub(crate) fn judge(
        &mut self,
        frame: &Frame<'_>,
        bbox: &Rect,
        landmarks: &Landmarks5,
        pose: Option<&Pose>,
    ) -> Option<Quality> {
        let map = Template::arcface112().align(landmarks)?.inverse()?;
        warp_gray(frame, &map, SIDE, &mut self.gray);
        #[expect(clippy::cast_precision_loss, reason = "frames have far fewer than 2^24 pixels a side")]
        let whole = Rect::new(0.0, 0.0, frame.width() as f32, frame.height() as f32);
        #[expect(clippy::cast_precision_loss, reason = "12,544 pixels")]
        let brightness = total(&self.gray, |value| value) / self.gray.len() as f32;
        let mut quality = Quality {
            eye_distance: landmarks.left_eye().distance(landmarks.right_eye()),
            sharpness: laplacian_variance(&self.gray),
            brightness,
            visible: bbox.intersection(&whole).area() / bbox.area().max(f32::MIN_POSITIVE),
            reasons: Vec::new(),
        };
        let o = &self.options;
        let turn = pose.map_or(0.0, |p| p.yaw.0.abs().max(p.pitch.0.abs()));
        quality.reasons = [
            (quality.eye_distance < o.min_eye_distance, QualityReason::TooSmall),
            (quality.sharpness < o.min_sharpness, QualityReason::Blurred),
            (quality.brightness < o.brightness.0, QualityReason::TooDark),
            (quality.brightness > o.brightness.1, QualityReason::TooBright),
            (turn > o.max_turn, QualityReason::PoseTooFar),
            (quality.visible < o.min_visible, QualityReason::Truncated),
        ]
        .into_iter()
        .filter_map(|(applies, reason)| applies.then_some(reason))
        .collect();
        Some(quality)
    }
}

/// Returns the variance of the four-neighbor Laplacian inside a gray square.
fn laplacian_variance(gray: &[f32]) -> f32 {
    let (mut sum, mut squares) = (0.0f64, 0.0f64);
    let mut values = [0.0; SIDE - 2];
    for y in 1..SIDE - 1 {
        let row = |y: usize| &gray[y * SIDE..(y + 1) * SIDE];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        for (x, value) in (1..).zip(&mut values) {
            *value = above[x] + below[x] + here[x - 1] + here[x + 1] - 4.0 * here[x];
        }
        sum += f64::from(total(&values, |value| value));
        squares += f64::from(total(&values, |value| value * value));
    }
    let count = ((SIDE - 2) * (SIDE - 2)) as f64;
    let mean = sum / count;
    #[expect(clippy::cast_possible_truncation, reason = "at most (4 * 255)^2")]
    let variance = (squares / count - mean * mean) as f32;
    variance.max(0.0)
}

/// Returns the sum of `of` each value, in lanes that do not wait for one another.
fn total(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut lanes = [0.0; 16];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += of(*value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|value| of(*value)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ChannelOrder;
    use crate::geometry::Point;

    fn judge(frame: &Frame<'_>, shift: f32) -> Quality {
        let landmarks = Template::arcface112().points.map(|p| Point::new(p.x + shift, p.y));
        let bbox = Rect::new(shift, 0.0, shift + 112.0, 112.0);
        QualityJudge::new(QualityOptions::default()).judge(frame, &bbox, &landmarks, None).unwrap()
    }

    fn chequered(period: u32, low: u8, high: u8) -> Frame<'static> {
        let pixels = (0..112 * 112)
            .flat_map(|i| [if ((i % 112) / period + (i / 112) / period).is_multiple_of(2) { low } else { high }; 3])
            .collect::<Vec<_>>();
        Frame::new(pixels, 112, 112, ChannelOrder::Rgb).unwrap()
    }

    #[test]
    fn detail_is_sharp_and_a_plain_face_is_blurred() {
        let sharp = judge(&chequered(4, 60, 200), 0.0);
        assert!(sharp.reasons.is_empty(), "{sharp:?}");
        assert_eq!(judge(&chequered(4, 120, 120), 0.0).reasons, [QualityReason::Blurred]);
    }

    #[test]
    fn too_little_and_too_much_light_are_told_apart() {
        assert!(judge(&chequered(4, 0, 40), 0.0).reasons.contains(&QualityReason::TooDark));
        assert!(judge(&chequered(4, 210, 255), 0.0).reasons.contains(&QualityReason::TooBright));
    }

    #[test]
    fn a_face_over_the_edge_is_truncated() {
        let quality = judge(&chequered(4, 60, 200), 56.0);
        assert!((quality.visible - 0.5).abs() < 1e-6);
        assert!(quality.reasons.contains(&QualityReason::Truncated));
    }
}
