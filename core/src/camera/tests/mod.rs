//! The contract that every [`FrameSource`](super::FrameSource) of a recording keeps, and the worker over recordings
//! and over a camera that fails.

mod contract;
mod worker;

use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};

/// The colors of the frames of every test recording: far enough apart to survive JPEG and video codecs.
pub(super) const COLORS: [[u8; 3]; 5] = [[230, 20, 20], [20, 200, 20], [20, 20, 230], [200, 200, 20], [120, 120, 120]];

pub(super) const SIZE: (u16, u16) = (64, 48);

/// One frame in each color, as JPEGs.
pub(super) fn jpegs() -> Vec<Vec<u8>> {
    COLORS.map(jpeg).into()
}

fn jpeg(color: [u8; 3]) -> Vec<u8> {
    let pixels: Vec<u8> = color.repeat(usize::from(SIZE.0) * usize::from(SIZE.1));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95)
        .encode(&pixels, SIZE.0.into(), SIZE.1.into(), ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// Whether OpenCV can be loaded. Says so where it cannot, and the caller tests nothing: a machine may have none. Where
/// the environment names the library, it must be there.
fn opencv_is_there() -> bool {
    let Err(error) = super::OpenCvCapture::library() else { return true };
    assert!(std::env::var_os(faceattend_video::VARIABLE).is_none(), "{error}");
    eprintln!("skipped: {error}");
    false
}

/// Which of [`COLORS`] the frame shows, by its middle.
pub(super) fn color_of(frame: &crate::frame::Frame<'_>) -> usize {
    let [r, g, b] = frame.rgb(frame.width() / 2, frame.height() / 2).unwrap().map(i32::from);
    COLORS
        .iter()
        .position(|c| {
            let [x, y, z] = c.map(i32::from);
            (r - x).abs().max((g - y).abs()).max((b - z).abs()) < 25
        })
        .unwrap_or_else(|| panic!("no test color: {r} {g} {b}"))
}
