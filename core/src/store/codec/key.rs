//! The keys of the operator: how they are named, parsed, kept in files, and which of them seals.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};

/// AES-256.
pub(super) const KEY_BYTES: usize = 32;

pub(super) const ID_BYTES: usize = 8;

/// The name of a key in a sealed value: the beginning of the SHA-256 of the key, which reveals nothing of a random key.
/// A wrong key is known by its name before anything is opened with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) [u8; ID_BYTES]);

impl KeyId {
    /// Reads an id as it is written: nothing binds its letters to the sealed value, so there is one spelling.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() != 2 * ID_BYTES || !text.is_ascii() {
            return None;
        }
        let mut id = [0; ID_BYTES];
        for (byte, at) in id.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(id)).filter(|id| id.to_string() == text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key that templates are sealed with. Its `Debug` shows its id only.
#[derive(Clone)]
pub struct TemplateKey {
    pub(super) id: KeyId,
    pub(super) secret: [u8; KEY_BYTES],
}

impl fmt::Debug for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemplateKey({})", self.id)
    }
}

impl TemplateKey {
    fn from_bytes(secret: [u8; KEY_BYTES]) -> Self {
        let hash = Sha256::new().chain_update(b"faceattend template key\n").chain_update(secret).finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&hash[..ID_BYTES]);
        Self { id: KeyId(id), secret }
    }

    /// Returns a fresh key from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        let mut hash = Sha256::new();
        // 122 random bits each.
        for _ in 0..3 {
            hash.update(Uuid::new_v4().as_bytes());
        }
        Self::from_bytes(hash.finalize().into())
    }

    /// Returns the name of the key in sealed values and messages.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the secret in base64. Keep it where only its owner reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64_STANDARD.encode(self.secret)
    }
}

/// The keys that templates are sealed with: the first seals, all of them open. With keys, a plain value is damage, as
/// whoever can write the database but has no key could have put it there. Without keys, nothing is sealed, and what is
/// sealed is an error.
#[derive(Debug, Clone, Default)]
pub struct TemplateKeys {
    pub(super) keys: Vec<TemplateKey>,
    /// Whether values are written plain although there are keys.
    opening_only: bool,
    /// Whether plain values are read although there are keys.
    accepting_plain: bool,
}

impl TemplateKeys {
    /// Returns no keys: nothing is sealed.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns these keys, of which the first seals.
    #[must_use]
    pub fn new(keys: Vec<TemplateKey>) -> Self {
        Self { keys, opening_only: false, accepting_plain: false }
    }

    /// Returns the same keys for opening only, for a database that becomes plain again. They read plain values too.
    #[must_use]
    pub fn opening_only(mut self) -> Self {
        self.opening_only = true;
        self.accepting_plain()
    }

    /// Returns the same keys, which read plain values too: for a database that is being sealed for the first time, or
    /// that a program without keys writes to.
    #[must_use]
    pub fn accepting_plain(mut self) -> Self {
        self.accepting_plain = true;
        self
    }

    /// Returns whether plain values are read.
    #[must_use]
    pub fn accepts_plain(&self) -> bool {
        self.accepting_plain || self.keys.is_empty()
    }

    /// Reads the keys in `text`: base64 of 32 bytes each, separated by blanks, commas or lines; `#` begins a comment.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when one is no key, and when there is none.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let words = lines.flat_map(|line| line.split([' ', '\t', ',', '\r'])).filter(|word| !word.is_empty());
        let keys = words
            .enumerate()
            .map(|(at, word)| {
                let bytes = BASE64_STANDARD.decode(word).ok().and_then(|bytes| bytes.try_into().ok());
                bytes.map(TemplateKey::from_bytes).ok_or_else(|| {
                    let reason =
                        format!("number {} is not 32 bytes in base64: `faceattend keys new FILE` makes one", at + 1);
                    Error::InvalidInput { what: "template key", reason }
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(Error::invalid_input("template keys", "there is none: `faceattend keys new FILE` makes one"));
        }
        Ok(Self::new(keys))
    }

    /// Reads the keys in `file`, which nobody but its owner may read.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; [`Error::InvalidInput`] when others may read it, or when it holds no keys.
    pub fn read(file: &Path) -> Result<Self> {
        let io = |source| Error::Io { action: "read", path: file.to_owned(), source };
        let mut opened = std::fs::File::open(file).map_err(io)?;
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&opened.metadata().map_err(io)?.permissions());
            if mode & 0o077 != 0 {
                let reason = format!(
                    "{} may be read by others (mode {:03o}): run `chmod 600` on it, and take a new key if others were \
                     there",
                    file.display(),
                    mode & 0o777
                );
                return Err(Error::InvalidInput { what: "template key file", reason });
            }
        }
        let mut text = String::new();
        opened.read_to_string(&mut text).map_err(io)?;
        Self::parse(&text)
    }

    /// Writes the keys into a new `file` that its owner alone reads.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written; [`Error::Conflict`] when it is there: keys are never overwritten.
    pub fn write_new(&self, file: &Path) -> Result<()> {
        let io = |action: &'static str| move |source| Error::Io { action, path: file.to_owned(), source };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut new = options.open(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Error::Conflict { what: "key file" },
            _ => io("create")(error),
        })?;
        let mut text = String::from("# Template keys of faceattend: the first encrypts, all of them decrypt.\n");
        for key in &self.keys {
            text.push_str(&format!("{} # {}\n", key.to_text(), key.id));
        }
        new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(io("write"))
    }

    /// Returns these keys with `key` in front, which seals from now on.
    #[must_use]
    pub fn with_first(mut self, key: TemplateKey) -> Self {
        self.keys.insert(0, key);
        self
    }

    /// Returns the id of the key that seals; `None` when nothing is sealed.
    #[must_use]
    pub fn sealing_key(&self) -> Option<KeyId> {
        self.sealing().map(TemplateKey::id)
    }

    pub(super) fn sealing(&self) -> Option<&TemplateKey> {
        self.keys.first().filter(|_| !self.opening_only)
    }

    /// Returns the ids of all keys, the sealing key first.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys.iter().map(TemplateKey::id).collect()
    }
}
