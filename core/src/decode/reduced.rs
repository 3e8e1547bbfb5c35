//! Pictures that are decoded no larger than they are looked at.

use std::panic::AssertUnwindSafe;

use image::metadata::Orientation;

use super::sequential::{self, Reduction};
use super::{DecodeLimits, JpegHeader, caught, cut_off, decoded, open, upright};
use crate::error::Result;
use crate::frame::Frame;

/// A picture that is decoded when its pixels are asked for, at the size that is asked for.
pub(crate) struct Reducible<'b> {
    bytes: &'b [u8],
    limits: DecodeLimits,
    orientation: Orientation,
    /// As the picture is stored.
    stored: (u32, u32),
    /// Upright.
    width: u32,
    height: u32,
    /// Whether it may be one that can be decoded at a part of its size.
    reduces: bool,
    decoded: Option<(Reduction, Frame<'static>)>,
}

impl<'b> Reducible<'b> {
    /// Reads the header of the picture in `bytes`.
    ///
    /// # Errors
    /// As [`super::decode`], for what the header tells.
    pub(crate) fn open(bytes: &'b [u8], limits: &DecodeLimits) -> Result<Self> {
        caught(|| {
            let opened = open(bytes, limits)?;
            let stored = opened.decoder.dimensions();
            let (mut width, mut height) = stored;
            if super::turns_sideways(opened.orientation) {
                (width, height) = (height, width);
            }
            let reduces = opened.jpeg.is_some_and(JpegHeader::is_usual);
            let (limits, orientation) = (*limits, opened.orientation);
            Ok(Self { bytes, limits, orientation, stored, width, height, reduces, decoded: None })
        })
    }

    /// Returns the size of the whole picture.
    pub(crate) fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }

    /// Returns the picture's pixels, each for `factor` of the whole picture's at most, across and down; for how many
    /// each is; and how far the first begins before the whole picture does, in pixels of that.
    ///
    /// # Errors
    /// As [`super::decode`].
    pub(crate) fn part(&mut self, factor: f32) -> Result<(&Frame<'static>, u32, [u32; 2])> {
        let wanted = match factor {
            8.0.. => Reduction::Eighth,
            4.0.. => Reduction::Quarter,
            2.0.. => Reduction::Half,
            _ => Reduction::Full,
        };
        let wanted = if self.reduces { wanted } else { Reduction::Full };
        let decoded = match self.decoded.take().filter(|(finer, _)| *finer <= wanted) {
            Some(decoded) => decoded,
            None => self.decode(wanted)?,
        };
        let (reduction, frame) = self.decoded.insert(decoded);
        let factor = reduction.factor();
        let beyond = [frame.width() * factor - self.width, frame.height() * factor - self.height];
        Ok((frame, factor, before(self.orientation, beyond)))
    }

    fn decode(&self, wanted: Reduction) -> Result<(Reduction, Frame<'static>)> {
        let decode = || {
            if wanted > Reduction::Full
                && let Some(picture) = sequential::decode(self.bytes, self.stored, wanted)
            {
                let picture = picture.map_err(|_| cut_off())?;
                return Ok((wanted, upright(picture.into(), self.orientation)?));
            }
            Ok((Reduction::Full, decoded(self.bytes, &self.limits)?))
        };
        caught(AssertUnwindSafe(decode))
    }
}

/// Returns how much of what lies `beyond` the right and the lower edge as stored came before the left and the upper
/// one when the picture was turned upright.
fn before(orientation: Orientation, [x, y]: [u32; 2]) -> [u32; 2] {
    match orientation {
        Orientation::NoTransforms | Orientation::Rotate90FlipH => [0, 0],
        Orientation::FlipHorizontal | Orientation::Rotate90 => [x, 0],
        Orientation::FlipVertical | Orientation::Rotate270 => [0, y],
        Orientation::Rotate180 | Orientation::Rotate270FlipH => [x, y],
    }
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder};

    use super::*;

    /// A JPEG of odd sides with this orientation in it.
    fn turned(orientation: u8) -> Vec<u8> {
        let (width, height) = (53_u16, 37_u16);
        let pixel = |x: u16, y: u16| [(x * 4) as u8, (y * 6) as u8, ((x + y) * 2) as u8];
        let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 95).encode(&pixels, width, height, ColorType::Rgb).unwrap();
        let exif = [b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", &[orientation][..]];
        [&bytes[..2], exif[0], exif[1], &[0; 6], &bytes[2..]].concat()
    }

    /// Every orientation, at every size: a pixel lies where the part says.
    #[test]
    fn a_part_lies_where_it_says_in_the_upright_picture() {
        for orientation in 1..=8 {
            let bytes = turned(orientation);
            let limits = DecodeLimits::default();
            let whole = super::super::decode(&bytes, &limits).unwrap();
            for (wanted, taken) in [(2.5, 2), (4.0, 4), (99.0, 8)] {
                let mut picture = Reducible::open(&bytes, &limits).unwrap();
                assert_eq!(picture.size(), [whole.width(), whole.height()]);
                let (frame, factor, [left, top]) = picture.part(wanted).unwrap();
                assert_eq!(factor, taken);
                // The middle of a pixel inside.
                for (x, y) in [(1, 1), (2, 1), (1, 2), (frame.width() - 2, frame.height() - 2)] {
                    let at = |at: u32, before: u32| at * factor + factor / 2 - before;
                    let (there, here) = (whole.rgb(at(x, left), at(y, top)).unwrap(), frame.rgb(x, y).unwrap());
                    let off = there.iter().zip(here).map(|(a, b)| a.abs_diff(b)).max();
                    // Half a pixel of the ramp, not the seven that a forgotten edge would be.
                    assert!(off <= Some(6), "{orientation}, 1/{factor} at {x} {y}: {there:?} {here:?}");
                }
            }
        }
    }

    #[test]
    fn what_was_decoded_finer_is_not_decoded_again() {
        let bytes = turned(1);
        let mut picture = Reducible::open(&bytes, &DecodeLimits::default()).unwrap();
        assert_eq!(picture.part(8.0).unwrap().1, 8);
        assert_eq!(picture.part(2.0).unwrap().1, 2);
        assert_eq!(picture.part(8.0).unwrap().1, 2);
        assert_eq!(picture.part(1.0).unwrap().1, 1);
    }

    #[test]
    fn a_part_of_a_cut_off_picture_is_an_error() {
        let bytes = turned(1);
        let mut picture = Reducible::open(&bytes[..bytes.len() * 9 / 10], &DecodeLimits::default()).unwrap();
        assert!(picture.part(4.0).unwrap_err().to_string().contains("cut off"));
    }
}
