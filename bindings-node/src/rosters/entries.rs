//! What is derived of a roster: how somebody attended, sums of it, what a day is, and when people came.

use faceattend_core::roster::{
    ArrivalBin as CoreBin, DayKind as CoreDayKind, DayPlan as CorePlan, DayStatus as CoreStatus, Entry,
    StatusCounts as CoreCounts,
};
use faceattend_core::store::RosterStudent as CoreStudent;
use faceattend_core::types::StudentId;
use napi_derive::napi;

use super::excuses::Excuse;
use super::timetables::Period;
use crate::time::{self, Date, clock_text};

/// How a student attended a period in which the student was expected: in time, late, there and gone before the end, not
/// there with an excuse, not there, or not there yet and not late yet.
#[napi(string_enum)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DayStatus {
    Present,
    Late,
    LeftEarly,
    Excused,
    Absent,
    Pending,
}

/// What a day is: people are expected, the calendar has a holiday, or nobody is expected on this day of the week.
#[napi(string_enum = "lowercase")]
pub enum DayKind {
    School,
    Holiday,
    Free,
}

/// A day as its timetable and its calendar have it.
#[napi(object, use_nullable = true)]
pub struct DayPlan {
    pub kind: DayKind,
    /// The name of its entry in the calendar; `null` without one.
    pub name: Option<String>,
    /// The periods in order, also of a day without school: one named `day` where the day is marked once.
    pub periods: Vec<Period>,
}

/// A student of a roster.
#[napi(object)]
pub struct RosterStudent {
    /// The key.
    pub id: i64,
    pub name: String,
    pub roll_number: String,
    pub created_at: Date,
}

/// How a student attended a period of a day in which the student was expected.
#[napi(object, use_nullable = true)]
pub struct RosterEntry {
    pub student_id: i64,
    pub name: String,
    pub roll_number: String,
    /// The site's day as `YYYY-MM-DD`.
    pub day: String,
    /// The period; `day` of a day that is marked once.
    pub period: String,
    pub status: DayStatus,
    /// When the student was marked; `null` without a mark.
    pub at: Option<Date>,
    /// The excuse of one who was not there; `null` without one. Its reason may tell of an illness.
    pub excuse: Option<Excuse>,
}

/// How many of those who were expected came, and how: each student once for each period of each day.
#[napi(object, use_nullable = true)]
pub struct StatusCounts {
    /// In time.
    pub present: i64,
    pub late: i64,
    /// Gone before the end.
    pub left_early: i64,
    /// Not there, and excused.
    pub excused: i64,
    /// Not there.
    pub absent: i64,
    /// Expected, and not late yet.
    pub pending: i64,
    /// How many were expected.
    pub expected: i64,
    /// How many came, in time or not, and stayed or not.
    pub came: i64,
    /// The part of those expected who came, from 0 to 1. An excused absence is an absence; who may still come is left
    /// out. `null` where nobody is left.
    pub rate: Option<f64>,
}

/// Arrivals in some minutes.
#[napi(object)]
pub struct ArrivalBin {
    /// The first minute by the site's clocks, as `HH:MM`.
    pub begins: String,
    /// Arrivals in time.
    pub in_time: i64,
    /// Late ones.
    pub late: i64,
}

/// When people came, from the first arrival to the last one without gaps.
#[napi(object)]
pub struct Arrivals {
    /// The width of a bin.
    pub minutes: u32,
    pub bins: Vec<ArrivalBin>,
}

impl From<CoreStatus> for DayStatus {
    fn from(status: CoreStatus) -> Self {
        match status {
            CoreStatus::Present => Self::Present,
            CoreStatus::Late => Self::Late,
            CoreStatus::LeftEarly => Self::LeftEarly,
            CoreStatus::Excused => Self::Excused,
            CoreStatus::Absent => Self::Absent,
            CoreStatus::Pending => Self::Pending,
        }
    }
}

impl From<&CorePlan<'_>> for DayPlan {
    fn from(plan: &CorePlan<'_>) -> Self {
        Self {
            kind: match plan.kind {
                CoreDayKind::School => DayKind::School,
                CoreDayKind::Holiday => DayKind::Holiday,
                CoreDayKind::Free => DayKind::Free,
            },
            name: plan.name.map(str::to_owned),
            periods: plan.periods.iter().map(Into::into).collect(),
        }
    }
}

impl From<&CoreStudent> for RosterStudent {
    fn from(student: &CoreStudent) -> Self {
        let StudentId(id) = student.id;
        Self {
            id,
            name: student.name.clone(),
            roll_number: student.roll_number.clone(),
            created_at: time::date(student.created_at),
        }
    }
}

impl From<&Entry<'_>> for RosterEntry {
    fn from(entry: &Entry<'_>) -> Self {
        let StudentId(student_id) = entry.student.id;
        Self {
            student_id,
            name: entry.student.name.clone(),
            roll_number: entry.student.roll_number.clone(),
            day: entry.day.to_string(),
            period: entry.period.name().to_owned(),
            status: entry.status.into(),
            at: entry.mark.map(|mark| time::date(mark.at)),
            excuse: entry.excuse.map(Into::into),
        }
    }
}

impl From<CoreCounts> for StatusCounts {
    fn from(counts: CoreCounts) -> Self {
        Self {
            present: counts.present.cast_signed(),
            late: counts.late.cast_signed(),
            left_early: counts.left_early.cast_signed(),
            excused: counts.excused.cast_signed(),
            absent: counts.absent.cast_signed(),
            pending: counts.pending.cast_signed(),
            expected: counts.expected().cast_signed(),
            came: counts.came().cast_signed(),
            rate: counts.rate(),
        }
    }
}

impl From<CoreBin> for ArrivalBin {
    fn from(bin: CoreBin) -> Self {
        Self { begins: clock_text(bin.begins), in_time: bin.in_time.cast_signed(), late: bin.late.cast_signed() }
    }
}
