//! What the cameras saw, in figures.

use super::{DetectionLog, NewDetectionLog};
use crate::error::Result;

/// The detection log.
pub trait DetectionLogs: Send + Sync {
    /// Writes a detection log row; returns its id. A text beyond its [limit](super::limits) is cut.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_detection_log(&self, log: &NewDetectionLog) -> Result<i64>;

    /// Writes the detection log rows of many cameras in one transaction: all of them or none. A text beyond its
    /// [limit](super::limits) is cut.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_detection_logs(&self, logs: &[NewDetectionLog]) -> Result<()>;

    /// Returns the newest `limit` detection logs, newest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn detection_logs(&self, limit: u32) -> Result<Vec<DetectionLog>>;
}
