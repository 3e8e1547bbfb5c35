//! What the cameras saw, in figures.

use super::{DetectionLog, NewDetectionLog};
use crate::error::Result;

/// The detection log.
pub trait DetectionLogs: Send + Sync {
    /// Writes a detection log row; returns its id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_detection_log(&self, log: &NewDetectionLog) -> Result<i64>;

    /// Writes detection log rows, all or none: one transaction for what many cameras have to tell.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_detection_logs(&self, logs: &[NewDetectionLog]) -> Result<()>;

    /// The newest `limit` detection logs, newest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn detection_logs(&self, limit: u32) -> Result<Vec<DetectionLog>>;
}
