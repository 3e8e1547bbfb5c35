//! Passive presentation attack detection: is this the skin of a face, or paper, or a screen?

use serde::{Deserialize, Serialize};

/// What the passive check says of one view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum PassivePad {
    /// The model ran: the probability, in [0, 1], that a living face was seen.
    Scored {
        /// Mean of the models' softmaxes for the class "real".
        real: f32,
    },
    /// The model did not run.
    Unavailable {
        /// Why: not asked for, or no model installed, and then what to run.
        reason: String,
    },
}

impl PassivePad {
    /// The verdict of an analysis that stopped before this stage.
    #[must_use]
    pub fn not_run() -> Self {
        Self::Unavailable { reason: String::new() }
    }

    /// The probability of a living face, if the model ran.
    #[must_use]
    pub fn real(&self) -> Option<f32> {
        match self {
            Self::Scored { real } => Some(*real),
            Self::Unavailable { .. } => None,
        }
    }
}
