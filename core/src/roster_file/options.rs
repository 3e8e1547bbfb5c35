//! How a file is read.

/// How a file is read.
///
/// ```
/// use faceattend_core::roster_file::{ReadOptions, read};
///
/// let options = ReadOptions { encoding: Some("windows-1251".into()), ..ReadOptions::default() };
/// let list = read(b"Roll number;Name\n1;\xc0\xed\xed\xe0\n", &options);
/// assert_eq!(list.rows[0].name, "Анна");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The sheet of a workbook. Default: its first one that is not hidden.
    pub sheet: Option<String>,
    /// The encoding of a CSV file, as browsers name it, such as `windows-1251`. Default: told by the file.
    pub encoding: Option<String>,
}
