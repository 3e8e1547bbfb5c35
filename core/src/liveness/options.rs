//! The options of a liveness session; every default names its source.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::challenge::{Nods, Order};
use super::gates::Gates;
use super::pad::PadPolicy;
use super::position::Mirrored;
use crate::engine::DOMINANCE;
use crate::error::{Error, Result};
use crate::types::{Cosine, Degrees, Threshold};

/// The policy for a center view that is too dark, too small, blurred or cut off: it is the template to enrol.
///
/// ```
/// use faceattend_core::LivenessOptions;
/// use faceattend_core::liveness::QualityGate;
///
/// assert_eq!(LivenessOptions::default().quality, QualityGate::Refuse);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QualityGate {
    /// It does not count; the reason tells the person what to do.
    #[default]
    Refuse,
    /// It counts, and the outcome remarks on it.
    Remark,
}

/// Options of a liveness session. They are kept with the session, so that every server judges its frames alike.
///
/// ```
/// use faceattend_core::LivenessOptions;
/// use faceattend_core::liveness::{Mirrored, Order};
///
/// // For a page that mirrors its canvas and asks for the positions in a fixed order: the defaults.
/// let page = LivenessOptions::default();
/// assert_eq!((page.mirrored, page.order), (Mirrored::Yes, Order::Fixed));
/// // For a client of your own: a random order, several frames a position, no frame of another session.
/// let strict = LivenessOptions::guarded().with_mirrored(Mirrored::No);
/// assert_eq!(strict.order, Order::Random);
/// strict.check()?;
/// # Ok::<(), faceattend_core::Error>(())
/// ```
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
    /// In which order it asks. Default: center, left, right, which the existing page asks.
    pub order: Order,
    /// Whether a random order asks for looking up and down as well. Default: no, for clients that know neither.
    pub nods: Nods,
    /// How many steps a random order has beyond the three positions. Default 3: two seconds more, for a recording of a
    /// head turn to fit one order in several (the figures are in `docs/src/liveness.md`).
    pub extra_steps: u32,
    /// How often a person may turn to the other side than a random order asks before the session fails. Default 1:
    /// people confuse left and right. Every wrong turn draws a new order and begins anew, so that a recording which is
    /// played until it fits does not fit.
    pub wrong_turns: u32,
    /// After how many frames of any kind the session fails for good. Default 3000: ten minutes at five frames a
    /// second.
    pub attempt_limit: u32,
    /// Over how many consecutive frames yaw and nose offset are smoothed (their median decides) before a position
    /// counts. Default 1, for clients that send single pictures. With more, the frames must also follow one face
    /// without a break from the first position to the last, or the session begins anew.
    pub steady_frames: u32,
    /// After how many frames in a row that show one and the same picture the camera counts as frozen. Default 10: two
    /// seconds at five frames a second.
    pub frozen_frames: u32,
    /// The least relief between center and each side: see [`super::Shape::relief`]. Default 0.06: with the default
    /// pack's mesh the least of 101 pairs of views of real heads has 0.069, and 0.036 of 248 turned prints reach it;
    /// with SCRFD's five points 0.072 of 72 pairs, and 0.018 of 222 prints. It is the second opinion on what
    /// `min_nose_shift` let through.
    pub min_relief: f32,
    /// What becomes of a poor center view. Default: it is refused.
    pub quality: QualityGate,
    /// For how long a frame of one session may not show up in another. Default `None`: existing clients may send a
    /// picture again in a new session. Needs a store: [`crate::store::Sessions::frame_seen_elsewhere`].
    pub recent_sessions: Option<SignedDuration>,
    /// After how many suspicious frames (another person, a frozen picture, no parallax, a spoof verdict) the session
    /// fails for good. Default 60: twelve seconds of nothing else at the page's five frames a second, while a living
    /// person in front of a passive model that errs in 0.067 of frames would make about one in three seconds.
    pub suspicious_limit: u32,
    /// From which similarity a side view shows the person of the center view. Default 0.65: cosine 0.30 for
    /// ArcFace-class models, 0.40 for the default pack's. It is looser than [`Threshold::DOCUMENTED`], because turned
    /// heads resemble themselves less and a refused frame can be sent again. Of 288 pairs of a center view and a
    /// rendered one turned by 15 to 35 degrees (48 people of LFW) the default pack accepts 287; of 38 such pairs in
    /// four clips of real turns 36, the other two being frames without a usable face (least of the rest: cosine 0.44).
    /// Of 13,536 pairs of two rendered people it lets 3 pass (2.2e-4), of 6,645 pairs of a center view and a frame of
    /// another of 16 filmed people none.
    pub same_person: Threshold,
    /// From which raw cosine two positions show one and the same picture. Default 0.999: no two consecutive embeddings
    /// of a living face reached that (523 steps, largest 0.995). Two frames that look alike as pictures need less.
    pub frozen: Cosine,
    /// By how much the nose offset must change between center and each side. Default 0.203: at that threshold 1% of
    /// simulated prints and 0.987 of genuine turns pass (AUC 0.9988).
    pub min_nose_shift: f32,
    /// What to make of the passive check. Default: prefer, which uses it where its model is installed.
    pub pad: PadPolicy,
    /// From which mean probability of a living face the passive check is content. Default 0.5: the side of "real" of
    /// the model's own decision.
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
            order: Order::Fixed,
            nods: Nods::No,
            extra_steps: 3,
            wrong_turns: 1,
            attempt_limit: 3000,
            steady_frames: 1,
            frozen_frames: 10,
            min_relief: 0.06,
            quality: QualityGate::Refuse,
            recent_sessions: None,
            suspicious_limit: 60,
            same_person: Threshold::ACROSS_TURNS,
            frozen: Cosine(0.999),
            min_nose_shift: 0.203,
            pad: PadPolicy::Prefer,
            min_pad_mean: 0.5,
            dominance: DOMINANCE,
        }
    }
}

impl LivenessOptions {
    /// Returns the default options, guarded.
    ///
    /// ```
    /// use faceattend_core::LivenessOptions;
    /// use faceattend_core::liveness::Order;
    ///
    /// let options = LivenessOptions::guarded();
    /// assert_eq!(options.order, Order::Random);
    /// assert!(options.steady_frames > 1 && options.recent_sessions.is_some());
    /// ```
    #[must_use]
    pub fn guarded() -> Self {
        Self::default().with_guard()
    }

    /// Returns the same options for a client that streams and follows: a random order, positions confirmed over three
    /// frames of one unbroken track, a camera that counts as frozen after five frames, and no frame of the last seven
    /// days' sessions. What the server's own page uses.
    #[must_use]
    pub fn with_guard(mut self) -> Self {
        self.order = Order::Random;
        self.steady_frames = self.steady_frames.max(3);
        self.frozen_frames = self.frozen_frames.min(5);
        self.recent_sessions = self.recent_sessions.or(Some(SignedDuration::from_hours(7 * 24)));
        self
    }

    /// Returns the same options asking in another order, a random one with `extra_steps` beyond the three positions.
    #[must_use]
    pub fn with_order(mut self, order: Order, extra_steps: u32) -> Self {
        self.order = order;
        self.extra_steps = extra_steps;
        self
    }

    /// Returns the same options, asking for looking up and down in a random order, or not.
    #[must_use]
    pub fn with_nods(mut self, nods: Nods) -> Self {
        self.nods = nods;
        self
    }

    /// Returns the same options with another number of wrong turns that are allowed.
    #[must_use]
    pub fn with_wrong_turns(mut self, wrong_turns: u32) -> Self {
        self.wrong_turns = wrong_turns;
        self
    }

    /// Returns the same options, failing after `limit` frames of any kind.
    #[must_use]
    pub fn with_attempt_limit(mut self, limit: u32) -> Self {
        self.attempt_limit = limit;
        self
    }

    /// Returns the same options, smoothing over `frames` of one track.
    #[must_use]
    pub fn with_steady_frames(mut self, frames: u32) -> Self {
        self.steady_frames = frames;
        self
    }

    /// Returns the same options, taking the camera as frozen after `frames` of one picture.
    #[must_use]
    pub fn with_frozen_frames(mut self, frames: u32) -> Self {
        self.frozen_frames = frames;
        self
    }

    /// Returns the same options with another demand on relief.
    #[must_use]
    pub fn with_min_relief(mut self, relief: f32) -> Self {
        self.min_relief = relief;
        self
    }

    /// Returns the same options with another answer to a poor center view.
    #[must_use]
    pub fn with_quality(mut self, quality: QualityGate) -> Self {
        self.quality = quality;
        self
    }

    /// Returns the same options, refusing frames of other sessions for so long; `None` never.
    #[must_use]
    pub fn with_recent_sessions(mut self, back: Option<SignedDuration>) -> Self {
        self.recent_sessions = back;
        self
    }

    /// Returns the same options with other gates.
    #[must_use]
    pub fn with_gates(mut self, center: Degrees, left: Degrees, right: Degrees) -> Self {
        self.gates = Gates { center, left, right };
        self
    }

    /// Returns the same options for frames that arrive flipped, or not.
    #[must_use]
    pub fn with_mirrored(mut self, mirrored: Mirrored) -> Self {
        self.mirrored = mirrored;
        self
    }

    /// Returns the same options with another life time.
    #[must_use]
    pub fn with_ttl(mut self, ttl: SignedDuration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Returns the same options, failing after `limit` suspicious frames.
    #[must_use]
    pub fn with_suspicious_limit(mut self, limit: u32) -> Self {
        self.suspicious_limit = limit;
        self
    }

    /// Returns the same options with another threshold for one person across positions.
    #[must_use]
    pub fn with_same_person(mut self, threshold: Threshold) -> Self {
        self.same_person = threshold;
        self
    }

    /// Returns the same options with another cosine from which two positions are one picture.
    #[must_use]
    pub fn with_frozen(mut self, cosine: Cosine) -> Self {
        self.frozen = cosine;
        self
    }

    /// Returns the same options with another demand on parallax.
    #[must_use]
    pub fn with_min_nose_shift(mut self, shift: f32) -> Self {
        self.min_nose_shift = shift;
        self
    }

    /// Returns the same options with another policy for the passive check, and the mean it must reach.
    #[must_use]
    pub fn with_pad(mut self, policy: PadPolicy, min_mean: f32) -> Self {
        self.pad = policy;
        self.min_pad_mean = min_mean;
        self
    }

    /// Returns the same options, demanding that the face be `factor` times larger than any other.
    #[must_use]
    pub fn with_dominance(mut self, factor: f32) -> Self {
        self.dominance = factor;
        self
    }

    /// Refuses options that no session could work with; for those who read them from a file.
    ///
    /// ```
    /// use faceattend_core::{LivenessOptions, types::Cosine};
    ///
    /// let mut options = LivenessOptions::default();
    /// options.frozen = Cosine(2.0);
    /// assert!(options.check().is_err());
    /// ```
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
        range("relief", self.min_relief, 0.0, 1.0)?;
        let count = |what, value: u32, from: u32, to: u32| {
            if (from..=to).contains(&value) {
                Ok(())
            } else {
                Err(Error::invalid_input(what, format!("{value} is not between {from} and {to}")))
            }
        };
        count("extra steps", self.extra_steps, 0, 5)?;
        count("attempt limit", self.attempt_limit, 3, 1_000_000)?;
        // A window longer than the frames that a session keeps would never fill.
        count("steady frames", self.steady_frames, 1, 7)?;
        if self.steady_frames.is_multiple_of(2) {
            return Err(Error::invalid_input("steady frames", "an even number has no middle: choose 1, 3, 5 or 7"));
        }
        count("frozen frames", self.frozen_frames, 1, 1000)?;
        if self.recent_sessions.is_some_and(|back| back <= SignedDuration::ZERO) {
            return Err(Error::invalid_input("recent sessions", "a time that is not positive: leave it out instead"));
        }
        if self.suspicious_limit == 0 {
            return Err(Error::invalid_input("suspicious limit", "0 would fail every session"));
        }
        Ok(())
    }
}
