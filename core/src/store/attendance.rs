//! Marks of attendance and their corrections.

use jiff::Timestamp;

use super::{
    AttendanceBy, AttendanceFilter, AttendanceRecord, AttendanceSummary, Correction, CorrectionRecord, Listed, Marking,
    NewAttendance, Order, Page,
};
use crate::error::Result;

/// The attendance of the students.
pub trait Attendance: Send + Sync {
    /// Marks the student present for the day and period of `new`, or returns the row that already does. The database
    /// decides, so two cameras, threads or servers cannot mark twice.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its [limit](super::limits).
    fn mark_attendance(&self, new: &NewAttendance) -> Result<Marking>;

    /// Returns a page of attendance, newest first, and how many rows pass the filter in all.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn attendance(&self, filter: &AttendanceFilter, page: Page) -> Result<Listed<AttendanceRecord>> {
        self.attendance_in_order(filter, Order::NEWEST_FIRST, page)
    }

    /// Returns the same in another order.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn attendance_in_order(
        &self,
        filter: &AttendanceFilter,
        order: Order<AttendanceBy>,
        page: Page,
    ) -> Result<Listed<AttendanceRecord>>;

    /// Returns the attendance row with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn attendance_record(&self, id: i64) -> Result<Option<AttendanceRecord>>;

    /// Deletes the attendance row with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn delete_attendance(&self, id: i64) -> Result<()>;

    /// Notes that the student of a row was seen leaving at `at`, and returns the row. The latest time stays.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn check_out(&self, id: i64, at: Timestamp) -> Result<AttendanceRecord>;

    /// Gives a row the status of the correction, keeps who, why and what it was before, and returns the row.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::InvalidInput`](crate::Error::InvalidInput) for a text
    /// beyond its [limit](super::limits).
    fn correct_attendance(&self, id: i64, correction: &Correction, now: Timestamp) -> Result<AttendanceRecord>;

    /// Returns the corrections of a row, oldest first. They go with the row, whoever deletes it.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn corrections(&self, attendance: i64) -> Result<Vec<CorrectionRecord>>;

    /// Counts of the rows that pass the filter.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn attendance_summary(&self, filter: &AttendanceFilter) -> Result<AttendanceSummary>;
}
