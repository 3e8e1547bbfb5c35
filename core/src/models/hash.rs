//! SHA-256 of model files.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A SHA-256 as 64 lowercase hexadecimal digits.
///
/// ```
/// use faceattend_core::models::manifest::Sha256Hex;
/// use faceattend_core::models::store::hash_of;
///
/// let hash = hash_of(b"");
/// assert!(hash.as_str().starts_with("e3b0c44298fc1c14"));
/// assert_eq!(Sha256Hex::new(hash.as_str())?, hash);
/// assert!(Sha256Hex::new("7").is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// Reads the hash that `text` spells.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless it is 64 lowercase hexadecimal digits.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text))
        } else {
            Err(Error::invalid_input("sha256", format!("{text:?} is not 64 lowercase hexadecimal digits")))
        }
    }

    /// Wraps digits that were just made from a digest.
    pub(super) fn from_digest(text: String) -> Self {
        Self(text)
    }

    /// Returns the digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(text)
    }
}

impl From<Sha256Hex> for String {
    fn from(hash: Sha256Hex) -> Self {
        hash.0
    }
}

/// Returns the SHA-256 of the file at `path`.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn hash_of_file(path: &Path) -> Result<Sha256Hex> {
    let reading = |source| Error::Io { action: "read", path: path.to_path_buf(), source };
    hash_of_reader(File::open(path).map_err(reading)?).map_err(reading)
}

/// Returns the SHA-256 of `bytes`.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> Sha256Hex {
    hex(Sha256::digest(bytes).as_slice())
}

pub(super) fn hash_of_reader(mut reader: impl Read) -> std::io::Result<Sha256Hex> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hex(hasher.finalize().as_slice())),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns digest bytes as text. Also used by the download, which hashes as it writes.
pub(super) fn hex(digest: &[u8]) -> Sha256Hex {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Sha256Hex::from_digest(text)
}
