//! Who was expected when, and how each attended: derived from what is stored, never written.

mod arrivals;
mod counts;
mod days;
mod plan;

pub use arrivals::{ArrivalBin, Arrivals};
pub use counts::StatusCounts;
pub use days::{Entry, RosterDays};
pub use plan::{DayKind, DayPlan};

/// How a student attended a period in which the student was expected.
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
