//! The bits of a JPEG's scans, and the Huffman codes in them (ITU-T T.81, annexes C and F).

/// The picture is cut off, or its data is damaged.
pub(super) struct CutOff;

pub(super) type Step<T> = Result<T, CutOff>;

/// The bits of a scan, without the zero bytes that are put behind bytes of 255.
pub(super) struct Bits<'b> {
    bytes: &'b [u8],
    /// Behind the last byte that is held.
    at: usize,
    held: u64,
    count: u32,
}

impl<'b> Bits<'b> {
    /// Creates the bits of the scan that begins at `at`.
    pub(super) fn at(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0 }
    }

    /// Returns where the bytes begin that were not taken yet.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Takes bytes until a marker, the end, or all that there is room for.
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.bytes.get(self.at) {
                None => return,
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
                    _ => return,
                },
                Some(byte) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    pub(super) fn take(&mut self, count: u32) -> Step<u32> {
        if self.count < count {
            self.fill();
        }
        self.count = self.count.checked_sub(count).ok_or(CutOff)?;
        let bits = (self.held >> self.count) & ((1 << count) - 1);
        Ok(u32::try_from(bits).unwrap_or(0))
    }

    pub(super) fn skip(&mut self, mut count: u32) -> Step<()> {
        while count > 32 {
            self.take(32)?;
            count -= 32;
        }
        self.take(count).map(|_| ())
    }

    pub(super) fn symbol(&mut self, table: &Table) -> Step<u8> {
        if self.count < 16 {
            self.fill();
        }
        // What is missing at the end is taken for ones, as writers pad.
        let next = if self.count >= 16 {
            self.held >> (self.count - 16)
        } else {
            let missing = 16 - self.count;
            self.held << missing | ((1 << missing) - 1)
        };
        let (symbol, length) = table.find((next & 0xFFFF) as usize).ok_or(CutOff)?;
        self.count = self.count.checked_sub(length).ok_or(CutOff)?;
        Ok(symbol)
    }

    /// Goes on behind the next restart marker; what stands before it is left out.
    pub(super) fn restart(&mut self) -> Step<()> {
        (self.held, self.count) = (0, 0);
        loop {
            match self.bytes.get(self.at..self.at + 2) {
                Some([0xFF, 0xD0..=0xD7]) => {
                    self.at += 2;
                    return Ok(());
                }
                Some([0xFF, 0x00]) => self.at += 2,
                Some([0xFF, 0xFF]) => self.at += 1,
                Some([0xFF, _]) | None => return Err(CutOff),
                Some(_) => self.at += 1,
            }
        }
    }
}

/// How many codes each length has, and their symbols.
pub(super) type Codes<'b> = (&'b [u8; 16], &'b [u8]);

/// Gives the codes of a segment (DHT) to `take`, with their class (0 for DC, 1 for AC) and number; `None` for a segment
/// that is none, and where `take` takes them not.
pub(super) fn for_each_table<'b>(
    mut segment: &'b [u8],
    mut take: impl FnMut(usize, usize, Codes<'b>) -> Option<()>,
) -> Option<()> {
    while let [place, rest @ ..] = segment {
        let counts: &[u8; 16] = rest.first_chunk()?;
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        let symbols = rest.get(16..16 + total)?;
        take(usize::from(place >> 4), usize::from(place & 15), (counts, symbols))?;
        segment = &rest[16 + total..];
    }
    Some(())
}

/// A table of Huffman codes.
pub(super) struct Table {
    /// Symbol and length by the first bits of a code; length 0 for longer codes.
    short: Vec<(u8, u8)>,
    /// For each length: the last code plus one, shifted to 16 bits, and what makes a code an index of `symbols`.
    long: [(usize, usize); 17],
    symbols: Vec<u8>,
}

/// The length of the codes that are looked up at once.
const SHORT: u32 = 9;

impl Table {
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut short = vec![(0, 0); 1 << SHORT];
        let mut long = [(0, 0); 17];
        let (mut code, mut index) = (0_usize, 0_usize);
        for (length, count) in (1..=16_u32).zip(counts) {
            let count = usize::from(*count);
            if code + count > 1 << length {
                return None;
            }
            if length <= SHORT {
                for (offset, symbol) in symbols.get(index..index + count)?.iter().enumerate() {
                    let begin = (code + offset) << (SHORT - length);
                    let length = u8::try_from(length).unwrap_or(0);
                    short[begin..begin + (1 << (SHORT - u32::from(length)))].fill((*symbol, length));
                }
            }
            long[length as usize] = ((code + count) << (16 - length), index.wrapping_sub(code));
            code = (code + count) << 1;
            index += count;
        }
        Some(Self { short, long, symbols: symbols.to_vec() })
    }

    /// Returns the symbol that the first of these 16 bits stand for, and how many they are.
    fn find(&self, next: usize) -> Option<(u8, u32)> {
        let (symbol, length) = self.short[next >> (16 - SHORT)];
        if length > 0 {
            return Some((symbol, u32::from(length)));
        }
        for length in SHORT + 1..=16 {
            let (end, offset) = self.long[length as usize];
            if next < end {
                let symbol = self.symbols.get((next >> (16 - length)).wrapping_add(offset))?;
                return Some((*symbol, length));
            }
        }
        None
    }
}
