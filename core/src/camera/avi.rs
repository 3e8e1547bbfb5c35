//! A reader of MJPEG AVI files: each frame is a JPEG, and the container says where it is.
//!
//! The reader walks the file chunk by chunk and enters every list. It ignores the lengths of lists: in a recording
//! that was cut off they are zero or too long. It allocates nothing on a header's word: a chunk longer than the rest
//! of the file ends the recording, and one longer than [`MAX_FRAME_BYTES`] is refused.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

/// The largest frame that is read: a JPEG of 50 megapixels at the best quality.
const MAX_FRAME_BYTES: u32 = 64 << 20;

/// The most chunks before the first frame, so that a file made of empty chunks is given up.
const MAX_HEADER_CHUNKS: usize = 10_000;

/// The interval at which a file without a usable frame rate is played.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(40);

/// The frames of one MJPEG stream.
pub(super) struct AviReader<R> {
    file: R,
    at: u64,
    length: u64,
    /// `00dc` for the first stream.
    chunk: [u8; 2],
    interval: Duration,
}

/// What the next video chunk is.
#[derive(Debug, PartialEq)]
pub(super) enum Chunk {
    /// A frame.
    Jpeg(Vec<u8>),
    /// A frame that the recorder left out: its time passes.
    Empty,
}

struct Header {
    id: [u8; 4],
    size: u32,
}

impl<R: Read + Seek> AviReader<R> {
    /// Opens the MJPEG stream of `file`; returns `None` when it is no AVI file or has no such stream.
    pub(super) fn open(mut file: R) -> io::Result<Option<Self>> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut reader = Self { file, at: 0, length, chunk: *b"00", interval: DEFAULT_INTERVAL };
        match reader.header()? {
            Some(riff) if &riff.id == b"RIFF" && reader.list_type()? == Some(*b"AVI ") => {}
            _ => return Ok(None),
        }
        Ok(reader.read_headers()?.then_some(reader))
    }

    /// Returns the time between two frames.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Reads the next video chunk; returns `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        while let Some(header) = self.header()? {
            match &header.id {
                b"RIFF" | b"LIST" => {
                    self.list_type()?;
                }
                id if id[..2] == self.chunk && matches!(&id[2..], b"dc" | b"db") => {
                    if header.size == 0 {
                        return Ok(Some(Chunk::Empty));
                    }
                    return self.payload(header.size).map(|payload| payload.map(Chunk::Jpeg));
                }
                _ => self.skip(header.size)?,
            }
        }
        Ok(None)
    }

    /// Reads up to the list of frames; whether an MJPEG stream was among the headers.
    fn read_headers(&mut self) -> io::Result<bool> {
        let (mut stream, mut found, mut is_video) = (0_u8, false, false);
        for _ in 0..MAX_HEADER_CHUNKS {
            let Some(header) = self.header()? else { break };
            match &header.id {
                b"LIST" if self.list_type()? == Some(*b"movi") => break,
                b"LIST" => {}
                b"avih" => {
                    if let Some(microseconds) = word(&self.start_of(header.size)?, 0).filter(|us| *us > 0) {
                        self.set_interval(Duration::from_micros(microseconds.into()));
                    }
                }
                b"strh" if !found => {
                    let fields = self.start_of(header.size)?;
                    is_video = fields.starts_with(b"vids");
                    found = is_video && is_mjpeg(fields.get(4..8));
                    if let (true, Some(scale), Some(rate @ 1..)) = (is_video, word(&fields, 20), word(&fields, 24)) {
                        self.set_interval(Duration::from_secs_f64(f64::from(scale) / f64::from(rate)));
                    }
                }
                b"strf" if !found => {
                    let fields = self.start_of(header.size)?;
                    found = is_video && is_mjpeg(fields.get(16..20));
                    if !found {
                        stream = stream.saturating_add(1);
                    }
                }
                _ => self.skip(header.size)?,
            }
        }
        self.chunk = [b'0' + stream / 10 % 10, b'0' + stream % 10];
        Ok(found)
    }

    fn set_interval(&mut self, interval: Duration) {
        if (Duration::from_millis(1)..=Duration::from_secs(60)).contains(&interval) {
            self.interval = interval;
        }
    }

    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut bytes = [0; 8];
        if !self.read_at(&mut bytes)? {
            return Ok(None);
        }
        let [a, b, c, d, size @ ..] = bytes;
        Ok(Some(Header { id: [a, b, c, d], size: u32::from_le_bytes(size) }))
    }

    fn list_type(&mut self) -> io::Result<Option<[u8; 4]>> {
        let mut kind = [0; 4];
        Ok(self.read_at(&mut kind)?.then_some(kind))
    }

    /// Reads the first bytes of a header chunk, as many as we look at.
    fn start_of(&mut self, size: u32) -> io::Result<Vec<u8>> {
        let end = self.at.saturating_add(padded(size));
        let mut bytes = vec![0; size.min(64) as usize];
        let whole = self.read_at(&mut bytes)?;
        self.at = end;
        Ok(if whole { bytes } else { Vec::new() })
    }

    fn payload(&mut self, size: u32) -> io::Result<Option<Vec<u8>>> {
        if self.at.saturating_add(size.into()) > self.length {
            self.at = self.length;
            return Ok(None);
        }
        if size > MAX_FRAME_BYTES {
            self.skip(size)?;
            // Not a JPEG, so the decoder says what is wrong with it.
            return Ok(Some(Vec::new()));
        }
        let mut bytes = vec![0; size as usize];
        if !self.read_at(&mut bytes)? {
            return Ok(None);
        }
        self.at += padded(size) - u64::from(size);
        Ok(Some(bytes))
    }

    fn skip(&mut self, size: u32) -> io::Result<()> {
        self.at = self.at.saturating_add(padded(size));
        Ok(())
    }

    /// Fills `bytes` and moves on; `false` when the file ends before.
    fn read_at(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        let end = self.at.saturating_add(bytes.len() as u64);
        if end > self.length {
            return Ok(false);
        }
        self.file.seek(SeekFrom::Start(self.at))?;
        match self.file.read_exact(bytes) {
            // Somebody shortened the file meanwhile.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        self.at = end;
        Ok(true)
    }
}

/// Chunks begin at even places.
fn padded(size: u32) -> u64 {
    u64::from(size) + u64::from(size % 2)
}

fn word(fields: &[u8], at: usize) -> Option<u32> {
    let bytes = fields.get(at..at + 4)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn is_mjpeg(code: Option<&[u8]>) -> bool {
    code.is_some_and(|code| code.eq_ignore_ascii_case(b"MJPG"))
}

/// The frames of a recording, `None` for each that was left out.
pub type Frames = Vec<Option<Vec<u8>>>;

/// Returns the interval and the frames of a recording in memory; `None` when it is no AVI file with an MJPEG stream.
/// For fuzzing.
///
/// # Errors
/// None, as reading memory does not fail.
pub fn frames_of(recording: &[u8]) -> io::Result<Option<(Duration, Frames)>> {
    let Some(mut reader) = AviReader::open(io::Cursor::new(recording))? else { return Ok(None) };
    let mut frames = Vec::new();
    while let Some(chunk) = reader.next()? {
        frames.push(match chunk {
            Chunk::Jpeg(bytes) => Some(bytes),
            Chunk::Empty => None,
        });
    }
    Ok(Some((reader.interval(), frames)))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    pub(crate) fn chunk(id: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut bytes = id.to_vec();
        bytes.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    }

    fn list(id: &[u8; 4], kind: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = kind.to_vec();
        payload.extend(parts.concat());
        chunk(id, &payload)
    }

    fn stream(kind: &[u8; 4], codec: &[u8; 4], size: (u16, u16), frames: u32, fps: u32) -> Vec<u8> {
        let mut strh = [0; 56];
        strh[..4].copy_from_slice(kind);
        strh[4..8].copy_from_slice(codec);
        strh[20..24].copy_from_slice(&1_u32.to_le_bytes());
        strh[24..28].copy_from_slice(&fps.to_le_bytes());
        strh[32..36].copy_from_slice(&frames.to_le_bytes());
        let mut strf = [0; 40];
        strf[0] = 40;
        strf[4..6].copy_from_slice(&size.0.to_le_bytes());
        strf[8..10].copy_from_slice(&size.1.to_le_bytes());
        strf[12] = 1;
        strf[14] = 24;
        strf[16..20].copy_from_slice(codec);
        list(b"LIST", b"strl", &[chunk(b"strh", &strh), chunk(b"strf", &strf)])
    }

    /// Returns an MJPEG AVI file of these JPEGs, whole, with a sound track before the video when `chunk_id` says so.
    pub(crate) fn file(jpegs: &[Vec<u8>], size: (u16, u16), fps: u32, chunk_id: &[u8; 4]) -> Vec<u8> {
        let frames = u32::try_from(jpegs.len()).unwrap();
        let mut avih = [0; 56];
        avih[..4].copy_from_slice(&(1_000_000 / fps).to_le_bytes());
        avih[12] = 0x10; // an index is there
        avih[16..20].copy_from_slice(&frames.to_le_bytes());
        avih[24] = 1;
        avih[32..34].copy_from_slice(&size.0.to_le_bytes());
        avih[36..38].copy_from_slice(&size.1.to_le_bytes());
        let mut streams = vec![chunk(b"avih", &avih)];
        if chunk_id[1] == b'1' {
            streams.push(stream(b"auds", &[0; 4], (0, 0), 1, 8000));
        }
        streams.push(stream(b"vids", b"MJPG", size, frames, fps));
        let (mut movi, mut index, mut at) = (Vec::new(), Vec::new(), 4_u32);
        for jpeg in jpegs {
            index.extend(chunk_id);
            for field in [0x10, at, u32::try_from(jpeg.len()).unwrap()] {
                index.extend(field.to_le_bytes());
            }
            movi.push(chunk(chunk_id, jpeg));
            at += u32::try_from(movi.last().unwrap().len()).unwrap();
        }
        let parts = [list(b"LIST", b"hdrl", &streams), list(b"LIST", b"movi", &movi), chunk(b"idx1", &index)];
        list(b"RIFF", b"AVI ", &parts)
    }

    fn payloads(bytes: &[u8]) -> Option<Vec<Chunk>> {
        let mut reader = AviReader::open(Cursor::new(bytes)).unwrap()?;
        Some(std::iter::from_fn(|| reader.next().unwrap()).collect())
    }

    fn three() -> Vec<Vec<u8>> {
        vec![vec![1, 2, 3], vec![], vec![4, 5]]
    }

    #[test]
    fn the_frames_come_in_order_and_at_their_pace() {
        for id in [b"00dc", b"01dc", b"00db"] {
            let bytes = file(&three(), (8, 8), 25, id);
            let expected = vec![Chunk::Jpeg(vec![1, 2, 3]), Chunk::Empty, Chunk::Jpeg(vec![4, 5])];
            assert_eq!(payloads(&bytes), Some(expected), "{id:?}");
            assert_eq!(AviReader::open(Cursor::new(bytes)).unwrap().unwrap().interval(), Duration::from_millis(40));
        }
    }

    #[test]
    fn a_recording_that_was_cut_off_gives_the_frames_before_the_cut() {
        let bytes = file(&[vec![7; 100], vec![8; 100]], (8, 8), 10, b"00dc");
        let whole = payloads(&bytes).unwrap().len();
        let cut = bytes.len() - 100;
        assert_eq!((whole, payloads(&bytes[..cut]).unwrap().len()), (2, 1));
    }

    #[test]
    fn other_files_are_left_to_others() {
        assert!(payloads(b"").is_none());
        assert!(payloads(b"RIFF\x10\0\0\0WAVEfmt \0\0\0\0").is_none());
        let other_codec = file(&three(), (8, 8), 25, b"00dc");
        let other_codec: Vec<u8> = String::from_utf8_lossy(&other_codec).replace("MJPG", "H264").into_bytes();
        assert!(payloads(&other_codec).is_none());
    }

    #[test]
    fn a_length_beyond_the_file_takes_no_memory() {
        let mut bytes = file(&[vec![9; 64]], (8, 8), 25, b"00dc");
        let at = bytes.windows(4).position(|w| w == b"00dc").unwrap();
        bytes[at + 4..at + 8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(payloads(&bytes), Some(vec![]));
    }

    proptest! {
        #[test]
        fn damage_neither_panics_nor_hangs(
            damage in prop::collection::vec((0usize..600, any::<u8>()), 0..40),
            cut in 0usize..700,
        ) {
            let mut bytes = file(&three(), (8, 8), 25, b"00dc");
            for (at, value) in damage {
                let length = bytes.len();
                bytes[at % length] = value;
            }
            bytes.truncate(cut);
            let frames = payloads(&bytes).map_or(0, |frames| frames.len());
            // Each needs its eight bytes of header.
            prop_assert!(frames <= bytes.len() / 8);
        }
    }
}
