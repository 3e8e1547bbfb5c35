//! Photographs in a folder or a ZIP, and whose they are by their names.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::Student;
use crate::store::text_keys::roll_key;

/// The largest photograph, in bytes: what the server reads as a picture elsewhere.
pub const LARGEST_PHOTOGRAPH: u64 = 16 * 1024 * 1024;
/// The most files of a folder or a ZIP that are looked at: five of each of 50,000 people, and other files.
const MOST_FILES: usize = 300_000;
/// How deep folders are looked into: a folder for each class, and one for each person.
const DEEPEST: usize = 4;
const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

enum Source {
    Folder(PathBuf),
    Zip(Box<zip::ZipArchive<Box<dyn ReadSeek>>>),
}

/// Photographs in a folder or a ZIP. Nothing is unpacked to a disk.
///
/// ```
/// use faceattend_core::roster_file::Photographs;
///
/// let mut photographs = Photographs::open("../examples/media/hopper")?;
/// assert_eq!(photographs.names()[0], "center.jpg");
/// assert!(photographs.read("center.jpg")?.starts_with(&[0xff, 0xd8]), "a JPEG");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub struct Photographs {
    source: Source,
    names: Vec<String>,
}

impl std::fmt::Debug for Photographs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Photographs({} files)", self.names.len())
    }
}

impl Photographs {
    /// Opens a folder, with the folders in it, or a ZIP.
    ///
    /// # Errors
    /// [`Error::Io`] for a path that cannot be read; [`Error::InvalidInput`] for a file that is no ZIP, and for one
    /// with more files than are looked at.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let io = |source| Error::Io { action: "read", path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(io)?.is_dir() {
            let mut names = Vec::new();
            files_of(path, "", DEEPEST, &mut names).map_err(io)?;
            names.sort();
            return Self::of(Source::Folder(path.to_owned()), names);
        }
        Self::of_zip(Box::new(File::open(path).map_err(io)?))
    }

    /// Opens a ZIP in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn in_zip(bytes: Vec<u8>) -> Result<Self> {
        Self::of_zip(Box::new(Cursor::new(bytes)))
    }

    fn of_zip(file: Box<dyn ReadSeek>) -> Result<Self> {
        let zip = zip::ZipArchive::new(file).map_err(|_| {
            Error::invalid_input("photographs", "the file is no ZIP: give a folder, or a ZIP of the photographs")
        })?;
        let mut names: Vec<String> = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        names.retain(|name| is_photograph(name));
        names.sort();
        Self::of(Source::Zip(Box::new(zip)), names)
    }

    fn of(source: Source, names: Vec<String>) -> Result<Self> {
        if names.len() > MOST_FILES {
            let reason = format!("there are more than {MOST_FILES} of them: give them in several steps");
            return Err(Error::invalid_input("photographs", reason));
        }
        Ok(Self { source, names })
    }

    /// Returns the names of the photographs, in order; other files are left out.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads a photograph.
    ///
    /// # Errors
    /// [`Error::Io`] for one that cannot be read; [`Error::InvalidImage`] for one that is too large or damaged in the
    /// ZIP.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>> {
        let too_large = || {
            let most = LARGEST_PHOTOGRAPH / 1024 / 1024;
            Error::invalid_image(format!("it has more than {most} MB: make it smaller"))
        };
        let mut bytes = Vec::new();
        match &mut self.source {
            Source::Folder(folder) => {
                let path = folder.join(name);
                let io = |source| Error::Io { action: "read", path: path.clone(), source };
                let file = File::open(&path).map_err(io)?;
                file.take(LARGEST_PHOTOGRAPH + 1).read_to_end(&mut bytes).map_err(io)?;
            }
            Source::Zip(zip) => {
                let damaged = || Error::invalid_image("it is damaged in the ZIP, or has a password");
                let file = zip.by_name(name).map_err(|_| damaged())?;
                // What the ZIP says of its size may be untrue.
                file.take(LARGEST_PHOTOGRAPH + 1).read_to_end(&mut bytes).map_err(|_| damaged())?;
            }
        }
        if bytes.len() as u64 > LARGEST_PHOTOGRAPH { Err(too_large()) } else { Ok(bytes) }
    }
}

fn files_of(folder: &Path, within: &str, deeper: usize, names: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Another name is that of no roll number.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if within.is_empty() { name } else { format!("{within}/{name}") };
        // Links are followed to files: a folder of links is a way to choose.
        let kind = entry.file_type()?;
        if kind.is_dir() && deeper > 0 {
            files_of(&entry.path(), &path, deeper - 1, names)?;
        } else if !kind.is_dir() && is_photograph(&path) && names.len() <= MOST_FILES {
            names.push(path);
        }
    }
    Ok(())
}

/// Whether a name is that of a picture, and not what macOS and Windows leave beside it.
fn is_photograph(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
        && !file.starts_with('.')
        && !name.starts_with("__MACOSX/")
}

/// Whose photographs are whose.
///
/// ```
/// use faceattend_core::roster_file::match_photographs;
///
/// let matched = match_photographs(&["017.jpg".to_owned()], &[]);
/// assert_eq!((matched.of.len(), matched.of_nobody), (0, vec!["017.jpg".to_owned()]));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MatchedPhotographs {
    /// The students with their photographs, in the order of the students.
    pub of: Vec<(Student, Vec<String>)>,
    /// The photographs whose names are nobody's roll number.
    pub of_nobody: Vec<String>,
    /// Those whose names are the roll number of several students.
    pub of_several: Vec<String>,
}

/// Finds whose each photograph is: its name is the roll number, also with a number behind it where a person has
/// several (`017.jpg`, `017_2.jpg`, `017 (3).jpg`), or it lies in a folder that is called so (`017/front.jpg`).
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::roster_file::match_photographs;
/// use faceattend_core::store::prelude::*;
/// use faceattend_core::{SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let store = SqliteStore::open(path)?;
/// let asha = store.create_student("Asha", "017", Timestamp::now())?;
/// let names = ["5A/017.jpg", "5A/017_2.JPG", "group.png"].map(str::to_owned);
/// let matched = match_photographs(&names, &[asha]);
/// assert_eq!(matched.of[0].1, ["5A/017.jpg", "5A/017_2.JPG"]);
/// assert_eq!(matched.of_nobody, ["group.png"]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[must_use]
pub fn match_photographs(names: &[String], students: &[Student]) -> MatchedPhotographs {
    let mut by_key: HashMap<String, Vec<&Student>> = HashMap::new();
    for student in students {
        by_key.entry(roll_key(&student.roll_number)).or_default().push(student);
    }
    let mut of: BTreeMap<i64, (Student, Vec<String>)> = BTreeMap::new();
    let mut matched = MatchedPhotographs::default();
    for name in names {
        let found = possible_numbers(name).into_iter().find_map(|number| by_key.get(&roll_key(number)));
        match found.map_or(&[][..], Vec::as_slice) {
            [] => matched.of_nobody.push(name.clone()),
            [student] => {
                of.entry(student.id.0).or_insert_with(|| ((*student).clone(), Vec::new())).1.push(name.clone());
            }
            _ => matched.of_several.push(name.clone()),
        }
    }
    matched.of = of.into_values().collect();
    matched
}

/// The roll numbers that a name may mean, the likeliest first.
fn possible_numbers(name: &str) -> Vec<&str> {
    let mut parts = name.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut possible = vec![stem];
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit());
    let bracket = stem.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).filter(|(_, count)| digits(count));
    possible.extend(bracket.map(|(number, _)| number.trim_end()));
    possible.extend(stem.rsplit_once(['_', '-']).filter(|(_, count)| digits(count)).map(|(number, _)| number));
    possible.extend(parts.next());
    possible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_first_a_whole_roll_number_and_then_one_of_several() {
        for (name, possible) in [
            ("017.jpg", vec!["017"]),
            ("5A/017.JPG", vec!["017", "5A"]),
            ("12-5.png", vec!["12-5", "12"]),
            ("017 (2).jpeg", vec!["017 (2)", "017"]),
            ("017/front.webp", vec!["front", "017"]),
            ("A.7.jpg", vec!["A.7"]),
        ] {
            assert_eq!(possible_numbers(name), possible, "{name}");
        }
    }

    #[test]
    fn only_pictures_are_photographs() {
        for name in ["1.jpg", "a/b/2.JPEG", "x.y.png"] {
            assert!(is_photograph(name), "{name}");
        }
        for name in ["Thumbs.db", "__MACOSX/._1.jpg", "a/._1.jpg", ".hidden.png", "1.gif", "jpg", "list.csv"] {
            assert!(!is_photograph(name), "{name}");
        }
    }

    #[test]
    fn a_folder_and_a_zip_give_the_same_photographs() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("5A")).unwrap();
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in [("5A/1.jpg", b"one"), ("2.png", b"two"), ("list.csv", b"xyz")] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        let packed = zip.finish().unwrap().into_inner();
        for mut photographs in [Photographs::open(folder.path()).unwrap(), Photographs::in_zip(packed).unwrap()] {
            assert_eq!(photographs.names(), ["2.png", "5A/1.jpg"]);
            assert_eq!(photographs.read("5A/1.jpg").unwrap(), b"one");
        }
        assert!(Photographs::in_zip(b"no zip".to_vec()).is_err());
        assert!(matches!(Photographs::open(folder.path().join("gone")), Err(Error::Io { .. })));
    }
}
