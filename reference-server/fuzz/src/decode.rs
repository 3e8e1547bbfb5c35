//! Pictures: JPEG, PNG, WebP, and whatever claims to be one.
//!
//! - A frame keeps to the limits, and its bytes are those of its sides.
//! - One pixel less allowed, and the same picture is refused.
//! - Memory stays within a multiple of what the limits allow, whatever the header says.
//! - An error says that the picture is invalid.

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::{ChannelOrder, ErrorKind};

use crate::memory::within;

/// 256 x 256.
const MAX_PIXELS: u64 = 1 << 16;

const MAX_BYTES: usize = 1 << 16;

/// What a decoder may take: sixteen bytes a pixel, as `decode` allows it, as much again for the copies that turn and
/// convert, and what its tables take whatever the picture.
const MEMORY: usize = 32 * MAX_PIXELS as usize + (4 << 20);

/// Decodes `data`.
pub fn check(data: &[u8]) {
    let limits = DecodeLimits::default().with_max_pixels(MAX_PIXELS).with_max_bytes(MAX_BYTES);
    match within(MEMORY, || decode(data, &limits)) {
        Ok(frame) => {
            let pixels = u64::from(frame.width()) * u64::from(frame.height());
            assert!(data.len() <= MAX_BYTES && pixels <= MAX_PIXELS);
            assert_eq!((frame.pixels().len() as u64, frame.order()), (pixels * 3, ChannelOrder::Rgb));
            assert!(decode(data, &limits.with_max_pixels(pixels - 1)).is_err());
            assert!(decode(data, &limits.with_max_bytes(data.len() - 1)).is_err());
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidImage),
    }
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat};

    let encoded = |picture: DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("memory takes everything");
        bytes.into_inner()
    };
    let color = DynamicImage::ImageRgb8(image::RgbImage::from_fn(13, 9, |x, y| {
        image::Rgb([x as u8 * 19, y as u8 * 28, (x * y) as u8])
    }));
    vec![
        ("jpeg", crate::exif::jpeg(false)),
        ("jpeg-scans-apart", crate::exif::jpeg(true)),
        ("jpeg-gray", encoded(DynamicImage::ImageLuma8(color.to_luma8()), ImageFormat::Jpeg)),
        ("png", encoded(color.clone(), ImageFormat::Png)),
        ("png-16-bit", encoded(DynamicImage::ImageRgba16(color.to_rgba16()), ImageFormat::Png)),
        ("png-gray-alpha", encoded(DynamicImage::ImageLumaA8(color.to_luma_alpha8()), ImageFormat::Png)),
        ("webp", encoded(color, ImageFormat::WebP)),
        ("gif", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec()),
    ]
}
