//! The passive check over a session: its policy, and the mean of its scores.

use serde::{Deserialize, Serialize};

/// The policy for the passive check.
///
/// ```
/// use faceattend_core::LivenessOptions;
/// use faceattend_core::liveness::PadPolicy;
///
/// let strict = LivenessOptions::default().with_pad(PadPolicy::Require, 0.5);
/// assert_eq!(strict.pad, PadPolicy::Require);
/// ```
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

/// The result of the passive check so far.
///
/// ```
/// use faceattend_core::liveness::PadVerdict;
///
/// assert_eq!(PadVerdict::NotRun.as_str(), "not_run");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadVerdict {
    /// The policy leaves it out.
    Off,
    /// Its model has scored no frame yet, or is not installed.
    NotRun,
    /// The mean is that of a living face.
    Live,
    /// The mean is that of paper or a screen.
    Spoof,
}

/// The passive check over the frames of a session, as an outcome tells it.
///
/// ```
/// use faceattend_core::liveness::{PadVerdict, PassiveCheck};
///
/// fn told(check: &PassiveCheck) -> String {
///     match (check.verdict, check.mean) {
///         (PadVerdict::NotRun, _) => "the passive check has not run".to_owned(),
///         (verdict, mean) => format!("{}: {:.2} over {} frames", verdict.as_str(), mean.unwrap_or(0.0), check.frames),
///     }
/// }
/// # let _ = told;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PassiveCheck {
    /// What the session makes of it.
    pub policy: PadPolicy,
    /// What came of it so far.
    pub verdict: PadVerdict,
    /// The mean probability of a living face over the frames scored lately, in [0, 1].
    pub mean: Option<f32>,
    /// The number of frames in the mean.
    pub frames: usize,
}

/// The number of scores in the mean: six seconds at five frames a second. An earlier mistake of the model (or of the
/// light) does not follow a person for ten minutes; refused frames are outweighed only by as many lucky ones.
const KEPT: usize = 30;

/// The scores of a session's frames. The mean decides, so that one unlucky frame of a living person (0.067 of them
/// measured) fails nobody, and one lucky frame of a screen passes nobody: refused frames stay in the mean. Every frame
/// with the person's face is scored, whatever its pose, since a mean over more frames is surer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PadTally {
    scores: Vec<f32>,
}

impl PadVerdict {
    /// Returns the word on the wire, in snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NotRun => "not_run",
            Self::Live => "live",
            Self::Spoof => "spoof",
        }
    }
}

impl PadTally {
    /// Takes a score in; one that is no number counts as a spoof.
    pub(super) fn add(&mut self, real: f32) {
        if self.scores.len() >= KEPT {
            self.scores.remove(0);
        }
        self.scores.push(if real.is_finite() { real.clamp(0.0, 1.0) } else { 0.0 });
    }

    /// Returns the mean score, or `None` before the first.
    pub(super) fn mean(&self) -> Option<f32> {
        #[expect(clippy::cast_precision_loss, reason = "at most 30")]
        (!self.scores.is_empty()).then(|| self.scores.iter().sum::<f32>() / self.scores.len() as f32)
    }

    /// Returns what an outcome tells of it.
    pub(super) fn told(&self, policy: PadPolicy, min_mean: f32) -> PassiveCheck {
        let mean = self.mean();
        let verdict = match (policy, mean) {
            (PadPolicy::Off, _) => PadVerdict::Off,
            (_, None) => PadVerdict::NotRun,
            (_, Some(mean)) if mean < min_mean => PadVerdict::Spoof,
            (_, Some(_)) => PadVerdict::Live,
        };
        PassiveCheck { policy, verdict, mean, frames: self.scores.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_that_is_no_number_counts_against() {
        let mut tally = PadTally::default();
        assert_eq!(tally.mean(), None);
        tally.add(1.0);
        tally.add(f32::NAN);
        assert_eq!(tally.mean(), Some(0.5));
    }

    #[test]
    fn what_was_long_ago_is_forgotten_and_memory_is_bounded() {
        let mut tally = PadTally::default();
        (0..100).for_each(|_| tally.add(0.0));
        (0..30).for_each(|_| tally.add(1.0));
        let told = tally.told(PadPolicy::Prefer, 0.5);
        assert_eq!((told.verdict, told.mean, told.frames), (PadVerdict::Live, Some(1.0), 30));
        assert_eq!(tally.told(PadPolicy::Off, 0.5).verdict, PadVerdict::Off);
        assert_eq!(PadTally::default().told(PadPolicy::Require, 0.5).verdict, PadVerdict::NotRun);
    }
}
