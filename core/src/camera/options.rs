//! Options of cameras: how one is opened, how fast it is read, and how soon it is opened again.

use std::time::Duration;

use jiff::Timestamp;

use super::orientation::Orientation;

/// Options for opening a source.
///
/// ```
/// use std::time::Duration;
///
/// use faceattend_core::camera::{OpenOptions, Orientation};
///
/// let options = OpenOptions::default()
///     .with_timeouts(Duration::from_secs(5), Duration::from_secs(3))
///     .with_orientation(Orientation::HalfTurn);
/// assert_eq!(options.orientation, Orientation::HalfTurn);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The time that connecting to a stream may take. Default 10 s: a camera that wakes up takes 3, and recognizing a
    /// stream of ten frames a second 2 more; OpenCV's own 30 s would hide a dead camera for too long.
    pub open_timeout: Duration,
    /// The time for which a stream may give no frame. Default 5 s.
    pub read_timeout: Duration,
    /// The width and height to ask a USB camera for. Default: its own. It may give the nearest that it has; streams
    /// and recordings have the size that they have.
    pub size: Option<(u32, u32)>,
    /// The frames a second to ask a USB camera for. Default: its own.
    pub rate: Option<f32>,
    /// The mounting of the camera. Default: upright, and not mirrored.
    pub orientation: Orientation,
    /// The time between the pictures of a folder. Default 40 ms, 25 a second.
    pub folder_interval: Duration,
    /// The capture time of a recording's first frame; its others follow at its own pace. Default: now.
    pub recording_starts_at: Option<Timestamp>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            open_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(5),
            size: None,
            rate: None,
            orientation: Orientation::default(),
            folder_interval: Duration::from_millis(40),
            recording_starts_at: None,
        }
    }
}

impl OpenOptions {
    /// Returns the same options with these timeouts.
    #[must_use]
    pub fn with_timeouts(mut self, open: Duration, read: Duration) -> Self {
        (self.open_timeout, self.read_timeout) = (open, read);
        self
    }

    /// Returns the same options, asking a USB camera for this width, height and number of frames a second.
    #[must_use]
    pub fn with_size(mut self, width: u32, height: u32, rate: Option<f32>) -> Self {
        (self.size, self.rate) = (Some((width, height)), rate);
        self
    }

    /// Returns the same options for a camera that is mounted like this.
    #[must_use]
    pub fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// Returns the same options with this time between the pictures of a folder.
    #[must_use]
    pub fn with_folder_interval(mut self, interval: Duration) -> Self {
        self.folder_interval = interval;
        self
    }

    /// Returns the same options with this capture time for a recording's first frame.
    #[must_use]
    pub fn with_recording_starts_at(mut self, starts_at: Timestamp) -> Self {
        self.recording_starts_at = Some(starts_at);
        self
    }
}

/// The pace at which a recording is played.
///
/// ```
/// use faceattend_core::camera::{Pace, WorkerOptions};
///
/// let options = WorkerOptions::default().with_pace(Pace::AsAnalyzed);
/// assert_eq!(options.pace, Pace::AsAnalyzed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pace {
    /// The pace of the recording. A slow consumer misses frames, as with a camera.
    #[default]
    Recorded,
    /// The pace of the consumer, which gets every frame.
    AsAnalyzed,
}

/// The rate that a consumer asks for after a frame. A consumer that returns `()` asks for the usual one.
///
/// ```
/// use faceattend_core::camera::Attention;
///
/// // A consumer that returns nothing is content with the usual rate.
/// assert_eq!(Attention::from(()), Attention::Usual);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Attention {
    /// The next frame at [`WorkerOptions::rate`].
    #[default]
    Usual,
    /// The next frame sooner, at [`WorkerOptions::close_rate`]: something is there that will soon be gone.
    Close,
}

impl From<()> for Attention {
    fn from((): ()) -> Self {
        Self::Usual
    }
}

/// Options for reading a camera.
///
/// ```
/// use faceattend_core::camera::WorkerOptions;
///
/// // Five frames a second, ten while a face is in view.
/// let options = WorkerOptions::default().with_rate(5.0).with_close_rate(10.0);
/// assert_eq!(options.close_rate, Some(10.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// Options for opening the source.
    pub open: OpenOptions,
    /// The pace at which a recording is played. Default [`Pace::Recorded`].
    pub pace: Pace,
    /// The first pause before a live camera is opened again. Default 0.5 s.
    pub first_pause: Duration,
    /// The longest pause. Default 30 s: a camera that was off for the night is back within half a minute.
    pub longest_pause: Duration,
    /// The largest number of frames analyzed a second. Default: all that the consumer has time for. Five a second show
    /// a face that walks through a door several times.
    pub rate: Option<f32>,
    /// The same while the consumer asks for [`Attention::Close`]. Default: as [`rate`](Self::rate).
    pub close_rate: Option<f32>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            pace: Pace::default(),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            rate: None,
            close_rate: None,
        }
    }
}

impl WorkerOptions {
    /// Returns the same options with these for opening.
    #[must_use]
    pub fn with_open(mut self, open: OpenOptions) -> Self {
        self.open = open;
        self
    }

    /// Returns the same options with this pace.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Returns the same options with these pauses before a live camera is opened again.
    #[must_use]
    pub fn with_pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_pause, self.longest_pause) = (first, longest);
        self
    }

    /// Returns the same options, analyzing at most so many frames a second.
    #[must_use]
    pub fn with_rate(mut self, rate: f32) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Returns the same options, analyzing at most so many frames a second while the consumer asks for it.
    #[must_use]
    pub fn with_close_rate(mut self, rate: f32) -> Self {
        self.close_rate = Some(rate);
        self
    }

    /// Returns the pause before the attempt after `failures` failures in a row: doubled each time up to the longest,
    /// then cut to between a half and the whole by `noise`.
    pub(super) fn pause(&self, failures: u32, noise: u64) -> Duration {
        let doubled = self.first_pause.saturating_mul(1_u32.checked_shl(failures.min(31)).unwrap_or(u32::MAX));
        let half = doubled.min(self.longest_pause) / 2;
        #[expect(clippy::cast_precision_loss, reason = "a fraction needs no 64 bits")]
        let fraction = noise as f64 / u64::MAX as f64;
        half + half.mul_f64(fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_the_ceiling_and_never_falls_below_half() {
        let options = WorkerOptions::default();
        let [shortest, longest] = [0, u64::MAX].map(|noise| (0..8).map(move |n| options.pause(n, noise).as_millis()));
        assert_eq!(longest.collect::<Vec<_>>(), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(shortest.collect::<Vec<_>>(), [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        assert_eq!(options.pause(u32::MAX, u64::MAX), Duration::from_secs(30));
    }
}
