//! The camera that a file names in its EXIF block.

use std::io::Cursor;

use exif::{In, Reader, Tag, Value};

use super::hash::mix;

/// The tags that name a camera and the program that wrote the file.
const TAGS: [Tag; 3] = [Tag::Make, Tag::Model, Tag::Software];

/// Hashes what the EXIF block of a picture says of its camera. Returns `None` for a picture without one, or with one
/// that is damaged.
pub(super) fn camera_of(bytes: &[u8]) -> Option<u64> {
    let block = Reader::new().read_from_container(&mut Cursor::new(bytes)).ok()?;
    let mut hash = None;
    for tag in TAGS {
        if let Some(Value::Ascii(texts)) = block.get_field(tag, In::PRIMARY).map(|field| &field.value) {
            let start = mix(hash.unwrap_or(0), u64::from(tag.number()));
            hash = Some(texts.iter().flatten().fold(start, |hash, byte| mix(hash, u64::from(*byte))));
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the start of a JPEG whose EXIF names this make and, in the entry itself, this model.
    fn jpeg(make: &str, model: [u8; 4], big: bool) -> Vec<u8> {
        let two = |v: u16| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let four = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let mut tiff = if big { b"MM\0\x2A".to_vec() } else { b"II\x2A\0".to_vec() };
        tiff.extend(four(8));
        tiff.extend(two(2));
        tiff.extend([two(0x010F), two(2)].concat());
        tiff.extend([four(make.len() as u32), four(38)].concat());
        tiff.extend([two(0x0110), two(2)].concat());
        tiff.extend([four(4), model].concat());
        tiff.extend(four(0));
        tiff.extend(make.as_bytes());
        let length = (tiff.len() + 8) as u16;
        [&[0xFF, 0xD8, 0xFF, 0xE1][..], &length.to_be_bytes(), b"Exif\0\0", &tiff, &[0xFF, 0xDA, 0, 2]].concat()
    }

    #[test]
    fn another_camera_is_another_hash_in_either_byte_order() {
        let camera = camera_of(&jpeg("Nikon\0", *b"D5\0\0", true));
        assert!(camera.is_some());
        assert_eq!(camera, camera_of(&jpeg("Nikon\0", *b"D5\0\0", false)));
        assert_ne!(camera, camera_of(&jpeg("Canon\0", *b"D5\0\0", true)));
        assert_ne!(camera, camera_of(&jpeg("Nikon\0", *b"D6\0\0", true)));
        assert_eq!(camera_of(b"\xFF\xD8\xFF\xDA\0\x02"), None);
        assert_eq!(camera_of(b"\x89PNG"), None);
    }

    proptest! {
        #[test]
        fn damage_anywhere_is_no_panic(at in 0usize..60, value: u8, cut in 0usize..80) {
            let mut bytes = jpeg("Nikon\0", *b"D5\0\0", true);
            let length = bytes.len();
            bytes[at % length] = value;
            let _ = camera_of(&bytes[..cut.min(length)]);
            let _ = camera_of(&bytes);
        }
    }
}
