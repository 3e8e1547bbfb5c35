//! What waits, in figures.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::store::{Deferred, StoreTrouble};

/// What waits for the database.
///
/// ```
/// use faceattend_core::backlog::BacklogStatus;
///
/// let status = BacklogStatus::default();
/// assert!(status.is_empty() && status.marks_at("Gate") == 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BacklogStatus {
    /// Sightings of people who may be marked.
    pub marks: u64,
    /// Sightings for the second-look list.
    pub second_looks: u64,
    /// Rows of the detection log.
    pub detection_logs: u64,
    /// Entries of the audit log.
    pub audit_entries: u64,
    /// Since when something waits; `None` where nothing does.
    pub since: Option<Timestamp>,
    /// What was wrong with the database at the last attempt.
    pub trouble: Option<StoreTrouble>,
    /// Whether all of it is in a file, and so survives the death of the process.
    pub is_kept: bool,
    /// How many records were lost since the start, because too many waited or the database refuses them.
    pub lost: u64,
    marks_by_place: BTreeMap<String, u64>,
}

impl BacklogStatus {
    /// Returns whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// Returns how many records wait.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.marks + self.second_looks + self.detection_logs + self.audit_entries
    }

    /// Returns how many of the marks are of a camera at this place; the empty one is of cameras without a place.
    #[must_use]
    pub fn marks_at(&self, camera_location: &str) -> u64 {
        self.marks_by_place.get(camera_location).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, record: &Deferred) {
        match record {
            Deferred::Sighting { mark, .. } => {
                self.marks += 1;
                let place = mark.camera_location.clone().unwrap_or_default();
                *self.marks_by_place.entry(place).or_default() += 1;
            }
            Deferred::SecondLook(_) => self.second_looks += 1,
            Deferred::DetectionLogs(rows) => self.detection_logs += rows.len() as u64,
            Deferred::Audit(_) => self.audit_entries += 1,
        }
    }
}
