//! Finds the pictures in the bytes of a motion-JPEG stream by the markers of JPEG, whatever stands between them.
//!
//! The segments of a header are passed over by their lengths, so that the thumbnail in one is not taken for a picture.
//! A picture ends with its end marker, or where the next one begins: some cameras send no end marker.

/// A picture that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// From its start marker on. Only its decoder can tell whether it is whole.
    Picture(Vec<u8>),
    /// What began like a picture and is none, with the reason.
    Damaged(String),
}

enum State {
    /// Between two pictures.
    Between,
    /// Where the next marker of a header is, or will be.
    Header(usize),
    /// How far the coded data has been looked through.
    Coded(usize),
}

/// The pictures of a stream. Holds one picture at most, never more bytes than its limit.
pub(super) struct Jpegs {
    /// Begins with the picture, when there is one.
    held: Vec<u8>,
    state: State,
    limit: usize,
    /// What stands between two pictures, without dashes; may be empty.
    boundary: Vec<u8>,
    /// The stream is over: what is held is all there is.
    is_over: bool,
}

/// The longest header of a part that is looked for behind a picture without an end marker.
const PART_HEADER: usize = 4096;

impl Jpegs {
    /// Creates the reader of pictures of at most `limit` bytes, which `boundary` parts, where it is known.
    pub(super) fn new(limit: usize, boundary: Option<&str>) -> Self {
        let boundary = boundary.unwrap_or_default().trim_matches('-').as_bytes().to_vec();
        Self { held: Vec::new(), state: State::Between, limit, boundary, is_over: false }
    }

    /// Takes the next bytes of the stream.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Says that nothing more will come.
    pub(super) fn finish(&mut self) {
        self.is_over = true;
    }

    /// Returns whether no picture has begun.
    pub(super) fn is_between_pictures(&self) -> bool {
        matches!(self.state, State::Between)
    }

    /// Returns the next picture; `None` when more bytes are needed.
    pub(super) fn next(&mut self) -> Option<Found> {
        loop {
            let found = match self.state {
                State::Between => {
                    let start = self.held.windows(3).position(|at| at == [0xFF, 0xD8, 0xFF]);
                    let Some(start) = start else {
                        // The first two bytes of a start marker may be there.
                        let kept = self.held.len().min(2);
                        self.held.drain(..self.held.len() - kept);
                        return None;
                    };
                    self.held.drain(..start);
                    self.state = State::Header(2);
                    continue;
                }
                State::Header(at) => self.header(at),
                State::Coded(at) => self.coded(at),
            };
            match found {
                Step::Further => {}
                Step::Found(found) => return Some(found),
                Step::MoreNeeded if self.held.len() > self.limit => {
                    self.begin_behind(self.held.len());
                    let limit = self.limit;
                    return Some(Found::Damaged(format!("a picture without an end within {limit} bytes")));
                }
                Step::MoreNeeded if self.is_over => return Some(self.last()),
                Step::MoreNeeded => return None,
            }
        }
    }

    /// Reads the marker at `at` and passes over its segment.
    fn header(&mut self, at: usize) -> Step {
        let Some([first, marker]) = self.held.get(at..at + 2) else { return Step::MoreNeeded };
        let (first, marker) = (*first, *marker);
        match (first, marker) {
            (0xFF, 0xFF) => self.state = State::Header(at + 1),
            // Another picture begins.
            (0xFF, 0xD8) => return self.damaged(at, "a picture was cut off in its header"),
            (0xFF, 0x00 | 0xD9) => return self.damaged(at + 2, "a picture without contents"),
            (0xFF, 0x01 | 0xD0..=0xD7) => self.state = State::Header(at + 2),
            (0xFF, _) => {
                let Some([high, low]) = self.held.get(at + 2..at + 4) else { return Step::MoreNeeded };
                let end = at + 2 + usize::from(u16::from_be_bytes([*high, *low])).max(2);
                let is_scan = marker == 0xDA;
                self.state = if is_scan { State::Coded(end) } else { State::Header(end) };
            }
            _ => return self.damaged(at, "a picture was cut off in its header"),
        }
        Step::Further
    }

    /// Looks through coded data from `at` on for the marker behind it.
    fn coded(&mut self, at: usize) -> Step {
        let Some(rest) = self.held.get(at..) else { return Step::MoreNeeded };
        let Some(offset) = rest.iter().position(|byte| *byte == 0xFF) else {
            self.state = State::Coded(self.held.len());
            return Step::MoreNeeded;
        };
        let at = at + offset;
        self.state = State::Coded(at);
        match self.held.get(at + 1) {
            None => return Step::MoreNeeded,
            // A byte of the data, a fill byte, a restart.
            Some(0x00 | 0x01 | 0xD0..=0xD7) => self.state = State::Coded(at + 2),
            Some(0xFF) => self.state = State::Coded(at + 1),
            Some(0xD9) => {
                let picture = self.held[..at + 2].to_vec();
                self.begin_behind(at + 2);
                return Step::Found(Found::Picture(picture));
            }
            Some(0xD8) => {
                let picture = self.without_part_header(at);
                self.begin_behind(at);
                return Step::Found(Found::Picture(picture));
            }
            // Tables, and the next scan of a progressive picture.
            Some(_) => self.state = State::Header(at),
        }
        Step::Further
    }

    fn last(&mut self) -> Found {
        let found = match self.state {
            State::Coded(_) => Found::Picture(self.without_part_header(self.held.len())),
            State::Between | State::Header(_) => Found::Damaged("a picture was cut off in its header".to_owned()),
        };
        self.begin_behind(self.held.len());
        found
    }

    /// Returns the picture before `end`, where no end marker is, without the header of the next part. Whether it is
    /// whole is for the decoder to say.
    fn without_part_header(&self, end: usize) -> Vec<u8> {
        let picture = &self.held[..end];
        let searched = &picture[end.saturating_sub(PART_HEADER)..];
        let last = |sought: &[u8]| searched.windows(sought.len()).rposition(|at| at == sought);
        let boundary = if self.boundary.is_empty() { None } else { last(&self.boundary) };
        let cut = boundary.or_else(|| last(b"\n--")).map_or(end, |at| end - searched.len() + at);
        let mut kept = &picture[..cut];
        if cut < end {
            // The dashes before the boundary, and the line break before them.
            while let Some(shorter) = kept.strip_suffix(b"-") {
                kept = shorter;
            }
            kept = kept.strip_suffix(b"\n").unwrap_or(kept);
            kept = kept.strip_suffix(b"\r").unwrap_or(kept);
        }
        kept.to_vec()
    }

    fn damaged(&mut self, behind: usize, reason: &str) -> Step {
        self.begin_behind(behind);
        Step::Found(Found::Damaged(reason.to_owned()))
    }

    fn begin_behind(&mut self, at: usize) {
        self.held.drain(..at.min(self.held.len()));
        self.state = State::Between;
    }
}

enum Step {
    Further,
    MoreNeeded,
    Found(Found),
}

/// Returns the pictures of a stream that comes in pieces of `piece` bytes, an empty one for each that is damaged, and
/// the most bytes that were held. For fuzzing.
#[must_use]
pub fn pictures_of(stream: &[u8], piece: usize, limit: usize, boundary: &str) -> (Vec<Vec<u8>>, usize) {
    let mut jpegs = Jpegs::new(limit, Some(boundary));
    let (mut pictures, mut most) = (Vec::new(), 0);
    let mut take = |jpegs: &mut Jpegs| {
        while let Some(found) = jpegs.next() {
            pictures.push(if let Found::Picture(bytes) = found { bytes } else { Vec::new() });
        }
        most = most.max(jpegs.held.len());
    };
    for bytes in stream.chunks(piece.max(1)) {
        jpegs.push(bytes);
        take(&mut jpegs);
    }
    jpegs.finish();
    take(&mut jpegs);
    (pictures, most)
}
