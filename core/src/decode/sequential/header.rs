//! What the markers of a sequential JPEG say up to its scan.

use super::super::huffman::{Codes, for_each_table};
use super::codes::Table;

pub(super) struct Header {
    pub(super) width: usize,
    pub(super) height: usize,
    /// One, or three of which the others are no finer than the first.
    pub(super) components: Vec<Component>,
    /// MCUs between restart markers; 0 for none.
    pub(super) restart_every: usize,
    /// Where the scan begins.
    pub(super) scan: usize,
}

pub(super) struct Component {
    /// Blocks in an MCU.
    pub(super) across: usize,
    pub(super) down: usize,
    /// What each coefficient is multiplied by, in the order of the scan.
    pub(super) steps: [f32; 64],
    pub(super) dc: Table,
    pub(super) ac: Table,
}

/// Where each coefficient of a scan lies in its block.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

#[derive(Default)]
struct Segments<'b> {
    frame: Option<&'b [u8]>,
    steps: [Option<[f32; 64]>; 4],
    /// First those of DC, then those of AC.
    codes: [[Option<Codes<'b>>; 4]; 2],
    restart_every: usize,
    /// What a writer by Adobe says of the colors.
    adobe_colors: Option<u8>,
}

impl Header {
    /// Reads the header of a picture that is sequential, of one scan, in gray or YCbCr; `None` for any other.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut segments = Segments::default();
        let mut at = 2;
        loop {
            // Whatever stands before a marker is passed over, as decoders do.
            while bytes.get(at).is_some_and(|byte| *byte != 0xFF) || matches!(bytes.get(at + 1), Some(0x00 | 0xFF)) {
                at += 1;
            }
            let marker = *bytes.get(at + 1)?;
            at += 2;
            if matches!(marker, 0x01 | 0xD0..=0xD8) {
                continue;
            }
            let length = usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
            let segment = bytes.get(at + 2..at + length)?;
            at += length;
            match marker {
                0xC0 | 0xC1 if segments.frame.is_none() => segments.frame = Some(segment),
                0xC4 => segments.codes(segment)?,
                0xDB => segments.steps(segment)?,
                0xDD => segments.restart_every = usize::from(u16::from_be_bytes(*segment.first_chunk()?)),
                0xDA => return segments.header(segment, at),
                0xEE if segment.starts_with(b"Adobe") => segments.adobe_colors = Some(*segment.get(11)?),
                // Other codings, the end, and a height that comes later.
                0xC0..=0xCF | 0xD9 | 0xDC => return None,
                _ => {}
            }
        }
    }
}

impl<'b> Segments<'b> {
    fn codes(&mut self, segment: &'b [u8]) -> Option<()> {
        for_each_table(segment, |class, number, codes| {
            *self.codes.get_mut(class)?.get_mut(number)? = Some(codes);
            Some(())
        })
    }

    fn steps(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [place, rest @ ..] = segment {
            let size = match place >> 4 {
                0 => 1,
                1 => 2,
                _ => return None,
            };
            let (values, rest) = rest.split_at_checked(64 * size)?;
            let value = |value: &[u8]| value.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
            let mut steps = [0.0; 64];
            for (step, bytes) in steps.iter_mut().zip(values.chunks_exact(size)) {
                *step = f32::from(value(bytes));
            }
            *self.steps.get_mut(usize::from(place & 15))? = Some(steps);
            segment = rest;
        }
        Some(())
    }

    fn header(&self, scan: &[u8], at: usize) -> Option<Header> {
        let [8, h1, h0, w1, w0, count, fields @ ..] = self.frame? else { return None };
        let height = usize::from(u16::from_be_bytes([*h1, *h0]));
        let width = usize::from(u16::from_be_bytes([*w1, *w0]));
        let (fields, _) = fields.as_chunks::<3>();
        let (in_scan, selectors) = scan.split_first()?;
        let is_plain = matches!(*count, 1 | 3) && count == in_scan && fields.len() == usize::from(*count);
        let (selectors, band) = selectors.split_at_checked(2 * usize::from(*in_scan))?;
        if !is_plain || width == 0 || height == 0 || band != [0, 63, 0] {
            return None;
        }
        // Colors that are kept as they are.
        let is_rgb = self.adobe_colors == Some(0) || fields.iter().map(|field| field[0]).eq(*b"RGB");
        let mut components = Vec::new();
        for (i, (field, selector)) in fields.iter().zip(selectors.chunks_exact(2)).enumerate() {
            let (across, down) = match (*count, i) {
                // Blocks that are alone come row by row, whatever their sampling.
                (1, _) => (1, 1),
                (_, 0) => (usize::from(field[1] >> 4), usize::from(field[1] & 15)),
                _ if field[1] == 0x11 => (1, 1),
                _ => return None,
            };
            let is_known = field[0] == selector[0] && matches!((across, down), (1 | 2, 1 | 2));
            if !is_known || (*count == 3 && is_rgb) {
                return None;
            }
            let [dc, ac] = &self.codes;
            let table = |tables: &[Option<Codes<'_>>; 4], number: u8, is_dc| {
                let (counts, symbols) = (*tables.get(usize::from(number))?)?;
                Table::new(counts, symbols, is_dc)
            };
            components.push(Component {
                across,
                down,
                steps: (*self.steps.get(usize::from(field[2]))?)?,
                dc: table(dc, selector[1] >> 4, true)?,
                ac: table(ac, selector[1] & 15, false)?,
            });
        }
        Some(Header { width, height, components, restart_every: self.restart_every, scan: at })
    }
}
