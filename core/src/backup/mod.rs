//! Back-ups: one file with everything that a copy on another machine needs, and how it takes the place of what is
//! there.
//!
//! The first line says what the file is, and how it is encrypted if it is:
//!
//! ```text
//! {"faceattend":"backup","format":1}
//! {"faceattend":"backup","format":1,"sealed":{"kdf":"argon2id","memory_kib":65536,"passes":3,"lanes":4,"salt":"..."}}
//! ```
//!
//! Parts follow, each as a line with its name, blocks of bytes, and a SHA-256; the last line names all parts with their
//! sizes and sums. In an encrypted file everything after the first line is in chunks of AES-256-GCM, numbered, with the
//! last one marked and the first line bound to each: nothing can be changed, swapped or cut off unnoticed.
//!
//! The database is a part in the form of `faceattend db export` (rows, not pages): it goes into a file of SQLite or
//! into PostgreSQL, whichever it came from, and into a newer schema. The other parts are the keys, the settings, and
//! the journal of waiting writes. No part holds a photograph or a log.

mod container;
mod look;
mod make;
mod schedule;
mod seal;
mod sealed;
mod swap;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use container::{Head, Sum};
pub use look::{Lineage, Looked, lineage, look, restore};
pub use make::{Made, Source, make};
pub use schedule::{Clock, Keep, name_of, old, time_of};
pub use swap::{Change, Swap};

/// A part of a back-up.
///
/// ```
/// use faceattend_core::backup::Part;
///
/// assert_eq!(Part::Database.name(), "database");
/// assert!(Part::TemplateKeys.is_secret() && !Part::Settings.is_secret());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// What waits for the database. It comes before the database: what was written meanwhile is in both, and the
    /// database knows how far the journal is written.
    WaitingWrites,
    /// The secret that signs tokens.
    JwtSecret,
    /// The key that signs receipts.
    ReceiptKey,
    /// The certificate of the server's own authority, which devices trust.
    TlsAuthority,
    /// The key of that authority.
    TlsAuthorityKey,
    /// The keys that encrypt faces.
    TemplateKeys,
    /// The file of settings.
    Settings,
    /// The rows.
    Database,
    /// What the file holds, from when and of what.
    Summary,
}

impl Part {
    /// Every part, in the order of the file.
    pub const ALL: [Self; 9] = [
        Self::WaitingWrites,
        Self::JwtSecret,
        Self::ReceiptKey,
        Self::TlsAuthority,
        Self::TlsAuthorityKey,
        Self::TemplateKeys,
        Self::Settings,
        Self::Database,
        Self::Summary,
    ];

    /// Returns the name that the file has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WaitingWrites => "waiting-writes",
            Self::JwtSecret => "jwt-secret",
            Self::ReceiptKey => "receipt-key",
            Self::TlsAuthority => "tls-authority",
            Self::TlsAuthorityKey => "tls-authority-key",
            Self::TemplateKeys => "template-keys",
            Self::Settings => "settings",
            Self::Database => "database",
            Self::Summary => "summary",
        }
    }

    /// Returns whether it is a key.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::JwtSecret | Self::ReceiptKey | Self::TlsAuthorityKey | Self::TemplateKeys)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What encrypts a back-up. No `Debug` shows it.
///
/// ```
/// use faceattend_core::backup::Passphrase;
///
/// assert!(Passphrase::new("a horse and a battery").is_ok());
/// assert!(Passphrase::new("short").is_err());
/// assert_eq!(format!("{:?}", Passphrase::new("a horse and a battery")?), "Passphrase(..)");
/// # Ok::<_, faceattend_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Passphrase(
    #[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "only an encrypted back-up reads it"))] String,
);

impl Passphrase {
    /// The fewest characters: whoever has the file can try as many as a machine can.
    pub const SHORTEST: usize = 12;

    /// Returns the passphrase, without white space around it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for one of fewer than [`SHORTEST`](Self::SHORTEST)
    /// characters.
    pub fn new(text: &str) -> crate::Result<Self> {
        let text = text.trim();
        if text.chars().count() < Self::SHORTEST {
            let reason = format!("it has fewer than {} characters", Self::SHORTEST);
            return Err(crate::Error::InvalidInput { what: "passphrase of the back-up", reason });
        }
        Ok(Self(text.to_owned()))
    }

    #[cfg(feature = "encryption")]
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What a back-up holds, as its own last part says it.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::backup::{Source, make};
/// # use faceattend_core::store::StoreLocation;
/// # use faceattend_core::{SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let (database, file) = (folder.path().join("people.db"), folder.path().join("people.backup"));
/// # SqliteStore::open(&database)?;
/// # let source = Source::new(StoreLocation::File(database));
/// let summary = make(&file, &source, None, Timestamp::now(), &mut |_| {})?.summary;
/// assert_eq!((summary.rows_of("students"), summary.odd.len()), (0, 0));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// When it was begun; rows and waiting writes are from a moment after.
    pub made_at: jiff::Timestamp,
    /// The version of the program.
    pub version: String,
    /// The database, without its password.
    pub database: String,
    /// The version of its schema.
    pub schema: i64,
    /// Rows by table.
    pub rows: Vec<(String, u64)>,
    /// Values that are not of their column's kind: SQLite's are kept as they are.
    pub odd: Vec<String>,
    /// What a copy needs and this file does not have, and where it is.
    pub not_included: Vec<String>,
}

impl Summary {
    /// Returns how many rows a table has.
    #[must_use]
    pub fn rows_of(&self, table: &str) -> u64 {
        self.rows.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows)
    }
}

#[cfg(test)]
mod tests;
