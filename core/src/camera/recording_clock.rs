//! The capture times of a recording.

use std::time::Duration;

use jiff::Timestamp;

use super::options::OpenOptions;

/// The longest gap between two frames of a recording that is believed. A longer one is an error of the container, or a
/// recorder that slept, and nobody waits for it.
const LONGEST_GAP: Duration = Duration::from_secs(60);

/// The capture times of a recording: its start, and what the container says of each frame, or one interval a frame.
#[derive(Debug)]
pub(super) struct RecordingClock {
    starts_at: Timestamp,
    /// The time between the last two frames: the usual one, or what the container said.
    pub(super) interval: Duration,
    usual: Duration,
    /// The time of the last frame since the first.
    last: Option<Duration>,
    /// What the container says of the first frame.
    first_told: Option<Duration>,
}

impl RecordingClock {
    pub(super) fn new(options: &OpenOptions, interval: Duration) -> Self {
        let starts_at = options.recording_starts_at.unwrap_or_else(Timestamp::now);
        Self { starts_at, interval, usual: interval, last: None, first_told: None }
    }

    /// Returns the time of the frame that comes now; the next call gives the next frame's.
    pub(super) fn tick(&mut self) -> Timestamp {
        self.tick_at(None)
    }

    /// Returns the time of the frame that comes now, which the container puts at `told` since its beginning: the
    /// frames of some recordings have no steady rate.
    pub(super) fn tick_at(&mut self, told: Option<Duration>) -> Timestamp {
        let told = told.map(|told| told.saturating_sub(*self.first_told.get_or_insert(told)));
        let since = match (self.last, told) {
            (None, _) => Duration::ZERO,
            (Some(last), Some(told)) if told > last && told - last <= LONGEST_GAP => told,
            (Some(last), _) => last.saturating_add(self.usual),
        };
        if let Some(last) = self.last {
            self.interval = since - last;
        }
        self.last = Some(since);
        self.starts_at.checked_add(since).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(told: &[Option<u64>]) -> Vec<u128> {
        let options = OpenOptions::default().with_recording_starts_at(Timestamp::UNIX_EPOCH);
        let mut clock = RecordingClock::new(&options, Duration::from_millis(40));
        let told = told.iter().map(|told| told.map(Duration::from_millis));
        told.map(|told| clock.tick_at(told).as_millisecond().try_into().unwrap()).collect()
    }

    #[test]
    fn frames_without_a_steady_rate_have_the_times_that_the_container_gives_them() {
        assert_eq!(times(&[Some(80), Some(120), Some(1620), Some(1660)]), [0, 40, 1540, 1580]);
    }

    #[test]
    fn a_container_without_times_has_the_usual_rate() {
        assert_eq!(times(&[None, None, None]), [0, 40, 80]);
        assert_eq!(times(&[Some(0), Some(0), Some(0)]), [0, 40, 80]);
        // A leap back, and one of an hour.
        assert_eq!(times(&[Some(0), Some(40), Some(10), Some(3_600_000)]), [0, 40, 80, 120]);
    }
}
