//! How far the measured yaw is off, and what the gates of a liveness session make of it.

use serde::Serialize;

use super::bootstrap;
use super::rate::{Interval, Rate};
use crate::liveness::{Gates, Mirrored, Position};
use crate::types::Degrees;

/// A labeled yaw and the measured one, in degrees, both positive towards the right edge of the image.
///
/// ```
/// use faceattend_core::evaluation::pose::{YawError, YawSample};
///
/// let error = YawError::of(&[YawSample { label: 15.0, measured: 12.0 }]).expect("a sample");
/// assert_eq!((error.mean, error.bias), (3.0, -3.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct YawSample {
    /// What the label says.
    pub label: f32,
    /// What was measured.
    pub measured: f32,
}

/// The error of the yaw over a set of pictures, in degrees.
///
/// ```
/// use faceattend_core::evaluation::pose::{YawError, YawSample};
///
/// let samples = [YawSample { label: 20.0, measured: 22.0 }, YawSample { label: -20.0, measured: -20.0 }];
/// assert_eq!(YawError::of(&samples).map(|error| error.mean), Some(1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct YawError {
    /// How many pictures.
    pub samples: usize,
    /// The mean of the absolute errors (MAE).
    pub mean: f64,
    /// Where the mean would lie for other such pictures: a bootstrap over the pictures, `None` for fewer than ten.
    pub interval: Option<Interval>,
    /// Half of the absolute errors are smaller.
    pub median: f64,
    /// 95% of the absolute errors are smaller.
    pub p95: f64,
    /// The mean of measured - label: above 0 when it reads too far to the right edge.
    pub bias: f64,
}

impl YawError {
    /// Returns the error over `samples`; `None` of none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of pictures")]
    pub fn of(samples: &[YawSample]) -> Option<Self> {
        let signed: Vec<f64> = samples.iter().map(|s| f64::from(s.measured) - f64::from(s.label)).collect();
        let mut absolute: Vec<f64> = signed.iter().map(|e| e.abs()).collect();
        let count = absolute.len() as f64;
        let mean = absolute.iter().sum::<f64>() / count;
        let interval = bootstrap::interval(absolute.len(), |weights| {
            Some(absolute.iter().zip(weights).map(|(e, w)| e * f64::from(*w)).sum::<f64>() / count)
        });
        absolute.sort_by(f64::total_cmp);
        Some(Self {
            samples: absolute.len(),
            mean,
            interval,
            median: bootstrap::quantile(&absolute, 0.5)?,
            p95: bootstrap::quantile(&absolute, 0.95)?,
            bias: signed.iter().sum::<f64>() / count,
        })
    }
}

/// What the gates make of a set of pictures, taken as a camera takes them.
///
/// ```
/// use faceattend_core::evaluation::pose::{GateRecall, YawSample};
/// use faceattend_core::liveness::Gates;
///
/// let recall = GateRecall::of(&[YawSample { label: 30.0, measured: 28.0 }], &Gates::default());
/// assert_eq!(recall.wrong_side.hits(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GateRecall {
    /// Of pictures labeled inside each gate, those that were let through.
    pub recall: Vec<(Position, Rate)>,
    /// Of pictures labeled outside each gate, those that were let through all the same.
    pub wrongly_admitted: Vec<(Position, Rate)>,
    /// Of pictures labeled in one side's gate, those that were let through for the other side.
    pub wrong_side: Rate,
}

impl GateRecall {
    /// Returns what `gates` make of `samples`.
    #[must_use]
    pub fn of(samples: &[YawSample], gates: &Gates) -> Self {
        let admits = |position, yaw| gates.admit(position, Degrees(yaw), Mirrored::No);
        let positions = [Position::Center, Position::Left, Position::Right];
        let admitted = |position, inside: bool| {
            let labeled = samples.iter().filter(|s| admits(position, s.label) == inside);
            (position, Rate::of(labeled.map(|s| admits(position, s.measured))))
        };
        let crossed =
            |from, to| Rate::of(samples.iter().filter(|s| admits(from, s.label)).map(|s| admits(to, s.measured)));
        Self {
            recall: positions.map(|p| admitted(p, true)).to_vec(),
            wrongly_admitted: positions.map(|p| admitted(p, false)).to_vec(),
            wrong_side: crossed(Position::Left, Position::Right).and(crossed(Position::Right, Position::Left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(label: f32, measured: f32) -> YawSample {
        YawSample { label, measured }
    }

    #[test]
    fn by_hand() {
        let error =
            YawError::of(&[sample(0.0, 2.0), sample(10.0, 6.0), sample(-20.0, -20.0), sample(5.0, 4.0)]).unwrap();
        assert!((error.mean - 1.75).abs() < 1e-9 && (error.median - 1.5).abs() < 1e-9);
        assert!((error.bias + 0.75).abs() < 1e-9);
        assert_eq!((error.samples, error.interval), (4, None));
        assert_eq!(YawError::of(&[]), None);
    }

    #[test]
    fn the_gates_are_those_of_a_session() {
        let samples =
            [sample(0.0, 4.9), sample(-3.0, -5.1), sample(20.0, 16.0), sample(20.0, -16.0), sample(-16.0, -14.0)];
        let gates = GateRecall::of(&samples, &Gates::default());
        // In an image as a camera takes it, the person's own left is the image's right.
        assert_eq!(
            gates.recall,
            [
                (Position::Center, Rate::new(1, 2)),
                (Position::Left, Rate::new(1, 2)),
                (Position::Right, Rate::new(0, 1))
            ]
        );
        assert_eq!(gates.wrong_side, Rate::new(1, 3));
        assert_eq!(gates.wrongly_admitted[2], (Position::Right, Rate::new(1, 4)));
    }
}
