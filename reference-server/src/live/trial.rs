//! Opens a camera once, before anybody keeps it, and tells what it gives.

use std::time::{Duration, Instant};

use faceattend_core::Result;
use faceattend_core::camera::{CameraSource, Nature, OpenOptions, Orientation, open};
use faceattend_core::frame::Frame;

use super::preview;

/// How long connecting may take, and how long the first picture: a camera that wakes up takes 3 s.
const CONNECTS_WITHIN: Duration = Duration::from_secs(6);
const ANSWERS_WITHIN: Duration = Duration::from_secs(4);
/// How long pictures are counted: of a camera that gives one a second, two are seen.
const COUNTED_FOR: Duration = Duration::from_millis(1500);

/// What a camera gave.
pub(crate) struct Trial {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// `None` where it gave one picture alone.
    pub(crate) frames_per_second: Option<f64>,
    /// A small JPEG.
    pub(crate) picture: Vec<u8>,
}

/// Opens a camera and looks at it for a second or two. Blocks, for ten seconds at most and a little.
///
/// # Errors
/// Those of [`open`] and of its frames: they name the camera without its credentials.
pub(super) fn try_camera(source: &CameraSource, orientation: Orientation) -> Result<Trial> {
    let options = OpenOptions::default().with_timeouts(CONNECTS_WITHIN, ANSWERS_WITHIN).with_orientation(orientation);
    let mut opened = open(source, &options)?;
    let nothing =
        || faceattend_core::Error::Camera { camera: source.to_string(), reason: "it gives no picture".into() };
    let mut frame: Frame<'static> = opened.next_frame()?.ok_or_else(nothing)?;
    let frames_per_second = match source.nature() {
        Nature::Recording => opened.frame_interval().map(|interval| 1.0 / interval.as_secs_f64()),
        Nature::Live => {
            // The first picture of many cameras is dark: the last one is shown.
            let (began, mut frames, mut last) = (Instant::now(), 0_u32, Duration::ZERO);
            while began.elapsed() < COUNTED_FOR {
                match opened.next_frame() {
                    Ok(Some(next)) => (frame, frames, last) = (next, frames + 1, began.elapsed()),
                    Ok(None) | Err(_) => break,
                }
            }
            (frames > 0).then(|| f64::from(frames) / last.as_secs_f64().max(0.001))
        }
    };
    let picture = preview::jpeg_of(&frame)?;
    Ok(Trial { width: frame.width(), height: frame.height(), frames_per_second, picture })
}
