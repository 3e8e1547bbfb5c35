//! What the answers for the pages Today, Register, Person and Trends share.

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster::{DayPlan, MOST_DAYS, RosterDays, StatusCounts};
use faceattend_core::store::{Group, RosterOf, RosterStudent};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Role;

/// Stands for everybody who is in no group, where a group is asked for.
pub(super) const NO_GROUP: i64 = 0;

/// How many of those who were expected came, and how. The first seven fields but `expected` add up to it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Counts {
    expected: u64,
    /// In time.
    present: u64,
    late: u64,
    left_early: u64,
    excused: u64,
    missing: u64,
    /// Expected, and not late yet.
    pending: u64,
    /// The part of those expected, without those who are pending, who came: from 0 to 1. Null where there is none.
    #[schema(required)]
    rate: Option<f64>,
    #[schema(required)]
    late_rate: Option<f64>,
    #[schema(required)]
    missing_rate: Option<f64>,
    #[schema(required)]
    excused_rate: Option<f64>,
}

impl Counts {
    pub(super) fn of(counts: &StatusCounts) -> Self {
        Self {
            expected: counts.expected(),
            present: counts.present,
            late: counts.late,
            left_early: counts.left_early,
            excused: counts.excused,
            missing: counts.absent,
            pending: counts.pending,
            rate: counts.rate(),
            late_rate: counts.part(counts.late),
            missing_rate: counts.part(counts.absent),
            excused_rate: counts.part(counts.excused),
        }
    }

    /// Returns what stands behind a student's month: five counts and the rate.
    pub(super) fn sums(&self) -> Vec<Option<f64>> {
        #[expect(clippy::cast_precision_loss, reason = "days of a month")]
        let counts = [self.present, self.late, self.left_early, self.excused, self.missing].map(|n| Some(n as f64));
        counts.into_iter().chain([self.rate]).collect()
    }
}

/// A group that can be asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Choice {
    /// Null for everybody who is in no group.
    #[schema(required)]
    group_id: Option<i64>,
    #[schema(required)]
    name: Option<String>,
}

impl Choice {
    pub(super) fn of(group: Option<&Group>) -> Self {
        Self { group_id: group.map(|group| group.id), name: group.map(|group| group.name.clone()) }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// What a day is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OffDay {
    /// `school` where people are expected, else `holiday`, or `free` for a day of the week without school.
    kind: &'static str,
    /// The name in the calendar.
    #[schema(required)]
    name: Option<String>,
}

impl OffDay {
    pub(super) fn of(plan: &DayPlan<'_>) -> Self {
        Self { kind: plan.kind.as_str(), name: plan.name.map(str::to_owned) }
    }

    /// Returns whether nobody is expected.
    pub(super) fn is_off(&self) -> bool {
        self.kind != "school"
    }
}

/// The end of a span that comes before its beginning, in words of the parameters.
const UPSIDE_DOWN: &str = "`to` comes before `from`: choose a last day that is not before the first";

/// Returns the span of days that was asked for.
///
/// # Errors
/// [`Error::InvalidInput`] for days in the wrong order, and for too many.
pub(super) fn span(from: Date, to: Date) -> Result<(Date, Date)> {
    let wrong = |reason: String| Err(Error::InvalidInput { what: "days", reason });
    if to < from {
        return wrong(UPSIDE_DOWN.into());
    }
    let days = i64::from((to - from).get_days()) + 1;
    if days > MOST_DAYS {
        return wrong(format!("{days} days are too many: choose at most {MOST_DAYS}"));
    }
    Ok((from, to))
}

/// Returns whom to read about for the group that was asked for.
pub(super) fn readers_of(group: Option<i64>) -> RosterOf {
    match group {
        Some(id) if id != NO_GROUP => RosterOf::Group(id),
        _ => RosterOf::Everybody,
    }
}

/// Returns a time of the site's clocks, in seconds.
pub(super) fn clock(policy: &AttendancePolicy, at: Timestamp) -> String {
    policy.time_zone().to_datetime(at).time().strftime("%H:%M:%S").to_string()
}

/// Returns a time of a timetable.
pub(super) fn time_of(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

/// Returns whether the student is there on this day, and of the group that was asked for.
pub(super) fn is_of(roster: &RosterDays, student: &RosterStudent, day: Date, group: Option<i64>) -> bool {
    let groups = || roster.groups_of(student.id, day);
    match group {
        None => true,
        Some(NO_GROUP) => groups().next().is_none() && roster.is_there(student.id, day),
        Some(id) => groups().any(|own| own == id),
    }
}

/// Whether somebody of this role learns why a student is excused: a reason may tell of an illness.
pub(super) fn tells_reasons(role: Role) -> bool {
    role >= Role::Operator
}
