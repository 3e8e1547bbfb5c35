//! A partly downloaded file, beside the place where it belongs.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::hash::hex;
use super::manifest::Sha256Hex;
use crate::error::{Error, Result};
use crate::own_file::{self, Readers};

/// What has arrived of a file, with its hash so far. Locked against a second pull.
pub(super) struct PartFile<'a> {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    /// How many bytes have arrived.
    pub(super) length: u64,
    /// Whether it begins with what an earlier pull left.
    pub(super) resumed: bool,
    /// How many bytes the whole file has.
    pub(super) size: u64,
    sha256: &'a Sha256Hex,
}

impl<'a> PartFile<'a> {
    /// Opens the part of `destination`, with what an earlier pull left of it.
    ///
    /// # Errors
    /// [`Error::Download`] while another process holds it; [`Error::Io`].
    pub(super) fn open(destination: &Path, size: u64, sha256: &'a Sha256Hex) -> Result<Self> {
        let path = own_file::beside(destination, ".part");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::Io {
                action: "create",
                path: folder.to_path_buf(),
                source,
            })?;
        }
        let writing = |source| Error::Io { action: "write", path: path.clone(), source };
        let file = own_file::open_or_create(&path, Readers::AsUsual).map_err(writing)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let reason = format!("another pull is fetching {} right now", destination.display());
                return Err(Error::Download { reason, source: None });
            }
            // A file system without locks: two pulls at once would only make the hash wrong, which is noticed.
            Err(TryLockError::Error(_)) => {}
        }
        let mut part =
            Self { path: path.clone(), file, hasher: Sha256::new(), length: 0, resumed: false, size, sha256 };
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = part.file.read(&mut buffer).map_err(writing)?;
            if count == 0 {
                break;
            }
            part.hasher.update(&buffer[..count]);
            part.length += count as u64;
        }
        if part.length > size {
            part.restart()?;
        }
        part.resumed = part.length > 0;
        Ok(part)
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Io { action: "write", path: self.path.clone(), source }
    }

    /// Forgets what has arrived.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)).map(drop))
            .map_err(|source| self.failed(source))?;
        self.hasher = Sha256::new();
        self.length = 0;
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| self.failed(source))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Checks the file: `None` when the contents are the right ones; else what is wrong, and the file is emptied.
    pub(super) fn check(&mut self) -> Result<Option<String>> {
        let found = hex(self.hasher.clone().finalize().as_slice());
        if self.length == self.size && found == *self.sha256 {
            return Ok(None);
        }
        let reason = format!("wrong contents: expected sha256 {}, found {found}", self.sha256);
        self.restart()?;
        Ok(Some(reason))
    }

    /// Removes an empty file: a failed pull leaves nothing where nothing arrived.
    pub(super) fn discard_if_empty(self) {
        if self.length == 0 {
            // An empty leftover does no harm, so neither does failing to remove it.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Gives the checked file its name, in one step.
    pub(super) fn into_place(self, destination: &Path) -> Result<PathBuf> {
        // The name must not become visible before the bytes are on disk, whatever happens to the machine.
        self.file.sync_all().map_err(|source| self.failed(source))?;
        std::fs::rename(&self.path, destination).map_err(|source| Error::Io {
            action: "write",
            path: destination.to_path_buf(),
            source,
        })?;
        Ok(destination.to_path_buf())
    }
}
