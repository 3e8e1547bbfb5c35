//! A camera, stream or video file that OpenCV reads.

use std::borrow::Cow;
use std::ffi::OsStr;

use faceattend_video::abi::{Picture, Request, kind};
use opencv::core::{CV_8U, Mat, MatTraitConst as _, MatTraitConstManual as _, Vector};
use opencv::videoio::{
    CAP_ANY, CAP_FFMPEG, CAP_PROP_FPS, CAP_PROP_FRAME_HEIGHT, CAP_PROP_FRAME_WIDTH, CAP_PROP_OPEN_TIMEOUT_MSEC,
    CAP_PROP_POS_MSEC, CAP_PROP_READ_TIMEOUT_MSEC, CAP_V4L2, VideoCapture, VideoCaptureTrait as _,
    VideoCaptureTraitConst as _,
};

pub(crate) struct Camera {
    capture: VideoCapture,
    /// Filled by every read, so that its memory is taken once.
    picture: Mat,
}

impl Camera {
    /// Opens what `request` asks for, whose name is `name`.
    pub(crate) fn open(request: &Request, name: &[u8]) -> Option<Self> {
        quiet();
        let devices = if cfg!(target_os = "linux") { CAP_V4L2 } else { CAP_ANY };
        let mut capture = match request.kind {
            kind::NUMBER => VideoCapture::new(request.number, devices),
            kind::DEVICE => VideoCapture::from_file(system_text(name), devices),
            kind::STREAM => {
                let timeouts = [
                    (CAP_PROP_OPEN_TIMEOUT_MSEC, request.open_timeout),
                    (CAP_PROP_READ_TIMEOUT_MSEC, request.read_timeout),
                ];
                let parameters: Vector<i32> = timeouts.into_iter().flat_map(|(name, time)| [name, time]).collect();
                VideoCapture::from_file_with_params(system_text(name), CAP_FFMPEG, &parameters)
            }
            _ => return None,
        }
        .ok()?;
        if !capture.is_opened().unwrap_or(false) {
            return None;
        }
        if request.kind != kind::STREAM {
            let wishes = [
                (CAP_PROP_FRAME_WIDTH, f64::from(request.width)),
                (CAP_PROP_FRAME_HEIGHT, f64::from(request.height)),
                (CAP_PROP_FPS, request.rate),
            ];
            for (property, wish) in wishes {
                if wish > 0.0 {
                    // A camera that has no such size gives its own.
                    let _ = capture.set(property, wish);
                }
            }
        }
        Some(Self { capture, picture: Mat::default() })
    }

    /// Reads the next picture, whose bytes stay until the next call.
    pub(crate) fn read(&mut self) -> opencv::Result<Option<Picture>> {
        if !self.capture.read(&mut self.picture)? || self.picture.empty() {
            return Ok(None);
        }
        let bytes = self.picture.data_bytes()?;
        let positive = |number: i32| u32::try_from(number).unwrap_or(0);
        Ok(Some(Picture {
            bytes: bytes.as_ptr(),
            length: bytes.len(),
            width: positive(self.picture.cols()),
            height: positive(self.picture.rows()),
            channels: positive(self.picture.channels()),
            bits: if self.picture.depth() == CV_8U { 8 } else { 0 },
        }))
    }

    pub(crate) fn grab(&mut self) -> opencv::Result<bool> {
        self.capture.grab()
    }

    pub(crate) fn position(&self) -> f64 {
        self.capture.get(CAP_PROP_POS_MSEC).unwrap_or(-1.0)
    }

    pub(crate) fn rate(&self) -> f64 {
        self.capture.get(CAP_PROP_FPS).unwrap_or(0.0)
    }
}

/// Returns a path or address as the system writes it.
#[cfg(unix)]
fn system_text(bytes: &[u8]) -> Cow<'_, OsStr> {
    Cow::Borrowed(std::os::unix::ffi::OsStrExt::from_bytes(bytes))
}

#[cfg(not(unix))]
fn system_text(bytes: &[u8]) -> Cow<'_, OsStr> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => Cow::Borrowed(OsStr::new(text)),
        Cow::Owned(text) => Cow::Owned(text.into()),
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
