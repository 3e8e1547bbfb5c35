//! A mark of attendance, its corrections, and sums of marks.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::types::StudentId;

/// How a student attended, spelled in the database and the API as in the existing service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AttendanceStatus {
    /// In time.
    Present,
    /// After the time that counts as late.
    Late,
}

impl AttendanceStatus {
    /// Its spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
        }
    }
}

/// One day of the site, and the times between which it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayWindow {
    /// Its date in the site's time zone.
    pub date: Date,
    /// Its first moment.
    pub starts_at: Timestamp,
    /// The first moment of the next day.
    pub ends_at: Timestamp,
}

/// An attendance to be marked.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttendance {
    /// Whose.
    pub student: StudentId,
    /// When the student was seen.
    pub at: Timestamp,
    /// The site's day. A row that the existing service wrote between its times counts as this day's.
    pub day: DayWindow,
    /// The part of the day that is marked once, such as a lesson.
    pub period: String,
    /// How the student attended.
    pub status: AttendanceStatus,
    /// The similarity of the match, on the scale of the documented threshold 0.7.
    pub confidence_score: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
}

/// What came of a mark. The row is the same kind either way.
#[derive(Debug, Clone, PartialEq)]
pub enum Marking {
    /// The new row.
    Marked(AttendanceRecord),
    /// The row that was there.
    AlreadyMarked(AttendanceRecord),
}

impl Marking {
    /// The row that stands for this day and period.
    #[must_use]
    pub fn record(&self) -> &AttendanceRecord {
        match self {
            Self::Marked(record) | Self::AlreadyMarked(record) => record,
        }
    }
}

/// An attendance row with its student's name.
#[derive(Debug, Clone, PartialEq)]
pub struct AttendanceRecord {
    /// Its key.
    pub id: i64,
    /// Whose.
    pub student: StudentId,
    /// The student's name.
    pub student_name: String,
    /// The student's roll number.
    pub student_roll_number: String,
    /// When the student was seen.
    pub timestamp: Timestamp,
    /// `Present`, `Late`, or what else the existing service wrote.
    pub status: String,
    /// The similarity of the match.
    pub confidence_score: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
    /// The site's day, if the row has one.
    pub local_day: Option<Date>,
    /// When the row was made, in whole seconds.
    pub created_at: Timestamp,
    /// When the student was last seen in the time in which leaving is expected.
    pub checked_out_at: Option<Timestamp>,
}

/// What a person says that a row should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CorrectedStatus {
    /// There in time.
    Present,
    /// There late.
    Late,
    /// Not there: the row stays, so that no camera marks the same day and period again.
    Absent,
}

impl CorrectedStatus {
    /// Its spelling in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
            Self::Absent => "Absent",
        }
    }
}

/// A change to an attendance row by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// What it should say.
    pub status: CorrectedStatus,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Correction {
    /// A correction to `status`, by whom and why.
    #[must_use]
    pub fn new(status: CorrectedStatus, by: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { status, by: by.into(), reason: reason.into() }
    }

    /// That it says who and why.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput).
    pub fn check(&self) -> Result<()> {
        if self.by.trim().is_empty() || self.reason.trim().is_empty() {
            return Err(crate::Error::invalid_input("correction", "it must say who made it and why"));
        }
        Ok(())
    }
}

/// A correction that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRecord {
    /// Its key.
    pub id: i64,
    /// The attendance row.
    pub attendance: i64,
    /// What was changed.
    pub correction: Correction,
    /// What the row said before.
    pub status_before: String,
    /// When.
    pub at: Timestamp,
}

/// Which attendance rows to look at; `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AttendanceFilter {
    /// Not before this time: the start of the first day in the site's time zone.
    pub from: Option<Timestamp>,
    /// Before this time: the end of the last day in the site's time zone.
    pub until: Option<Timestamp>,
    /// Of this student.
    pub student: Option<StudentId>,
    /// With exactly this status.
    pub status: Option<String>,
}

/// Counts of attendance rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttendanceSummary {
    /// All of them.
    pub total: u64,
    /// With status `Present`.
    pub present: u64,
    /// With status `Absent`, which only the existing service wrote.
    pub absent: u64,
    /// With status `Late`.
    pub late: u64,
    /// How many students they are of.
    pub unique_students: u64,
}
