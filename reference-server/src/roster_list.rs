//! The list of a school as a file, for the API and the command line.

use faceattend_core::Result;
use faceattend_core::roster_file::{csv_of, xlsx_of};
use faceattend_core::store::RosterRow;

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListFormat {
    Csv,
    Xlsx,
}

/// Returns the list as a file.
pub(crate) fn bytes_of(people: &[RosterRow], format: ListFormat, byte_order_mark: bool) -> Result<Vec<u8>> {
    match format {
        ListFormat::Csv => {
            let mark = if byte_order_mark { "\u{feff}" } else { "" };
            Ok((mark.to_owned() + &csv_of(people)).into_bytes())
        }
        ListFormat::Xlsx => xlsx_of(people),
    }
}
