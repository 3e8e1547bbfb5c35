//! The trait of frame sources, and the error that its implementations share.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::frame::Frame;

/// Gives frames one after the other: a live camera or a recording.
///
/// ```
/// use std::time::Duration;
///
/// use faceattend_core::camera::FrameSource;
/// use faceattend_core::{ChannelOrder, Frame, Result};
///
/// /// Three gray frames.
/// struct Gray(u8);
///
/// impl FrameSource for Gray {
///     fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
///         self.0 += 1;
///         if self.0 > 3 { Ok(None) } else { Frame::new(vec![90; 12], 2, 2, ChannelOrder::Rgb).map(Some) }
///     }
///
///     fn frame_interval(&self) -> Option<Duration> {
///         Some(Duration::from_millis(40))
///     }
/// }
///
/// let mut source = Gray(0);
/// let mut frames = 0;
/// while source.next_frame()?.is_some() {
///     frames += 1;
/// }
/// assert_eq!(frames, 3);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub trait FrameSource: Send {
    /// Reads the next frame, stamped with its capture time; `None` at the end of a recording. A live camera waits
    /// for it for a limited time; a recording does not wait, since its reader sets the pace.
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

    /// Returns the time between the last two frames of a recording, or the usual one before them; `None` for a live
    /// camera, which has its own pace.
    fn frame_interval(&self) -> Option<Duration>;
}

/// Returns the error of `source`, which names it without credentials.
pub(super) fn camera_error(source: &impl std::fmt::Display, reason: impl Into<String>) -> Error {
    Error::Camera { camera: source.to_string(), reason: reason.into() }
}
