//! The body of an answer: in chunks, of a given length, or up to the end of the connection.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::time::Instant;

use super::connection::Connection;

/// The longest line before a chunk.
const MOST_CHUNK_LINE: u64 = 1024;

/// The body of an answer.
pub(super) struct Body {
    from: BufReader<Connection>,
    /// Bytes left of the chunk that is being read; `None` for a body without chunks.
    chunk: Option<u64>,
    /// Bytes that were read and come again.
    given_back: Vec<u8>,
    length: Option<u64>,
    read: u64,
    is_at_end: bool,
}

impl Body {
    /// Creates the body that `from` holds, in this transfer encoding and of this length where the answer gives them.
    pub(super) fn new(from: BufReader<Connection>, encoding: Option<&str>, length: Option<u64>) -> Self {
        let is_chunked = encoding.is_some_and(|encoding| encoding.to_ascii_lowercase().contains("chunked"));
        let length = length.filter(|_| !is_chunked);
        let chunk = is_chunked.then_some(0);
        Self { from, chunk, given_back: Vec::new(), length, read: 0, is_at_end: false }
    }

    /// Returns the length that the answer promised.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns whether nothing more is to be read. The promised length is believed only where it ends with a picture.
    pub(super) fn is_over(&self, is_between_pictures: bool) -> bool {
        let is_read = self.is_at_end || (is_between_pictures && self.length.is_some_and(|length| self.read >= length));
        is_read && self.given_back.is_empty()
    }

    /// Lets these bytes be read again, before all others.
    pub(super) fn give_back(&mut self, bytes: &[u8]) {
        self.given_back.splice(..0, bytes.iter().copied());
    }

    /// Reads until `until`; 0 at the end.
    pub(super) fn read(&mut self, bytes: &mut [u8], until: Instant) -> io::Result<usize> {
        self.from.get_mut().set_until(until);
        if self.given_back.is_empty() && !self.is_at_end && self.chunk == Some(0) {
            self.next_chunk()?;
        }
        if !self.given_back.is_empty() {
            let given = self.given_back.len().min(bytes.len());
            bytes[..given].copy_from_slice(&self.given_back[..given]);
            self.given_back.drain(..given);
            return Ok(given);
        }
        let most = self.chunk.map_or(bytes.len(), |left| bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        let read = if self.is_at_end { 0 } else { self.from.read(&mut bytes[..most])? };
        self.is_at_end |= read == 0;
        self.read += read as u64;
        if let Some(left) = &mut self.chunk {
            *left -= read as u64;
        }
        Ok(read)
    }

    /// Reads the line before a chunk. Some servers announce chunks and send none: then everything is the body.
    fn next_chunk(&mut self) -> io::Result<()> {
        loop {
            let mut line = Vec::new();
            (&mut self.from).take(MOST_CHUNK_LINE).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                self.is_at_end = true;
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim();
            // The line end behind the chunk before.
            if text.is_empty() {
                continue;
            }
            let digits = text.split(';').next().unwrap_or_default().trim();
            match u64::from_str_radix(digits, 16) {
                Ok(0) => self.is_at_end = true,
                Ok(length) => self.chunk = Some(length),
                Err(_) => {
                    self.chunk = None;
                    self.given_back = line;
                }
            }
            return Ok(());
        }
    }
}
