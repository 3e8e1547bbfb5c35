//! Days on which nobody is expected, or more than usual, and excuses of students.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use super::RosterScope;
use crate::error::{Error, Result};
use crate::types::StudentId;

/// What an entry of the calendar says of its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarKind {
    /// Nobody is expected.
    Holiday,
    /// People are expected, whatever day of the week it is.
    ExtraDay,
}

impl CalendarKind {
    /// Returns the word for the kind, in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holiday => "holiday",
            Self::ExtraDay => "extra_day",
        }
    }
}

/// Reads the word for a kind.
///
/// ```
/// use faceattend_core::store::CalendarKind;
///
/// assert_eq!("extra_day".parse::<CalendarKind>()?, CalendarKind::ExtraDay);
/// assert!("vacation".parse::<CalendarKind>().is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
impl FromStr for CalendarKind {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "holiday" => Ok(Self::Holiday),
            "extra_day" => Ok(Self::ExtraDay),
            _ => Err(Error::invalid_input("calendar", format!("{word:?} is neither holiday nor extra_day"))),
        }
    }
}

/// An entry of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// The key of the row.
    pub id: i64,
    /// Whom it is for.
    pub scope: RosterScope,
    /// What it says of its days.
    pub kind: CalendarKind,
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
    /// The name, such as that of the holiday.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// An entry of the calendar that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCalendarEntry {
    /// Whom it is for.
    pub scope: RosterScope,
    /// What it says of its days.
    pub kind: CalendarKind,
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
    /// The name.
    pub name: String,
    /// The name of the person who makes it.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

/// That an absence of a student is excused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excuse {
    /// The key of the row.
    pub id: i64,
    /// The student.
    pub student: StudentId,
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
    /// The period that it is for; `None` for the whole of each day.
    pub period: Option<String>,
    /// The reason.
    pub reason: String,
    /// When it was noted.
    pub created_at: Timestamp,
    /// Who noted it.
    pub created_by: String,
    /// When it was withdrawn: it excuses nothing any more.
    pub withdrawn_at: Option<Timestamp>,
    /// Who withdrew it.
    pub withdrawn_by: Option<String>,
}

impl Excuse {
    /// Returns whether it excuses an absence on this day, in this period.
    #[must_use]
    pub fn covers(&self, day: Date, period: &str) -> bool {
        self.withdrawn_at.is_none()
            && self.first_day <= day
            && day <= self.last_day
            && self.period.as_deref().is_none_or(|own| own == period)
    }
}

/// An excuse that is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExcuse {
    /// The student.
    pub student: StudentId,
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
    /// The period that it is for; `None` for the whole of each day.
    pub period: Option<String>,
    /// The reason.
    pub reason: String,
    /// The name of the person who notes it.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

/// A filter of excuses; `None` lets every one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExcuseFilter {
    /// Only of this student.
    pub student: Option<StudentId>,
    /// Only those that end on this day or later.
    pub from: Option<Date>,
    /// Only those that begin on this day or earlier.
    pub to: Option<Date>,
}
