//! What is wrong with a list, and where.

use std::fmt;

/// What is wrong, as a stable word for programs and for the texts of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemCode {
    /// The file has no line with text.
    Empty,
    /// The file, a sheet or a cell is larger than what is read.
    TooLarge,
    /// The file is neither CSV nor a workbook of Excel.
    UnknownFormat,
    /// The file is damaged.
    Damaged,
    /// The workbook is encrypted.
    PasswordProtected,
    /// The workbook has no sheet of that name.
    UnknownSheet,
    /// The letters of the file cannot be told.
    UnknownEncoding,
    /// A quotation mark opens a cell and none closes it.
    OpenQuote,
    /// A column that every list needs is missing.
    NoColumn,
    /// Two columns have the same meaning.
    ColumnTwice,
    /// A cell that every line needs is empty.
    Missing,
    /// A text is longer than the database keeps.
    TooLong,
    /// A text holds a character that cannot be seen.
    ControlCharacter,
    /// A cell holds an error of a formula, such as `#N/A`.
    FormulaError,
    /// A spreadsheet has rounded the number, or made a date of it.
    NumberChanged,
    /// Two lines have one roll number and different names.
    RollNumberTwice,
    /// The text is no date.
    BadDate,
    /// The day and the month of a date cannot be told apart.
    AmbiguousDate,
    /// The last day is before the first.
    EndsBeforeItBegins,
    /// The text is no e-mail address.
    BadEmail,
    /// Several students in the database have this roll number.
    SeveralStudents,
    /// The database does not take the change.
    Refused,
}

impl ProblemCode {
    /// Returns the word, in snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::UnknownFormat => "unknown_format",
            Self::Damaged => "damaged",
            Self::PasswordProtected => "password_protected",
            Self::UnknownSheet => "unknown_sheet",
            Self::UnknownEncoding => "unknown_encoding",
            Self::OpenQuote => "open_quote",
            Self::NoColumn => "no_column",
            Self::ColumnTwice => "column_twice",
            Self::Missing => "missing",
            Self::TooLong => "too_long",
            Self::ControlCharacter => "control_character",
            Self::FormulaError => "formula_error",
            Self::NumberChanged => "number_changed",
            Self::RollNumberTwice => "roll_number_twice",
            Self::BadDate => "bad_date",
            Self::AmbiguousDate => "ambiguous_date",
            Self::EndsBeforeItBegins => "ends_before_it_begins",
            Self::BadEmail => "bad_email",
            Self::SeveralStudents => "several_students",
            Self::Refused => "refused",
        }
    }
}

/// What is wrong with a list, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterProblem {
    /// The line of the file or the row of the sheet, from 1; `None` where the whole file is meant.
    pub line: Option<u32>,
    /// The heading of the column, as the file has it.
    pub column: Option<String>,
    /// What is wrong.
    pub code: ProblemCode,
    /// The text, name, number or limit that it is about, for a sentence in another language; may be empty.
    pub value: String,
    /// The English sentence.
    pub message: String,
}

impl RosterProblem {
    pub(crate) fn of_file(code: ProblemCode, value: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line: None, column: None, code, value: value.into(), message: message.into() }
    }

    pub(crate) fn at(line: u32, code: ProblemCode, value: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::of_file(code, value, message) }
    }

    #[cfg(feature = "roster-files")]
    pub(crate) fn in_column(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }
}

impl fmt::Display for RosterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: {}", self.message),
            (Some(line), None) => write!(f, "line {line}: {}", self.message),
            (None, Some(column)) => write!(f, "column {column}: {}", self.message),
            (None, None) => f.write_str(&self.message),
        }
    }
}
