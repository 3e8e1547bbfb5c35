//! What a camera does with whom it cannot tell from a picture.

use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::camera::Nature;
use crate::error::Error;
use crate::liveness::Mirrored;

/// What a camera asks for before it marks somebody.
///
/// ```
/// use faceattend_core::gate::GatePolicy;
///
/// assert_eq!("observe".parse::<GatePolicy>()?, GatePolicy::Observe);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GatePolicy {
    /// Nothing: whoever is recognized is marked, and nobody looks for signs of life.
    Off,
    /// Nothing either, but it says what the views tell of life: to try a camera, and for recordings.
    Observe,
    /// A living person. Everybody else who is recognized goes on the second-look list.
    #[default]
    Require,
    /// A living person too, and whose views do not say is asked for one short movement: a turn or a nod, drawn anew
    /// each time. For cameras with a screen beside them that shows the question.
    Ask,
}

impl GatePolicy {
    /// All policies.
    pub const ALL: [Self; 4] = [Self::Off, Self::Observe, Self::Require, Self::Ask];

    /// Returns whether it marks the living alone.
    ///
    /// ```
    /// use faceattend_core::gate::GatePolicy;
    ///
    /// assert!(GatePolicy::Ask.marks_the_living_alone() && !GatePolicy::Observe.marks_the_living_alone());
    /// ```
    #[must_use]
    pub fn marks_the_living_alone(self) -> bool {
        matches!(self, Self::Require | Self::Ask)
    }

    /// Returns what a source of this nature asks for unless somebody says otherwise: a camera a living person, a
    /// recording nothing.
    ///
    /// ```
    /// use faceattend_core::camera::Nature;
    /// use faceattend_core::gate::GatePolicy;
    ///
    /// assert_eq!(GatePolicy::usual_for(Nature::Recording), GatePolicy::Observe);
    /// ```
    #[must_use]
    pub fn usual_for(nature: Nature) -> Self {
        match nature {
            Nature::Live => Self::Require,
            Nature::Recording => Self::Observe,
        }
    }

    /// Returns the word for it in settings and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Require => "require",
            Self::Ask => "ask",
        }
    }
}

impl FromStr for GatePolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or_else(|| {
            Error::invalid_input("gate policy", format!("{text:?} is none of off, observe, require, ask"))
        })
    }
}

/// Whether a face that no liveness session proved, such as that of a photograph, counts for a mark.
///
/// ```
/// use faceattend_core::gate::UnprovenFaces;
///
/// assert_eq!("second-look".parse::<UnprovenFaces>()?, UnprovenFaces::SecondLook);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnprovenFaces {
    /// It counts: a living person is in front of the camera, and a school knows whose photographs it has.
    #[default]
    Count,
    /// Whoever is recognized by it goes on the second-look list, until a liveness session proves the face.
    SecondLook,
}

impl UnprovenFaces {
    /// Returns the word for it in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::SecondLook => "second-look",
        }
    }
}

impl FromStr for UnprovenFaces {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Count, Self::SecondLook].into_iter().find(|policy| policy.as_str() == text).ok_or_else(|| {
            Error::invalid_input(
                "policy for faces without liveness",
                format!("{text:?} is neither count nor second-look"),
            )
        })
    }
}

/// The policy of a camera and the hurdles of its verdicts.
///
/// ```
/// use faceattend_core::RecognitionOptions;
/// use faceattend_core::gate::{GateOptions, GatePolicy};
///
/// let options = RecognitionOptions::default().with_gate(GateOptions::of(GatePolicy::Observe));
/// assert_eq!(options.gate.policy, GatePolicy::Observe);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct GateOptions {
    /// What the camera asks for. Default [`GatePolicy::Require`].
    pub policy: GatePolicy,
    /// Whether a face that no liveness session proved counts. Default [`UnprovenFaces::Count`].
    pub unproven: UnprovenFaces,
    /// From which log-odds a person is living. Default 3: by movement alone 1 of 56 rendered stills reached it, and 15
    /// of 17 living people within three seconds (`docs/src/gate.md`).
    pub live_from: f32,
    /// Up to which log-odds a face is a picture's. Default -2: the 4 replays went below it with the passive check.
    pub spoof_below: f32,
    /// How long a person who is recognized is watched for signs of life before the sighting goes on the second-look
    /// list. Default 4 s.
    pub wait: SignedDuration,
    /// How long a person is watched before a camera with [`GatePolicy::Ask`] asks for a movement. Default 1.5 s: by
    /// then half of the living have shown that they are.
    pub ask_after: SignedDuration,
    /// How long an answer is waited for, beyond `wait`. Default 5 s.
    pub answer_within: SignedDuration,
    /// Whether the frames are mirrored, which decides what is the person's own left. Default no, as cameras take them.
    pub mirrored: Mirrored,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self {
            policy: GatePolicy::Require,
            unproven: UnprovenFaces::default(),
            live_from: 3.0,
            spoof_below: -2.0,
            wait: SignedDuration::from_secs(4),
            ask_after: SignedDuration::from_millis(1500),
            answer_within: SignedDuration::from_secs(5),
            mirrored: Mirrored::No,
        }
    }
}

impl GateOptions {
    /// Returns the default options with this policy.
    #[must_use]
    pub fn of(policy: GatePolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Returns the options with this policy for faces that no liveness session proved.
    #[must_use]
    pub fn with_unproven(mut self, unproven: UnprovenFaces) -> Self {
        self.unproven = unproven;
        self
    }

    /// Returns the same options with this policy.
    #[must_use]
    pub fn with_policy(mut self, policy: GatePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Returns the same options, waiting so long for signs of life.
    #[must_use]
    pub fn with_wait(mut self, wait: SignedDuration) -> Self {
        self.wait = wait;
        self
    }

    /// Returns the same options, asking for a movement so long after the person is recognized, and waiting so long for
    /// it.
    #[must_use]
    pub fn with_question(mut self, ask_after: SignedDuration, answer_within: SignedDuration) -> Self {
        (self.ask_after, self.answer_within) = (ask_after, answer_within);
        self
    }

    /// Returns the same options for frames that are mirrored, or not.
    #[must_use]
    pub fn with_mirrored(mut self, mirrored: Mirrored) -> Self {
        self.mirrored = mirrored;
        self
    }

    /// Returns the same options with other hurdles, in log-odds.
    #[must_use]
    pub fn with_hurdles(mut self, live_from: f32, spoof_below: f32) -> Self {
        (self.live_from, self.spoof_below) = (live_from, spoof_below);
        self
    }
}
