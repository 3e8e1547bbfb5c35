//! The passive check over a session: its policy, and the mean of its scores.

use serde::{Deserialize, Serialize};

use super::decision::Reason;

/// What to make of the passive check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PadPolicy {
    /// Every frame that counts must have been scored.
    Require,
    /// Scores count where there are any; without its model a session goes on without them.
    #[default]
    Prefer,
    /// Scores do not count.
    Off,
}

/// The scores of a session's frames. The mean decides, so that one unlucky frame of a living person (.067 of them
/// measured) fails nobody, and one lucky frame of a screen passes nobody: refused frames stay in the mean.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct PadTally {
    sum: f64,
    frames: u32,
}

impl PadTally {
    /// Takes a score in; one that is no number counts as a spoof.
    pub(super) fn add(&mut self, real: f32) {
        self.sum += if real.is_finite() { f64::from(real.clamp(0.0, 1.0)) } else { 0.0 };
        self.frames = self.frames.saturating_add(1);
    }

    /// The mean score, or `None` before the first.
    pub(super) fn mean(&self) -> Option<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "a mean of values in [0, 1]")]
        (self.frames > 0).then(|| (self.sum / f64::from(self.frames)) as f32)
    }
}

/// Why `policy` refuses a frame, given whether it was `scored` and the `mean` so far.
pub(super) fn objection(policy: PadPolicy, min_mean: f32, scored: bool, mean: Option<f32>) -> Option<Reason> {
    match (policy, mean) {
        (PadPolicy::Off, _) | (PadPolicy::Prefer, None) => None,
        (PadPolicy::Require, _) if !scored => Some(Reason::PassiveCheckMissing),
        (PadPolicy::Require, None) => Some(Reason::PassiveCheckMissing),
        (PadPolicy::Require | PadPolicy::Prefer, Some(mean)) => {
            (mean < min_mean).then_some(Reason::SpoofSuspected { real: mean })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_differ_when_no_score_is_there() {
        assert_eq!(objection(PadPolicy::Off, 0.5, false, None), None);
        assert_eq!(objection(PadPolicy::Prefer, 0.5, false, None), None);
        assert_eq!(objection(PadPolicy::Require, 0.5, false, None), Some(Reason::PassiveCheckMissing));
        // The scores of other frames do not stand in for this one.
        assert_eq!(objection(PadPolicy::Require, 0.5, false, Some(0.9)), Some(Reason::PassiveCheckMissing));
    }

    #[test]
    fn a_low_mean_is_refused_unless_off() {
        let suspected = Some(Reason::SpoofSuspected { real: 0.4 });
        assert_eq!(objection(PadPolicy::Require, 0.5, true, Some(0.4)), suspected);
        assert_eq!(objection(PadPolicy::Prefer, 0.5, true, Some(0.4)), suspected);
        assert_eq!(objection(PadPolicy::Off, 0.5, true, Some(0.4)), None);
    }

    #[test]
    fn a_score_that_is_no_number_counts_against() {
        let mut tally = PadTally::default();
        assert_eq!(tally.mean(), None);
        tally.add(1.0);
        tally.add(f32::NAN);
        assert_eq!(tally.mean(), Some(0.5));
    }
}
