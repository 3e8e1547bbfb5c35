//! Cameras, streams and video files through OpenCV. The only file of this module that knows the `opencv` crate.

use std::time::Duration;

use jiff::Timestamp;
use opencv::core::{Mat, MatTraitConst as _, MatTraitConstManual as _, Vector};
use opencv::videoio::{
    CAP_ANY, CAP_FFMPEG, CAP_PROP_FPS, CAP_PROP_FRAME_HEIGHT, CAP_PROP_FRAME_WIDTH, CAP_PROP_OPEN_TIMEOUT_MSEC,
    CAP_PROP_POS_MSEC, CAP_PROP_READ_TIMEOUT_MSEC, CAP_V4L2, VideoCapture, VideoCaptureAPIs, VideoCaptureTrait as _,
    VideoCaptureTraitConst as _,
};

use super::frame_source::{FrameSource, camera_error};
use super::options::OpenOptions;
use super::recording_clock::RecordingClock;
use super::source::{CameraSource, Nature};
use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};

/// A camera, stream or video file that OpenCV reads. Frames are BGR.
///
/// ```
/// use faceattend_core::camera::OpenCvCapture;
///
/// let (version, reads_streams) = OpenCvCapture::library();
/// println!("OpenCV {version}, streams: {reads_streams}");
/// ```
pub struct OpenCvCapture {
    capture: VideoCapture,
    /// Filled by every read, so that its memory is taken once.
    picture: Mat,
    source: CameraSource,
    /// Of a file.
    clock: Option<RecordingClock>,
}

impl std::fmt::Debug for OpenCvCapture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenCvCapture({})", self.source)
    }
}

impl OpenCvCapture {
    /// Returns OpenCV's version, and whether it was made with FFmpeg, which reads streams and files.
    #[must_use]
    pub fn library() -> (String, bool) {
        let version = opencv::core::get_version_string().unwrap_or_else(|_| "unknown".to_owned());
        (version, opencv::videoio::has_backend(VideoCaptureAPIs::CAP_FFMPEG).unwrap_or(false))
    }

    /// Connects to the camera or stream, or opens the file. Streams and files are always FFmpeg's, with both timeouts:
    /// OpenCV's own choice of a reader waits for 22 seconds on a server that accepts and says nothing.
    ///
    /// # Errors
    /// [`Error::Camera`] when it does not open in time.
    pub fn open(source: &CameraSource, options: &OpenOptions) -> Result<Self> {
        quiet();
        let failed = |_| camera_error(source, "OpenCV cannot open it");
        let devices = if cfg!(target_os = "linux") { CAP_V4L2 } else { CAP_ANY };
        let mut capture = if let Some(number) = source.number() {
            let number = i32::try_from(number).map_err(|_| camera_error(source, "there is no such camera"))?;
            VideoCapture::new(number, devices).map_err(failed)?
        } else if source.is_device_path() {
            VideoCapture::from_file(source.opencv_name(), devices).map_err(failed)?
        } else {
            let timeouts = [
                (CAP_PROP_OPEN_TIMEOUT_MSEC, options.open_timeout),
                (CAP_PROP_READ_TIMEOUT_MSEC, options.read_timeout),
            ];
            let parameters: Vector<i32> = timeouts
                .into_iter()
                .flat_map(|(name, time)| [name, i32::try_from(time.as_millis()).unwrap_or(i32::MAX)])
                .collect();
            VideoCapture::from_file_with_params(source.opencv_name(), CAP_FFMPEG, &parameters).map_err(failed)?
        };
        if !capture.is_opened().map_err(failed)? {
            let reason = match source.nature() {
                Nature::Live => "it does not answer, refuses the credentials, or is in use",
                Nature::Recording => "it is no video that can be read",
            };
            return Err(camera_error(source, reason));
        }
        if source.number().is_some() || source.is_device_path() {
            let (width, height) = options.size.unzip();
            let wishes = [
                (CAP_PROP_FRAME_WIDTH, width.map(f64::from)),
                (CAP_PROP_FRAME_HEIGHT, height.map(f64::from)),
                (CAP_PROP_FPS, options.rate.map(f64::from)),
            ];
            for (property, wish) in wishes {
                if let Some(wish) = wish {
                    // A camera that has no such size gives its own.
                    let _ = capture.set(property, wish);
                }
            }
        }
        let clock = (source.nature() == Nature::Recording).then(|| {
            let rate = capture.get(CAP_PROP_FPS).unwrap_or(0.0);
            // Some containers do not know their rate and say 0, 1000 or 90000.
            let rate = if (1.0..=240.0).contains(&rate) { rate } else { 25.0 };
            RecordingClock::new(options, Duration::from_secs_f64(1.0 / rate))
        });
        Ok(Self { capture, picture: Mat::default(), source: source.clone(), clock })
    }

    /// Returns when the container shows the frame that was read; `None` where it does not say.
    fn told(&self) -> Option<Duration> {
        let milliseconds = self.capture.get(CAP_PROP_POS_MSEC).ok().filter(|milliseconds| *milliseconds >= 0.0)?;
        // To a tenth of a millisecond: it is a product of fractions.
        Duration::try_from_secs_f64((milliseconds * 10.0).round() / 10_000.0).ok()
    }

    fn frame(&self) -> Result<Frame<'static>> {
        let unusable =
            |error: opencv::Error| Error::invalid_image(format!("OpenCV gave no usable frame ({})", error.code));
        let side = |side: i32| u32::try_from(side).unwrap_or(0);
        let (width, height) = (side(self.picture.cols()), side(self.picture.rows()));
        if self.picture.channels() != 3 || self.picture.depth() != opencv::core::CV_8U {
            return Err(Error::invalid_image("the camera gives no color pictures of eight bits"));
        }
        let bytes = self.picture.data_bytes().map_err(unusable)?.to_vec();
        Frame::new(bytes, width, height, ChannelOrder::Bgr)
    }
}

impl FrameSource for OpenCvCapture {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        let read =
            self.capture.read(&mut self.picture).map_err(|_| camera_error(&self.source, "OpenCV cannot read it"))?;
        let told = self.clock.as_ref().and_then(|_| self.told());
        match (&mut self.clock, read && !self.picture.empty()) {
            (None, false) => Err(camera_error(&self.source, "it gave no frame in time")),
            (None, true) => Ok(Some(self.frame()?.with_captured_at(Timestamp::now()))),
            (Some(_), false) => Ok(None),
            (Some(clock), true) => {
                let captured_at = clock.tick_at(told);
                Ok(Some(self.frame()?.with_captured_at(captured_at)))
            }
        }
    }

    fn skip(&mut self) -> Result<bool> {
        let grabbed = self.capture.grab().map_err(|_| camera_error(&self.source, "OpenCV cannot read it"))?;
        let told = self.clock.as_ref().and_then(|_| self.told());
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

/// Silences OpenCV, which writes warnings to the error output with the address it was given, credentials included.
fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Only the noise would stay if it failed.
        let _ = opencv::core::set_log_level(opencv::core::LogLevel::LOG_LEVEL_SILENT);
    });
}
