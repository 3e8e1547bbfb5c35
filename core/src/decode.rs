//! From an encoded picture to a [`Frame`], with limits against hostile files.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};

/// How large a picture may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// Encoded bytes. Default 20 MiB: a 48-megapixel phone photograph.
    pub max_bytes: usize,
    /// Pixels, whatever the header's sides. Default 50 million: 150 MB decoded, the largest phone photographs in use.
    pub max_pixels: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_bytes: 20 << 20, max_pixels: 50_000_000 }
    }
}

impl DecodeLimits {
    /// The same limits with at most `max_bytes` of encoded data.
    #[must_use]
    pub fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The same limits with at most `max_pixels` pixels.
    #[must_use]
    pub fn with_max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }
}

/// The frame in `bytes`: a JPEG, PNG or WebP, told by its contents and turned upright by its EXIF orientation. RGB.
///
/// # Errors
/// [`Error::InvalidImage`] for other formats, damaged files, and files over the limits; a header that claims more than the
/// limits is refused before any memory is taken for it.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Frame<'static>> {
    if bytes.len() > limits.max_bytes {
        return Err(Error::invalid_image(format!(
            "{} bytes are more than the limit of {}",
            bytes.len(),
            limits.max_bytes
        )));
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| Error::invalid_image(e.to_string()))?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(Error::invalid_image("neither JPEG, PNG nor WebP"));
    }
    let mut memory = Limits::default();
    // The decoder's own work: up to eight bytes a pixel (16-bit RGBA) beside the result.
    memory.max_alloc = Some(limits.max_pixels.saturating_mul(16));
    reader.limits(memory);
    let mut decoder = reader.into_decoder().map_err(|e| Error::invalid_image(e.to_string()))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(Error::invalid_image(format!(
            "{width}x{height} is more than the limit of {} pixels",
            limits.max_pixels
        )));
    }
    // A damaged orientation tag is no reason to refuse the picture: it is shown as stored.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| Error::invalid_image(e.to_string()))?;
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    let (width, height) = rgb.dimensions();
    Frame::new(rgb.into_raw(), width, height, ChannelOrder::Rgb)
}
