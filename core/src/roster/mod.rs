//! Who was expected when, and how each attended: derived from what is stored, never written.
//!
//! # Who is expected
//!
//! A student is expected on a day unless one of these holds:
//!
//! - The student is withdrawn, or has a first day that is later.
//! - The student is a member of no group on that day, and the row was made on a later day.
//! - The calendar has a holiday. An entry of one of the student's groups wins over the site's, that of the group with
//!   the lowest key over the others', and a later entry over an earlier one of the same group.
//! - The timetable does not have this day of the week, and the calendar has no extra day.
//!
//! # Which timetable holds
//!
//! That of the group with the lowest key, of those of the day, that has one; else the site's; else the policy's own
//! periods, from Monday to Friday. A version holds from its own day on, so a past day keeps the timetable that it had.
//!
//! # Which status a period has
//!
//! - A mark of the period says it. Who was checked out before the time for leaving has left early, unless a person
//!   corrected the mark. A row of the existing service stands for every period of its day; a mark of a period that the
//!   day does not have counts where its time lies.
//! - Without one, or with one that a person corrected to absent, an excuse makes it excused.
//! - Else it is pending until the time that is late has come (the beginning, where there is none), and absent from then
//!   on.

mod arrivals;
mod counts;
mod days;
mod plan;
#[cfg(test)]
mod tests;

pub use arrivals::{ArrivalBin, Arrivals};
pub use counts::StatusCounts;
pub use days::{Entry, RosterDays};
pub use plan::{DayKind, DayPlan};

/// The most days that a program should read at once for somebody else: two years and a term. The HTTP API and the Node
/// addon refuse more.
pub const MOST_DAYS: i64 = 800;

/// How a student attended a period in which the student was expected.
///
/// ```
/// use faceattend_core::roster::DayStatus;
///
/// assert!(DayStatus::Late.came());
/// assert!(!DayStatus::Excused.came(), "an excused absence is an absence");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayStatus {
    /// In time.
    Present,
    /// After the time that counts as late.
    Late,
    /// There, and gone before the end.
    LeftEarly,
    /// Not there, with an excuse.
    Excused,
    /// Not there.
    Absent,
    /// Not there yet, and not late yet.
    Pending,
}

impl DayStatus {
    /// Returns the spelling in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
            Self::LeftEarly => "LeftEarly",
            Self::Excused => "Excused",
            Self::Absent => "Absent",
            Self::Pending => "Pending",
        }
    }

    /// Returns whether the student came.
    #[must_use]
    pub fn came(self) -> bool {
        matches!(self, Self::Present | Self::Late | Self::LeftEarly)
    }
}
