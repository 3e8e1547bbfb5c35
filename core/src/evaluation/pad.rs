//! Presentation attack detection: APCER for each kind of attack, BPCER, ACER (ISO/IEC 30107-3).

use std::collections::BTreeMap;

use serde::Serialize;

use super::comparison::Comparisons;
use super::rate::Rate;

/// What was in front of the camera.
///
/// ```
/// use faceattend_core::evaluation::pad::Presentation;
///
/// assert_ne!(Presentation::BonaFide, Presentation::Attack("screen".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Presentation {
    /// A living face.
    BonaFide,
    /// An attack, by its kind: `print`, `screen`, `mask`.
    Attack(String),
}

/// One presentation and what the detector made of it: a frame, or a clip by the mean of its frames.
///
/// ```
/// use faceattend_core::evaluation::pad::{PadSample, Presentation};
///
/// // A picture in which the check found no face: a non-response.
/// let sample = PadSample { presentation: Presentation::Attack("mask".into()), real: None };
/// assert!(sample.real.is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PadSample {
    /// What it was.
    pub presentation: Presentation,
    /// How much it looks like a living face, in [0, 1]; `None` when no face was found: a non-response.
    pub real: Option<f32>,
}

/// Error rates at one threshold.
///
/// ```
/// use faceattend_core::evaluation::pad::{PadRates, PadSample, Presentation};
///
/// let samples = [
///     PadSample { presentation: Presentation::BonaFide, real: Some(0.9) },
///     PadSample { presentation: Presentation::Attack("print".into()), real: Some(0.2) },
/// ];
/// let rates = PadRates::at(&samples, 0.5);
/// assert_eq!((rates.bpcer.hits(), rates.apcer["print"].hits()), (0, 0));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PadRates {
    /// From this score on a presentation passes for a living face.
    pub threshold: f32,
    /// Attacks that passed, of those answered, for each kind.
    pub apcer: BTreeMap<String, Rate>,
    /// Living faces refused, of those answered.
    pub bpcer: Rate,
    /// The mean of the worst kind's APCER and the BPCER. The standard dropped it; papers still compare by it.
    pub acer: Option<f64>,
    /// Attacks in which no face was found, for each kind (APNRR). None of them passed.
    pub apnrr: BTreeMap<String, Rate>,
    /// Living faces in which no face was found (BPNRR). To the person it is one more refusal.
    pub bpnrr: Rate,
}

impl PadRates {
    /// Returns the rates of `samples` at `threshold`.
    #[must_use]
    pub fn at(samples: &[PadSample], threshold: f32) -> Self {
        let mut apcer: BTreeMap<String, Rate> = BTreeMap::new();
        let mut apnrr: BTreeMap<String, Rate> = BTreeMap::new();
        let (mut bpcer, mut bpnrr) = (Rate::default(), Rate::default());
        for sample in samples {
            let answered = sample.real.is_some();
            let passed = sample.real.map(|real| real >= threshold);
            match &sample.presentation {
                Presentation::BonaFide => {
                    bpnrr = bpnrr.and(Rate::of([!answered]));
                    bpcer = bpcer.and(Rate::of(passed.map(|passed| !passed)));
                }
                Presentation::Attack(kind) => {
                    let add = |to: &mut BTreeMap<String, Rate>, rate: Rate| {
                        let entry = to.entry(kind.clone()).or_default();
                        *entry = entry.and(rate);
                    };
                    add(&mut apnrr, Rate::of([!answered]));
                    add(&mut apcer, Rate::of(passed));
                }
            }
        }
        let worst = apcer.values().filter_map(|rate| rate.value()).max_by(f64::total_cmp);
        let acer = worst.zip(bpcer.value()).map(|(apcer, bpcer)| f64::midpoint(apcer, bpcer));
        Self { threshold, apcer, bpcer, acer, apnrr, bpnrr }
    }

    /// Returns the kind of attack that passes most often, with its rate.
    #[must_use]
    pub fn worst(&self) -> Option<(&str, Rate)> {
        let value = |rate: &Rate| rate.value().unwrap_or(-1.0);
        let worst = self.apcer.iter().max_by(|a, b| value(a.1).total_cmp(&value(b.1)))?;
        Some((worst.0, *worst.1))
    }
}

/// Collects living faces as the genuine scores, attacks (of `kind`, or of all kinds) as the impostor scores;
/// non-responses left out.
#[must_use]
pub fn scores(samples: &[PadSample], kind: Option<&str>) -> Comparisons {
    let of = |wanted: &dyn Fn(&Presentation) -> bool| -> Vec<f32> {
        samples.iter().filter(|s| wanted(&s.presentation)).filter_map(|s| s.real).collect()
    };
    Comparisons::new(
        of(&|p| *p == Presentation::BonaFide),
        of(&|p| matches!(p, Presentation::Attack(k) if kind.is_none_or(|kind| kind == k))),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(kind: Option<&str>, real: Option<f32>) -> PadSample {
        let presentation = kind.map_or(Presentation::BonaFide, |kind| Presentation::Attack(kind.into()));
        PadSample { presentation, real }
    }

    #[test]
    fn by_hand() {
        let samples = [
            sample(None, Some(0.9)),
            sample(None, Some(0.4)),
            sample(None, None),
            sample(Some("print"), Some(0.1)),
            sample(Some("print"), Some(0.2)),
            sample(Some("screen"), Some(0.6)),
            sample(Some("screen"), Some(0.3)),
            sample(Some("screen"), None),
        ];
        let rates = PadRates::at(&samples, 0.5);
        assert_eq!(rates.bpcer, Rate::new(1, 2));
        assert_eq!(rates.bpnrr, Rate::new(1, 3));
        assert_eq!(rates.apcer["print"], Rate::new(0, 2));
        assert_eq!(rates.apcer["screen"], Rate::new(1, 2));
        assert_eq!(rates.apnrr["screen"], Rate::new(1, 3));
        // The worst kind counts, not the mean of both.
        assert_eq!(rates.worst(), Some(("screen", Rate::new(1, 2))));
        assert_eq!(rates.acer, Some(0.5));
        assert_eq!(scores(&samples, Some("print")).impostor(), [0.1, 0.2]);
    }

    #[test]
    fn a_class_that_is_not_there_has_no_acer() {
        assert_eq!(PadRates::at(&[sample(None, Some(0.9))], 0.5).acer, None);
        assert_eq!(PadRates::at(&[sample(Some("print"), Some(0.9))], 0.5).acer, None);
    }

    proptest! {
        #[test]
        fn a_stricter_threshold_passes_fewer_of_both(
            scores in prop::collection::vec((any::<bool>(), 0.0f32..=1.0), 1..80), a in 0.0f32..=1.0, b in 0.0f32..=1.0,
        ) {
            let samples: Vec<_> = scores.iter().map(|(attack, s)| sample(attack.then_some("x"), Some(*s))).collect();
            let (low, high) = (PadRates::at(&samples, a.min(b)), PadRates::at(&samples, a.max(b)));
            prop_assert!(high.bpcer.hits() >= low.bpcer.hits());
            let passed = |rates: &PadRates| rates.apcer.get("x").map_or(0, |rate| rate.hits());
            prop_assert!(passed(&high) <= passed(&low));
            prop_assert!(low.acer.is_none_or(|acer| (0.0..=1.0).contains(&acer)));
        }
    }
}
