//! Decodes pictures into [`Frame`]s, with limits against hostile files.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::panic::catch_unwind;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};

/// Limits on the size of a picture.
///
/// ```
/// use faceattend_core::decode::{DecodeLimits, decode};
///
/// let bytes = std::fs::read("../examples/media/hopper/center.jpg").expect("a picture");
/// assert!(decode(&bytes, &DecodeLimits::default().with_max_pixels(100)).is_err());
/// assert!(decode(&bytes, &DecodeLimits::default().with_max_bytes(100)).is_err());
/// ```
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
    /// Returns the same limits with at most `max_bytes` of encoded data.
    #[must_use]
    pub fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Returns the same limits with at most `max_pixels` pixels.
    #[must_use]
    pub fn with_max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }
}

/// Returns the frame in `bytes`: a JPEG, PNG or WebP, told by its contents and turned upright by its EXIF
/// orientation. RGB.
///
/// ```
/// use faceattend_core::decode::{DecodeLimits, decode};
///
/// let bytes = std::fs::read("../examples/media/hopper/center.jpg").expect("a picture");
/// let frame = decode(&bytes, &DecodeLimits::default())?;
/// assert_eq!(frame.pixels().len(), frame.width() as usize * frame.height() as usize * 3);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidImage`] for other formats, damaged files, and files over the limits; a header that claims more than
/// the limits is refused before any memory is taken for it.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Frame<'static>> {
    if bytes.len() > limits.max_bytes {
        return Err(Error::invalid_image(format!(
            "{} bytes are more than the limit of {}",
            bytes.len(),
            limits.max_bytes
        )));
    }
    // No decoder is free of panics: zune-jpeg 0.5.15 has one for a component finer than the first.
    catch_unwind(|| decoded(bytes, limits)).unwrap_or_else(|_| Err(Error::invalid_image("its decoder failed")))
}

fn decoded(bytes: &[u8], limits: &DecodeLimits) -> Result<Frame<'static>> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| Error::invalid_image(e.to_string()))?;
    let Some(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) = reader.format() else {
        return Err(Error::invalid_image("neither JPEG, PNG nor WebP"));
    };
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
    let mut picture = if format == ImageFormat::Jpeg && has_scans_apart(bytes) {
        decode_scans_apart(bytes, width, height)?
    } else {
        DynamicImage::from_decoder(decoder).map_err(|e| Error::invalid_image(e.to_string()))?
    };
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    let (width, height) = rgb.dimensions();
    Frame::new(rgb.into_raw(), width, height, ChannelOrder::Rgb)
}

impl Frame<'static> {
    /// Opens a picture file: [`decode`] with the default [`DecodeLimits`].
    ///
    /// ```
    /// use faceattend_core::Frame;
    ///
    /// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
    /// assert!(frame.width() > 100);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::InvalidImage`] as [`decode`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let limits = DecodeLimits::default();
        let unreadable = |source| Error::Io { action: "read", path: path.to_path_buf(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        // One byte more than the limit is enough to be refused.
        file.take(limits.max_bytes as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        decode(&bytes, &limits)
    }

    /// Decodes a picture: [`decode`] with the default [`DecodeLimits`].
    ///
    /// ```
    /// use faceattend_core::{ErrorKind, Frame};
    ///
    /// let bytes = std::fs::read("../examples/media/hopper/center.jpg").expect("a picture");
    /// assert_eq!(Frame::decode(&bytes)?.pixels().len() % 3, 0);
    /// assert_eq!(Frame::decode(b"no picture").unwrap_err().kind(), ErrorKind::InvalidImage);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidImage`] as [`decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, &DecodeLimits::default())
    }
}

/// Returns whether a sequential JPEG keeps its components in scans of their own. The usual decoder (zune-jpeg 0.5,
/// issues 419 and 448 there) answers those with a wrong picture and no error.
fn has_scans_apart(bytes: &[u8]) -> bool {
    let mut components = 0;
    let mut at = 2;
    while let [0xFF, marker, high, low, payload @ ..] = bytes.get(at..).unwrap_or_default() {
        match marker {
            // Fill bytes before a marker.
            0xFF => {
                at += 1;
                continue;
            }
            // Sequential frames: precision, height, width, then the number of components.
            0xC0 | 0xC1 => components = payload.get(5).copied().unwrap_or(0),
            0xC2 => return false,
            // The first scan: the number of its components.
            0xDA => return payload.first().is_some_and(|in_scan| *in_scan < components),
            _ => {}
        }
        at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    false
}

fn decode_scans_apart(bytes: &[u8], width: u32, height: u32) -> Result<DynamicImage> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let pixels = decoder.decode().map_err(|e| Error::invalid_image(e.to_string()))?;
    match decoder.info().map(|info| info.pixel_format) {
        Some(jpeg_decoder::PixelFormat::RGB24) => {
            RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
        }
        _ => None,
    }
    .ok_or_else(|| Error::invalid_image("a JPEG of separate scans that is not in color"))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;

    fn jpeg(optimized: bool) -> Vec<u8> {
        let (width, height) = (90u16, 70u16);
        let pixels: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [(x * 2) as u8, (y * 3) as u8, ((x + y) % 97) as u8]))
            .collect();
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 90);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        // With tables of its own this encoder writes a scan for each component.
        encoder.set_optimized_huffman_tables(optimized);
        encoder.encode(&pixels, width, height, ColorType::Rgb).unwrap();
        bytes
    }

    #[test]
    fn separate_scans_show_the_same_picture_as_joined_ones() {
        let (apart, joined) = (jpeg(true), jpeg(false));
        assert!(has_scans_apart(&apart) && !has_scans_apart(&joined));
        let decoded = |bytes: &[u8]| decode(bytes, &DecodeLimits::default()).unwrap();
        let (apart, joined) = (decoded(&apart), decoded(&joined));
        // Two decoders smooth chroma differently: a few levels at edges, never a wrong picture (which errs by over
        // 100).
        let difference: f64 = apart.pixels().iter().zip(joined.pixels()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        let mean = difference / joined.pixels().len() as f64;
        assert!(mean < 3.0, "{mean}");
    }

    #[test]
    fn a_jpeg_cut_off_anywhere_is_an_error_or_a_picture_and_no_panic() {
        for bytes in [jpeg(true), jpeg(false)] {
            for end in (0..bytes.len()).step_by(7) {
                let _ = decode(&bytes[..end], &DecodeLimits::default());
            }
            assert!(decode(&bytes[..bytes.len() / 4], &DecodeLimits::default()).is_err());
        }
    }

    /// A JPEG with a component that is finer than the first, found by fuzzing: zune-jpeg 0.5.15 panics on it where the
    /// processor has AVX2.
    const FINER_CHROMA: &str = "\
        /9j/4AAQSkZJ/////0YAAQIAAAEAAbIAAAD/wAARCAAQABgDABEAAREBAkEB/9sAQwADAgIDAgIDAwMDBAMDBQQIBQUEBAUKBwcGCAwI\
        CgoLCwsMDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/9sAQwEDBAQFBAUJBQQQ2P/iAAUJFA0LDRQUFBQUFBQUFBQLDQ4SEA0O\
        EQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/9sAQwEDBAQFBAUJBQUJFA0LDRQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU\
        FBQUFBQUFBQUFBQUFBQU/8QAFgABAQEAAAAAAAAAAAAAAAAABwYI/8QAGRAAAQUAAAAAAAAAAAAAAAAAAAUHIzOh/8QAFwEBAQEBAAAA\
        AAAAAAAAAAAABgcFCf/EABkRAAIDAQAAAAAAAAAAAAAAAAAFBCEwYf/aAAgBAAAAPwDGaI19YcEBEa+sLyAiNfWHC8RGvrFggIjX1iwv\
        0Rr6xYcAABEAPwDAUPcstSh7llrUPcs5ZqHuWWtQ9yxAtah7AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAP/aAAgBAREAPwB1Ib9Dchv0NyG/Q7Ib9Dchv0NyG/T/ln//2doACAECEQA/AMBQ9yy1KHuWWtQ9yzlGoe5Za1D3LLWo\
        e5Z//9k=";

    #[test]
    fn a_picture_on_which_its_decoder_panics_is_an_error_or_a_picture() {
        let bytes = BASE64_STANDARD.decode(FINER_CHROMA).unwrap();
        match decode(&bytes, &DecodeLimits::default()) {
            Ok(frame) => assert_eq!((frame.width(), frame.height()), (24, 16)),
            Err(error) => assert_eq!(error.kind(), crate::ErrorKind::InvalidImage, "{error}"),
        }
    }

    #[test]
    fn a_header_that_promises_too_much_is_refused_before_memory_is_taken() {
        let limits = DecodeLimits::default().with_max_pixels(63);
        let mut small = Vec::new();
        DynamicImage::new_rgb8(8, 8).write_to(&mut Cursor::new(&mut small), ImageFormat::Png).unwrap();
        assert!(decode(&small, &limits).unwrap_err().to_string().contains("63 pixels"));
        assert!(decode(&small, &DecodeLimits::default().with_max_bytes(10)).is_err());
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for bytes in [&b""[..], b"GIF89a\x01\x00\x01\x00", b"<svg/>", &[0xFF; 64], &[0; 64]] {
            assert_eq!(decode(bytes, &DecodeLimits::default()).unwrap_err().kind(), crate::ErrorKind::InvalidImage);
        }
    }

    #[test]
    fn the_orientation_in_the_file_is_applied() {
        // An EXIF block that says: turn a quarter clockwise (orientation 6), put behind the start of the file.
        let exif = b"\xFF\xE1\x00\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let plain = jpeg(false);
        let turned = [&plain[..2], exif, &plain[2..]].concat();
        let (plain, turned) =
            (decode(&plain, &DecodeLimits::default()).unwrap(), decode(&turned, &DecodeLimits::default()).unwrap());
        assert_eq!((turned.width(), turned.height()), (plain.height(), plain.width()));
        assert_eq!(turned.rgb(turned.width() - 1, 0), plain.rgb(0, 0));
    }

    #[test]
    fn png_and_webp_keep_their_pixels() {
        let picture =
            DynamicImage::ImageRgb8(RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, 5])));
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let mut bytes = Vec::new();
            picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
            let frame = decode(&bytes, &DecodeLimits::default()).unwrap();
            assert_eq!((frame.width(), frame.height(), frame.rgb(3, 2)), (9, 7, Some([60, 60, 5])), "{format:?}");
        }
    }
}
