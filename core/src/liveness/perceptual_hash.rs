//! The perceptual hash: nearly equal for frames that look alike.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::frame::{ChannelOrder, Frame};

/// The side of the gray picture that the perceptual hash is made of.
pub(super) const GRAY: usize = 96;
/// How many frequencies a direction it keeps: 24 x 24 signs, less the mean.
const FREQUENCIES: usize = 24;
/// How many of them, the lowest, [`PerceptualHash::coarse_distance`] compares.
const COARSE: usize = 12;
/// The words of 64 bits that they fill.
const WORDS: usize = FREQUENCIES * FREQUENCIES / 64;

/// The signs of a frame's 24 x 24 lowest frequencies (a DCT of its gray picture at 96 x 96): 575 bits that stay when
/// the frame is compressed again or scaled, and from which no face can be made out.
///
/// How far apart such frames lie, and frames of a living person, is in `docs/src/liveness.md`.
///
/// ```
/// use faceattend_core::Frame;
/// use faceattend_core::liveness::PerceptualHash;
///
/// let center = PerceptualHash::of(&Frame::open("../examples/media/hopper/center.jpg")?);
/// let left = PerceptualHash::of(&Frame::open("../examples/media/hopper/left.jpg")?);
/// assert!(center.is_like(&center));
/// assert!(!center.is_like(&left));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PerceptualHash([u64; WORDS]);

/// Up to how many bits apart two frames look the same. Compressing 45 pictures again (JPEG quality 50 to 90) or
/// halving them changed at most 7 of the 575; five degrees of a turning head, before the same wall, changed at least
/// 21.
pub const ALIKE_BITS: u32 = 8;

impl PerceptualHash {
    /// Returns the hash of `frame`.
    #[must_use]
    pub fn of(frame: &Frame<'_>) -> Self {
        Self::of_gray(&gray(frame))
    }

    /// Returns the hash of a gray picture of 96 x 96.
    pub(super) fn of_gray(gray: &[f32]) -> Self {
        let waves = waves();
        // Rows first, then columns: only the low frequencies of each.
        let mut rows = [[0f32; FREQUENCIES]; GRAY];
        for (y, row) in rows.iter_mut().enumerate() {
            for (u, value) in row.iter_mut().enumerate() {
                *value = gray[y * GRAY..(y + 1) * GRAY].iter().zip(&waves[u]).map(|(g, w)| g * w).sum();
            }
        }
        let mut words = [0; WORDS];
        for (v, wave) in waves.iter().enumerate() {
            for u in 0..FREQUENCIES {
                let value: f32 = rows.iter().zip(wave).map(|(row, w)| row[u] * w).sum();
                let bit = v * FREQUENCIES + u;
                // The mean is no frequency: a lighter picture is the same picture.
                if bit > 0 && value > 0.0 {
                    words[bit / 64] |= 1 << (bit % 64);
                }
            }
        }
        Self(words)
    }

    /// Returns how many of the 575 bits differ.
    ///
    /// ```
    /// use faceattend_core::Frame;
    /// use faceattend_core::liveness::{ALIKE_BITS, PerceptualHash};
    ///
    /// let hash = |view: &str| Ok(PerceptualHash::of(&Frame::open(format!("../examples/media/hopper/{view}.jpg"))?));
    /// let (a, b): (PerceptualHash, PerceptualHash) = (hash("yaw+00")?, hash("yaw+20")?);
    /// assert!(a.distance(&b) > ALIKE_BITS);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// Returns how many of the 143 bits of the 12 x 12 lowest frequencies differ: small shifts move these least.
    ///
    /// ```
    /// use faceattend_core::Frame;
    /// use faceattend_core::liveness::PerceptualHash;
    ///
    /// let hash = PerceptualHash::of(&Frame::open("../examples/media/hopper/center.jpg")?);
    /// assert_eq!(hash.coarse_distance(&hash), 0);
    /// assert!(hash.coarse_distance(&hash.mirrored()) <= hash.distance(&hash.mirrored()));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn coarse_distance(&self, other: &Self) -> u32 {
        let differs = |bit: usize| u32::from((self.0[bit / 64] ^ other.0[bit / 64]) >> (bit % 64) & 1 == 1);
        (0..COARSE * COARSE).map(|at| differs(at / COARSE * FREQUENCIES + at % COARSE)).sum()
    }

    /// Returns whether the two frames look the same.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.distance(other) <= ALIKE_BITS
    }

    /// Returns the hash of the frame as a mirror shows it: waves of odd frequency across change their sign.
    ///
    /// ```
    /// use faceattend_core::Frame;
    /// use faceattend_core::liveness::PerceptualHash;
    ///
    /// let hash = PerceptualHash::of(&Frame::open("../examples/media/hopper/left.jpg")?);
    /// assert!(!hash.is_like(&hash.mirrored()));
    /// assert_eq!(hash.mirrored().mirrored(), hash);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut words = self.0;
        for bit in (0..WORDS * 64).filter(|bit| (bit % FREQUENCIES) % 2 == 1) {
            words[bit / 64] ^= 1 << (bit % 64);
        }
        Self(words)
    }

    /// Returns the bits as 72 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; WORDS * 8] {
        let mut bytes = [0; WORDS * 8];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *to = word.to_le_bytes();
        }
        bytes
    }

    /// Returns the hash in 72 bytes; `None` for another number of them.
    ///
    /// ```
    /// use faceattend_core::Frame;
    /// use faceattend_core::liveness::PerceptualHash;
    ///
    /// let hash = PerceptualHash::of(&Frame::open("../examples/media/hopper/center.jpg")?);
    /// assert_eq!(PerceptualHash::from_bytes(&hash.to_bytes()), Some(hash));
    /// assert_eq!(PerceptualHash::from_bytes(&[1, 2, 3]), None);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: [[u8; 8]; WORDS] = words.try_into().ok()?;
        rest.is_empty().then(|| Self(words.map(u64::from_le_bytes)))
    }
}

impl std::fmt::Debug for PerceptualHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PerceptualHash({:016x}..)", self.0[0])
    }
}

impl Serialize for PerceptualHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(self.to_bytes()))
    }
}

impl<'de> Deserialize<'de> for PerceptualHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(de::Error::custom)?;
        Self::from_bytes(&bytes).ok_or_else(|| de::Error::custom("a perceptual hash has 72 bytes"))
    }
}

/// Returns the cosines of the transform: `FREQUENCIES` waves of `GRAY` samples.
#[expect(clippy::cast_precision_loss, reason = "numbers below 100")]
fn waves() -> [[f32; GRAY]; FREQUENCIES] {
    std::array::from_fn(|u| {
        std::array::from_fn(|x| (std::f32::consts::PI * (x as f32 + 0.5) * u as f32 / GRAY as f32).cos())
    })
}

/// Returns the frame's luminance, averaged over 96 x 96 fields of equal area; a pixel on a border belongs to both
/// sides by its parts, so that a scaled frame has the same fields.
fn gray(frame: &Frame<'_>) -> Vec<f32> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let weights: [f32; 3] = match frame.order() {
        ChannelOrder::Rgb => [0.299, 0.587, 0.114],
        ChannelOrder::Bgr => [0.114, 0.587, 0.299],
    };
    let columns: Vec<Vec<(usize, f32)>> = (0..GRAY).map(|x| parts(x, width)).collect();
    let mut gray = vec![0f32; GRAY * GRAY];
    let mut luminance = vec![0f32; width];
    // Which field rows a pixel row belongs to, and by how much.
    let mut rows: Vec<Vec<(usize, f32)>> = vec![Vec::new(); height];
    for field in 0..GRAY {
        for (row, part) in parts(field, height) {
            rows[row].push((field, part));
        }
    }
    for (line, fields) in frame.pixels().chunks_exact(width * 3).zip(&rows) {
        for (value, pixel) in luminance.iter_mut().zip(line.as_chunks::<3>().0) {
            *value = pixel.iter().zip(weights).map(|(v, w)| f32::from(*v) * w).sum();
        }
        for (x, parts) in columns.iter().enumerate() {
            let sum: f32 = parts.iter().map(|(column, part)| luminance[*column] * part).sum();
            for (y, part) in fields {
                gray[y * GRAY + x] += sum * part;
            }
        }
    }
    gray
}

/// Returns the pixels of a side of `length` that field `at` of 96 covers, each with its share of the field.
#[expect(clippy::cast_precision_loss, reason = "frames have far fewer than 2^24 pixels a side")]
fn parts(at: usize, length: usize) -> Vec<(usize, f32)> {
    let (from, to) = ((at * length) as f64 / GRAY as f64, ((at + 1) * length) as f64 / GRAY as f64);
    (at * length / GRAY..length)
        .map(|pixel| (pixel, (to.min((pixel + 1) as f64) - from.max(pixel as f64)) / (to - from)))
        .take_while(|(_, part)| *part > 0.0)
        .map(|(pixel, part)| {
            #[expect(clippy::cast_possible_truncation, reason = "a share in (0, 1]")]
            let part = part as f32;
            (pixel, part)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::liveness::hash::mix;

    /// Returns a picture of 32 x 32 fields of random gray: every frequency is in it, and every `seed` is another
    /// picture.
    fn blobs(seed: u32, size: u32, order: ChannelOrder) -> Frame<'static> {
        let gray = |x: u32, y: u32| (mix(mix(u64::from(seed), u64::from(x)), u64::from(y)) >> 56) as u8 / 2 + 60;
        let pixels = (0..size * size).flat_map(|i| {
            let value = gray(i % size * 32 / size, i / size * 32 / size);
            let rgb = [value, value, value / 2];
            if order == ChannelOrder::Rgb { rgb } else { [rgb[2], rgb[1], rgb[0]] }
        });
        Frame::new(pixels.collect::<Vec<_>>(), size, size, order).unwrap()
    }

    #[test]
    fn scaled_and_lighter_pictures_look_the_same_and_others_do_not() {
        let original = PerceptualHash::of(&blobs(1, 320, ChannelOrder::Rgb));
        assert!(original.is_like(&PerceptualHash::of(&blobs(1, 640, ChannelOrder::Rgb))));
        assert!(original.is_like(&PerceptualHash::of(&blobs(1, 320, ChannelOrder::Bgr))));
        let lighter = blobs(1, 320, ChannelOrder::Rgb);
        let pixels: Vec<u8> = lighter.pixels().iter().map(|v| v.saturating_add(8)).collect();
        assert!(original.is_like(&PerceptualHash::of(&Frame::new(pixels, 320, 320, ChannelOrder::Rgb).unwrap())));
        assert!(original.distance(&PerceptualHash::of(&blobs(2, 320, ChannelOrder::Rgb))) > 40);
    }

    #[test]
    fn the_hash_of_the_mirror_image_is_known_without_it() {
        let picture = blobs(3, 192, ChannelOrder::Rgb);
        let pixels = (0..192u32).flat_map(|y| (0..192u32).rev().map(move |x| (x, y)));
        let flipped: Vec<u8> = pixels.flat_map(|(x, y)| picture.rgb(x, y).unwrap()).collect();
        let flipped = PerceptualHash::of(&Frame::new(flipped, 192, 192, ChannelOrder::Rgb).unwrap());
        assert!(PerceptualHash::of(&picture).mirrored().is_like(&flipped));
        assert!(!PerceptualHash::of(&picture).is_like(&flipped));
    }

    #[test]
    fn a_picture_smaller_than_its_hash_has_one() {
        let dot = PerceptualHash::of(&Frame::new(vec![9; 3], 1, 1, ChannelOrder::Rgb).unwrap());
        assert_eq!(PerceptualHash::from_bytes(&dot.to_bytes()), Some(dot));
        assert_eq!(PerceptualHash::from_bytes(&[0; 71]), None);
        assert_eq!(serde_json::from_value::<PerceptualHash>(serde_json::to_value(dot).unwrap()).unwrap(), dot);
    }
}
