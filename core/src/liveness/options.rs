//! What a liveness session demands; every default names its source.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::challenge::{Gates, Mirrored};
use super::pad::PadPolicy;
use crate::error::{Error, Result};
use crate::types::{Cosine, Degrees, Threshold};

/// What a liveness session demands. It is kept with the session, so that every server judges its frames alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LivenessOptions {
    /// How far to turn for each position. Default: center within 5 degrees, sides beyond 15 (the existing service).
    pub gates: Gates,
    /// Whether the frames arrive flipped. Default: yes, as the existing page sends them.
    pub mirrored: Mirrored,
    /// How long a session lasts. Default 10 minutes (the existing service).
    pub ttl: SignedDuration,
    /// After how many suspicious frames (another person, a frozen picture, no parallax, a spoof verdict) the session
    /// fails for good. Default 60: twelve seconds of nothing else at the page's five frames a second, while a living
    /// person in front of a passive model that errs in .067 of frames would make about one in three seconds.
    pub suspicious_limit: u32,
    /// From which similarity a side view shows the person of the center view. Default .65: cosine .30 for ArcFace-class
    /// models, .895 for the default pack's. It is looser than [`Threshold::DOCUMENTED`], because turned heads resemble
    /// themselves less and a refused frame can be sent again. Of center and side views up to 40 degrees, an ArcFace
    /// MobileFaceNet and the default pack accept: 41 rendered people all and all; one real head-turn clip all and all; a hard
    /// one (small, blurred) .63 and .71 of its pairs of frames. Of 9,840 pairs of two rendered people they let pass 2e-4 and .039.
    pub same_person: Threshold,
    /// From which raw cosine two positions show one and the same picture. Default .999: consecutive embeddings of a still
    /// measured at least that, of a living face .98 to .995.
    pub frozen: Cosine,
    /// By how much the nose offset must change between center and each side. Default .203: at that threshold 1% of
    /// simulated prints and .987 of genuine turns pass (AUC .9988).
    pub min_nose_shift: f32,
    /// What to make of the passive check. Default: prefer, which uses it where its model is installed.
    pub pad: PadPolicy,
    /// From which mean probability of a living face the passive check is content. Default .5: the side of "real" of the
    /// model's own decision.
    pub min_pad_mean: f32,
    /// How many times larger than any other the face of the person must be. Default 2: a passer-by in the background
    /// does not stop a registration, two people side by side do.
    pub dominance: f32,
}

impl Default for LivenessOptions {
    fn default() -> Self {
        Self {
            gates: Gates::default(),
            mirrored: Mirrored::Yes,
            ttl: SignedDuration::from_mins(10),
            suspicious_limit: 60,
            same_person: Threshold::ACROSS_TURNS,
            frozen: Cosine(0.999),
            min_nose_shift: 0.203,
            pad: PadPolicy::Prefer,
            min_pad_mean: 0.5,
            dominance: 2.0,
        }
    }
}

impl LivenessOptions {
    /// The same options with other gates.
    #[must_use]
    pub fn with_gates(mut self, center: Degrees, left: Degrees, right: Degrees) -> Self {
        self.gates = Gates { center, left, right };
        self
    }

    /// The same options for frames that arrive flipped, or not.
    #[must_use]
    pub fn with_mirrored(mut self, mirrored: Mirrored) -> Self {
        self.mirrored = mirrored;
        self
    }

    /// The same options with another life time.
    #[must_use]
    pub fn with_ttl(mut self, ttl: SignedDuration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The same options, failing after `limit` suspicious frames.
    #[must_use]
    pub fn with_suspicious_limit(mut self, limit: u32) -> Self {
        self.suspicious_limit = limit;
        self
    }

    /// The same options with another threshold for one person across positions.
    #[must_use]
    pub fn with_same_person(mut self, threshold: Threshold) -> Self {
        self.same_person = threshold;
        self
    }

    /// The same options with another cosine from which two positions are one picture.
    #[must_use]
    pub fn with_frozen(mut self, cosine: Cosine) -> Self {
        self.frozen = cosine;
        self
    }

    /// The same options with another demand on parallax.
    #[must_use]
    pub fn with_min_nose_shift(mut self, shift: f32) -> Self {
        self.min_nose_shift = shift;
        self
    }

    /// The same options with another policy for the passive check, and the mean it must reach.
    #[must_use]
    pub fn with_pad(mut self, policy: PadPolicy, min_mean: f32) -> Self {
        self.pad = policy;
        self.min_pad_mean = min_mean;
        self
    }

    /// The same options, demanding that the face be `factor` times larger than any other.
    #[must_use]
    pub fn with_dominance(mut self, factor: f32) -> Self {
        self.dominance = factor;
        self
    }

    /// Refuses options that no session could work with; for those who read them from a file.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] naming the option and its range.
    pub fn check(&self) -> Result<()> {
        let range = |what, value: f32, from: f32, to: f32| {
            if (from..=to).contains(&value) {
                Ok(())
            } else {
                Err(Error::invalid_input(what, format!("{value} is not between {from} and {to}")))
            }
        };
        range("center gate", self.gates.center.0, 0.5, 45.0)?;
        range("left gate", self.gates.left.0, self.gates.center.0, 60.0)?;
        range("right gate", self.gates.right.0, self.gates.center.0, 60.0)?;
        range("frozen cosine", self.frozen.0, 0.0, 1.0)?;
        range("nose shift", self.min_nose_shift, 0.0, 2.0)?;
        range("passive mean", self.min_pad_mean, 0.0, 1.0)?;
        range("dominance", self.dominance, 1.0, 1000.0)?;
        if self.ttl <= SignedDuration::ZERO || self.ttl > SignedDuration::from_hours(24) {
            return Err(Error::invalid_input("session life time", format!("{:?} is not within 24 hours", self.ttl)));
        }
        if self.suspicious_limit == 0 {
            return Err(Error::invalid_input("suspicious limit", "0 would fail every session"));
        }
        Ok(())
    }
}
