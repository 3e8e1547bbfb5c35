//! When a notice that could not be sent is tried again.

use jiff::{SignedDuration, Timestamp};

/// How long a sender waits before it tries again: twice as long after each try, up to a limit, and a little more or
/// less, so that what failed together does not come back together.
///
/// ```
/// use faceattend_core::alerts::BackOff;
///
/// let back_off = BackOff::default();
/// // Without jitter: 5, 10 and 20 seconds.
/// let seconds = |tries| back_off.delay(tries, 0.5).map(|delay| delay.as_secs());
/// assert_eq!([seconds(1), seconds(2), seconds(3)], [Some(5), Some(10), Some(20)]);
/// assert_eq!(seconds(back_off.most_tries), None, "it is given up");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// The wait after the first try. Default 5 seconds: a server that restarts is back by then, or soon.
    pub first: SignedDuration,
    /// The longest wait. Default 15 minutes: what was away comes back without anybody waiting for hours.
    pub longest: SignedDuration,
    /// After how many tries it is given up. Default 100: they take a day.
    pub most_tries: u32,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { first: SignedDuration::from_secs(5), longest: SignedDuration::from_mins(15), most_tries: 100 }
    }
}

/// By which part of it a wait is longer or shorter at most.
const JITTER: f64 = 0.2;

impl BackOff {
    /// Returns the same back-off with this wait after the first try.
    #[must_use]
    pub fn with_first(mut self, first: SignedDuration) -> Self {
        self.first = first;
        self
    }

    /// Returns the same back-off with at most so many tries.
    #[must_use]
    pub fn with_most_tries(mut self, tries: u32) -> Self {
        self.most_tries = tries;
        self
    }

    /// Returns how long to wait after the `tries`th try, from 1; `None` where it was the last one. `random` lies
    /// between 0 and 1: 0.5 adds nothing and takes nothing away.
    #[must_use]
    pub fn delay(&self, tries: u32, random: f64) -> Option<SignedDuration> {
        if tries >= self.most_tries {
            return None;
        }
        let doubled = 2_f64.powi(i32::try_from(tries.saturating_sub(1)).unwrap_or(i32::MAX));
        let plain = (self.first.as_secs_f64() * doubled).min(self.longest.as_secs_f64());
        let jitter = 1.0 + JITTER * (random.clamp(0.0, 1.0) * 2.0 - 1.0);
        Some(SignedDuration::try_from_secs_f64(plain * jitter).unwrap_or(self.longest))
    }

    /// Returns when to try again after the `tries`th try, which ended at `now`.
    #[must_use]
    pub fn again_at(&self, tries: u32, random: f64, now: Timestamp) -> Option<Timestamp> {
        self.delay(tries, random).map(|delay| now.checked_add(delay).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_letter_is_given_up_after_a_day() {
        let back_off = BackOff::default();
        let all: f64 = (1..back_off.most_tries).filter_map(|n| Some(back_off.delay(n, 0.5)?.as_secs_f64())).sum();
        assert!((20.0..28.0).contains(&(all / 3600.0)), "{} hours", all / 3600.0);
    }

    proptest! {
        #[test]
        fn waits_grow_up_to_a_limit_and_differ(
            first in 1i64..60, longest in 60i64..3600, most in 2u32..1000, tries in 1u32..2000, random in 0.0..=1.0,
        ) {
            let back_off = BackOff {
                first: SignedDuration::from_secs(first),
                longest: SignedDuration::from_secs(longest),
                most_tries: most,
            };
            let Some(delay) = back_off.delay(tries, random) else {
                prop_assert!(tries >= most);
                return Ok(());
            };
            prop_assert!(tries < most);
            let (least, limit) = (first as f64 * 0.799, longest as f64 * 1.201);
            prop_assert!((least..=limit).contains(&delay.as_secs_f64()), "{delay:?}");
            // With the same luck the next wait is no shorter.
            if let Some(next) = back_off.delay(tries + 1, random) {
                prop_assert!(next >= delay);
            }
            // With another luck it is another wait.
            prop_assert!(back_off.delay(tries, 0.0) < back_off.delay(tries, 1.0));
        }
    }
}
