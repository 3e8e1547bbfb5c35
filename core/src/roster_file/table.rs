//! The cells of a file, before anybody knows what they mean.

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

/// Returns the text without white space around it, and with one space for white space of any kind inside: a list has
/// line breaks and no-break spaces in its cells, and no name has.
pub(super) fn tidy(text: &str) -> String {
    let bare = text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}'));
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}
