//! The bits of a sequential scan, several at once, and tables that turn them into coefficients.

/// The bits of a scan, the next one highest. At its end ones follow, as writers pad.
#[derive(Clone, Copy)]
pub(super) struct Bits<'b> {
    bytes: &'b [u8],
    /// Behind the last byte that is held.
    at: usize,
    held: u64,
    /// How many bits are held; below zero once more were taken than there are.
    count: i32,
}

const ONES: u64 = u64::MAX / 255;

impl<'b> Bits<'b> {
    pub(super) fn at(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0 }
    }

    /// Returns where the bytes begin that were not taken yet.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Returns whether more bits were taken than there are.
    #[inline(always)]
    pub(super) fn is_exhausted(&self) -> bool {
        self.count < 0
    }

    /// Makes sure that 32 bits can be taken.
    #[inline(always)]
    fn fill(&mut self) {
        if !(0..32).contains(&self.count) {
            return;
        }
        if let Some(next) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()) {
            let next = u64::from_be_bytes(*next);
            // No byte is 255: none is followed by a zero that does not count, or begins a marker.
            if (!next).wrapping_sub(ONES) & next & (ONES << 7) == 0 {
                self.held |= next >> self.count;
                let taken = (63 - self.count) >> 3;
                self.at += taken as usize;
                self.count += 8 * taken;
                return;
            }
        }
        *self = self.filled_by_bytes();
    }

    /// By value, as all that is seldom needed: what is lent out must lie in memory, and the next coefficient would
    /// wait for it.
    #[cold]
    #[inline(never)]
    fn filled_by_bytes(mut self) -> Self {
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at) {
                Some(0xFF) => match self.bytes.get(self.at + 1) {
                    Some(0x00) => {
                        self.at += 2;
                        0xFF
                    }
                    // A fill byte before a marker.
                    Some(0xFF) => {
                        self.at += 1;
                        continue;
                    }
                    _ => return self.padded(),
                },
                Some(byte) => {
                    self.at += 1;
                    *byte
                }
                None => return self.padded(),
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
        self
    }

    /// Puts ones behind the last bit.
    fn padded(mut self) -> Self {
        self.held |= u64::MAX >> self.count;
        self
    }

    #[inline(always)]
    fn take(&mut self, count: u32) -> u32 {
        // Twice, because a shift by all 64 bits is none.
        let bits = (self.held >> 1 >> (63 - count)) as u32;
        self.skip(count);
        bits
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.held <<= count;
        self.count -= count as i32;
    }

    /// Goes on behind the next restart marker; what stands before it is left out.
    pub(super) fn restart(&mut self) -> Option<()> {
        (self.held, self.count) = (0, 0);
        loop {
            match self.bytes.get(self.at..self.at + 2)? {
                [0xFF, 0xD0..=0xD7] => {
                    self.at += 2;
                    return Some(());
                }
                [0xFF, 0x00] => self.at += 2,
                [0xFF, 0xFF] => self.at += 1,
                [0xFF, _] => return None,
                _ => self.at += 1,
            }
        }
    }

    /// Returns the next coefficient and how many zeros come before it; 64 or more at the end of a block.
    #[inline(always)]
    pub(super) fn coefficient(&mut self, table: &Table) -> Option<(usize, i32)> {
        self.fill();
        let entry = table.short[(self.held >> (64 - SHORT)) as usize];
        if entry & COMPLETE != 0 {
            self.skip(entry & 0xFF);
            return Some(((entry >> 8 & 0x7F) as usize, entry as i32 >> 16));
        }
        let (symbol, length) = match entry & 0xFF {
            0 => table.long((self.held >> 48) as usize)?,
            length => ((entry >> 16) as u8, length),
        };
        self.skip(length);
        let (zeros, size) = table.meaning(symbol);
        let bits = self.take(size);
        Some((zeros, extended(bits, size)))
    }
}

/// Returns the number that `size` bits stand for: the lower half of them for negative ones.
#[inline(always)]
fn extended(bits: u32, size: u32) -> i32 {
    let bits = bits as i32;
    if size > 0 && bits >> (size - 1) == 0 { bits - (1 << size) + 1 } else { bits }
}

/// The length of the codes, with the bits of their numbers, that are looked up at once.
const SHORT: u32 = 10;
/// Marks entries that hold the number as well.
const COMPLETE: u32 = 1 << 15;
/// Zeros behind which no coefficient can come.
const END_OF_BLOCK: usize = 64;

/// A table of Huffman codes.
pub(super) struct Table {
    /// By the first bits: the length, the zeros (8 bits further) and the number (16 bits further) of what is complete;
    /// the length and the symbol (16 bits further) of a code whose number is longer; 0 for longer codes.
    short: Box<[u32; 1 << SHORT]>,
    /// For each length: the last code plus one, shifted to 16 bits, and what makes a code an index of `symbols`.
    long: [(usize, usize); 17],
    symbols: Vec<u8>,
    is_dc: bool,
}

impl Table {
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8], is_dc: bool) -> Option<Self> {
        let mut table = Self { short: Box::new([0; 1 << SHORT]), long: [(0, 0); 17], symbols: symbols.to_vec(), is_dc };
        let (mut code, mut index) = (0_usize, 0_usize);
        for (length, count) in (1..=16_u32).zip(counts) {
            let count = usize::from(*count);
            if code + count > 1 << length {
                return None;
            }
            for (offset, symbol) in symbols.get(index..index + count)?.iter().enumerate() {
                if length <= SHORT {
                    table.enter(code + offset, length, *symbol);
                }
            }
            table.long[length as usize] = ((code + count) << (16 - length), index.wrapping_sub(code));
            code = (code + count) << 1;
            index += count;
        }
        Some(table)
    }

    fn enter(&mut self, code: usize, length: u32, symbol: u8) {
        let (zeros, size) = self.meaning(symbol);
        let first = code << (SHORT - length);
        for (bits, entry) in self.short[first..][..1 << (SHORT - length)].iter_mut().enumerate() {
            *entry = if length + size <= SHORT {
                let number = extended((bits >> (SHORT - length - size)) as u32, size);
                (number as u32) << 16 | COMPLETE | (zeros as u32) << 8 | (length + size)
            } else {
                u32::from(symbol) << 16 | length
            };
        }
    }

    /// Returns the zeros before a number and how many bits it has.
    #[inline(always)]
    fn meaning(&self, symbol: u8) -> (usize, u32) {
        let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (zeros, size) {
            _ if self.is_dc => (0, size),
            // A run of sixteen: fifteen zeros before another.
            (15, 0) => (15, 0),
            (_, 0) => (END_OF_BLOCK, 0),
            _ => (zeros, size),
        }
    }

    /// Returns the symbol that the first of these 16 bits stand for, and how many they are.
    #[cold]
    #[inline(never)]
    fn long(&self, next: usize) -> Option<(u8, u32)> {
        for length in SHORT + 1..=16 {
            let (end, offset) = self.long[length as usize];
            if next < end {
                return Some((*self.symbols.get((next >> (16 - length)).wrapping_add(offset))?, length));
            }
        }
        None
    }
}
