//! What a list of students is written as.

use super::write::csv_of;
use super::write_workbook::xlsx_of;
use crate::error::Result;
use crate::store::RosterRow;

/// What a list of students is written as.
///
/// ```
/// use faceattend_core::roster_file::ListFormat;
///
/// let bytes = ListFormat::Csv.write(&[], true)?;
/// assert!(bytes.starts_with("\u{feff}name,roll_number".as_bytes()));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// [`csv_of`].
    Csv,
    /// [`xlsx_of`].
    Xlsx,
}

impl ListFormat {
    /// Returns the list as a file. CSV begins with a byte-order mark if wished, by which Excel knows that the text is
    /// UTF-8.
    ///
    /// # Errors
    /// Those of [`xlsx_of`].
    pub fn write(self, people: &[RosterRow], byte_order_mark: bool) -> Result<Vec<u8>> {
        let mark = if byte_order_mark { "\u{feff}" } else { "" };
        match self {
            Self::Csv => Ok((mark.to_owned() + &csv_of(people)).into_bytes()),
            Self::Xlsx => xlsx_of(people),
        }
    }
}
