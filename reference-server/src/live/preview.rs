//! What a camera shows, for whoever looks: small JPEG pictures with boxes and names. Made only while somebody looks,
//! kept for as long as the next one takes, and never stored.

use axum::body::Bytes;
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::gate::LifeVerdict;
use faceattend_core::geometry::Rect;
use faceattend_core::{Error, Result};
use font8x8::UnicodeFonts as _;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use tokio::sync::watch;

/// The width of a picture: enough to see who is meant, a fifteenth of 720p's bytes.
const WIDTH: u32 = 640;
const QUALITY: u8 = 70;
/// Pixels of a letter's side, twice the font's own.
const LETTER: u32 = 16;
const KNOWN: Rgb<u8> = Rgb([52, 211, 153]);
const UNKNOWN: Rgb<u8> = Rgb([250, 204, 21]);
/// Known, but not to be alive yet.
const UNDECIDED: Rgb<u8> = Rgb([96, 165, 250]);
/// A picture of a person.
const SUSPECTED: Rgb<u8> = Rgb([248, 113, 113]);
const LABEL: Rgb<u8> = Rgb([16, 24, 31]);

/// A camera's last picture.
pub(crate) struct Preview(watch::Sender<Bytes>);

impl Default for Preview {
    fn default() -> Self {
        Self(watch::Sender::new(Bytes::new()))
    }
}

/// A face to be drawn.
pub(super) struct Drawn {
    /// In pixels of the frame.
    pub(super) bbox: Rect,
    /// Whose it is.
    pub(super) name: Option<String>,
    /// Whether it is alive.
    pub(super) life: LifeVerdict,
}

impl Preview {
    /// Whether anybody looks.
    pub(super) fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// The pictures from now on, as JPEGs; the first may be empty. Who is slow misses some.
    pub(crate) fn watch(&self) -> watch::Receiver<Bytes> {
        self.0.subscribe()
    }

    /// Shows a frame.
    pub(super) fn show(&self, frame: &Frame<'_>, faces: &[Drawn]) {
        let mut picture = smaller(frame);
        #[expect(clippy::cast_precision_loss, reason = "some thousand pixels")]
        let scale = picture.width() as f32 / frame.width() as f32;
        for face in faces {
            draw(&mut picture, face, scale);
        }
        let mut bytes = Vec::new();
        match JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture) {
            Ok(()) => drop(self.0.send_replace(Bytes::from(bytes))),
            Err(error) => tracing::warn!("a preview could not be made: {error}"),
        }
    }
}

/// Returns a small JPEG of a frame.
pub(super) fn jpeg_of(frame: &Frame<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&smaller(frame))
        .map_err(|error| Error::Internal { reason: format!("a picture could not be made: {error}") })?;
    Ok(bytes)
}

fn smaller(frame: &Frame<'_>) -> RgbImage {
    let step = frame.width().div_ceil(WIDTH).max(1);
    let stride = frame.width() as usize * 3;
    RgbImage::from_fn((frame.width() / step).max(1), (frame.height() / step).max(1), |x, y| {
        let at = (y * step) as usize * stride + (x * step) as usize * 3;
        match (frame.pixels().get(at..at + 3), frame.order()) {
            (Some([r, g, b]), ChannelOrder::Rgb) | (Some([b, g, r]), ChannelOrder::Bgr) => Rgb([*r, *g, *b]),
            _ => Rgb([0; 3]),
        }
    })
}

fn draw(picture: &mut RgbImage, face: &Drawn, scale: f32) {
    let color = match (face.life, &face.name) {
        (LifeVerdict::Spoof, _) => SUSPECTED,
        (LifeVerdict::Undecided, Some(_)) => UNDECIDED,
        (LifeVerdict::Live, Some(_)) => KNOWN,
        (LifeVerdict::Live | LifeVerdict::Undecided, None) => UNKNOWN,
    };
    // A cast saturates, so what lies outside is the edge.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
    let [left, top, right, bottom] =
        [face.bbox.x1, face.bbox.y1, face.bbox.x2, face.bbox.y2].map(|side| (side * scale).max(0.0) as u32);
    let (right, bottom) = (right.min(picture.width() - 1), bottom.min(picture.height() - 1));
    let mut put = |x: u32, y: u32, color: Rgb<u8>| {
        if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
            *pixel = color;
        }
    };
    for thick in 0..2 {
        for x in left..=right {
            put(x, top + thick, color);
            put(x, bottom.saturating_sub(thick), color);
        }
        for y in top..=bottom {
            put(left + thick, y, color);
            put(right.saturating_sub(thick), y, color);
        }
    }
    let Some(name) = &face.name else { return };
    let line = top.saturating_sub(LETTER + 2);
    for (at, letter) in (0_u32..).zip(name.chars().take(30)) {
        let rows = font8x8::BASIC_FONTS.get(letter).or_else(|| font8x8::LATIN_FONTS.get(letter)).unwrap_or([0x3c; 8]);
        for y in 0..LETTER {
            for x in 0..LETTER / 2 + 4 {
                // Twice as high as the font's dots, and one and a half times as wide.
                let dot = rows[(y / 2) as usize] >> (x * 2 / 3).min(7) & 1 == 1;
                put(left + at * (LETTER / 2 + 4) + x, line + y, if dot { Rgb([255; 3]) } else { LABEL });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_made_small_with_its_boxes() {
        let preview = Preview::default();
        assert!(!preview.is_watched());
        let watching = preview.watch();
        assert!(preview.is_watched());
        let frame = Frame::new(vec![90; 1280 * 720 * 3], 1280, 720, ChannelOrder::Bgr).unwrap();
        let faces = [
            Drawn {
                bbox: Rect::new(200.0, 200.0, 400.0, 400.0),
                name: Some("Asha Rão".into()),
                life: LifeVerdict::Live,
            },
            Drawn { bbox: Rect::new(-50.0, -9.0, 5000.0, 5000.0), name: None, life: LifeVerdict::Undecided },
        ];
        preview.show(&frame, &faces);
        let picture = image::load_from_memory(&watching.borrow()).unwrap().to_rgb8();
        assert_eq!((picture.width(), picture.height()), (640, 360));
        let green = picture.get_pixel(100, 150).0;
        assert!(green[1] > green[0] + 60, "the box of a known face is green: {green:?}");
        let label = picture.get_pixel(101, 84).0;
        assert!(label.iter().all(|value| *value < 70 || *value > 180), "there is a name: {label:?}");
    }
}
