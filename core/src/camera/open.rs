//! Opens a camera or a recording with the reader that fits it.

use super::frame_source::FrameSource;
use super::http::{self, HttpCamera, Opened};
#[cfg(feature = "opencv")]
use super::opencv::OpenCvCapture;
use super::options::OpenOptions;
use super::replay::{AviReplay, FolderReplay};
use super::source::CameraSource;
#[cfg(not(feature = "opencv"))]
use super::source::Nature;
#[cfg(not(feature = "opencv"))]
use crate::error::Error;
use crate::error::Result;

/// Opens the camera or recording. See the table of [this module](super) for who reads what.
///
/// ```
/// use faceattend_core::CameraSource;
/// use faceattend_core::camera::{OpenOptions, open};
///
/// let mut source = open(&CameraSource::parse("../examples/media/class.avi")?, &OpenOptions::default())?;
/// let frame = source.next_frame()?.expect("a recording with frames");
/// assert!(frame.captured_at().is_some());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) for a file or folder that cannot be read; [`Error::Camera`](crate::Error::Camera)
/// when it holds no frames, when the camera does not answer in time, and when it needs OpenCV and this build has none.
pub fn open(source: &CameraSource, options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    let opened = source.to_open(options.open_timeout)?;
    Ok(options.orientation.turning(as_mounted(&opened, options)?))
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
    if let Some(url) = source.address()
        && http::asks(url)
    {
        return match HttpCamera::open(source, url, options)? {
            Opened::Camera(camera) => Ok(camera),
            Opened::OtherVideo(url, kind) => other_video(&url, &kind, options),
        };
    }
    through_opencv(source, options)
}

/// Opens the video behind an HTTP address that is no motion-JPEG.
#[cfg(feature = "opencv")]
fn other_video(url: &str, _kind: &str, options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    through_opencv(&CameraSource::parse(url)?, options)
}

#[cfg(not(feature = "opencv"))]
fn other_video(url: &str, kind: &str, _options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    let reason = format!("it answers with {kind}, which this build does not read: it was made without `opencv`");
    Err(Error::State { what: "camera", reason: format!("{}: {reason}", CameraSource::parse(url)?) })
}

#[cfg(feature = "opencv")]
fn through_opencv(source: &CameraSource, options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    Ok(Box::new(OpenCvCapture::open(source, options)?))
}

#[cfg(not(feature = "opencv"))]
fn through_opencv(source: &CameraSource, _options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    let reason = if source.nature() == Nature::Live {
        "this build reads no such camera: it was made without the feature `opencv`"
    } else {
        "no MJPEG AVI file, and this build reads no other video: it was made without the feature `opencv`"
    };
    // A build does not change while it runs, so this is no camera that may come back.
    Err(Error::State { what: "camera", reason: format!("{source}: {reason}") })
}
