//! A video that everything plays: JPEG pictures in an AVI file (Microsoft's "AVI RIFF File Reference").

use crate::Result;

/// The bytes of an AVI file that shows `pictures`, JPEG files of `width` x `height` pixels, `fps` of them a second.
///
/// # Errors
/// When the file would not fit the format's 32-bit sizes.
pub(super) fn avi(pictures: &[Vec<u8>], width: u32, height: u32, fps: u32) -> Result<Vec<u8>> {
    let too_long = |_| "the clip is too long for an AVI file".to_owned();
    let count = u32::try_from(pictures.len()).map_err(too_long)?;
    let largest = pictures.iter().map(Vec::len).max().unwrap_or(0);
    let largest = u32::try_from(largest).map_err(too_long)?;

    let mut movie = b"movi".to_vec();
    let mut index = Vec::new();
    for picture in pictures {
        let offset = u32::try_from(movie.len()).map_err(too_long)?;
        // Every picture stands alone: AVIIF_KEYFRAME.
        index.extend_from_slice(b"00dc");
        index.extend(words(&[0x10, offset, u32::try_from(picture.len()).map_err(too_long)?]));
        movie.extend(chunk(b"00dc", picture)?);
    }

    // AVIMAINHEADER, with AVIF_HASINDEX.
    let main = words(&[1_000_000 / fps, largest * fps, 0, 0x10, count, 0, 1, largest, width, height, 0, 0, 0, 0]);
    // AVISTREAMHEADER; its last field is the rectangle to show, in 16-bit numbers.
    let mut stream = b"vidsMJPG".to_vec();
    stream.extend(words(&[0, 0, 0, 1, fps, 0, count, largest, u32::MAX, 0, 0, width | height << 16]));
    // BITMAPINFOHEADER: 24 bits, one plane.
    let mut format = words(&[40, width, height, 24 << 16 | 1]);
    format.extend_from_slice(b"MJPG");
    format.extend(words(&[width * height * 3, 0, 0, 0, 0]));

    let strl = [b"strl".to_vec(), chunk(b"strh", &stream)?, chunk(b"strf", &format)?].concat();
    let hdrl = [b"hdrl".to_vec(), chunk(b"avih", &main)?, chunk(b"LIST", &strl)?].concat();
    let riff = [b"AVI ".to_vec(), chunk(b"LIST", &hdrl)?, chunk(b"LIST", &movie)?, chunk(b"idx1", &index)?].concat();
    chunk(b"RIFF", &riff)
}

/// A chunk: its name, its length, its content, and a byte more where the length is odd.
fn chunk(name: &[u8; 4], content: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(content.len()).map_err(|_| "a chunk is too long for an AVI file")?;
    let mut chunk = Vec::with_capacity(content.len() + 9);
    chunk.extend_from_slice(name);
    chunk.extend_from_slice(&length.to_le_bytes());
    chunk.extend_from_slice(content);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    Ok(chunk)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_index_lead_to_the_pictures() {
        let pictures = [vec![1, 2, 3], vec![4, 5, 6, 7]];
        let file = avi(&pictures, 64, 48, 10).unwrap();
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(number(4) + 8, file.len());
        let movie = file.windows(4).position(|four| four == b"movi").unwrap();
        let index = file.windows(4).position(|four| four == b"idx1").unwrap();
        for (i, picture) in pictures.iter().enumerate() {
            let entry = index + 8 + i * 16;
            let (offset, length) = (number(entry + 8), number(entry + 12));
            let start = movie + offset;
            assert_eq!(&file[start..start + 4], b"00dc");
            assert_eq!(&file[start + 8..start + 8 + length], picture);
        }
    }
}
