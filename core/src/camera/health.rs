//! The state and the figures of a camera.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The state of a camera.
///
/// ```
/// use faceattend_core::camera::CameraState;
///
/// assert_eq!(CameraState::Reconnecting.as_str(), "reconnecting");
/// assert!(CameraState::Failed.is_over());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CameraState {
    /// It is being opened for the first time.
    Connecting,
    /// It gives frames.
    Running,
    /// It gave frames or failed to, and is opened again after a pause.
    Reconnecting,
    /// It was stopped, or the recording is over.
    Stopped,
    /// It cannot be read and will not be tried again.
    Failed,
}

impl CameraState {
    /// Returns the state as a word, for an API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Running => "running",
            Self::Reconnecting => "reconnecting",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Returns whether nothing more will come.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

/// The state and the figures of a camera at one moment.
///
/// ```
/// use faceattend_core::camera::CameraHealth;
///
/// fn line(health: &CameraHealth) -> String {
///     let problem = health.last_error.as_deref().unwrap_or("no problem so far");
///     format!("{}: {:.1} frames a second, {problem}", health.state.as_str(), health.captured_per_second)
/// }
/// # let _ = line;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CameraHealth {
    /// The state.
    pub state: CameraState,
    /// Frames that the source gave.
    pub captured: u64,
    /// Frames that the consumer has worked through.
    pub analyzed: u64,
    /// Frames that a newer one replaced before the consumer was free, and frames that could not be decoded.
    pub dropped: u64,
    /// Frames that came before the consumer wanted another, by [`WorkerOptions::rate`](super::WorkerOptions::rate).
    pub skipped: u64,
    /// Frames that the source gives in a second, of late.
    pub captured_per_second: f32,
    /// Frames that the consumer works through in a second, of late.
    pub analyzed_per_second: f32,
    /// The number of times that the source was lost and came back.
    pub reconnects: u64,
    /// The last thing that went wrong, without credentials; it stays after a recovery.
    pub last_error: Option<String>,
    /// The time since the last frame of the source.
    pub last_frame_age: Option<Duration>,
}

/// The times of the latest events, from which their rate follows.
#[derive(Default)]
pub(super) struct Rate(VecDeque<Instant>);

impl Rate {
    /// Ten seconds at five events a second, two seconds at 25.
    const KEPT: usize = 50;

    pub(super) fn count(&mut self, now: Instant) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    #[expect(clippy::cast_precision_loss, reason = "at most fifty")]
    pub(super) fn per_second(&self, now: Instant) -> f32 {
        let Some(first) = self.0.front() else { return 0.0 };
        // Until the next one comes, the time that it lets wait for itself counts too.
        let passed = now.duration_since(*first).as_secs_f32();
        if passed > 0.0 { (self.0.len() - 1) as f32 / passed } else { 0.0 }
    }
}
