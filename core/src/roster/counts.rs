//! Sums of statuses, and the rates that are made of them.

use super::DayStatus;

/// How many of those who were expected came, and how.
///
/// ```
/// use faceattend_core::roster::{DayStatus, StatusCounts};
///
/// let mut counts = StatusCounts::default();
/// for status in [DayStatus::Present, DayStatus::Late, DayStatus::Excused, DayStatus::Absent, DayStatus::Pending] {
///     counts.add(status);
/// }
/// assert_eq!((counts.expected(), counts.came()), (5, 2));
/// // Who may still come is no part of it.
/// assert_eq!(counts.rate(), Some(0.5));
/// assert_eq!(StatusCounts::default().rate(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    /// In time.
    pub present: u64,
    /// Late.
    pub late: u64,
    /// Gone before the end.
    pub left_early: u64,
    /// Not there, and excused.
    pub excused: u64,
    /// Not there.
    pub absent: u64,
    /// Expected, and not late yet.
    pub pending: u64,
}

impl StatusCounts {
    /// Counts one more.
    pub fn add(&mut self, status: DayStatus) {
        let count = match status {
            DayStatus::Present => &mut self.present,
            DayStatus::Late => &mut self.late,
            DayStatus::LeftEarly => &mut self.left_early,
            DayStatus::Excused => &mut self.excused,
            DayStatus::Absent => &mut self.absent,
            DayStatus::Pending => &mut self.pending,
        };
        *count += 1;
    }

    /// Adds other counts to these.
    pub fn add_all(&mut self, other: &Self) {
        self.present += other.present;
        self.late += other.late;
        self.left_early += other.left_early;
        self.excused += other.excused;
        self.absent += other.absent;
        self.pending += other.pending;
    }

    /// Returns how many were expected.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.came() + self.excused + self.absent + self.pending
    }

    /// Returns how many came, in time or not, and stayed or not.
    #[must_use]
    pub fn came(&self) -> u64 {
        self.present + self.late + self.left_early
    }

    /// Returns the attendance rate, from 0 to 1: the part of those expected who came. An excused absence is an absence;
    /// who may still come is left out. `None` where nobody is left.
    ///
    /// The definition is that of school statistics: sessions attended by possible sessions, authorized absences among
    /// the possible ones (Department for Education, *Pupil absence statistics: methodology*).
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.part(self.came())
    }

    /// Returns `count` as a part of those expected, without those who may still come.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of people and days stay far below 2^52")]
    pub fn part(&self, count: u64) -> Option<f64> {
        let whole = self.expected() - self.pending;
        (whole > 0).then(|| count as f64 / whole as f64)
    }
}
