//! Looking through a back-up before anything is changed, and putting its rows into a database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use jiff::Timestamp;

use super::container::{self, Sum, bad};
use super::{Part, Passphrase, Summary};
use crate::error::{Error, Result};
use crate::store::{AdminUser, Imported, NewAuditEntry, Page, Portable, Skimmed, Store, is_erased, skim};

/// The largest part beside the database: a journal of everything that may wait is a fifth of it.
const LARGEST: u64 = 256 << 20;

/// A back-up that was read from its beginning to its end, and is whole.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::backup::{Part, Source, look, make};
/// # use faceattend_core::store::StoreLocation;
/// # use faceattend_core::{SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let (database, file) = (folder.path().join("people.db"), folder.path().join("people.backup"));
/// # SqliteStore::open(&database)?;
/// # let source = Source::new(StoreLocation::File(database));
/// make(&file, &source, None, Timestamp::now(), &mut |_| {})?;
/// let looked = look(&file, None, &mut |_| {})?;
/// assert!(!looked.is_sealed && looked.part(Part::JwtSecret).is_none() && looked.newest_mark().is_none());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Looked {
    /// What it holds.
    pub summary: Summary,
    /// Its parts.
    pub sums: Vec<Sum>,
    /// The size of the file.
    pub bytes: u64,
    /// Whether it is encrypted.
    pub is_sealed: bool,
    parts: BTreeMap<Part, Vec<u8>>,
    rows: Skimmed,
}

// Its parts are keys.
impl std::fmt::Debug for Looked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Looked({:?})", self.summary)
    }
}

impl Looked {
    /// Returns the contents of a part other than the database.
    #[must_use]
    pub fn part(&self, part: Part) -> Option<&[u8]> {
        self.parts.get(&part).map(Vec::as_slice)
    }

    /// Returns the time of the latest mark.
    #[must_use]
    pub fn newest_mark(&self) -> Option<Timestamp> {
        self.rows.newest_mark
    }
}

/// Reads all of a back-up and checks every sum and every row. Changes nothing.
///
/// # Errors
/// [`Error::InvalidInput`] for a file that is none, was changed, damaged or cut off, needs another passphrase, or is of a
/// newer version; [`Error::Io`].
pub fn look(file: &Path, passphrase: Option<&Passphrase>, progress: &mut dyn FnMut(u64)) -> Result<Looked> {
    let failed = |source| Error::Io { action: "read", path: file.to_owned(), source };
    let opened = File::open(file).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let is_sealed = container::Head::read(&mut BufReader::new(File::open(file).map_err(failed)?))?.is_sealed();
    let (mut parts, mut rows, mut summary) = (BTreeMap::new(), None, None);
    let sums = container::read(&mut BufReader::new(opened), passphrase, &mut |part, from| {
        if part == Part::Database {
            rows = Some(skim(from, progress)?);
            return Ok(());
        }
        let mut contents = Vec::new();
        from.take(LARGEST).read_to_end(&mut contents).map_err(|source| Error::Io {
            action: "read",
            path: file.to_owned(),
            source,
        })?;
        if part == Part::Summary {
            summary = serde_json::from_slice(&contents).ok();
        } else {
            parts.insert(part, contents);
        }
        Ok(())
    })?;
    let (Some(rows), Some(summary)) = (rows, summary) else {
        return Err(bad("it lacks the database or its summary"));
    };
    Ok(Looked { summary, sums, bytes: metadata.len(), is_sealed, parts, rows })
}

/// Puts the rows of a back-up into the place of those in `to`, all of them or, after any error, none. The students of
/// `erased` stay away, with everything that is theirs. `entry` goes into the audit log with them.
///
/// # Errors
/// As [`look`], which should come first; those of the store.
pub fn restore(
    file: &Path,
    passphrase: Option<&Passphrase>,
    to: &dyn Portable,
    erased: &BTreeSet<i64>,
    entry: &NewAuditEntry,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported> {
    let opened = File::open(file).map_err(|source| Error::Io { action: "read", path: file.to_owned(), source })?;
    let mut imported = None;
    container::read(&mut BufReader::new(opened), passphrase, &mut |part, from| {
        if part == Part::Database {
            imported = Some(to.restore(from, erased, entry, progress)?);
        }
        Ok(())
    })?;
    imported.ok_or_else(|| bad("it lacks the database"))
}

/// How a back-up and the present database belong together.
///
/// ```
/// use faceattend_core::backup::Lineage;
///
/// let told = |lineage: &Lineage| match lineage {
///     Lineage::Later { erased } => format!("{} people were erased since", erased.len()),
///     Lineage::Unknown => "who was erased cannot be known".to_owned(),
/// };
/// assert_eq!(told(&Lineage::Later { erased: [7].into() }), "1 people were erased since");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lineage {
    /// The present database is what became of the one that was backed up.
    Later {
        /// The students of the back-up who have been erased, merged or deleted since.
        erased: BTreeSet<i64>,
    },
    /// They are of two databases, or the present one is older: who was erased cannot be known from it.
    Unknown,
}

/// Returns who of a back-up has been erased since, as far as the present database can tell. It can where the newest
/// entry of the back-up's audit log is in it too; where retention has deleted that entry, the oldest account tells.
///
/// # Errors
/// Those of the store.
pub fn lineage(looked: &Looked, present: &dyn Store) -> Result<Lineage> {
    if !is_later(looked, present)? {
        return Ok(Lineage::Unknown);
    }
    let there: BTreeSet<i64> = present
        .students(None, Page::ALL)?
        .items
        .into_iter()
        .filter(|student| !is_erased(student))
        .map(|student| student.id.0)
        .collect();
    Ok(Lineage::Later { erased: looked.rows.students.difference(&there).copied().collect() })
}

fn is_later(looked: &Looked, present: &dyn Store) -> Result<bool> {
    // An entry is never given another one's id, and the newest of the present one are looked at first.
    const AT_ONCE: u32 = 1_000;
    let newest = looked.rows.newest_audit.as_ref();
    let (mut skip, mut has_older) = (0, false);
    while let Some((id, at, actor, action)) = newest {
        let page = present.audit(Page { skip, limit: AT_ONCE })?.items;
        if let Some(same) = page.iter().find(|entry| entry.id == *id) {
            let entry = &same.entry;
            return Ok(entry.at == *at && entry.actor == *actor && entry.action == *action);
        }
        has_older |= page.iter().any(|entry| entry.id < *id);
        if page.len() < AT_ONCE as usize || has_older {
            break;
        }
        skip += AT_ONCE;
    }
    if has_older {
        return Ok(false);
    }
    // The hash of a password has a salt of its own: two databases do not have the same.
    let accounts = present.admins()?;
    let has = |(id, name, hash): &(i64, String, String)| {
        let same = |account: &AdminUser| account.username == *name && account.hashed_password == *hash;
        accounts.iter().any(|account| account.id == *id && same(account))
    };
    // Its entries come after those of the back-up: it is no older copy.
    let newest = newest.map_or(0, |(id, ..)| *id);
    let comes_after = present.audit(Page { skip: 0, limit: 1 })?.items.iter().all(|entry| entry.id > newest);
    Ok(comes_after && looked.rows.accounts.iter().any(has))
}
