//! The capture times of a recording.

use std::time::Duration;

use jiff::Timestamp;

use super::options::OpenOptions;

/// The capture times of a recording: its start, and one interval a frame.
#[derive(Debug)]
pub(super) struct RecordingClock {
    starts_at: Timestamp,
    pub(super) interval: Duration,
    passed: u32,
}

impl RecordingClock {
    pub(super) fn new(options: &OpenOptions, interval: Duration) -> Self {
        Self { starts_at: options.recording_starts_at.unwrap_or_else(Timestamp::now), interval, passed: 0 }
    }

    /// Returns the time of the frame that comes now; the next call gives the next frame's.
    pub(super) fn tick(&mut self) -> Timestamp {
        let since = self.interval.saturating_mul(self.passed);
        self.passed = self.passed.saturating_add(1);
        self.starts_at.checked_add(since).unwrap_or(Timestamp::MAX)
    }
}
