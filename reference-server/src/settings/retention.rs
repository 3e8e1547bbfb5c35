//! What is deleted with time.

use faceattend_core::store::Retention;
use jiff::{SignedDuration, Timestamp};

/// After how many days what is deleted. `None` keeps it for ever, which is the default for all that the existing
/// service wrote: opening its database must not cost a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionDays {
    /// Liveness sessions, after their end; they hold embeddings.
    pub sessions: Option<u32>,
    /// Detection logs.
    pub detection_logs: Option<u32>,
    /// Attendance, and the sightings of the second-look list.
    pub attendance: Option<u32>,
    /// The audit log.
    pub audit: Option<u32>,
    /// Logins that have ended, which are ours alone.
    pub logins: Option<u32>,
}

impl Default for RetentionDays {
    fn default() -> Self {
        Self { sessions: None, detection_logs: None, attendance: None, audit: None, logins: Some(30) }
    }
}

impl RetentionDays {
    pub(crate) fn until(&self, now: Timestamp) -> Retention {
        let ago = |days: Option<u32>| days.map(|days| now - SignedDuration::from_hours(24 * i64::from(days)));
        Retention {
            sessions_before: ago(self.sessions),
            detection_logs_before: ago(self.detection_logs),
            attendance_before: ago(self.attendance),
            audit_before: ago(self.audit),
            logins_before: ago(self.logins),
        }
    }
}
