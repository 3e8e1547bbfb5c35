//! Files that a program writes at a name that others can guess. Somebody who may write into the same folder can have
//! put a link there, or a file of their own: what is written must not go through the one or into the other.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Who may read a file that is created. Where files have no such rights, it is whoever may read the folder.
///
/// ```
/// use faceattend_core::own_file::{Readers, create_new};
///
/// let folder = tempfile::tempdir().unwrap();
/// let file = folder.path().join("faces.jsonl");
/// create_new(&file, Readers::Owner).unwrap();
/// // What is there is not opened.
/// assert!(create_new(&file, Readers::Owner).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The user whose program writes it: for faces, keys and hashes of passwords.
    Owner,
    /// Whoever the user's settings let read new files.
    AsUsual,
}

/// Creates a file and opens it for reading and for writing at its end.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is anything at `path`, be it a link that leads nowhere; those of the
/// system.
pub fn create_new(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Never opens what is there, and follows no link (O_EXCL).
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let _ = readers;
    options.open(path)
}

/// Opens a file for reading and for writing at its end, or creates it.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when `path` is a link, no file, or a second name of another file; those of the
/// system.
pub fn open_or_create(path: &Path, readers: Readers) -> io::Result<File> {
    match create_new(path, readers) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => return other,
    }
    let named = std::fs::symlink_metadata(path)?;
    let refused = || io::Error::new(io::ErrorKind::InvalidInput, "a link, or no file of its own, is in its place");
    if !named.is_file() {
        return Err(refused());
    }
    let file = OpenOptions::new().read(true).append(true).open(path)?;
    // Nothing has been written or cut: what was put into its place meanwhile is as it was.
    if is_the_only_name(&named, &file.metadata()?) { Ok(file) } else { Err(refused()) }
}

#[cfg(unix)]
fn is_the_only_name(named: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (named.dev(), named.ino()) == (opened.dev(), opened.ino()) && opened.nlink() <= 1
}

#[cfg(not(unix))]
fn is_the_only_name(_named: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

/// Writes a file as a whole: what is at `path` is replaced, also a link, and whoever reads it sees the old contents or
/// the new. A device, such as standard output, is written to.
///
/// # Errors
/// Those of the system.
pub fn replace(path: &Path, contents: &[u8], readers: Readers) -> io::Result<()> {
    let is_device = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    if is_device || std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, contents);
    }
    let part = beside(path, ".part");
    let mut file = create_new(&part, readers)?;
    let written = file.write_all(contents).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        // What failed is told; a leftover is less.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Returns the path with `ending` behind its name.
#[must_use]
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_is_written_through_a_link_or_into_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("theirs"), "theirs").unwrap();
        symlink(at("theirs"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        fs::hard_link(at("theirs"), at("second")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for name in ["theirs", "link", "dangling", "second", "folder"] {
            assert!(create_new(&at(name), Readers::Owner).is_err(), "{name}");
            assert!(open_or_create(&at(name), Readers::Owner).is_err(), "{name}");
        }
        replace(&at("link"), b"ours", Readers::AsUsual).unwrap();
        symlink(at("theirs"), at("new.part")).unwrap();
        assert!(replace(&at("new"), b"ours", Readers::AsUsual).is_err());
        assert_eq!(fs::read_to_string(at("theirs")).unwrap(), "theirs");
        assert!(!at("nowhere").exists());
        assert_eq!(fs::read_to_string(at("link")).unwrap(), "ours");
    }

    #[test]
    fn a_file_of_ones_own_is_read_and_written_on() {
        use std::io::Read as _;
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for _ in 0..2 {
            open_or_create(&path, Readers::Owner).unwrap().write_all(b"x").unwrap();
        }
        let mut text = String::new();
        open_or_create(&path, Readers::Owner).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), fs::metadata(&path).unwrap().permissions().mode() & 0o777), ("xx", 0o600));
        replace(&path, b"new", Readers::Owner).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        replace(Path::new("/dev/null"), b"x", Readers::AsUsual).unwrap();
    }
}
