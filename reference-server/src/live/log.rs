//! The detection log, written in batches: ten cameras with a row each every five seconds are one transaction, not two a
//! second that wait for the disk.

use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::store::{NewDetectionLog, Store};

/// Rows that may wait for a database that does not answer; the oldest go first.
const MOST_WAITING: usize = 10_000;

/// Rows on their way to the store.
pub(crate) struct DetectionLog {
    store: Arc<dyn Store>,
    waiting: Mutex<Vec<NewDetectionLog>>,
}

impl DetectionLog {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, waiting: Mutex::default() }
    }

    /// Takes a row; it is written with the next batch.
    pub(super) fn add(&self, row: NewDetectionLog) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == MOST_WAITING {
            waiting.remove(0);
        }
        waiting.push(row);
    }

    /// Writes what waits. Blocks. What cannot be written waits on.
    pub(crate) fn write(&self) {
        // Under the lock, so that whoever reads the log after this finds what another is writing.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return;
        }
        match self.store.add_detection_logs(&waiting) {
            Ok(()) => waiting.clear(),
            Err(error) => tracing::error!("the detection log could not be written: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use faceattend_core::store::SqliteStore;
    use faceattend_core::store::prelude::*;
    use jiff::{SignedDuration, Timestamp};

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
        let log = DetectionLog::new(store.clone());
        let now = Timestamp::now();
        log.add(row(now - SignedDuration::from_hours(25)));
        log.add(row(now));
        assert!(store.detection_logs(10).unwrap().is_empty(), "not before the batch");
        log.write();
        log.write();
        assert_eq!(store.detection_logs(10).unwrap().len(), 2);
    }
}
