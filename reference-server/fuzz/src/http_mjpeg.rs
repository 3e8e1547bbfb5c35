//! The bytes of a camera that speaks HTTP, in which the reader looks for pictures.
//!
//! - The pictures do not depend on how the bytes arrive.
//! - A picture begins with the start marker and is a piece of the stream.
//! - No more is held than the limit of a picture and one arrival.
//! - What is found is a picture within the limits, or an error that ends nothing.

use faceattend_core::internals::pictures_of;

use crate::decode;

/// Of a picture.
const LIMIT: usize = 4096;

/// Reads `data` as a stream: the first byte is the length of an arrival.
pub fn check(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else { return };
    let piece = usize::from(*piece) + 1;
    let (whole, _) = pictures_of(stream, piece, usize::MAX, "frame");
    assert_eq!(pictures_of(stream, stream.len(), usize::MAX, "frame").0, whole);
    for picture in whole.iter().filter(|picture| !picture.is_empty()) {
        assert!(picture.starts_with(&[0xFF, 0xD8, 0xFF]));
        assert!(stream.windows(picture.len()).any(|at| at == picture));
    }
    let (limited, most) = pictures_of(stream, piece, LIMIT, "frame");
    assert!(most <= LIMIT + piece, "{most} bytes were held");
    limited.iter().take(4).for_each(|picture| decode::check(picture));
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let jpeg = crate::exif::jpeg(false);
    let part = |picture: &[u8]| [&b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"[..], picture, b"\r\n"].concat();
    let without_end = &jpeg[..jpeg.len() - 2];
    vec![
        ("two", [&[63][..], &part(&jpeg), &part(&jpeg)].concat()),
        ("no-boundary", [&[0][..], &jpeg, &jpeg].concat()),
        ("no-end-marker", [&[255][..], &part(without_end), &part(without_end)].concat()),
        ("cut-off", [&[7][..], &part(&jpeg[..jpeg.len() / 2]), &part(&jpeg)].concat()),
        ("thumbnail", [&[9][..], &jpeg[..2], &[0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9], &jpeg[2..]].concat()),
    ]
}
