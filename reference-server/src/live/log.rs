//! The detection log, written in batches: ten cameras with a row each every five seconds are one transaction, not two a
//! second that wait for the disk.

use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::backlog::Backlog;
use faceattend_core::store::{Deferred, NewDetectionLog};
use jiff::Timestamp;

/// Rows on their way to the store.
pub(crate) struct DetectionLog {
    backlog: Arc<Backlog>,
    waiting: Mutex<Vec<NewDetectionLog>>,
    /// Whoever reads the log after a write finds what another is writing; cameras meanwhile go on.
    writing: Mutex<()>,
}

impl DetectionLog {
    pub(super) fn new(backlog: Arc<Backlog>) -> Self {
        Self { backlog, waiting: Mutex::default(), writing: Mutex::default() }
    }

    /// Takes a row; it is written with the next batch.
    pub(super) fn add(&self, row: NewDetectionLog) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }

    /// Writes the rows of the batch. Blocks. What the database does not take waits for it.
    pub(crate) fn write(&self) {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if rows.is_empty() {
            return;
        }
        if let Err(error) = self.backlog.write(Deferred::DetectionLogs(rows), Timestamp::now()) {
            tracing::error!("the detection log could not be written: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use faceattend_core::store::SqliteStore;
    use faceattend_core::store::prelude::*;
    use jiff::SignedDuration;

    use super::*;

    fn row(timestamp: Timestamp) -> NewDetectionLog {
        NewDetectionLog {
            timestamp,
            faces_detected: 1,
            students_recognized: 0,
            processing_time: None,
            camera_location: None,
            error_message: None,
        }
    }

    #[test]
    fn rows_are_written_together_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        let now = Timestamp::now();
        let log = DetectionLog::new(Arc::new(Backlog::open(store.clone(), None, now).unwrap()));
        log.add(row(now - SignedDuration::from_hours(25)));
        log.add(row(now));
        assert!(store.detection_logs(10).unwrap().is_empty(), "not before the batch");
        log.write();
        log.write();
        assert_eq!(store.detection_logs(10).unwrap().len(), 2);
    }
}
