//! A share of trials, and how far it can be trusted.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// The part that the intervals leave out, both ends together: 95% intervals, as ISO/IEC 19795-1 reports them.
pub const ALPHA: f64 = 0.05;

/// A range of values in which the true one lies, in 95 of 100 such tests.
///
/// ```
/// use faceattend_core::evaluation::Rate;
///
/// // No error in 100 trials does not mean none in a million.
/// let interval = Rate::new(0, 100).interval();
/// assert_eq!(interval.low, 0.0);
/// assert!(interval.high > 0.03);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// So many hits in so many trials.
///
/// ```
/// use faceattend_core::evaluation::Rate;
///
/// let rate = Rate::new(3, 100);
/// assert_eq!(rate.value(), Some(0.03));
/// let interval = rate.interval();
/// assert!(interval.low > 0.005 && interval.high < 0.09);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rate {
    hits: u64,
    trials: u64,
}

impl Rate {
    /// Creates the rate of `hits` in `trials`; never more hits than trials.
    #[must_use]
    pub fn new(hits: u64, trials: u64) -> Self {
        Self { hits: hits.min(trials), trials }
    }

    /// Returns the share of `outcomes` that are true.
    #[must_use]
    pub fn of(outcomes: impl IntoIterator<Item = bool>) -> Self {
        let (mut hits, mut trials) = (0, 0);
        for hit in outcomes {
            trials += 1;
            hits += u64::from(hit);
        }
        Self { hits, trials }
    }

    /// Returns how many hit.
    #[must_use]
    pub fn hits(self) -> u64 {
        self.hits
    }

    /// Returns how many were tried: the sample size.
    #[must_use]
    pub fn trials(self) -> u64 {
        self.trials
    }

    /// Returns the share, in [0, 1]; `None` of no trials.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn value(self) -> Option<f64> {
        (self.trials > 0).then(|| self.hits as f64 / self.trials as f64)
    }

    /// Returns the 95% interval of Clopper and Pearson; [0, 1] of no trials.
    ///
    /// Chosen over Wilson's because it never covers less than it says, however near to 0 the rate is, and error rates
    /// of biometrics lie there; the price is an interval a little wider than need be. It takes the trials as
    /// independent: where they share people, see [`super::bootstrap`].
    #[must_use]
    pub fn interval(self) -> Interval {
        Interval { low: self.lower_bound(ALPHA / 2.0), high: self.upper_bound(ALPHA / 2.0) }
    }

    /// Returns the rate that the true one exceeds in at most the share `alpha` of such tests (one-sided, exact). Of 0
    /// hits this is 1 - alpha^(1/n): about 3/n at 5%, the "rule of three".
    ///
    /// ```
    /// use faceattend_core::evaluation::Rate;
    ///
    /// // The rule of three: no error in 300 trials means at most 1%, with 95% confidence.
    /// assert!((Rate::new(0, 300).upper_bound(0.05) - 0.01).abs() < 1e-3);
    /// ```
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn upper_bound(self, alpha: f64) -> f64 {
        if self.hits == self.trials {
            return 1.0;
        }
        // P(X <= hits) = 1 - I_p(hits + 1, trials - hits) = alpha.
        beta_quantile(1.0 - alpha, self.hits as f64 + 1.0, (self.trials - self.hits) as f64)
    }

    /// Returns the rate that the true one stays below in at most the share `alpha` of such tests (one-sided, exact).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn lower_bound(self, alpha: f64) -> f64 {
        if self.hits == 0 {
            return 0.0;
        }
        beta_quantile(alpha, self.hits as f64, (self.trials - self.hits) as f64 + 1.0)
    }

    /// Returns both counts added up.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { hits: self.hits + other.hits, trials: self.trials + other.trials }
    }
}

/// `{hits, trials, rate, low, high}`, the last three being `null` of no trials.
impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let interval = (self.trials > 0).then(|| self.interval());
        let mut fields = serializer.serialize_struct("Rate", 5)?;
        fields.serialize_field("hits", &self.hits)?;
        fields.serialize_field("trials", &self.trials)?;
        fields.serialize_field("rate", &self.value())?;
        fields.serialize_field("low", &interval.map(|i| i.low))?;
        fields.serialize_field("high", &interval.map(|i| i.high))?;
        fields.end()
    }
}

/// Returns the x at which the regularised incomplete beta function I_x(a, b) is `p`, by halving: it rises with x.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // 2^-200 is below every positive rate that counts of 64 bits can make; halving ends when nothing lies between.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if regularised_beta(middle, a, b) < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Computes I_x(a, b) by Lentz's evaluation of its continued fraction (DLMF 8.17.22).
///
/// Our own, since the crates at hand stop after 140 steps, and the fraction needs about sqrt(max(a, b)) of them: a
/// million comparisons are usual here.
fn regularised_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges fast on this side of the mean only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - regularised_beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    let tiny = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < tiny { tiny } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    let steps = 200.0 + 10.0 * a.max(b).sqrt();
    let mut m = 1.0;
    while m <= steps {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let step = d * c;
        fraction *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
        m += 1.0;
    }
    (front * fraction).clamp(0.0, 1.0)
}

/// Returns the logarithm of the gamma function of `x` > 0: Stirling's series (DLMF 5.11.1) from 10 on, and the
/// recurrence below. Exact to 1e-13 of its size.
fn ln_gamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < 10.0 {
        below += x.ln();
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series =
        (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - below
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_hit_in_n_is_the_rule_of_three() {
        for n in [10u64, 300, 3_000, 123_950, 10_000_000] {
            let bound = Rate::new(0, n).upper_bound(0.05);
            let exact = 1.0 - 0.05f64.powf(1.0 / n as f64);
            assert!((bound / exact - 1.0).abs() < 1e-6, "{n}: {bound} {exact}");
            assert!(bound < 3.0 / n as f64);
        }
    }

    #[test]
    fn of_no_trials_nothing_is_known() {
        let none = Rate::default();
        assert_eq!(none.value(), None);
        assert_eq!(none.interval(), Interval { low: 0.0, high: 1.0 });
        assert_eq!(serde_json::to_value(none).unwrap()["high"], serde_json::Value::Null);
    }

    /// What the exact interval promises and Wilson's does not keep near 0: coverage, summed over the binomial
    /// distribution itself.
    #[test]
    fn the_interval_covers_the_true_rate_in_at_least_95_of_100_tests() {
        let n = 150u64;
        for p in [0.001, 0.004, 0.01, 0.05, 0.3, 0.5, 0.97] {
            let mut covered = 0.0;
            for k in 0..=n {
                let interval = Rate::new(k, n).interval();
                if (interval.low..=interval.high).contains(&p) {
                    let ways = ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0);
                    covered += (ways + k as f64 * f64::ln(p) + (n - k) as f64 * f64::ln(1.0 - p)).exp();
                }
            }
            assert!((0.95..=1.0 + 1e-9).contains(&covered), "{p}: {covered}");
        }
    }

    proptest! {
        #[test]
        fn an_interval_lies_in_the_scale_around_its_rate(trials in 1u64..200_000, share in 0.0f64..=1.0) {
            let rate = Rate::new((trials as f64 * share) as u64, trials);
            let Interval { low, high } = rate.interval();
            let value = rate.value().unwrap();
            prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0, "{low} {value} {high}");
            let mirrored = Rate::new(trials - rate.hits(), trials).interval();
            prop_assert!((mirrored.low - (1.0 - high)).abs() < 1e-9 && (mirrored.high - (1.0 - low)).abs() < 1e-9);
        }

        #[test]
        fn more_trials_of_one_share_say_more(hits in 0u64..50, misses in 1u64..50, times in 2u64..40) {
            let width = |r: Rate| r.interval().high - r.interval().low;
            let few = Rate::new(hits, hits + misses);
            let many = Rate::new(hits * times, (hits + misses) * times);
            prop_assert!(width(many) < width(few));
        }
    }
}
