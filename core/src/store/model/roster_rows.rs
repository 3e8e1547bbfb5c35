//! What is stored of a span of days, from which the statuses are derived.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{CalendarEntry, Excuse, Group, Membership, TimetableVersion, Withdrawal};
use crate::types::StudentId;

/// Whom the rows are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RosterOf {
    /// Every student.
    Everybody,
    /// The students who are members of the group in the span.
    Group(i64),
    /// One student.
    Student(StudentId),
}

/// A span of days, and whom it is read about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterQuery {
    /// Whom the rows are about.
    pub of: RosterOf,
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
    /// The first moment of the first day.
    pub starts_at: Timestamp,
    /// The first moment after the last day.
    pub ends_at: Timestamp,
}

/// A student of a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterStudent {
    /// The student.
    pub id: StudentId,
    /// The name.
    pub name: String,
    /// The roll number.
    pub roll_number: String,
    /// When the row was made.
    pub created_at: Timestamp,
}

/// A mark, as far as statuses are derived from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterMark {
    /// The key of the attendance row.
    pub id: i64,
    /// The student.
    pub student: StudentId,
    /// When the student was seen.
    pub at: Timestamp,
    /// `Present`, `Late`, `Absent`, `Left early`, or what else the existing service wrote. Marks share their words.
    pub status: Arc<str>,
    /// The site's day; `None` in a row of the existing service.
    pub day: Option<Date>,
    /// The period; `None` in a row of the existing service.
    pub period: Option<Arc<str>>,
    /// When the student was last seen leaving.
    pub checked_out_at: Option<Timestamp>,
    /// Whether a person has corrected the row.
    pub is_corrected: bool,
}

/// Everything that is stored of a span of days, as of one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RosterRows {
    /// The students, ordered by name; without those who were erased.
    pub students: Vec<RosterStudent>,
    /// Every group, ordered by name.
    pub groups: Vec<Group>,
    /// The memberships that hold in the span, of all groups of these students.
    pub memberships: Vec<Membership>,
    /// The withdrawals that hold in the span.
    pub withdrawals: Vec<Withdrawal>,
    /// Every version of every timetable that begins before the span is over.
    pub timetables: Vec<TimetableVersion>,
    /// The entries of the calendar in the span.
    pub calendar: Vec<CalendarEntry>,
    /// The excuses in the span that are not withdrawn.
    pub excuses: Vec<Excuse>,
    /// The marks of the span.
    pub marks: Vec<RosterMark>,
}
