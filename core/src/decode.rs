//! Decodes pictures into [`Frame`]s, with limits against hostile files.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::panic::{UnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

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
    /// Bytes of memory while the picture is decoded, as [`memory_to_decode`] tells them. Default 512 MiB: 50 million
    /// pixels in every usual form. A few hundred kilobytes of PNG with 16 bits a channel can ask for more.
    pub max_memory: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_bytes: 20 << 20, max_pixels: 50_000_000, max_memory: 512 << 20 }
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

    /// Returns the same limits with at most `max_memory` bytes of memory while a picture is decoded.
    #[must_use]
    pub fn with_max_memory(mut self, max_memory: u64) -> Self {
        self.max_memory = max_memory;
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
    caught(|| decoded(bytes, limits))
}

/// Makes a panic of a decoder an invalid image. None is free of them: zune-jpeg 0.5.15 has one for a component finer
/// than the first.
fn caught<T>(decoding: impl FnOnce() -> Result<T> + UnwindSafe) -> Result<T> {
    catch_unwind(decoding).unwrap_or_else(|_| Err(Error::invalid_image("its decoder failed")))
}

fn decoded(bytes: &[u8], limits: &DecodeLimits) -> Result<Frame<'static>> {
    let Opened { decoder, jpeg, orientation, .. } = open(bytes, limits)?;
    let (width, height) = decoder.dimensions();
    let mut picture = if jpeg.is_some_and(|jpeg| jpeg.scans_apart) {
        drop(decoder);
        decode_scans_apart(bytes, width, height)?
    } else {
        DynamicImage::from_decoder(decoder).map_err(|e| Error::invalid_image(e.to_string()))?
    };
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    let (width, height) = rgb.dimensions();
    Frame::new(rgb.into_raw(), width, height, ChannelOrder::Rgb)
}

/// Returns how many bytes of memory [`decode`] takes for `bytes` at most, the frame among them. Only the header is
/// read, so that a program can wait for memory before it decodes.
///
/// The sizes are those of the buffers that the decoders allocate for the whole picture. Buffers of a few rows are not
/// counted.
///
/// ```
/// use faceattend_core::decode::{DecodeLimits, decode, memory_to_decode};
///
/// let limits = DecodeLimits::default();
/// let bytes = std::fs::read("../examples/media/hopper/center.jpg").expect("a picture");
/// let frame = decode(&bytes, &limits)?;
/// assert!(memory_to_decode(&bytes, &limits)? >= frame.pixels().len() as u64);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidImage`] for other formats, damaged headers, and files over the limits.
pub fn memory_to_decode(bytes: &[u8], limits: &DecodeLimits) -> Result<u64> {
    caught(|| Ok(open(bytes, limits)?.memory))
}

/// A picture whose header has been read and is within the limits.
struct Opened<'b> {
    decoder: Box<dyn ImageDecoder + 'b>,
    jpeg: Option<JpegHeader>,
    orientation: Orientation,
    /// The most bytes that decoding takes.
    memory: u64,
}

fn open<'b>(bytes: &'b [u8], limits: &DecodeLimits) -> Result<Opened<'b>> {
    if bytes.len() > limits.max_bytes {
        return Err(Error::invalid_image(format!(
            "{} bytes are more than the limit of {}",
            bytes.len(),
            limits.max_bytes
        )));
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| Error::invalid_image(e.to_string()))?;
    let Some(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) = reader.format() else {
        return Err(Error::invalid_image("neither JPEG, PNG nor WebP"));
    };
    let mut memory = Limits::default();
    memory.max_alloc = Some(limits.max_memory);
    reader.limits(memory);
    let mut decoder = reader.into_decoder().map_err(|e| Error::invalid_image(e.to_string()))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.max_pixels {
        return Err(Error::invalid_image(format!(
            "{width}x{height} is more than the limit of {} pixels",
            limits.max_pixels
        )));
    }
    // A damaged orientation tag is no reason to refuse the picture: it is shown as stored.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let jpeg = (format == ImageFormat::Jpeg).then(|| JpegHeader::read(bytes));
    let working = match (&jpeg, format) {
        (Some(jpeg), _) => jpeg.working_bytes_per_pixel(),
        (None, ImageFormat::WebP) => webp_working_bytes_per_pixel(bytes),
        (None, _) => 0,
    };
    let decoded = u64::from(decoder.color_type().bytes_per_pixel());
    let turned = if turns_sideways(orientation) { 2 * decoded } else { 0 };
    let converted = if decoder.color_type() == ColorType::Rgb8 { RGB } else { decoded + RGB };
    let per_pixel = (decoded + working).max(turned).max(converted);
    let memory = pixels.saturating_mul(per_pixel).saturating_add(bytes.len() as u64);
    if memory > limits.max_memory {
        return Err(Error::invalid_image(format!(
            "decoding it takes {memory} bytes of memory, more than the limit of {}",
            limits.max_memory
        )));
    }
    Ok(Opened { decoder: Box::new(decoder), jpeg, orientation, memory })
}

/// Bytes of a pixel of a frame.
const RGB: u64 = 3;

/// Returns whether upright pixels need a second picture beside the stored one. The others are turned in place.
fn turns_sideways(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

/// Returns what image-webp 0.2 allocates beside the decoded picture, in bytes a pixel: planes of a lossy picture (1.5),
/// four channels of a lossless one, both for a picture with transparency, and a canvas and a frame of an animation.
fn webp_working_bytes_per_pixel(bytes: &[u8]) -> u64 {
    const ANIMATION: u8 = 0x02;
    const ALPHA: u8 = 0x10;
    match (bytes.get(12..16), bytes.get(20)) {
        (Some(b"VP8X"), Some(flags)) if flags & ANIMATION != 0 => 15,
        (Some(b"VP8X"), Some(flags)) if flags & ALPHA != 0 => 7,
        _ => 4,
    }
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

/// What the markers of a JPEG say up to its first scan.
#[derive(Debug, Clone, Copy, Default)]
struct JpegHeader {
    components: u8,
    progressive: bool,
    /// Whether it is sequential and keeps its components in scans of their own. The usual decoder (zune-jpeg 0.5,
    /// issues 419 and 448 there) answers those with a wrong picture and no error.
    scans_apart: bool,
}

impl JpegHeader {
    fn read(bytes: &[u8]) -> Self {
        let mut header = Self::default();
        let mut at = 2;
        while let [0xFF, marker, high, low, payload @ ..] = bytes.get(at..).unwrap_or_default() {
            match marker {
                // Fill bytes before a marker.
                0xFF => {
                    at += 1;
                    continue;
                }
                // Frames: precision, height, width, then the number of components.
                0xC0..=0xC2 => {
                    header.components = payload.get(5).copied().unwrap_or(0);
                    header.progressive = *marker == 0xC2;
                }
                // The first scan: the number of its components.
                0xDA => {
                    let in_scan = payload.first().copied();
                    header.scans_apart = !header.progressive && in_scan.is_some_and(|some| some < header.components);
                    return header;
                }
                _ => {}
            }
            at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
        }
        header
    }

    /// Returns what is allocated beside the decoded picture, in bytes a pixel. A picture whose components come in
    /// several scans is kept as coefficients of 16 bits until the last of them.
    fn working_bytes_per_pixel(self) -> u64 {
        if self.progressive || self.scans_apart { 2 * u64::from(self.components) } else { 0 }
    }
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
        assert!(JpegHeader::read(&apart).scans_apart && !JpegHeader::read(&joined).scans_apart);
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
    fn the_memory_is_known_from_the_header() {
        let limits = DecodeLimits::default();
        let need = |picture: DynamicImage, format| {
            let mut bytes = Cursor::new(Vec::new());
            picture.write_to(&mut bytes, format).unwrap();
            let bytes = bytes.into_inner();
            memory_to_decode(&bytes, &limits).unwrap() - bytes.len() as u64
        };
        assert_eq!(need(DynamicImage::new_rgb8(100, 10), ImageFormat::Png), 3000);
        assert_eq!(need(DynamicImage::new_luma8(100, 10), ImageFormat::Png), 1000 + 3000);
        assert_eq!(need(DynamicImage::new_rgba16(100, 10), ImageFormat::Png), 8000 + 3000);
        assert_eq!(need(DynamicImage::new_rgb8(100, 10), ImageFormat::Jpeg), 3000);
        assert_eq!(need(DynamicImage::new_rgb8(100, 10), ImageFormat::WebP), 3000 + 4000);
    }

    /// 7,000 x 7,000 pixels of 64 bits are a few hundred kilobytes of PNG, and more than half a gigabyte of memory.
    #[test]
    fn a_small_file_that_needs_too_much_memory_is_refused_by_its_header() {
        let mut deep = Cursor::new(Vec::new());
        DynamicImage::new_rgba16(64, 64).write_to(&mut deep, ImageFormat::Png).unwrap();
        let deep = deep.into_inner();
        let need = memory_to_decode(&deep, &DecodeLimits::default()).unwrap();
        assert!(decode(&deep, &DecodeLimits::default().with_max_memory(need)).is_ok());
        let refused = decode(&deep, &DecodeLimits::default().with_max_memory(need - 1)).unwrap_err();
        assert!(refused.to_string().contains("memory"), "{refused}");
        // Within the limit of pixels: the header alone decides.
        let header = [&7000_u32.to_be_bytes()[..], &7000_u32.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
        let mut large = deep.clone();
        large[16..29].copy_from_slice(&header);
        let crc = crc(&large[12..29]);
        large[29..33].copy_from_slice(&crc.to_be_bytes());
        let refused = memory_to_decode(&large, &DecodeLimits::default()).unwrap_err();
        assert!(refused.to_string().contains("memory"), "{refused}");
    }

    /// The checksum of a chunk of PNG.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        })
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
