//! The list of a school as a file, for the API and the command line.

use faceattend_core::roster_file::{cells_of, csv_of};
use faceattend_core::store::RosterRow;
use faceattend_core::{Error, Result};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

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
        ListFormat::Xlsx => {
            workbook_of(people).map_err(|_| Error::Internal { reason: "the workbook could not be written".into() })
        }
    }
}

/// Everything is text there, so that roll numbers keep their zeros and dates their form.
fn workbook_of(people: &[RosterRow]) -> std::result::Result<Vec<u8>, XlsxError> {
    const WIDTHS: [f64; 6] = [28.0, 14.0, 24.0, 12.0, 12.0, 32.0];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Students")?;
    let (head, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    for (column, width) in (0..).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (line, cells) in (0..).zip(cells_of(people)) {
        for (column, cell) in (0..).zip(&cells) {
            let format = if line == 0 { &head } else { &text };
            if !cell.is_empty() {
                sheet.write_string_with_format(line, column, cell, format)?;
            }
        }
    }
    book.save_to_buffer()
}
