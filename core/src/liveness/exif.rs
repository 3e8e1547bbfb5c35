//! Which camera a file says it comes from.

use super::hash::mix;

/// The tags that name a camera and the program that wrote the file (TIFF 6.0 and EXIF 2.3): make, model, software.
const TAGS: [u16; 3] = [0x010F, 0x0110, 0x0131];

/// A hash of what the EXIF block of a JPEG says of its camera; `None` for a file without one, or one that is damaged.
pub(super) fn camera_of(bytes: &[u8]) -> Option<u64> {
    let tiff = exif_block(bytes)?;
    let order = match tiff.get(..4)? {
        [b'I', b'I', 42, 0] => u16::from_le_bytes,
        [b'M', b'M', 0, 42] => u16::from_be_bytes,
        _ => return None,
    };
    let little = order([1, 0]) == 1;
    let two = |at: usize| tiff.get(at..at + 2).and_then(|b| b.try_into().ok()).map(order);
    let four = |at: usize| {
        let bytes: [u8; 4] = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) } as usize)
    };
    let directory = four(4)?;
    let mut hash = None;
    for entry in 0..usize::from(two(directory)?) {
        let at = directory + 2 + entry * 12;
        let (tag, kind, length) = (two(at)?, two(at + 2)?, four(at + 4)?);
        // Text of up to four bytes stands in the entry itself.
        if TAGS.contains(&tag) && kind == 2 {
            let from = if length <= 4 { at + 8 } else { four(at + 8)? };
            let text = tiff.get(from..from.checked_add(length)?)?;
            let start = mix(hash.unwrap_or(0), u64::from(tag));
            hash = Some(text.iter().fold(start, |hash, byte| mix(hash, u64::from(*byte))));
        }
    }
    hash
}

/// The TIFF structure in the first EXIF segment of a JPEG.
fn exif_block(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    while let [0xFF, marker, high, low, ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let payload = rest.get(4..2 + length)?;
        match marker {
            0xE1 => {
                if let Some(tiff) = payload.strip_prefix(b"Exif\0\0") {
                    return Some(tiff);
                }
            }
            // The picture begins.
            0xDA => return None,
            _ => {}
        }
        rest = rest.get(2 + length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The start of a JPEG whose EXIF names this make and, in the entry itself, this model.
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
