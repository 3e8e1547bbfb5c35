//! Is this face somebody else's already?

use serde::{Deserialize, Serialize};

use super::session::LivenessSession;
use crate::error::Result;
use crate::gallery::{Gallery, Match};
use crate::types::{StudentId, Threshold};

/// What becomes of a face that is enrolled as somebody else already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicatePolicy {
    /// It is not enrolled again.
    #[default]
    Refuse,
    /// It is enrolled, and the answer names the other: for twins, and for models that take strangers for each other.
    Warn,
    /// Nobody looks.
    Allow,
}

impl DuplicatePolicy {
    /// Returns the policy that `name` spells: `refuse`, `warn` or `allow`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "warn" => Some(Self::Warn),
            "allow" => Some(Self::Allow),
            _ => None,
        }
    }
}

/// From which similarity a face counts as one that is enrolled: 0.75, cosine 0.50 for ArcFace-class models, where of
/// 2,722 strangers 4 in 10,000 resembled one of 153 people (five pictures each averaged), and 0.583 for the default
/// pack's: of 1,078 people, each against 1,077 others, none resembled another (0 to 0.0034 at 95%; the most alike two
/// reached cosine 0.516), while 0.81 of pairs of single pictures of one person do. Stricter than recognition, because
/// the face is compared with everybody, and refusing a new student is worse than overlooking an old one.
pub const ALREADY_ENROLLED: f32 = 0.75;

/// Returns [`ALREADY_ENROLLED`] as a threshold.
#[must_use]
pub fn already_enrolled() -> Threshold {
    Threshold::new(ALREADY_ENROLLED).unwrap_or_default()
}

/// Returns the person in `gallery`, other than `student`, whose face the completed `session` shows, if there is one:
/// the most similar of those that reach `threshold` for the center view. `None` for a session that is not completed.
///
/// # Errors
/// [`Error::ModelMismatch`](crate::Error::ModelMismatch) when the gallery is another model's.
pub fn enrolled_as(
    gallery: &Gallery,
    session: &LivenessSession,
    student: Option<StudentId>,
    threshold: Threshold,
) -> Result<Option<Match>> {
    let Some(template) = session.final_template() else { return Ok(None) };
    // The student itself may be the most similar; then the next one is looked at.
    let others = gallery.search(template, 2)?.into_iter().filter(|found| Some(found.student) != student);
    Ok(others.into_iter().find(|found| threshold.admits(found.similarity)))
}
