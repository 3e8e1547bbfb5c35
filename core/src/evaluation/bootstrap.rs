//! Intervals where trials are not independent, by drawing people again.
//!
//! A hundred comparisons of one person's pictures are not a hundred people. The bootstrap draws people (or clips) with
//! replacement, takes all that belongs to them along, and computes the rate again; the middle 95% of those rates are
//! the interval. Of pairs, a pair counts as often as both its people were drawn together (Bolle, Ratha and Pankanti,
//! 2004).

use super::rate::{ALPHA, Interval};

/// How often people are drawn. 1,000 gives ends of 95% intervals that repeat to a few percent of their width.
pub const DRAWS: usize = 1000;
/// Fewer groups than these say nothing about others: no interval is given then.
pub const FEWEST_GROUPS: usize = 10;

/// Returns the bootstrap interval of `statistic`, which is given how often each of `groups` was drawn; `None` for
/// fewer groups than [`FEWEST_GROUPS`], or when more than one draw in ten has no statistic. Repeats exactly: the
/// draws come from a fixed seed.
pub fn interval(groups: usize, mut statistic: impl FnMut(&[u32]) -> Option<f64>) -> Option<Interval> {
    if groups < FEWEST_GROUPS {
        return None;
    }
    let mut random = SplitMix64(0x00FA_CEA7_7E4D);
    let mut weights = vec![0u32; groups];
    let mut found = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        weights.fill(0);
        for _ in 0..groups {
            weights[random.below(groups)] += 1;
        }
        found.extend(statistic(&weights).filter(|value| value.is_finite()));
    }
    if found.len() * 10 < DRAWS * 9 {
        return None;
    }
    found.sort_by(f64::total_cmp);
    Some(Interval { low: quantile(&found, ALPHA / 2.0)?, high: quantile(&found, 1.0 - ALPHA / 2.0)? })
}

/// Returns the bootstrap interval of a rate whose trials belong to groups: each outcome with the number of its group,
/// below `groups`. `None` for too few groups.
///
/// ```
/// use faceattend_core::evaluation::bootstrap::rate_interval;
///
/// // Twenty people, one trial each, half of which hit.
/// let outcomes: Vec<(usize, bool)> = (0..20).map(|person| (person, person % 2 == 0)).collect();
/// let interval = rate_interval(20, &outcomes).expect("enough people");
/// assert!(interval.low < 0.5 && 0.5 < interval.high);
/// ```
#[must_use]
pub fn rate_interval(groups: usize, outcomes: &[(usize, bool)]) -> Option<Interval> {
    // Hits and trials of each group first: a draw then costs a step for each group.
    let mut counts = vec![(0.0, 0.0); groups];
    for (group, hit) in outcomes {
        if let Some((hits, trials)) = counts.get_mut(*group) {
            *hits += f64::from(u8::from(*hit));
            *trials += 1.0;
        }
    }
    interval(groups, |weights| {
        let (mut hits, mut trials) = (0.0, 0.0);
        for ((h, t), weight) in counts.iter().zip(weights) {
            hits += h * f64::from(*weight);
            trials += t * f64::from(*weight);
        }
        (trials > 0.0).then(|| hits / trials)
    })
}

/// Returns the value below which the share `q` of the `sorted` values lies, between two neighbors by their distance
/// (Hyndman and Fan's type 7, what NumPy answers); `None` of none.
///
/// ```
/// use faceattend_core::evaluation::bootstrap::quantile;
///
/// assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.5), Some(2.0));
/// assert_eq!(quantile(&[], 0.5), None);
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let low = *sorted.get(at.floor() as usize)?;
    let high = *sorted.get(at.ceil() as usize)?;
    Some(low + (high - low) * at.fract())
}

/// SplitMix64 (Steele, Lea and Flood, 2014): draws that repeat on every machine, which no default generator promises.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number below `limit`; its bias of limit / 2^64 is nothing here.
    fn below(&mut self, limit: usize) -> usize {
        let wide = u128::from(self.next()) * (limit as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64], weights: &[u32]) -> Option<f64> {
        let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        (total > 0.0).then(|| values.iter().zip(weights).map(|(v, w)| v * f64::from(*w)).sum::<f64>() / total)
    }

    /// Of a mean the bootstrap's width is known: 1.96 standard errors to either side.
    #[test]
    fn the_interval_of_a_mean_is_two_standard_errors_wide() {
        let values: Vec<f64> = (0..200).map(|i| f64::from((i * 37) % 200)).collect();
        let average = values.iter().sum::<f64>() / 200.0;
        let error = (values.iter().map(|v| (v - average).powi(2)).sum::<f64>() / 200.0).sqrt() / 200f64.sqrt();
        let found = interval(200, |weights| mean(&values, weights)).unwrap();
        assert!(((found.high - found.low) / (2.0 * 1.96 * error) - 1.0).abs() < 0.1, "{found:?} {error}");
        assert!((f64::midpoint(found.low, found.high) - average).abs() < 0.2 * error);
        assert_eq!(interval(200, |weights| mean(&values, weights)), Some(found));
    }

    #[test]
    fn a_handful_of_people_say_nothing_about_others() {
        assert_eq!(interval(FEWEST_GROUPS - 1, |_| Some(0.5)), None);
        assert_eq!(interval(FEWEST_GROUPS, |_| None), None);
    }

    #[test]
    fn quantiles_lie_between_neighbors() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(quantile(&[5.0], 0.975), Some(5.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
