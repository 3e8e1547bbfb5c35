//! Indexes from which the marks of a span of days are read.
//!
//! | index | what is read from it |
//! |---|---|
//! | `ix_attendance_log_roster` | the marks of students, each student's in order, without the table itself (SQLite) |
//! | `ix_attendance_log_no_day` | rows of the existing service, which name no day |
//! | `ix_attendance_log_not_present` | sums of all rows, of which most are present |

pub(in crate::store) const NAME: &str = "marks of a span of days, read from indexes alone";

// PostgreSQL reads the days of everybody in the order in which they were written, which is theirs.
pub(in crate::store) const SQLITE_AFTER: &str = "
CREATE INDEX IF NOT EXISTS ix_attendance_log_roster ON attendance_log (student_id, local_day, period, status, timestamp,
checked_out_at);
CREATE INDEX IF NOT EXISTS ix_attendance_log_no_day ON attendance_log (timestamp, student_id, status, checked_out_at,
local_day) WHERE local_day IS NULL;
CREATE INDEX IF NOT EXISTS ix_attendance_log_not_present ON attendance_log (status) WHERE status IS NOT 'Present';
";

#[cfg(feature = "postgres")]
pub(in crate::store) const POSTGRES: &str = "
CREATE INDEX IF NOT EXISTS ix_attendance_log_no_day ON attendance_log (timestamp) WHERE local_day IS NULL;
CREATE INDEX IF NOT EXISTS ix_attendance_log_not_present ON attendance_log (status)
    WHERE status IS DISTINCT FROM 'Present';
";
