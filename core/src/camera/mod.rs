//! Where frames come from: live cameras and recordings, behind one trait, and the threads that read them.
//!
//! | source | with feature `opencv` | without |
//! |---|---|---|
//! | a folder of pictures, an MJPEG AVI file | ours | ours |
//! | a video file of any other kind | OpenCV | refused |
//! | a USB camera, an RTSP or HTTP stream | OpenCV | refused |

mod avi;
mod devices;
#[cfg(feature = "opencv")]
mod opencv;
mod orientation;
mod probe;
mod replay;
mod scheduler;
mod source;
#[cfg(test)]
mod tests;
mod worker;

use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::frame::Frame;

pub use devices::{CameraDevice, devices};
#[cfg(feature = "opencv")]
pub use opencv::OpenCvCapture;
pub use orientation::Orientation;
pub use replay::{AviReplay, FolderReplay};
pub use scheduler::Scheduler;
pub use source::{CameraSource, Nature};
pub use worker::{Attention, CameraHealth, CameraState, CameraWorker, Pace, WorkerOptions};

/// Gives frames one after the other: a live camera or a recording.
pub trait FrameSource: Send {
    /// The next frame, stamped with its capture time; `None` at the end of a recording. A live camera waits for it,
    /// but not for ever; a recording does not wait: its pace is its reader's affair.
    ///
    /// # Errors
    /// [`Error::InvalidImage`] for a frame that cannot be decoded: the next call goes on behind it. Any other error is
    /// the source's end.
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>>;

    /// Passes over the next frame, which nobody wants; `false` at the end of a recording. Costs less than
    /// [`next_frame`](Self::next_frame) where the source need not decode it.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame).
    fn skip(&mut self) -> Result<bool> {
        Ok(self.next_frame()?.is_some())
    }

    /// The time between two frames of a recording; `None` for a live camera, which has its own pace.
    fn frame_interval(&self) -> Option<Duration>;
}

/// How a source is opened.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct OpenOptions {
    /// How long connecting to a stream may take. Default 10 s: a camera that wakes up takes 3, and recognizing a stream of
    /// ten frames a second 2 more; OpenCV's own 30 s would hide a dead camera for too long.
    pub open_timeout: Duration,
    /// How long a stream may give no frame. Default 5 s.
    pub read_timeout: Duration,
    /// The width and height to ask a USB camera for. Default: its own. It may give the nearest that it has; streams and
    /// recordings have the size that they have.
    pub size: Option<(u32, u32)>,
    /// The frames a second to ask a USB camera for. Default: its own.
    pub rate: Option<f32>,
    /// How the camera is mounted. Default: upright, and not mirrored.
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
    /// The same options with these timeouts.
    #[must_use]
    pub fn with_timeouts(mut self, open: Duration, read: Duration) -> Self {
        (self.open_timeout, self.read_timeout) = (open, read);
        self
    }

    /// The same options, asking a USB camera for this width, height and number of frames a second.
    #[must_use]
    pub fn with_size(mut self, width: u32, height: u32, rate: Option<f32>) -> Self {
        (self.size, self.rate) = (Some((width, height)), rate);
        self
    }

    /// The same options for a camera that is mounted like this.
    #[must_use]
    pub fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// The same options with this time between the pictures of a folder.
    #[must_use]
    pub fn with_folder_interval(mut self, interval: Duration) -> Self {
        self.folder_interval = interval;
        self
    }

    /// The same options with this capture time for a recording's first frame.
    #[must_use]
    pub fn with_recording_starts_at(mut self, starts_at: Timestamp) -> Self {
        self.recording_starts_at = Some(starts_at);
        self
    }
}

/// Opens the camera or recording. See the table of [this module](self) for who reads what.
///
/// # Errors
/// [`Error::Io`] for a file or folder that cannot be read; [`Error::Camera`] when it holds no frames, when the camera
/// does not answer in time, and when it needs OpenCV and this build has none.
pub fn open(source: &CameraSource, options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    Ok(options.orientation.turning(as_mounted(source, options)?))
}

fn as_mounted(source: &CameraSource, options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    if let Some(folder) = source.folder() {
        return Ok(Box::new(FolderReplay::open(folder, options)?));
    }
    if let Some(file) = source.file()
        && let Some(avi) = AviReplay::open_if_mjpeg(file, options)?
    {
        return Ok(Box::new(avi));
    }
    through_opencv(source, options)
}

#[cfg(feature = "opencv")]
fn through_opencv(source: &CameraSource, options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    Ok(Box::new(OpenCvCapture::open(source, options)?))
}

#[cfg(not(feature = "opencv"))]
fn through_opencv(source: &CameraSource, _options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    let reason = if source.nature() == Nature::Live {
        "this build has no cameras: it was made without the feature `opencv`"
    } else {
        "no MJPEG AVI file, and this build reads no other video: it was made without the feature `opencv`"
    };
    // A build does not change while it runs, so this is no camera that may come back.
    Err(Error::State { what: "camera", reason: format!("{source}: {reason}") })
}

/// The capture times of a recording: its start, and one interval a frame.
#[derive(Debug)]
struct RecordingClock {
    starts_at: Timestamp,
    interval: Duration,
    passed: u32,
}

impl RecordingClock {
    fn new(options: &OpenOptions, interval: Duration) -> Self {
        Self { starts_at: options.recording_starts_at.unwrap_or_else(Timestamp::now), interval, passed: 0 }
    }

    /// The time of the frame that comes now; the next call gives the next frame's.
    fn tick(&mut self) -> Timestamp {
        let since = self.interval.saturating_mul(self.passed);
        self.passed = self.passed.saturating_add(1);
        self.starts_at.checked_add(since).unwrap_or(Timestamp::MAX)
    }
}

fn camera_error(source: &impl std::fmt::Display, reason: impl Into<String>) -> Error {
    Error::Camera { camera: source.to_string(), reason: reason.into() }
}
