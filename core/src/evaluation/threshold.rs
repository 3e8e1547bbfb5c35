//! A threshold for a wished false match rate, and only where the sample supports it.

use serde::Serialize;

use super::comparison::Comparisons;
use super::rate::Rate;

/// How sure a proposal is: the true rate exceeds the wished one in at most this share of such tests.
pub const RISK: f64 = 0.05;

/// What the sample says about a wished false match rate.
///
/// ```
/// use faceattend_core::evaluation::comparison::Comparisons;
/// use faceattend_core::evaluation::threshold::{Proposal, propose};
///
/// // A false match rate of 1 in 1,000 cannot be shown with two impostor pairs.
/// let scores = Comparisons::new([0.9], [0.1, 0.2]);
/// assert!(matches!(propose(&scores, 1e-3), Proposal::Unsupported { .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Proposal {
    /// A threshold that keeps the wished rate, at 95% confidence.
    Supported {
        /// From this score on.
        threshold: f32,
        /// What was measured there.
        fmr: Rate,
        /// The rate that the true one exceeds in at most 5 of 100 such tests; at most the wished one.
        upper_bound: f64,
    },
    /// Too few comparisons: even without one false match the true rate might be higher than the wished one.
    Unsupported {
        /// How many impostor comparisons there are.
        comparisons: u64,
        /// How many are needed at least: about three over the wished rate (the rule of three).
        needed: u64,
        /// The lowest rate that these can support.
        supported: f64,
    },
}

/// Returns the lowest threshold at which the false match rate of these comparisons is at most `wished`, at 95%
/// confidence.
///
/// The confidence takes comparisons as independent. Those of one gallery share people, so a little is left to the
/// operator's judgment: the number of people belongs beside every such figure.
#[must_use]
pub fn propose(scores: &Comparisons, wished: f64) -> Proposal {
    let comparisons = scores.impostor().len() as u64;
    let none = Rate::new(0, comparisons).upper_bound(RISK);
    if none > wished {
        return Proposal::Unsupported { comparisons, needed: needed_for(wished), supported: none };
    }
    // The bound rises with the number of false matches: halve to the most that are allowed.
    let (mut allowed, mut too_many) = (0, comparisons + 1);
    while too_many - allowed > 1 {
        let middle = u64::midpoint(allowed, too_many);
        let bound = Rate::new(middle, comparisons).upper_bound(RISK);
        if bound <= wished { allowed = middle } else { too_many = middle }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let rate = allowed as f64 / comparisons as f64;
    match scores.at_fmr(rate) {
        Some(point) => {
            Proposal::Supported { threshold: point.threshold, fmr: point.fmr, upper_bound: point.fmr.upper_bound(RISK) }
        }
        None => Proposal::Unsupported { comparisons, needed: needed_for(wished), supported: none },
    }
}

/// Returns how many impostor comparisons without a false match support `rate` at 95% confidence: about 3 / rate.
/// `u64::MAX` for a rate of 0, which no sample supports.
///
/// ```
/// use faceattend_core::evaluation::threshold::needed_for;
///
/// assert!(needed_for(1e-3) > needed_for(1e-2));
/// ```
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, saturating")]
pub fn needed_for(rate: f64) -> u64 {
    if rate >= 1.0 { 1 } else { (RISK.ln() / (-rate.max(0.0)).ln_1p()).ceil() as u64 }
}

/// Returns the rate at which a search of `people` people falsely names somebody, when each comparison falsely matches
/// at `fmr`: 1 - (1 - fmr)^people, about people x fmr while that is small.
///
/// ```
/// use faceattend_core::evaluation::threshold::{fmr_for, fpir_of};
///
/// let fpir = fpir_of(1e-5, 1000);
/// assert!((fpir - 0.00995).abs() < 1e-4);
/// assert!((fmr_for(fpir, 1000) - 1e-5).abs() < 1e-9);
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of people")]
pub fn fpir_of(fmr: f64, people: u64) -> f64 {
    -(people as f64 * (-fmr.clamp(0.0, 1.0)).ln_1p()).exp_m1()
}

/// Returns the false match rate of one comparison that a search of `people` people may have to name a stranger at
/// `fpir`: the inverse of [`fpir_of`].
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of people")]
pub fn fmr_for(fpir: f64, people: u64) -> f64 {
    -((-fpir.clamp(0.0, 1.0)).ln_1p() / people.max(1) as f64).exp_m1()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn impostors(count: usize) -> Comparisons {
        Comparisons::new([], (0..count).map(|i| i as f32 / count as f32))
    }

    #[test]
    fn a_rate_beyond_the_sample_is_not_promised() {
        // 2,994 is the exact count behind the rule of three for one in a thousand.
        assert_eq!(needed_for(0.001), 2995);
        match propose(&impostors(2994), 0.001) {
            Proposal::Unsupported { comparisons: 2994, needed: 2995, supported } => assert!(supported > 0.001),
            other => panic!("{other:?}"),
        }
        match propose(&impostors(2995), 0.001) {
            Proposal::Supported { threshold, fmr, .. } => {
                assert_eq!(fmr, Rate::new(0, 2995));
                assert!(threshold > 2994.0 / 2995.0);
            }
            other @ Proposal::Unsupported { .. } => panic!("{other:?}"),
        }
        assert!(matches!(propose(&Comparisons::new([], []), 0.5), Proposal::Unsupported { comparisons: 0, .. }));
        assert_eq!(needed_for(0.0), u64::MAX);
    }

    #[test]
    fn a_large_gallery_asks_more_of_each_comparison() {
        assert!((fpir_of(1e-5, 1000) - 0.00995).abs() < 1e-5);
        assert!((fmr_for(0.01, 500) * 500.0 - 0.01).abs() < 1e-4);
        assert_eq!(fpir_of(0.0, 10), 0.0);
    }

    proptest! {
        #[test]
        fn the_bound_keeps_the_wish_and_one_more_false_match_would_break_it(
            count in 100usize..5000, wished in 0.001f64..0.3,
        ) {
            let scores = impostors(count);
            match propose(&scores, wished) {
                Proposal::Supported { fmr, upper_bound, .. } => {
                    prop_assert!(upper_bound <= wished);
                    let more = Rate::new(fmr.hits() + 1, fmr.trials()).upper_bound(RISK);
                    prop_assert!(more > wished, "{more}");
                }
                Proposal::Unsupported { needed, .. } => prop_assert!(needed > count as u64),
            }
        }

        #[test]
        fn search_and_comparison_rates_invert_each_other(fpir in 1e-6f64..0.5, people in 1u64..1_000_000) {
            let back = fpir_of(fmr_for(fpir, people), people);
            prop_assert!((back / fpir - 1.0).abs() < 1e-6);
        }
    }
}
