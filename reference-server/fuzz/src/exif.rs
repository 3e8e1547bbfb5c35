//! The EXIF block of a picture: the orientation by which it is turned, and the camera that it names.
//!
//! The bytes are the block of a sound JPEG.
//!
//! - Whatever the block holds, the picture is shown: as it is stored, or turned, with every pixel of it.
//! - The camera follows from the block alone.

use std::sync::OnceLock;

use faceattend_core::Frame;
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::liveness::{FrameHash, frame_hash};
use jpeg_encoder::{ColorType, Encoder};

use crate::memory::within;

/// The longest block that fits the segment with its head.
const LONGEST: usize = 0xFFFF - 8;

const MEMORY: usize = 8 << 20;

const SIDES: (u16, u16) = (24, 16);

/// Reads `data` as the block of a JPEG.
pub fn check(data: &[u8]) {
    static PLAIN: OnceLock<Vec<u8>> = OnceLock::new();
    let plain = PLAIN.get_or_init(|| jpeg(false));
    let block = &data[..data.len().min(LONGEST)];
    let file = with_block(plain, block);
    let decoded = within(MEMORY, || decode(&file, &DecodeLimits::default()));
    let frame = decoded.expect("no block is a reason to refuse the picture");
    let stored = decode(plain, &DecodeLimits::default()).expect("a sound picture");
    let sides = (frame.width(), frame.height());
    assert!(sides == (stored.width(), stored.height()) || sides == (stored.height(), stored.width()));
    assert_eq!(sorted(&frame), sorted(&stored));

    // Of another picture: only the block counts.
    static HASH: OnceLock<FrameHash> = OnceLock::new();
    let hash = HASH.get_or_init(|| frame_hash(&stored));
    assert_eq!(hash.with_file(&with_block(&[0xFF, 0xD8, 0xFF, 0xD9], block)).camera, hash.with_file(&file).camera);
}

fn sorted(frame: &Frame<'_>) -> Vec<[u8; 3]> {
    let (pixels, _) = frame.pixels().as_chunks::<3>();
    let mut pixels = pixels.to_vec();
    pixels.sort_unstable();
    pixels
}

/// Returns `jpeg` with `block` behind its start.
fn with_block(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len() + 8).expect("a block that fits");
    let (start, rest) = jpeg.split_at(2);
    [start, &[0xFF, 0xE1], &length.to_be_bytes(), b"Exif\0\0", block, rest].concat()
}

/// Returns a JPEG whose pixels differ; with a scan for each component when they are to be `apart`.
pub(crate) fn jpeg(apart: bool) -> Vec<u8> {
    let (width, height) = SIDES;
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| [(x * 10).to_le_bytes()[0], (y * 15).to_le_bytes()[0], 90]))
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    // With tables of its own this encoder writes a scan for each component.
    encoder.set_optimized_huffman_tables(apart);
    encoder.encode(&pixels, width, height, ColorType::Rgb).expect("memory takes everything");
    bytes
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let block = |big: bool, orientation: u16| {
        let two = |v: u16| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let four = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let head: &[u8] = if big { b"MM\0\x2A" } else { b"II\x2A\0" };
        let mut tiff = [head, &four(8), &two(3)].concat();
        // Make, where it lies behind the entries; model, in its entry; orientation.
        tiff.extend([&two(0x010F)[..], &two(2), &four(8), &four(50)].concat());
        tiff.extend([&two(0x0110)[..], &two(2), &four(4), b"M1\0\0"].concat());
        tiff.extend([&two(0x0112)[..], &two(3), &four(1), &two(orientation), &two(0)].concat());
        tiff.extend(four(0));
        tiff.extend(b"Example\0");
        tiff
    };
    vec![
        ("big-endian", block(true, 6)),
        ("little-endian", block(false, 8)),
        ("no-orientation", block(true, 99)),
        ("empty", Vec::new()),
    ]
}
