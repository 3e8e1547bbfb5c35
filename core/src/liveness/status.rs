//! The status of a session.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a session, in the words of the wire and of the database.
///
/// ```
/// use faceattend_core::liveness::Status;
///
/// assert_eq!(Status::InProgress.as_str(), "IN_PROGRESS");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// No frame has come yet.
    Pending,
    /// Frames have come, positions are missing.
    InProgress,
    /// Every position is verified.
    Completed,
    /// Closed while positions were missing, or too many frames were suspicious.
    Failed,
    /// The time ran out.
    Expired,
}

impl Status {
    /// Returns the word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
