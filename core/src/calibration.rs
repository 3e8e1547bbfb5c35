//! The calibration that puts the cosines of every model on one scale of similarity.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::types::{Cosine, Similarity};

/// A monotone map from one model's cosine to [`Similarity`], so that a threshold means the same false match rate
/// whichever model runs. Piecewise linear through its points.
///
/// ```
/// use faceattend_core::embedding::Calibration;
/// use faceattend_core::types::Cosine;
///
/// // A model whose strangers reach cosine 0.8 as often as ArcFace's reach 0.4.
/// let calibration = Calibration::new(vec![[-1.0, 0.0], [0.8, 0.7], [1.0, 1.0]])?;
/// assert_eq!(calibration.similarity(Cosine(0.8)).value(), 0.7);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Calibration {
    points: Vec<[f32; 2]>,
    strangers: Option<[f32; 2]>,
}

/// How a manifest writes a calibration: the points alone, or with how near strangers come.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Points(Vec<[f32; 2]>),
    WithStrangers { points: Vec<[f32; 2]>, strangers: [f32; 2] },
}

impl Calibration {
    /// Returns (cosine + 1) / 2: the scale of ArcFace-class models, on which the others are calibrated.
    #[must_use]
    pub fn arcface() -> Self {
        Self { points: vec![[-1.0, 0.0], [1.0, 1.0]], strangers: None }
    }

    /// Creates a calibration through `points` of [cosine, similarity].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless both columns rise strictly, from [-1, 0] to [1, 1].
    pub fn new(points: Vec<[f32; 2]>) -> Result<Self> {
        let rising = points.windows(2).all(|w| w[0][0] < w[1][0] && w[0][1] < w[1][1]);
        if !rising || points.first() != Some(&[-1.0, 0.0]) || points.last() != Some(&[1.0, 1.0]) {
            return Err(Error::invalid_input("calibration", "the points must rise strictly from [-1, 0] to [1, 1]"));
        }
        Ok(Self { points, strangers: None })
    }

    /// Returns the calibration with the mean and the spread (standard deviation) of the cosine between two people,
    /// where they were measured.
    ///
    /// ```
    /// use faceattend_core::embedding::Calibration;
    ///
    /// let calibration = Calibration::arcface().with_strangers(0.02, 0.07)?;
    /// assert_eq!(calibration.strangers(), Some([0.02, 0.07]));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless the mean lies in [-1, 1] and the spread is above 0 and at most 1.
    pub fn with_strangers(mut self, mean: f32, spread: f32) -> Result<Self> {
        if !((-1.0..=1.0).contains(&mean) && spread > 0.0 && spread <= 1.0) {
            return Err(Error::invalid_input(
                "strangers of a calibration",
                format!("mean {mean} must lie in [-1, 1] and spread {spread} in (0, 1]"),
            ));
        }
        self.strangers = Some([mean, spread]);
        Ok(self)
    }

    /// Returns the mean and the spread of the cosine between two people, where they were measured.
    #[must_use]
    pub fn strangers(&self) -> Option<[f32; 2]> {
        self.strangers
    }

    /// Returns the similarity that `cosine` stands for.
    #[must_use]
    pub fn similarity(&self, cosine: Cosine) -> Similarity {
        Similarity::new(interpolate(&self.points, cosine.0, 0, 1))
    }

    /// Returns the cosine that `similarity` stands for: the inverse of [`Self::similarity`].
    ///
    /// ```
    /// use faceattend_core::Similarity;
    /// use faceattend_core::embedding::Calibration;
    ///
    /// let cosine = Calibration::arcface().cosine(Similarity::new(0.7));
    /// assert!((cosine.0 - 0.4).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn cosine(&self, similarity: Similarity) -> Cosine {
        Cosine(interpolate(&self.points, similarity.value(), 1, 0))
    }
}

fn interpolate(points: &[[f32; 2]], at: f32, from: usize, to: usize) -> f32 {
    if at.is_nan() {
        return f32::NAN;
    }
    // `new` and `arcface` guarantee two points; outside their range the end segments hold the clamped ends.
    let next = points.partition_point(|p| p[from] <= at).clamp(1, points.len() - 1);
    let (a, b) = (points[next - 1], points[next]);
    let t = ((at - a[from]) / (b[from] - a[from])).clamp(0.0, 1.0);
    a[to] + t * (b[to] - a[to])
}

impl Default for Calibration {
    fn default() -> Self {
        Self::arcface()
    }
}

impl TryFrom<Vec<[f32; 2]>> for Calibration {
    type Error = Error;

    fn try_from(points: Vec<[f32; 2]>) -> Result<Self> {
        Self::new(points)
    }
}

impl TryFrom<Written> for Calibration {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self> {
        match written {
            Written::Points(points) => Self::new(points),
            Written::WithStrangers { points, strangers: [mean, spread] } => {
                Self::new(points)?.with_strangers(mean, spread)
            }
        }
    }
}

impl From<Calibration> for Written {
    fn from(Calibration { points, strangers }: Calibration) -> Self {
        match strangers {
            None => Self::Points(points),
            Some(strangers) => Self::WithStrangers { points, strangers },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_documented_threshold_is_cosine_point_four() {
        let similarity = Calibration::arcface().similarity(Cosine(0.4));
        assert!((similarity.value() - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_calibration_that_falls_or_stops_short_is_refused() {
        for bad in [
            vec![],
            vec![[-1.0, 0.0]],
            vec![[-1.0, 0.0], [0.5, 0.9], [0.6, 0.8], [1.0, 1.0]],
            vec![[-1.0, 0.0], [0.9, 1.0]],
            vec![[-1.0, 0.0], [f32::NAN, 0.5], [1.0, 1.0]],
        ] {
            assert!(Calibration::new(bad.clone()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_calibration_is_read_as_it_was_written() {
        let with = Calibration::arcface().with_strangers(0.1, 0.09).unwrap();
        for calibration in [Calibration::arcface(), with] {
            let text = serde_json::to_string(&calibration).unwrap();
            assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration, "{text}");
        }
        let bad = r#"{"points": [[-1, 0], [1, 1]], "strangers": [0.1, 0]}"#;
        assert!(serde_json::from_str::<Calibration>(bad).is_err());
    }

    proptest! {
        #[test]
        fn a_calibration_rises_and_inverts(a in -1.0f32..1.0, b in -1.0f32..1.0) {
            let calibration = Calibration::new(vec![[-1.0, 0.0], [0.8, 0.5], [0.915, 0.7], [1.0, 1.0]]).unwrap();
            let of = |cosine| calibration.similarity(Cosine(cosine));
            prop_assert_eq!(a < b, of(a) < of(b));
            prop_assert!((calibration.cosine(of(a)).0 - a).abs() < 1e-4);
        }
    }
}
