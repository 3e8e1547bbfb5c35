//! Decodes the usual JPEG: sequential, all components in one scan, gray or YCbCr.
//!
//! The general decoder takes any other. This one goes through the codes once, where that one and the check for missing
//! parts go through them twice; and it gives a picture of 1/2, 1/4 or 1/8 of the sides for less, because a block is
//! transformed to fewer pixels (the mean of those that they stand for).

mod codes;
mod header;
mod rows;
mod transform;

use image::RgbImage;

use self::codes::Bits;
use self::header::{Component, Header, ZIGZAG};
use self::transform::Block;
use super::huffman::{CutOff, Step};

/// A part of a picture's sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reduction {
    Full,
    Half,
    Quarter,
    Eighth,
}

impl Reduction {
    /// Returns the pixels of the whole picture that a pixel stands for, across and down.
    pub(super) fn factor(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}

/// Returns the picture in `bytes` at a part of its size, rounded up; `None` where it is not of this kind, or not of the
/// size that was found to be within the limits.
pub(super) fn decode(bytes: &[u8], size: (u32, u32), reduction: Reduction) -> Option<Step<RgbImage>> {
    let header = Header::read(bytes)?;
    let (width, height) = (u32::try_from(header.width).ok()?, u32::try_from(header.height).ok()?);
    if (width, height) != size {
        return None;
    }
    let (width, height) = (width.div_ceil(reduction.factor()), height.div_ceil(reduction.factor()));
    match pulp::Arch::new().dispatch(Decoding { bytes, header, reduction }) {
        Ok((pixels, end)) if is_end(bytes, end) => RgbImage::from_raw(width, height, pixels).map(Ok),
        // Another scan, or another picture.
        Ok(_) => None,
        Err(cut_off) => Some(Err(cut_off)),
    }
}

/// Returns whether nothing follows at `at` but the end, which may be missing.
fn is_end(bytes: &[u8], mut at: usize) -> bool {
    loop {
        match bytes.get(at..at + 2) {
            None | Some([0xFF, 0xD9]) => return true,
            // What follows a marker without a meaning here.
            Some([0xFF, 0x01 | 0xD0..=0xD8]) => at += 2,
            Some([0xFF, 0x00 | 0xFF]) => at += 1,
            Some([0xFF, _]) => return false,
            Some(_) => at += 1,
        }
    }
}

struct Decoding<'b> {
    bytes: &'b [u8],
    header: Header,
    reduction: Reduction,
}

impl pulp::WithSimd for Decoding<'_> {
    /// The pixels, and where the scan ends.
    type Output = Step<(Vec<u8>, usize)>;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        // What has more than four lanes multiplies and adds at once, and a call would take its place elsewhere.
        match (S::F32_LANES > 4, self.reduction) {
            (true, Reduction::Full) => self.scan::<8, true>(),
            (true, Reduction::Half) => self.scan::<4, true>(),
            (true, Reduction::Quarter) => self.scan::<2, true>(),
            (true, Reduction::Eighth) => self.scan::<1, true>(),
            (false, Reduction::Full) => self.scan::<8, false>(),
            (false, Reduction::Half) => self.scan::<4, false>(),
            (false, Reduction::Quarter) => self.scan::<2, false>(),
            (false, Reduction::Eighth) => self.scan::<1, false>(),
        }
    }
}

/// The rows of a component that are at hand: of the MCUs that are being decoded and of those before.
struct Band {
    bytes: Vec<u8>,
    stride: usize,
    /// Rows in an MCU.
    rows: usize,
    /// Columns and rows of the component itself, without what fills up MCUs.
    width: usize,
    height: usize,
    /// The side of a block in pixels.
    side: usize,
    /// How often each value stands in the picture.
    across: usize,
    down: usize,
}

impl Band {
    fn row(&self, y: usize) -> &[u8] {
        &self.bytes[y % (2 * self.rows) * self.stride..][..self.width]
    }
}

impl Decoding<'_> {
    #[inline(always)]
    fn scan<const SIDE: usize, const FUSED: bool>(self) -> Step<(Vec<u8>, usize)> {
        let Header { width, height, components, restart_every, scan } = &self.header;
        let columns = width.div_ceil(8 * components[0].across);
        let units = height.div_ceil(8 * components[0].down) * columns;
        let mut bands = self.bands::<SIDE>(columns);
        let mut picture = Picture::new(width.div_ceil(8 / SIDE), height.div_ceil(8 / SIDE));
        let mut bits = Bits::at(self.bytes, *scan);
        let mut previous = [0; 3];
        let mut block = Block { values: [0.0; 64], places: 0 };
        for unit in 0..units {
            if *restart_every > 0 && unit > 0 && unit % restart_every == 0 {
                bits.restart().ok_or(CutOff)?;
                previous = [0; 3];
            }
            let (x, y) = (unit % columns, unit / columns);
            for ((component, band), previous) in components.iter().zip(&mut bands).zip(&mut previous) {
                for (dy, dx) in (0..component.down).flat_map(|dy| (0..component.across).map(move |dx| (dy, dx))) {
                    let read = read(&mut bits, component, previous, &mut block);
                    // A few bits that are missing in the last block of all harm nobody.
                    if read.is_none() && unit + 1 < units {
                        return Err(CutOff);
                    }
                    let top = (y % 2 * component.down + dy) * band.side;
                    let at = top * band.stride + (x * component.across + dx) * band.side;
                    match band.side {
                        side if side == SIDE => {
                            transform::put::<SIDE, FUSED>(&block, &mut band.bytes, at, band.stride);
                        }
                        8 => transform::put::<8, FUSED>(&block, &mut band.bytes, at, band.stride),
                        4 => transform::put::<4, FUSED>(&block, &mut band.bytes, at, band.stride),
                        _ => transform::put::<2, FUSED>(&block, &mut band.bytes, at, band.stride),
                    }
                }
            }
            if x + 1 == columns {
                // The last row of a band is interpolated with the first of the next.
                let waiting = usize::from(components[0].down > 1 && unit + 1 < units);
                picture.go_on(&bands, (y + 1) * bands[0].rows - waiting);
            }
        }
        Ok((picture.pixels, bits.position()))
    }

    fn bands<const SIDE: usize>(&self, columns: usize) -> Vec<Band> {
        let Header { width, height, components, .. } = &self.header;
        let (width, height) = (width.div_ceil(8 / SIDE), height.div_ceil(8 / SIDE));
        let band = |component: &Component| {
            let mut across = components[0].across / component.across;
            let mut down = components[0].down / component.down;
            let mut side = SIDE;
            // Color that is coarser in both directions has all pixels of a picture of half the size.
            if SIDE < 8 && across == 2 && down == 2 {
                (side, across, down) = (2 * SIDE, 1, 1);
            }
            let (stride, rows) = (columns * component.across * side, component.down * side);
            let bytes = vec![0; 2 * rows * stride];
            let (width, height) = (width.div_ceil(across), height.div_ceil(down));
            Band { bytes, stride, rows, width, height, side, across, down }
        };
        components.iter().map(band).collect()
    }
}

/// The picture as far as it is done.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    rows: usize,
    /// Rows of color as wide as the picture, and the sums that they are made of.
    enlarged: [Vec<u8>; 2],
    sums: Vec<u16>,
}

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        // An odd width takes one value less than twice those that it is interpolated from.
        let enlarged = [vec![0; width + 1], vec![0; width + 1]];
        Self { width, height, pixels: vec![0; width * height * 3], rows: 0, enlarged, sums: Vec::new() }
    }

    /// Fills all rows up to `end`.
    #[inline(always)]
    fn go_on(&mut self, bands: &[Band], end: usize) {
        let end = end.min(self.height);
        for row in self.rows..end {
            let out = &mut self.pixels[row * self.width * 3..][..self.width * 3];
            emit(bands, row, &mut self.enlarged, &mut self.sums, out);
        }
        self.rows = end;
    }
}

/// Reads the next block of `component`.
#[inline(always)]
fn read(scan: &mut Bits<'_>, component: &Component, previous: &mut i32, block: &mut Block) -> Option<()> {
    block.values = [0.0; 64];
    block.places = 0;
    let mut bits = *scan;
    let (_, difference) = bits.coefficient(&component.dc)?;
    *previous = previous.wrapping_add(difference);
    // The middle of the range lies at 0: eight times it in the mean.
    block.values[0] = *previous as f32 * component.steps[0] + 8.0 * 128.0;
    let mut at = 1;
    while at < 64 {
        let (zeros, value) = bits.coefficient(&component.ac)?;
        at += zeros;
        if at > 63 {
            break;
        }
        let place = usize::from(ZIGZAG[at]) & 63;
        block.values[place] = value as f32 * component.steps[at];
        block.places |= place;
        at += 1;
    }
    *scan = bits;
    (!bits.is_exhausted()).then_some(())
}

/// Fills `out` with a row of the picture.
#[inline(always)]
fn emit(bands: &[Band], row: usize, enlarged: &mut [Vec<u8>; 2], sums: &mut Vec<u16>, out: &mut [u8]) {
    let luma = bands[0].row(row);
    let [_, blue, red] = bands else {
        for (pixel, luma) in out.as_chunks_mut::<3>().0.iter_mut().zip(luma) {
            *pixel = [*luma; 3];
        }
        return;
    };
    if blue.across == 1 && blue.down == 1 {
        rows::to_rgb(luma, blue.row(row), red.row(row), out);
        return;
    }
    for (band, enlarged) in [blue, red].into_iter().zip(enlarged.iter_mut()) {
        let near = row / band.down;
        let far = if row % band.down == 1 { (near + 1).min(band.height - 1) } else { near.saturating_sub(1) };
        let far = (band.down > 1).then(|| band.row(far));
        rows::enlarge(band.row(near), far, band.across, sums, enlarged);
    }
    rows::to_rgb(luma, &enlarged[0], &enlarged[1], out);
}

#[cfg(test)]
mod tests;
