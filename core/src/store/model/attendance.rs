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
    /// Returns the spelling in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
        }
    }
}

/// One day of the site, and the times between which it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayWindow {
    /// Its date in the site's time zone.
    pub date: Date,
    /// Its first moment.
    pub starts_at: Timestamp,
    /// The first moment of the next day.
    pub ends_at: Timestamp,
}

/// A new mark of attendance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewAttendance {
    /// The student.
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
    #[serde(with = "super::exact")]
    pub confidence_score: Option<f64>,
    /// The location of the camera.
    pub camera_location: Option<String>,
}

/// The result of marking a student.
#[derive(Debug, Clone, PartialEq)]
pub enum Marking {
    /// The student was not marked yet: the new row.
    Marked(AttendanceRecord),
    /// The student was marked already: the row that was there.
    AlreadyMarked(AttendanceRecord),
}

impl Marking {
    /// Returns the row of this day and period.
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
    /// The key of the row.
    pub id: i64,
    /// The student.
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
    /// The location of the camera.
    pub camera_location: Option<String>,
    /// The site's day, if the row has one.
    pub local_day: Option<Date>,
    /// When the row was made, in whole seconds.
    pub created_at: Timestamp,
    /// When the student was last seen in the time in which leaving is expected.
    pub checked_out_at: Option<Timestamp>,
}

/// The status that a person gives to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CorrectedStatus {
    /// The student was there in time.
    Present,
    /// The student came late.
    Late,
    /// The student was there, and left before the time for it.
    LeftEarly,
    /// The student was not there. The row stays, so that no camera marks the same day and period again.
    Absent,
}

impl CorrectedStatus {
    /// Returns the spelling in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
            Self::LeftEarly => "Left early",
            Self::Absent => "Absent",
        }
    }
}

/// A change to an attendance row by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The new status.
    pub status: CorrectedStatus,
    /// The name of the person.
    pub by: String,
    /// The reason.
    pub reason: String,
}

impl Correction {
    /// Returns a correction to `status`, by a person, for a reason.
    #[must_use]
    pub fn new(status: CorrectedStatus, by: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { status, by: by.into(), reason: reason.into() }
    }

    /// Checks that the correction names a person and a reason.
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
    /// The key of the row.
    pub id: i64,
    /// The attendance row.
    pub attendance: i64,
    /// What was changed.
    pub correction: Correction,
    /// What the row said before.
    pub status_before: String,
    /// The time of the correction.
    pub at: Timestamp,
}

/// A filter of attendance rows; `None` lets every row pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AttendanceFilter {
    /// Not before this time: the start of the first day in the site's time zone.
    pub from: Option<Timestamp>,
    /// Before this time: the end of the last day in the site's time zone.
    pub until: Option<Timestamp>,
    /// Only rows of this student.
    pub student: Option<StudentId>,
    /// Only rows with exactly this status.
    pub status: Option<String>,
}

/// Counts of attendance rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttendanceSummary {
    /// All rows.
    pub total: u64,
    /// Rows with status `Present`.
    pub present: u64,
    /// Rows with status `Absent`, which only the existing service wrote.
    pub absent: u64,
    /// Rows with status `Late`.
    pub late: u64,
    /// The number of students with such rows.
    pub unique_students: u64,
}
