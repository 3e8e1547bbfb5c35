//! Decodes pictures into [`Frame`]s, with limits against hostile files.

mod huffman;
mod jpeg_scans;
mod reduced;
mod sequential;

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::panic::{UnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use self::jpeg_scans::Coverage;
pub(crate) use self::reduced::Reducible;
use self::sequential::Reduction;
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
/// [`Error::InvalidImage`] for other formats, damaged files, pictures of which a part is missing (a missing end marker
/// alone is no error), and files over the limits; a header that claims more than the limits is refused before any
/// memory is taken for it.
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
    if jpeg.is_some_and(JpegHeader::is_usual)
        && let Some(picture) = sequential::decode(bytes, decoder.dimensions(), Reduction::Full)
    {
        return upright(picture.map_err(|_| cut_off())?.into(), orientation);
    }
    let is_cut = if jpeg.is_some() { jpeg_scans::coverage(bytes) == Coverage::Cut } else { is_cut_webp(bytes) };
    if is_cut {
        return Err(cut_off());
    }
    let (width, height) = decoder.dimensions();
    let picture = if jpeg.is_some_and(|jpeg| jpeg.scans_apart) {
        drop(decoder);
        decode_scans_apart(bytes, width, height)?
    } else {
        DynamicImage::from_decoder(decoder).map_err(|e| Error::invalid_image(e.to_string()))?
    };
    upright(picture, orientation)
}

fn cut_off() -> Error {
    Error::invalid_image("it is cut off: a part of the picture is missing")
}

fn upright(mut picture: DynamicImage, orientation: Orientation) -> Result<Frame<'static>> {
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

/// Returns whether the bytes are fewer than a WebP says that it has. Some writers leave out the last byte, which fills
/// up an even number.
fn is_cut_webp(bytes: &[u8]) -> bool {
    let [b'R', b'I', b'F', b'F', length @ ..] = bytes else { return false };
    let length = length.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
    bytes.len() + 1 < length.saturating_add(8)
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

    /// Returns whether it may be one that [`sequential`] decodes.
    fn is_usual(self) -> bool {
        !self.progressive && !self.scans_apart
    }

    /// Returns what is allocated beside the decoded picture, in bytes a pixel. A picture whose components come in
    /// several scans is kept as coefficients of 16 bits until the last of them.
    fn working_bytes_per_pixel(self) -> u64 {
        if self.progressive || self.scans_apart { 2 * u64::from(self.components) } else { 0 }
    }
}

fn decode_scans_apart(bytes: &[u8], width: u32, height: u32) -> Result<DynamicImage> {
    // This decoder insists on an end marker, which may be missing.
    let mut decoder = jpeg_decoder::Decoder::new(bytes.chain(&[0xFF, 0xD9][..]));
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
mod tests;
