//! What the views of a track say of life.

use serde::Serialize;

/// Whether a face is a living person's.
///
/// ```
/// use faceattend_core::gate::LifeVerdict;
///
/// assert_eq!(LifeVerdict::Undecided.as_str(), "undecided");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeVerdict {
    /// The views show a living person.
    Live,
    /// They do not say.
    #[default]
    Undecided,
    /// They show a picture of a person.
    Spoof,
}

impl LifeVerdict {
    /// Returns the word on the wire, in snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Undecided => "undecided",
            Self::Spoof => "spoof",
        }
    }
}

/// Why a face is not known to be a living person's.
///
/// ```
/// use faceattend_core::gate::LifeReason;
///
/// assert_eq!(LifeReason::PassiveLow.as_str(), "passive_low");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LifeReason {
    /// There are too few views.
    FewViews,
    /// The face hardly moves by itself: no blink, no turn, no word.
    LittleMovement,
    /// The passive check sees paper or a screen.
    PassiveLow,
    /// The views are one and the same picture.
    Frozen,
    /// The face was asked for a movement and did not make it.
    Unanswered,
    /// No liveness session proved the face that is stored: a photograph enrolled it.
    UnprovenFace,
}

impl LifeReason {
    /// Returns the code on the wire and in the database, in snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FewViews => "few_views",
            Self::LittleMovement => "little_movement",
            Self::PassiveLow => "passive_low",
            Self::Frozen => "frozen",
            Self::Unanswered => "unanswered",
            Self::UnprovenFace => "unproven_face",
        }
    }
}

/// What the views of a track say of life, and how clearly.
///
/// ```
/// use faceattend_core::gate::{Life, LifeVerdict};
///
/// let life = Life::default();
/// assert_eq!((life.verdict, life.reason), (LifeVerdict::Undecided, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Life {
    /// The answer.
    pub verdict: LifeVerdict,
    /// The evidence for a living person, as natural log-odds where living and picture are equally likely beforehand.
    pub log_odds: f32,
    /// What speaks against a living person; `None` for the living.
    pub reason: Option<LifeReason>,
}
