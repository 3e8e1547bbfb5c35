//! Opens a camera or a recording with the reader that fits it.

use super::frame_source::FrameSource;
use super::http::{self, HttpCamera, Opened};
use super::opencv::OpenCvCapture;
use super::options::OpenOptions;
use super::replay::{AviReplay, FolderReplay};
use super::source::CameraSource;
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
/// when it holds no frames, when the camera does not answer in time; [`Error::State`](crate::Error::State) when it
/// needs OpenCV and none is there.
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
            Opened::OtherVideo(url) => through_opencv(&CameraSource::parse(&url)?, options),
        };
    }
    through_opencv(source, options)
}

fn through_opencv(source: &CameraSource, options: &OpenOptions) -> Result<Box<dyn FrameSource>> {
    Ok(Box::new(OpenCvCapture::open(source, options)?))
}
