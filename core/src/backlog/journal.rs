//! The file of a journal: what waits for the database, so that it survives the death of the process.
//!
//! Lines of text. The first says what it is and which journal; each of the others is a record, with its number before
//! it and a checksum before both:
//!
//! ```text
//! {"faceattend":"waiting writes","format":1,"journal":"0b9f6a3e-..."}
//! 4f2d01c09be2a6d1 17 {"sighting":{"mark":{"student":7,...},"checks_out":false}}
//! ```
//!
//! A line that was cut off by the death of the machine, or changed, does not fit its checksum and is left out; those
//! after it count. Every line is on the disk before it counts as kept.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::own_file::{self, Readers};
use crate::store::{Deferred, JournalId};

/// The version of the file's form.
const FORMAT: u32 = 1;
/// What the file says that it is.
const KIND: &str = "waiting writes";
/// The longest line that is read: a batch of the detection log of a thousand cameras is below.
const LONGEST_LINE: u64 = 1 << 20;
/// The length of a checksum: the first 64 bits of a SHA-256, which find damage and prove nothing.
const CHECKSUM: usize = 16;

#[derive(Serialize, Deserialize)]
struct Head {
    faceattend: String,
    format: u32,
    journal: JournalId,
}

/// What a file held.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The journal, and its records; `None` for a new file.
    pub(super) journal: Option<JournalId>,
    pub(super) records: Vec<(u64, Deferred)>,
    /// Lines that do not fit their checksum.
    pub(super) damaged: usize,
}

/// An open file, locked against other processes.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    file: File,
    /// The length of the head, where records begin.
    head: u64,
    /// The length of all, and how many records it has.
    pub(super) bytes: u64,
    pub(super) records: u64,
}

impl JournalFile {
    /// Opens or creates the file, readable by its owner alone, and reads it.
    pub(super) fn open(path: &Path) -> Result<(Self, Found)> {
        let failed = |action| move |source| Error::Io { action, path: path.to_owned(), source };
        let mut file = own_file::open_or_create(path, Readers::Owner).map_err(failed("open"))?;
        file.try_lock().map_err(|error| {
            let source = io::Error::new(io::ErrorKind::WouldBlock, error.to_string());
            failed("lock")(source)
        })?;
        file.seek(SeekFrom::Start(0)).map_err(failed("read"))?;
        let mut reader = BufReader::new(&file);
        let head = line(&mut reader).map_err(failed("read"))?;
        let mut journal = Self {
            path: path.to_owned(),
            file: file.try_clone().map_err(failed("open"))?,
            head: 0,
            bytes: 0,
            records: 0,
        };
        if head.is_empty() {
            return Ok((journal, Found::default()));
        }
        let Ok(told) = serde_json::from_slice::<Head>(&head) else {
            return Ok((journal, Found { damaged: 1, ..Found::default() }));
        };
        if told.faceattend != KIND || told.format != FORMAT {
            let reason = format!("{} has format {}, this version reads format {FORMAT}", path.display(), told.format);
            return Err(Error::State { what: "journal of waiting writes", reason });
        }
        let mut found = Found { journal: Some(told.journal), ..Found::default() };
        journal.head = head.len() as u64;
        loop {
            let line = line(&mut reader).map_err(failed("read"))?;
            if line.is_empty() {
                break;
            }
            match record(&line) {
                Some(record) => found.records.push(record),
                None => found.damaged += 1,
            }
        }
        journal.bytes = file.metadata().map_err(failed("read"))?.len();
        journal.records = found.records.len() as u64;
        Ok((journal, found))
    }

    /// Writes a record behind the others, and has it on the disk when this returns.
    pub(super) fn append(&mut self, number: u64, record: &Deferred) -> io::Result<()> {
        let line = line_of(number, record)?;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.bytes += line.len() as u64;
        self.records += 1;
        Ok(())
    }

    /// Leaves nothing but the head.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(self.head)?;
        self.file.sync_data()?;
        (self.bytes, self.records) = (self.head, 0);
        Ok(())
    }

    /// Writes the file anew, with these records alone: whoever reads it sees the old contents or the new.
    pub(super) fn rewrite<'r>(
        &mut self,
        journal: JournalId,
        records: impl Iterator<Item = (&'r u64, &'r Deferred)>,
    ) -> io::Result<()> {
        let head = Head { faceattend: KIND.to_owned(), format: FORMAT, journal };
        let mut contents = serde_json::to_vec(&head)?;
        contents.push(b'\n');
        let (head, mut count) = (contents.len() as u64, 0);
        for (number, record) in records {
            contents.extend(line_of(*number, record)?);
            count += 1;
        }
        let part = own_file::beside(&self.path, ".part");
        // A leftover of a process that died.
        let _ = std::fs::remove_file(&part);
        let mut file = own_file::create_new(&part, Readers::Owner)?;
        // Locked before it has the name that others look for.
        file.try_lock()?;
        file.write_all(&contents)?;
        file.sync_all()?;
        std::fs::rename(&part, &self.path)?;
        sync_folder(&self.path);
        let path = std::mem::take(&mut self.path);
        *self = Self { path, file, head, bytes: contents.len() as u64, records: count };
        Ok(())
    }

    /// Gives the file another name, so that nothing of it is lost, and goes on with a new one.
    pub(super) fn set_aside(&mut self, ending: &str) -> io::Result<PathBuf> {
        let aside = (0..)
            .map(|number| {
                own_file::beside(
                    &self.path,
                    &format!("{ending}{}", if number == 0 { String::new() } else { format!("-{number}") }),
                )
            })
            .find(|path| !path.exists())
            .unwrap_or_else(|| own_file::beside(&self.path, ending));
        std::fs::rename(&self.path, &aside)?;
        Ok(aside)
    }
}

/// The name of a file is on the disk once its folder is. Where that cannot be asked for, it is the system's business.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Returns how many records wait in the file at `path`, for those who ask while no server runs, and 0 where there is no
/// file. Changes nothing. A server that died just after writing some leaves them there, and does not write them again.
///
/// ```
/// let none = std::path::Path::new("no-such-file");
/// assert_eq!(faceattend_core::backlog::waiting_in(none)?, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Those of the system.
pub fn waiting_in(path: &Path) -> io::Result<u64> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    let (mut reader, mut waiting) = (BufReader::new(&file), 0);
    loop {
        let line = line(&mut reader)?;
        if line.is_empty() {
            return Ok(waiting);
        }
        waiting += u64::from(record(&line).is_some());
    }
}

/// The next line, with its end; empty at the end of the file.
fn line(reader: &mut BufReader<&File>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    Ok(line)
}

fn line_of(number: u64, record: &Deferred) -> io::Result<Vec<u8>> {
    let body = format!("{number} {}", serde_json::to_string(record)?);
    Ok(format!("{} {body}\n", checksum(body.as_bytes())).into_bytes())
}

/// The record of a line; `None` for a line that is not whole.
fn record(line: &[u8]) -> Option<(u64, Deferred)> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (sum, body) = line.split_once(' ')?;
    if sum != checksum(body.as_bytes()) {
        return None;
    }
    let (number, record) = body.split_once(' ')?;
    Some((number.parse().ok()?, serde_json::from_str(record).ok()?))
}

fn checksum(body: &[u8]) -> String {
    let hash = Sha256::digest(body);
    let mut text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(CHECKSUM);
    text
}
