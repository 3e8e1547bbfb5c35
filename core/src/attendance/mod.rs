//! Attendance: the rules of the site, and the marker that applies them.

mod answers;
mod marker;
mod own_timetables;
mod policy;
mod site_periods;
mod timetable;
mod timetables;

pub use crate::store::{
    AttendanceStatus as Status, Correction, CorrectionRecord, DayWindow, Marking, Period, WHOLE_DAY,
};
pub use marker::Marker;
pub(crate) use marker::Noted;
pub use policy::AttendancePolicy;
pub use site_periods::record_periods;
pub use timetables::{DayTimetable, Timetables};
