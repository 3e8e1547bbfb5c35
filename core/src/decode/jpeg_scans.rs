//! Tells whether the coded data of a JPEG covers the whole picture.
//!
//! Decoders paint what is missing of a picture that was cut off in gray and say nothing of it. So the scans are walked
//! through here symbol by symbol, without turning them into pixels: a scan that ends before its last block was cut off.
//! An end marker that is missing behind whole scans is no fault (ITU-T T.81, annexes B, F and G).

use super::huffman::{Bits, CutOff, Step, Table, for_each_table};

/// Whether the coded data is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Every block has its data.
    Whole,
    /// Data ends before the picture does, or is damaged.
    Cut,
    /// It cannot be told: a coding that this module does not know, which its decoder refuses or not.
    Unknown,
}

/// The most scans that are followed, as many as the decoder takes (zune-jpeg 0.5).
const MOST_SCANS: usize = 100;

/// Returns whether the scans of the picture in `bytes` are all there.
pub(super) fn coverage(bytes: &[u8]) -> Coverage {
    Walk::default().through(bytes).unwrap_or(Coverage::Cut)
}

#[derive(Default)]
struct Walk {
    width: usize,
    height: usize,
    is_progressive: bool,
    components: Vec<Component>,
    /// First those of DC, then those of AC.
    tables: [[Option<Table>; 4]; 2],
    restart_every: usize,
    scans: usize,
}

struct Component {
    id: u8,
    across: usize,
    down: usize,
    /// Blocks of the component itself, without those that fill up an MCU.
    columns: usize,
    rows: usize,
    /// Blocks in a row of `nonzero`, which has room for whole MCUs.
    stride: usize,
    /// The coefficients of each block that are not zero, for the scans that refine them.
    nonzero: Vec<u64>,
    /// The bit of each coefficient that the last scan has brought: 0 once it is complete.
    missing_bits: [u8; 64],
}

/// A component in a scan: which, and by which tables.
type Member = (usize, usize, usize);

/// What a scan brings.
#[derive(Clone, Copy)]
struct Band {
    first: usize,
    last: usize,
    is_refinement: bool,
    low_bit: u8,
}

impl Walk {
    fn through(mut self, bytes: &[u8]) -> Step<Coverage> {
        let mut at = 2;
        loop {
            // Whatever stands before a marker is passed over, as decoders do.
            while at + 1 < bytes.len() && (bytes[at] != 0xFF || matches!(bytes[at + 1], 0x00 | 0xFF)) {
                at += 1;
            }
            let Some(marker) = bytes.get(at + 1).copied() else { return Ok(self.without_end_marker()) };
            at += 2;
            match marker {
                0xD9 => return Ok(self.with_end_marker()),
                0x01 | 0xD0..=0xD8 => continue,
                _ => {}
            }
            let Some([high, low]) = bytes.get(at..at + 2) else { return Ok(self.without_end_marker()) };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some(segment) = bytes.get(at + 2..at + length) else { return Ok(self.without_end_marker()) };
            at += length;
            let understood = match marker {
                0xC0..=0xC2 => self.frame(segment, marker == 0xC2),
                0xC4 => self.huffman_tables(segment),
                0xDD => self.restart_interval(segment),
                0xDA => match self.scan_header(segment) {
                    Some((members, band)) => {
                        at = self.scan(bytes, at, &members, band)?;
                        self.scans += 1;
                        Some(())
                    }
                    None => None,
                },
                // Lossless, hierarchical and arithmetic coding; a height that comes after the first scan.
                0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF | 0xDC => None,
                _ => Some(()),
            };
            if understood.is_none() || self.scans > MOST_SCANS {
                return Ok(Coverage::Unknown);
            }
        }
    }

    /// Returns whether each component has its first coefficient, without which there is no picture of it.
    fn with_end_marker(&self) -> Coverage {
        let has_begun = |component: &Component| component.missing_bits[0] < UNSEEN;
        if self.components.iter().all(has_begun) { Coverage::Whole } else { Coverage::Cut }
    }

    /// Returns whether nothing but the end marker is missing.
    fn without_end_marker(&self) -> Coverage {
        let is_complete = |component: &Component| component.missing_bits.iter().all(|bits| *bits == 0);
        let is_whole = !self.components.is_empty() && self.components.iter().all(is_complete);
        if is_whole { Coverage::Whole } else { Coverage::Cut }
    }

    fn frame(&mut self, segment: &[u8], is_progressive: bool) -> Option<()> {
        let [precision, h1, h0, w1, w0, count, fields @ ..] = segment else { return None };
        self.height = usize::from(u16::from_be_bytes([*h1, *h0]));
        self.width = usize::from(u16::from_be_bytes([*w1, *w0]));
        self.is_progressive = is_progressive;
        let fields: Vec<&[u8]> = fields.chunks_exact(3).take(usize::from(*count)).collect();
        let is_known = *precision == 8 && self.width > 0 && self.height > 0 && self.components.is_empty();
        let sampling = |field: &&[u8]| (usize::from(field[1] >> 4), usize::from(field[1] & 15));
        let are_known = fields.iter().map(sampling).all(|(h, v)| (1..=4).contains(&h) && (1..=4).contains(&v));
        if !is_known || !are_known || fields.is_empty() || fields.len() > 4 {
            return None;
        }
        let (most_across, most_down) =
            fields.iter().map(sampling).fold((1, 1), |(across, down), (h, v)| (across.max(h), down.max(v)));
        for field in &fields {
            let (across, down) = sampling(field);
            let columns = (self.width * across).div_ceil(most_across).div_ceil(8);
            let rows = (self.height * down).div_ceil(most_down).div_ceil(8);
            let stride = self.width.div_ceil(8 * most_across) * across;
            let blocks = stride * self.height.div_ceil(8 * most_down) * down;
            let nonzero = if is_progressive { vec![0; blocks] } else { Vec::new() };
            let missing_bits = [UNSEEN; 64];
            self.components.push(Component {
                id: field[0],
                across,
                down,
                columns,
                rows,
                stride,
                nonzero,
                missing_bits,
            });
        }
        Some(())
    }

    fn huffman_tables(&mut self, segment: &[u8]) -> Option<()> {
        for_each_table(segment, |class, number, (counts, symbols)| {
            *self.tables.get_mut(class)?.get_mut(number)? = Some(Table::new(counts, symbols)?);
            Some(())
        })
    }

    fn restart_interval(&mut self, segment: &[u8]) -> Option<()> {
        let [high, low, ..] = segment else { return None };
        self.restart_every = usize::from(u16::from_be_bytes([*high, *low]));
        Some(())
    }

    fn scan_header(&self, segment: &[u8]) -> Option<(Vec<Member>, Band)> {
        let (count, rest) = segment.split_first()?;
        let (fields, band) = rest.split_at_checked(2 * usize::from(*count))?;
        let [first, last, bits, ..] = band else { return None };
        let mut members = Vec::new();
        for field in fields.chunks_exact(2) {
            let component = self.components.iter().position(|component| component.id == field[0])?;
            members.push((component, usize::from(field[1] >> 4), usize::from(field[1] & 15)));
        }
        let band = if self.is_progressive {
            let (first, last) = (usize::from(*first), usize::from(*last));
            Band { first, last, is_refinement: bits >> 4 > 0, low_bit: bits & 15 }
        } else {
            Band { first: 0, last: 63, is_refinement: false, low_bit: 0 }
        };
        let is_sound = band.first <= band.last && band.last < 64 && (band.first == 0 || members.len() == 1);
        // The first coefficient and the others come apart in a progressive picture.
        let is_apart = !self.is_progressive || band.first > 0 || band.last == 0;
        // Without tables: a frame of a motion-JPEG, which its decoder completes or refuses.
        let needs = [band.first == 0 && !band.is_refinement, band.last > 0];
        let has_tables = members.iter().all(|(_, dc, ac)| {
            [dc, ac]
                .into_iter()
                .zip(needs)
                .zip(&self.tables)
                .all(|((number, is_needed), tables)| !is_needed || tables.get(*number).is_some_and(Option::is_some))
        });
        let is_known = is_sound && is_apart && has_tables && !members.is_empty() && members.len() <= 4;
        is_known.then_some((members, band))
    }

    /// Walks through a scan that begins at `at`; returns where it ends.
    fn scan(&mut self, bytes: &[u8], at: usize, members: &[Member], band: Band) -> Step<usize> {
        let mut bits = Bits::at(bytes, at);
        let mut blocks = Blocks { run: 0 };
        let (across, down) = match members {
            [(only, ..)] => (self.components[*only].columns, self.components[*only].rows),
            _ => {
                let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
                let (most_across, most_down) = (most(|component| component.across), most(|component| component.down));
                (self.width.div_ceil(8 * most_across), self.height.div_ceil(8 * most_down))
            }
        };
        let is_alone = members.len() == 1;
        let total = across * down;
        for unit in 0..total {
            if self.restart_every > 0 && unit > 0 && unit % self.restart_every == 0 {
                bits.restart()?;
                blocks.run = 0;
            }
            let (x, y) = (unit % across, unit / across);
            for (component, dc, ac) in members {
                let [dc_tables, ac_tables] = &self.tables;
                let tables = [&dc_tables[dc & 3], &ac_tables[ac & 3]];
                let component = &mut self.components[*component];
                let (wide, high) = if is_alone { (1, 1) } else { (component.across, component.down) };
                for (dy, dx) in (0..high).flat_map(|dy| (0..wide).map(move |dx| (dy, dx))) {
                    let block = (y * high + dy) * component.stride + x * wide + dx;
                    let walked = if self.is_progressive {
                        let nonzero = component.nonzero.get_mut(block).ok_or(CutOff)?;
                        blocks.progressive(&mut bits, tables, band, nonzero)
                    } else {
                        Blocks::sequential(&mut bits, tables)
                    };
                    // A few bits that are missing in the last block of all harm nobody.
                    if walked.is_err() && unit + 1 < total {
                        return Err(CutOff);
                    }
                }
            }
        }
        for (component, ..) in members {
            let seen = &mut self.components[*component].missing_bits[band.first..=band.last];
            seen.iter_mut().for_each(|bits| *bits = band.low_bit);
        }
        Ok(bits.position())
    }
}

/// Of coefficients that no scan has brought.
const UNSEEN: u8 = u8::MAX;

struct Blocks {
    /// Blocks that have nothing more in this band.
    run: u32,
}

impl Blocks {
    fn sequential(bits: &mut Bits<'_>, [dc, ac]: [&Option<Table>; 2]) -> Step<()> {
        let (Some(dc), Some(ac)) = (dc, ac) else { return Err(CutOff) };
        let category = bits.symbol(dc)?;
        bits.skip(u32::from(category & 15))?;
        let mut at = 1;
        while at < 64 {
            let symbol = bits.symbol(ac)?;
            let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
            match (zeros, size) {
                (15, 0) => at += 16,
                (_, 0) => break,
                _ => {
                    at += zeros + 1;
                    bits.skip(u32::from(size))?;
                }
            }
        }
        Ok(())
    }

    fn progressive(
        &mut self,
        bits: &mut Bits<'_>,
        [dc, ac]: [&Option<Table>; 2],
        band: Band,
        nonzero: &mut u64,
    ) -> Step<()> {
        match (band.first, band.is_refinement) {
            (0, true) => bits.skip(1),
            (0, false) => {
                let category = bits.symbol(dc.as_ref().ok_or(CutOff)?)?;
                bits.skip(u32::from(category & 15))
            }
            (_, false) => self.first_of_band(bits, ac.as_ref().ok_or(CutOff)?, band, nonzero),
            (_, true) => self.refinement(bits, ac.as_ref().ok_or(CutOff)?, band, nonzero),
        }
    }

    fn first_of_band(&mut self, bits: &mut Bits<'_>, table: &Table, band: Band, nonzero: &mut u64) -> Step<()> {
        if self.run > 0 {
            self.run -= 1;
            return Ok(());
        }
        let mut at = band.first;
        while at <= band.last {
            let symbol = bits.symbol(table)?;
            let (zeros, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (zeros, size) {
                (15, 0) => at += 16,
                (_, 0) => {
                    self.run = (1 << zeros) - 1 + bits.take(zeros)?;
                    break;
                }
                _ => {
                    at += zeros as usize;
                    bits.skip(size)?;
                    if at < 64 {
                        *nonzero |= 1 << at;
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn refinement(&mut self, bits: &mut Bits<'_>, table: &Table, band: Band, nonzero: &mut u64) -> Step<()> {
        let mut at = band.first;
        if self.run == 0 {
            while at <= band.last {
                let symbol = bits.symbol(table)?;
                let (mut zeros, size) = (u32::from(symbol >> 4), symbol & 15);
                if size == 0 && zeros < 15 {
                    self.run = (1 << zeros) + bits.take(zeros)?;
                    break;
                }
                if size > 0 {
                    bits.skip(1)?;
                }
                while at <= band.last {
                    if *nonzero >> at & 1 == 1 {
                        bits.skip(1)?;
                    } else if zeros == 0 {
                        break;
                    } else {
                        zeros -= 1;
                    }
                    at += 1;
                }
                if size > 0 && at <= band.last {
                    *nonzero |= 1 << at;
                }
                at += 1;
            }
        }
        if self.run > 0 {
            let band =
                (u64::MAX >> (63 - band.last)) & (u64::MAX.checked_shl(u32::try_from(at).unwrap_or(64))).unwrap_or(0);
            bits.skip((*nonzero & band).count_ones())?;
            self.run -= 1;
        }
        Ok(())
    }
}
