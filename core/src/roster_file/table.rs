//! The cells of a file, before anybody knows what they mean.

use super::{MOST_BYTES, ReadOptions, csv_file, text, workbook};
use crate::store::{ProblemCode, RosterProblem};

/// A cell as text, and what a spreadsheet did to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CellText {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Where the text of a cell comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Origin {
    /// It was typed.
    #[default]
    Text,
    /// It is a date of the spreadsheet, as `YYYY-MM-DD`.
    Date,
    /// It is a number that has lost digits.
    Rounded,
    /// It is an error of a formula.
    Error,
}

impl From<&str> for CellText {
    fn from(text: &str) -> Self {
        Self { text: tidy(text), origin: Origin::Text }
    }
}

/// A line with at least one cell that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number in the file or sheet, from 1.
    pub(super) number: u32,
    pub(super) cells: Vec<CellText>,
}

/// The lines of a file.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) lines: Vec<Line>,
    /// The sheet of a workbook.
    pub(super) sheet: Option<String>,
    /// The other sheets of the workbook.
    pub(super) other_sheets: Vec<String>,
    /// The encoding of a CSV file, where it is a guess.
    pub(super) guessed_encoding: Option<&'static str>,
}

impl Table {
    pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Self, RosterProblem> {
        if bytes.len() > MOST_BYTES {
            let most = MOST_BYTES / 1024 / 1024;
            let message = format!("the file has more than {most} MB: delete the columns that are not needed");
            return Err(RosterProblem::of_file(ProblemCode::TooLarge, format!("{most} MB"), message));
        }
        if let Some(what) = of_another_format(bytes) {
            let message = format!("the file is {what}: save it as an Excel workbook (.xlsx) or as CSV");
            return Err(RosterProblem::of_file(ProblemCode::UnknownFormat, what, message));
        }
        let table = if bytes.starts_with(b"PK\x03\x04") {
            workbook::read(bytes, options.sheet.as_deref())?
        } else {
            let decoded = text::decode(bytes, options.encoding.as_deref())?;
            Self { lines: csv_file::lines(&decoded.text)?, guessed_encoding: decoded.guessed, ..Self::default() }
        };
        if table.lines.is_empty() {
            return Err(RosterProblem::of_file(ProblemCode::Empty, "", "there is no line with text in it"));
        }
        Ok(table)
    }
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

/// Returns the text without white space around it, and with one space for white space of any kind inside: a list has
/// line breaks and no-break spaces in its cells, and no name has.
pub(super) fn tidy(text: &str) -> String {
    let bare = text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}'));
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}
