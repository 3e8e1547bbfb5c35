//! Tells the format of a file, and reads it.

use super::limits::MOST_BYTES;
use super::options::ReadOptions;
use super::table::Table;
use super::{csv_file, text, workbook};
use crate::store::{ProblemCode, RosterProblem};

/// Returns the lines of a file, whose format is told by its first bytes.
pub(super) fn table_of(bytes: &[u8], options: &ReadOptions) -> Result<Table, RosterProblem> {
    if bytes.len() > MOST_BYTES {
        return Err(too_large());
    }
    if let Some(what) = of_another_format(bytes) {
        let message = format!("the file is {what}: save it as an Excel workbook (.xlsx) or as CSV");
        return Err(RosterProblem::of_file(ProblemCode::UnknownFormat, what, message));
    }
    let table = if bytes.starts_with(b"PK\x03\x04") {
        workbook::read(bytes, options.sheet.as_deref())?
    } else {
        let decoded = text::decode(bytes, options.encoding.as_deref())?;
        Table { lines: csv_file::lines(&decoded.text)?, guessed_encoding: decoded.guessed, ..Table::default() }
    };
    if table.lines.is_empty() {
        return Err(RosterProblem::of_file(ProblemCode::Empty, "", "there is no line with text in it"));
    }
    Ok(table)
}

/// What is wrong with a file of more than [`MOST_BYTES`].
pub(super) fn too_large() -> RosterProblem {
    let most = MOST_BYTES / 1024 / 1024;
    let message = format!("the file has more than {most} MB: delete the columns that are not needed");
    RosterProblem::of_file(ProblemCode::TooLarge, format!("{most} MB"), message)
}

/// What a file is by its first bytes, where that is no list.
fn of_another_format(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        // An encrypted .xlsx has this head too.
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "an Excel file of 2003 or earlier (.xls), or one with a password",
        [b'%', b'P', b'D', b'F', ..] => "a PDF",
        [0xff, 0xd8, 0xff, ..] | [0x89, b'P', b'N', b'G', ..] | [b'G', b'I', b'F', b'8', ..] => "a picture",
        [0x1f, 0x8b, ..] => "a compressed file",
        [b'<', b'?', b'x', b'm', b'l', ..] | [b'<', b'h', b't', b'm', b'l', ..] | [b'<', b'!', ..] => {
            "a web page or XML"
        }
        _ => return None,
    })
}
