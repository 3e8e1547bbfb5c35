//! Making a back-up.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::container::{Sum, Writer};
use super::{Part, Passphrase, Summary};
use crate::error::{Error, Result};
use crate::own_file::{self, Readers};
use crate::store::StoreLocation;

/// What a back-up is made of.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::backup::{Source, look, make};
/// use faceattend_core::store::StoreLocation;
/// use faceattend_core::{SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let (database, file) = (folder.path().join("people.db"), folder.path().join("people.backup"));
/// SqliteStore::open(&database)?;
/// let source = Source::new(StoreLocation::File(database));
/// let made = make(&file, &source, None, Timestamp::now(), &mut |_| {})?;
/// assert_eq!(look(&file, None, &mut |_| {})?.summary, made.summary);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct Source {
    /// The database.
    pub database: StoreLocation,
    /// The files of the other parts. One that is not there is left out.
    pub files: Vec<(Part, PathBuf)>,
    /// What a copy needs and the back-up does not have, and where it is.
    pub not_included: Vec<String>,
    /// Whether a file that is there is replaced.
    pub overwrites: bool,
}

impl Source {
    /// Returns a source of a database alone.
    #[must_use]
    pub fn new(database: StoreLocation) -> Self {
        Self { database, files: Vec::new(), not_included: Vec::new(), overwrites: false }
    }
}

/// A back-up that was made.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::backup::{Part, Source, make};
/// # use faceattend_core::store::StoreLocation;
/// # use faceattend_core::{SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let (database, file) = (folder.path().join("people.db"), folder.path().join("people.backup"));
/// # SqliteStore::open(&database)?;
/// # let source = Source::new(StoreLocation::File(database));
/// let made = make(&file, &source, None, Timestamp::now(), &mut |_| {})?;
/// assert!(made.bytes > 0 && made.sums.iter().any(|sum| sum.part == Part::Database));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Made {
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it holds.
    pub summary: Summary,
    /// Its parts.
    pub sums: Vec<Sum>,
}

/// Makes a back-up in `file`, which is whole and on the disk when this returns, and readable by its owner alone. The
/// database and its servers go on meanwhile. `progress` is told how many rows are written.
///
/// # Errors
/// [`Error::InvalidInput`] when the file is there and the source does not overwrite; [`Error::Io`]; those of the
/// database.
pub fn make(
    file: &Path,
    source: &Source,
    passphrase: Option<&Passphrase>,
    now: Timestamp,
    progress: &mut dyn FnMut(u64),
) -> Result<Made> {
    if !source.overwrites && file.symlink_metadata().is_ok() {
        return Err(is_there(file));
    }
    let part = own_file::beside(file, ".part");
    let failed = |action| move |source| Error::Io { action, path: file.to_owned(), source };
    let created = create(&part).map_err(|source| Error::Io { action: "create", path: part.clone(), source })?;
    let leftover = Leftover(&part);
    let mut writer = Writer::begin(BufWriter::new(created), passphrase)?;
    let summary = write(&mut writer, source, now, progress).map_err(|error| of_file(error, file))?;
    let (out, sums) = writer.end().map_err(|error| of_file(error, file))?;
    let out = out.into_inner().map_err(|error| failed("write")(error.into_error()))?;
    out.sync_all().map_err(failed("write"))?;
    let bytes = out.metadata().map_err(failed("write"))?.len();
    // Between the look above and now somebody may have made it.
    if source.overwrites {
        std::fs::rename(&part, file).map_err(failed("create"))?;
    } else {
        match std::fs::hard_link(&part, file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(is_there(file)),
            Ok(()) => {}
            // Not every file system has links.
            Err(_) => std::fs::rename(&part, file).map_err(failed("create"))?,
        }
    }
    drop(leftover);
    super::swap::sync_folder(file);
    Ok(Made { file: file.to_owned(), bytes, summary, sums })
}

fn is_there(file: &Path) -> Error {
    let reason = format!("{} is there: choose another name, or overwrite it with --force", file.display());
    Error::InvalidInput { what: "file of the back-up", reason }
}

/// An error of writing, with the name of the file.
fn of_file(error: Error, file: &Path) -> Error {
    match error {
        Error::Io { action: "write", source, .. } => Error::Io { action: "write", path: file.to_owned(), source },
        other => other,
    }
}

fn write<W: Write>(
    writer: &mut Writer<W>,
    source: &Source,
    now: Timestamp,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary> {
    let files = |part: Part| source.files.iter().filter(move |(of, _)| *of == part);
    let before = Part::ALL.into_iter().take_while(|part| *part != Part::Database);
    for (part, path) in before.flat_map(files) {
        let contents = match std::fs::read(path) {
            Ok(contents) => contents,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(Error::Io { action: "read", path: path.clone(), source }),
        };
        // The last line of the journal may be on its way.
        let whole = contents.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let contents = if *part == Part::WaitingWrites { &contents[..whole] } else { &contents };
        writer.part(*part, |out| {
            out.write_all(contents).map_err(|source| Error::Io { action: "write", path: path.clone(), source })
        })?;
    }
    let rows = writer.part(Part::Database, |out| source.database.back_up(out, progress))?;
    let summary = Summary {
        made_at: now,
        version: env!("CARGO_PKG_VERSION").into(),
        database: source.database.to_string(),
        schema: rows.schema,
        rows: rows.rows.into_iter().map(|(table, rows)| (table.to_owned(), rows)).collect(),
        odd: rows.odd,
        not_included: source.not_included.clone(),
    };
    writer.part(Part::Summary, |out| {
        serde_json::to_writer(out, &summary).map_err(|error| Error::Internal { reason: error.to_string() })
    })?;
    Ok(summary)
}

/// Creates the file that is written. What a process that was killed has left is taken away: nobody holds it.
fn create(part: &Path) -> io::Result<File> {
    let file = match own_file::create_new(part, Readers::Owner) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let held = || io::Error::new(io::ErrorKind::AlreadyExists, "another back-up writes it, or it is no file");
            if !part.symlink_metadata()?.is_file() || File::open(part)?.try_lock().is_err() {
                return Err(held());
            }
            std::fs::remove_file(part)?;
            own_file::create_new(part, Readers::Owner)?
        }
        created => created?,
    };
    file.try_lock().map_err(|error| io::Error::new(io::ErrorKind::WouldBlock, error.to_string()))?;
    Ok(file)
}

/// The file that is written, gone at the end: what was finished has its own name by then.
struct Leftover<'p>(&'p Path);

impl Drop for Leftover<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}
