//! The distribution of strangers: how near they come to enrolled people, and how surprising a nearer one is.

use std::f64::consts::TAU;

use crate::embedding::Calibration;
use crate::error::{Error, Result};
use crate::types::{Cosine, Similarity};

/// The cosines between two different people, as a normal distribution.
///
/// On LFW the pairs of two people follow it far into the tail: of 1.6 million pairs with SFace (mean 0.101, spread
/// 0.087), 1 in 10,000 lies 3.7 spreads above the mean, where a normal distribution has 3.72.
///
/// ```
/// use faceattend_core::tracking::Impostors;
/// use faceattend_core::types::Cosine;
///
/// let strangers = Impostors::new(0.02, 0.07)?;
/// assert!((strangers.deviations(Cosine(0.37)) - 5.0).abs() < 1e-3);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impostors {
    mean: f32,
    spread: f32,
}

/// The part of all pairs of two people that reaches [`Threshold::DOCUMENTED`](crate::types::Threshold::DOCUMENTED) on
/// the similarity scale, in spreads above the mean: 5e-5 of a normal distribution. Half of them lie below similarity
/// 0.5.
const SPREADS_TO_DOCUMENTED: f32 = 3.89;

impl Impostors {
    /// Returns the distribution with this mean and spread (standard deviation) of the cosine.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless the mean lies in [-1, 1] and the spread is above 0 and at most 1.
    pub fn new(mean: f32, spread: f32) -> Result<Self> {
        if (-1.0..=1.0).contains(&mean) && spread > 0.0 && spread <= 1.0 {
            return Ok(Self { mean, spread });
        }
        Err(Error::invalid_input(
            "impostor distribution",
            format!("mean {mean} must lie in [-1, 1] and spread {spread} in (0, 1]"),
        ))
    }

    /// Returns what a calibration says of strangers: as they were measured, or else as the scale is made: half of
    /// them lie below similarity 0.5, and 5e-5 of them reach 0.70.
    #[must_use]
    pub fn of(calibration: &Calibration) -> Self {
        if let Some([mean, spread]) = calibration.strangers() {
            return Self { mean, spread };
        }
        let cosine = |similarity| calibration.cosine(Similarity::new(similarity)).0;
        let mean = cosine(0.5);
        Self { mean, spread: (cosine(0.7) - mean) / SPREADS_TO_DOCUMENTED }
    }

    /// Returns the mean cosine.
    #[must_use]
    pub fn mean(&self) -> f32 {
        self.mean
    }

    /// Returns the standard deviation of the cosine.
    #[must_use]
    pub fn spread(&self) -> f32 {
        self.spread
    }

    /// Returns how many spreads above the mean a cosine lies.
    #[must_use]
    pub fn deviations(&self, cosine: Cosine) -> f32 {
        (cosine.0 - self.mean) / self.spread
    }

    /// Returns the surprise, in nats, that a stranger comes `deviations` near to one template after the mean of the
    /// stranger's views has traveled `path` radians. 0 where it is no surprise.
    ///
    /// A stranger ever reaches `b` nats, at whatever view, with a probability of at most exp(-b). Seen from a
    /// template of somebody else, the nearness of a point that moves over the sphere of embeddings is a Gaussian
    /// process, whose correlation between two places is the cosine between them. It is above a level u at its
    /// beginning with the normal distribution's tail Q(u), and rises through u exp(-u^2 / 2) / 2 pi times for each
    /// radian that it travels (Rice 1944; for tubes on the sphere, Hotelling and Weyl 1939). With a level at which
    /// exp(-u^2 / 2) = c / (1 + path)^2 the chances of the whole way, however long, add up to Q(u) at its beginning
    /// and c / 2 pi for the rest.
    ///
    /// A view that repeats another therefore moves nothing and is no further chance, and one that differs is as much
    /// of a chance as it differs.
    #[must_use]
    pub fn surprise(deviations: f32, path: f32) -> f32 {
        let u = f64::from(deviations.max(0.0));
        // Q(u) <= density(u) 4 / (3 u + sqrt(u^2 + 8)) (Sampford 1953): for u above 1 within 0.5%.
        let mills = 4.0 / (3.0 * u + (u * u + 8.0).sqrt());
        let chances = mills / TAU.sqrt() + 1.0 / TAU;
        let traveled = f64::from(path.max(0.0));
        #[expect(clippy::cast_possible_truncation, reason = "at most a few hundred")]
        let nats = (0.5 * u * u - chances.ln() - 2.0 * traveled.ln_1p()) as f32;
        nats.max(0.0)
    }

    /// Returns the lowest cosine with which a face is named whose views have traveled `path` radians, where the
    /// evidence has to reach `bound` nats. At most 1 even where that is not enough.
    #[must_use]
    pub fn cosine_for(&self, bound: f32, path: f32) -> Cosine {
        let (mut low, mut high) = (self.mean, 1.0);
        // The surprise rises with the cosine; halving ends below an f32's steps.
        for _ in 0..32 {
            let middle = f32::midpoint(low, high);
            let enough = Self::surprise(self.deviations(Cosine(middle)), path) >= bound;
            if enough { high = middle } else { low = middle }
        }
        Cosine(high)
    }
}

/// Returns the surprise that names somebody, in nats: with it at most the share `false_names` of all strangers is ever
/// named as any of those with `templates` in the gallery, if strangers are distributed as is said of them.
///
/// ```
/// use faceattend_core::tracking::bound;
///
/// // A larger gallery asks for more evidence.
/// assert!(bound(10_000, 1e-3) > bound(100, 1e-3));
/// ```
#[must_use]
pub fn bound(templates: usize, false_names: f32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "its logarithm is taken")]
    let templates = templates.max(1) as f32;
    templates.ln() - false_names.clamp(f32::MIN_POSITIVE, 1.0).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_surprise_is_that_of_the_normal_distribution_and_of_the_way() {
        // Q(u) from tables, and the chances of the way.
        for (u, tail) in [(2.0_f32, 0.022_750_f32), (3.0, 1.349_9e-3), (3.89, 5.01e-5), (5.0, 2.867e-7)] {
            let way = f32::exp(-0.5 * u * u) / std::f32::consts::TAU;
            let surprise = Impostors::surprise(u, 0.0);
            assert!((surprise + (tail + way).ln()).abs() < 0.01, "{u}: {surprise} {}", -(tail + way).ln());
        }
    }

    #[test]
    fn a_calibration_says_how_near_strangers_come() {
        let impostors = Impostors::of(&Calibration::arcface());
        assert!(impostors.mean().abs() < 1e-6 && (impostors.spread() - 0.103).abs() < 0.001);
        assert!((impostors.deviations(Cosine(0.4)) - 3.89).abs() < 1e-4);
        let measured = Calibration::arcface().with_strangers(0.1, 0.09).unwrap();
        assert_eq!(Impostors::of(&measured), Impostors::new(0.1, 0.09).unwrap());
    }

    #[test]
    fn a_distribution_that_cannot_be_is_refused() {
        for (mean, spread) in [(2.0, 0.1), (0.0, 0.0), (0.0, -0.1), (f32::NAN, 0.1), (0.0, f32::NAN), (0.0, 2.0)] {
            assert!(Impostors::new(mean, spread).is_err(), "{mean} {spread}");
        }
    }

    #[test]
    fn the_cosine_that_names_is_where_the_surprise_reaches_the_bound() {
        let impostors = Impostors::new(0.1, 0.087).unwrap();
        let bound = bound(1000, 0.001);
        let cosine = impostors.cosine_for(bound, 0.5);
        assert!((Impostors::surprise(impostors.deviations(cosine), 0.5) - bound).abs() < 0.01, "{cosine:?}");
        assert!((cosine.0 - 0.547).abs() < 0.003, "{cosine:?}");
    }

    proptest! {
        #[test]
        fn a_nearer_stranger_is_a_greater_surprise(u in -3.0f32..9.0, more in 0.01f32..3.0, path in 0.0f32..20.0) {
            prop_assert!(Impostors::surprise(u + more, path) >= Impostors::surprise(u, path));
            if u > 3.0 {
                prop_assert!(Impostors::surprise(u + more, path) > Impostors::surprise(u, path));
            }
        }

        #[test]
        fn every_further_look_makes_it_less_of_a_surprise(
            u in 0.0f32..9.0,
            path in 0.0f32..20.0,
            more in 0.001f32..5.0,
        ) {
            prop_assert!(Impostors::surprise(u, path + more) <= Impostors::surprise(u, path));
        }

        #[test]
        fn the_bound_grows_with_the_gallery_and_with_the_care(
            people in 1usize..100_000, more in 1usize..100_000, rate in 1e-6f32..0.5,
        ) {
            prop_assert!(bound(people + more, rate) >= bound(people, rate));
            prop_assert!(bound(people, rate) < bound(people, rate / 2.0));
        }
    }
}
