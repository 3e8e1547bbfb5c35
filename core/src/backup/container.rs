//! The file: its first line, its parts with their sums, and its end.

use std::io::{self, BufRead, Read as _, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::seal::{In, Out, Sealed};
use super::{Part, Passphrase};
use crate::error::{Error, Result};

/// What the file says that it is.
const KIND: &str = "backup";
/// The version of the file's form.
const FORMAT: u64 = 1;
/// The longest line between the parts.
const LONGEST_LINE: u64 = 64 << 10;
/// The bytes of a block.
const BLOCK: usize = 32 << 10;

/// The first line of a back-up.
///
/// ```
/// use faceattend_core::backup::Head;
///
/// assert!(Head::read(&mut &b"a letter\n"[..]).is_err());
/// assert!(!Head::read(&mut &b"{\"faceattend\":\"backup\",\"format\":1}\n"[..])?.is_sealed());
/// # Ok::<_, faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    faceattend: String,
    format: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

impl Head {
    /// Reads the first line of a file.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a file that is no back-up, or one of a newer version.
    pub fn read(from: &mut dyn BufRead) -> Result<Self> {
        Self::with_line(from).map(|(head, _)| head)
    }

    fn with_line(from: &mut dyn BufRead) -> Result<(Self, Vec<u8>)> {
        let none = || bad("it is no back-up: `faceattend backup FILE` makes one");
        let line = line(from).map_err(|_| none())?;
        let head: Self = serde_json::from_slice(&line).map_err(|_| none())?;
        if head.faceattend != KIND {
            return Err(none());
        }
        if head.format != FORMAT {
            return Err(bad("a newer version of faceattend made it: use that version"));
        }
        Ok((head, line))
    }

    /// Returns whether a passphrase is needed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }
}

/// The size and the sum of a part.
///
/// ```
/// use faceattend_core::backup::{Part, Sum};
///
/// let sum = Sum { part: Part::JwtSecret, bytes: 32, sha256: "9f86d0...".into() };
/// assert_eq!(format!("{}: {} bytes", sum.part, sum.bytes), "jwt-secret: 32 bytes");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Which part.
    pub part: Part,
    /// Its bytes, before they were compressed.
    pub bytes: u64,
    /// The SHA-256 of the bytes as the file has them, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Part(String),
    End(Vec<Sum>),
}

/// Writes a back-up.
pub(super) struct Writer<W: Write> {
    out: Out<W>,
    sums: Vec<Sum>,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(mut to: W, passphrase: Option<&Passphrase>) -> Result<Self> {
        let sealed = passphrase.map(|_| Sealed::fresh()).transpose()?;
        let head = Head { faceattend: KIND.into(), format: FORMAT, sealed };
        let line = as_line(&head)?;
        to.write_all(&line).map_err(written)?;
        let cipher = match (passphrase, &head.sealed) {
            (Some(passphrase), Some(sealed)) => Some(sealed.cipher(passphrase, &line)?),
            _ => None,
        };
        Ok(Self { out: Out::new(to, cipher), sums: Vec::new() })
    }

    /// Writes a part as `write` gives it.
    pub(super) fn part<T>(&mut self, part: Part, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let line = as_line(&Line::Part(part.name().into()))?;
        self.out.write_all(&line).map_err(written)?;
        let blocks = Blocks { out: &mut self.out, block: Vec::new(), hash: Sha256::new() };
        let mut compressed = Counted { to: ZlibEncoder::new(blocks, Compression::fast()), bytes: 0 };
        let value = write(&mut compressed)?;
        let bytes = compressed.bytes;
        let end = |compressed: ZlibEncoder<Blocks<'_, W>>| compressed.finish()?.end();
        let sha256 = end(compressed.to).map_err(written)?;
        self.sums.push(Sum { part, bytes, sha256 });
        Ok(value)
    }

    pub(super) fn end(mut self) -> Result<(W, Vec<Sum>)> {
        let line = as_line(&Line::End(self.sums.clone()))?;
        self.out.write_all(&line).map_err(written)?;
        Ok((self.out.end().map_err(written)?, self.sums))
    }
}

/// Bytes as blocks, each with its length before it; an empty one is the last.
struct Blocks<'w, W: Write> {
    out: &'w mut Out<W>,
    block: Vec<u8>,
    hash: Sha256,
}

impl<W: Write> Blocks<'_, W> {
    fn put(&mut self) -> io::Result<()> {
        let length = u32::try_from(self.block.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&self.block)?;
        self.hash.update(&self.block);
        self.block.clear();
        Ok(())
    }

    /// Returns the sum of the blocks.
    fn end(mut self) -> io::Result<String> {
        if !self.block.is_empty() {
            self.put()?;
        }
        self.put()?;
        Ok(hexadecimal(&self.hash.finalize()))
    }
}

impl<W: Write> Write for Blocks<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            self.put()?;
        }
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Counted<W: Write> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads a whole back-up: every part goes to `take`, which may leave some of it unread. Ends without an error only for a
/// file that is whole and unchanged.
pub(super) fn read(
    mut from: &mut dyn BufRead,
    passphrase: Option<&Passphrase>,
    take: &mut dyn FnMut(Part, &mut dyn BufRead) -> Result<()>,
) -> Result<Vec<Sum>> {
    let (head, line_of_head) = Head::with_line(&mut from)?;
    let cipher = match (&head.sealed, passphrase) {
        (Some(sealed), Some(passphrase)) => Some(sealed.cipher(passphrase, &line_of_head)?),
        (Some(_), None) => return Err(bad("it is encrypted: give its passphrase")),
        (None, _) => None,
    };
    let mut from = In::new(from, cipher);
    let mut sums = Vec::new();
    loop {
        let line: Line = serde_json::from_slice(&line(&mut from).map_err(told)?).map_err(|_| changed())?;
        let name = match line {
            Line::Part(name) => name,
            Line::End(told_sums) if told_sums == sums => break,
            Line::End(_) => return Err(changed()),
        };
        let Some(part) = Part::named(&name) else {
            return Err(bad("it has a part that this version does not know: use a newer one"));
        };
        let mut blocks = InBlocks { from: &mut from, left: 0, is_over: false, hash: Sha256::new() };
        let mut reader = io::BufReader::new(CountedIn { from: ZlibDecoder::new(&mut blocks), bytes: 0 });
        take(part, &mut reader).map_err(|error| match error {
            Error::Io { action: "read", source, .. } => told(source),
            other => other,
        })?;
        io::copy(&mut reader, &mut io::sink()).map_err(told)?;
        let bytes = reader.into_inner().bytes;
        // What the decoder did not need.
        io::copy(&mut blocks, &mut io::sink()).map_err(told)?;
        let sum = Sum { part, bytes, sha256: hexadecimal(&blocks.hash.finalize()) };
        sums.push(sum);
    }
    if from.fill_buf().map_err(told)?.is_empty() { Ok(sums) } else { Err(bad("something follows its end")) }
}

struct InBlocks<'r, 'f> {
    from: &'r mut In<&'f mut dyn BufRead>,
    left: usize,
    is_over: bool,
    hash: Sha256,
}

impl io::Read for InBlocks<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            let mut length = [0; 4];
            self.from.read_exact(&mut length)?;
            self.left = u32::from_be_bytes(length) as usize;
            self.is_over = self.left == 0;
        }
        if self.is_over || buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer.len().min(self.left);
        let read = self.from.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.hash.update(&buffer[..read]);
        self.left -= read;
        Ok(read)
    }
}

struct CountedIn<R: io::Read> {
    from: R,
    bytes: u64,
}

impl<R: io::Read> io::Read for CountedIn<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

fn line(from: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn as_line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(|error| Error::Internal { reason: error.to_string() })?;
    line.push(b'\n');
    Ok(line)
}

pub(super) fn bad(reason: &str) -> Error {
    Error::InvalidInput { what: "back-up", reason: reason.to_owned() }
}

fn changed() -> Error {
    bad("it was changed or damaged since it was written")
}

/// What reading failed of.
fn told(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => bad("it ends too early: it was cut off"),
        // Ours, of a chunk; and the decoder's, of a damaged part.
        io::ErrorKind::InvalidData => bad(&error.to_string()),
        io::ErrorKind::InvalidInput => changed(),
        _ => Error::Io { action: "read", path: "the back-up".into(), source: error },
    }
}

fn written(source: io::Error) -> Error {
    Error::Io { action: "write", path: "the back-up".into(), source }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
