//! Cameras, streams and video files through OpenCV, which `faceattend-video` loads.

use std::time::Duration;

use faceattend_video::{Capture, Library, ReadError, Source, View, Wishes};
use jiff::Timestamp;

use super::frame_source::{FrameSource, camera_error};
use super::options::OpenOptions;
use super::recording_clock::RecordingClock;
use super::source::{CameraSource, Nature};
use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};

const UNREADABLE: &str = "OpenCV cannot read it";

/// A camera, stream or video file that OpenCV reads. Frames are BGR.
///
/// ```
/// use faceattend_core::camera::OpenCvCapture;
///
/// match OpenCvCapture::library() {
///     Ok((version, reads_streams)) => println!("OpenCV {version}, streams: {reads_streams}"),
///     Err(error) => println!("no cameras: {error}"),
/// }
/// ```
#[derive(Debug)]
pub struct OpenCvCapture {
    capture: Capture,
    source: CameraSource,
    /// Of a file.
    clock: Option<RecordingClock>,
}

impl OpenCvCapture {
    /// Returns OpenCV's version, and whether it was made with FFmpeg, which reads streams and files.
    ///
    /// # Errors
    /// [`Error::State`] when OpenCV cannot be loaded, with what to do about it.
    pub fn library() -> Result<(String, bool)> {
        let library = library("OpenCV")?;
        Ok((library.version(), library.reads_streams()))
    }

    /// Connects to the camera or stream, or opens the file. The first call loads OpenCV.
    ///
    /// # Errors
    /// [`Error::Camera`] when it does not open in time; [`Error::State`] when OpenCV cannot be loaded.
    pub fn open(source: &CameraSource, options: &OpenOptions) -> Result<Self> {
        let library = library(source)?;
        let name = source.opencv_name();
        let asked = match source.number() {
            Some(number) => {
                Source::Number(i32::try_from(number).map_err(|_| camera_error(source, "there is no such camera"))?)
            }
            None if source.is_device_path() => Source::Device(&name),
            None => Source::Stream(&name),
        };
        let wishes = Wishes {
            open_timeout: options.open_timeout,
            read_timeout: options.read_timeout,
            size: options.size,
            rate: options.rate.map(f64::from),
        };
        let Some(mut capture) = Capture::open(library, asked, &wishes) else {
            let reason = match source.nature() {
                Nature::Live => "it does not answer, refuses the credentials, or is in use",
                Nature::Recording => "it is no video that can be read",
            };
            return Err(camera_error(source, reason));
        };
        let clock = (source.nature() == Nature::Recording).then(|| {
            let rate = capture.rate();
            // Some containers do not know their rate and say 0, 1000 or 90000.
            let rate = if (1.0..=240.0).contains(&rate) { rate } else { 25.0 };
            RecordingClock::new(options, Duration::from_secs_f64(1.0 / rate))
        });
        Ok(Self { capture, source: source.clone(), clock })
    }

    /// Returns when the container shows the frame that was read; `None` where it does not say, and for a camera.
    fn told(&mut self) -> Option<Duration> {
        self.clock.as_ref()?;
        let milliseconds = self.capture.position()?;
        // To a tenth of a millisecond: it is a product of fractions.
        Duration::try_from_secs_f64((milliseconds * 10.0).round() / 10_000.0).ok()
    }
}

impl FrameSource for OpenCvCapture {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        let unreadable = |ReadError| camera_error(&self.source, UNREADABLE);
        let frame = self.capture.read().map_err(unreadable)?.map(frame);
        let told = self.told();
        match (&mut self.clock, frame) {
            (None, None) => Err(camera_error(&self.source, "it gave no frame in time")),
            (None, Some(frame)) => Ok(Some(frame?.with_captured_at(Timestamp::now()))),
            (Some(_), None) => Ok(None),
            (Some(clock), Some(frame)) => {
                let captured_at = clock.tick_at(told);
                Ok(Some(frame?.with_captured_at(captured_at)))
            }
        }
    }

    fn skip(&mut self) -> Result<bool> {
        let grabbed = self.capture.grab().map_err(|ReadError| camera_error(&self.source, UNREADABLE))?;
        let told = self.told();
        match (&mut self.clock, grabbed) {
            (None, false) => Err(camera_error(&self.source, "it gave no frame in time")),
            (None, true) => Ok(true),
            (Some(clock), grabbed) => {
                clock.tick_at(told);
                Ok(grabbed)
            }
        }
    }

    fn frame_interval(&self) -> Option<Duration> {
        self.clock.as_ref().map(|clock| clock.interval)
    }
}

fn frame(view: View<'_>) -> Result<Frame<'static>> {
    if !view.is_bgr {
        return Err(Error::invalid_image("the camera gives no color pictures of eight bits"));
    }
    Frame::new(view.bytes.to_vec(), view.width, view.height, ChannelOrder::Bgr)
}

/// Returns OpenCV, which is linked.
#[cfg(feature = "opencv")]
fn library(_wanted: impl std::fmt::Display) -> Result<Library> {
    Ok(Library::linked(faceattend_opencv::table()))
}

/// Returns OpenCV, which `wanted` needs.
#[cfg(not(feature = "opencv"))]
fn library(wanted: impl std::fmt::Display) -> Result<Library> {
    // No camera that may come back by itself: somebody has to install something.
    Library::load().map_err(|error| Error::State { what: "camera", reason: format!("{wanted} needs OpenCV: {error}") })
}
