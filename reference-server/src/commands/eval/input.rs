//! Labeled pictures, from folders or a CSV.

use std::path::{Path, PathBuf};

use faceattend_core::Result;

use super::bad;

/// The endings of the pictures that can be read.
const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// What is in a folder: its pictures and its sub-folders, by name.
pub(super) struct Folder {
    pub(super) pictures: Vec<PathBuf>,
    pub(super) folders: Vec<PathBuf>,
}

impl Folder {
    /// Reads `path`; hidden files and files of other kinds are passed over.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let unreadable = |error: std::io::Error| {
            bad("folder", format!("{}: {error}; give the path of a folder that can be read", path.display()))
        };
        let mut found = Self { pictures: Vec::new(), folders: Vec::new() };
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if name(&path).starts_with('.') {
                continue;
            }
            if path.is_dir() {
                found.folders.push(path);
            } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| PICTURES.contains(&&*e.to_lowercase()))
            {
                found.pictures.push(path);
            }
        }
        found.pictures.sort();
        found.folders.sort();
        Ok(found)
    }
}

/// A folder of people: each one's name and pictures, both in order.
pub(super) fn people(folder: &Path) -> Result<Vec<(String, Vec<PathBuf>)>> {
    let mut people = Vec::new();
    for path in Folder::read(folder)?.folders {
        let pictures = Folder::read(&path)?.pictures;
        if pictures.is_empty() {
            return Err(bad(
                "folder",
                format!("{}: no JPEG, PNG or WebP in it; add pictures of this person or take it out", path.display()),
            ));
        }
        people.push((name(&path), pictures));
    }
    if people.is_empty() {
        let reason = "no sub-folders; it needs one for each person, with the person's pictures in it";
        return Err(bad("folder", format!("{}: {reason}", folder.display())));
    }
    Ok(people)
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A CSV or TSV whose first line names its columns.
pub(super) struct Table {
    path: PathBuf,
    columns: Vec<String>,
    /// Each with the number of its line.
    rows: Vec<(u64, csv::StringRecord)>,
}

/// The place of a column.
#[derive(Clone, Copy)]
pub(super) struct Column(usize);

impl Table {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let fault = |reason: String| bad("table", format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(path)
            .map_err(|error| fault(format!("{error}; give the path of a CSV or TSV in UTF-8")))?;
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().next().unwrap_or_default();
        let delimiter = if first.contains('\t') { b'\t' } else { b',' };
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
        // The reader's own message names the line and what is wrong with it.
        let columns = reader.headers().map_err(|e| fault(e.to_string()))?;
        let columns = columns.iter().map(str::to_lowercase).collect();
        let rows = reader
            .records()
            .map(|row| row.map(|row| (row.position().map_or(0, csv::Position::line), row)))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|e| fault(format!("{e}; every line needs the columns of the first")))?;
        if rows.is_empty() {
            return Err(fault("no line below the names of the columns".into()));
        }
        Ok(Self { path: path.to_owned(), columns, rows })
    }

    /// The first of these names that is a column.
    pub(super) fn column(&self, names: &[&str]) -> Option<Column> {
        names.iter().find_map(|name| self.columns.iter().position(|c| c == name)).map(Column)
    }

    /// The same, for a column that has to be there.
    pub(super) fn required(&self, names: &[&str]) -> Result<Column> {
        self.column(names).ok_or_else(|| {
            let reason = format!(
                "{}: no column `{}`; its first line names these: {}",
                self.path.display(),
                names.join("` or `"),
                self.columns.join(", ")
            );
            bad("table", reason)
        })
    }

    /// The first column whose name begins so.
    pub(super) fn beginning_with(&self, start: &str) -> Option<Column> {
        self.columns.iter().position(|c| c.starts_with(start)).map(Column)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { table: self, line: *line, record })
    }
}

/// A line of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    line: u64,
    record: &'a csv::StringRecord,
}

impl<'a> Row<'a> {
    pub(super) fn get(&self, column: Column) -> &'a str {
        self.record.get(column.0).unwrap_or_default()
    }

    /// The file that this column names, beside the table unless absolute; it has to be there.
    pub(super) fn file(&self, column: Column) -> Result<PathBuf> {
        let text = self.get(column);
        let path = self.table.path.parent().unwrap_or(Path::new("")).join(text);
        if text.is_empty() || !path.is_file() {
            return Err(
                self.fault(format!("{text:?} is no file beside the table; correct the path or take the line out"))
            );
        }
        Ok(path)
    }

    /// An error about this line.
    pub(super) fn fault(&self, reason: impl AsRef<str>) -> faceattend_core::Error {
        bad("table", format!("{}, line {}: {}", self.table.path.display(), self.line, reason.as_ref()))
    }
}
