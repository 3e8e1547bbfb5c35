//! What the export of a student tells of groups, and of days on which the student was away.

use faceattend_core::Result;
use faceattend_core::store::{Excuse, ExcuseFilter, MembershipFilter, Store, Withdrawal};
use faceattend_core::types::StudentId;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::responses::naive_utc;

/// The groups of a student, and the days on which the student was away.
#[derive(Serialize, ToSchema)]
pub(super) struct RosterExport {
    groups: Vec<OwnMembership>,
    /// Days on which nobody expected the student: after leaving, or before the first day.
    withdrawals: Vec<TimeAway>,
    /// Withdrawn ones are among them.
    excuses: Vec<OwnExcuse>,
}

/// A time in a group.
#[derive(Serialize, ToSchema)]
struct OwnMembership {
    group: String,
    from_day: String,
    /// The first day on which it was over.
    #[schema(required)]
    until_day: Option<String>,
}

/// Days on which nobody expects a student.
#[derive(Serialize, ToSchema)]
struct TimeAway {
    /// Null before a first day.
    #[schema(required)]
    from_day: Option<String>,
    /// The day on which the student is expected again.
    #[schema(required)]
    until_day: Option<String>,
    noted_by: String,
    noted_at: String,
}

/// An excuse.
#[derive(Serialize, ToSchema)]
struct OwnExcuse {
    first_day: String,
    last_day: String,
    /// Null for the whole of each day.
    #[schema(required)]
    period: Option<String>,
    reason: String,
    noted_by: String,
    noted_at: String,
    #[schema(required)]
    withdrawn_by: Option<String>,
    #[schema(required)]
    withdrawn_at: Option<String>,
}

fn text(day: Date) -> String {
    day.to_string()
}

impl RosterExport {
    /// Reads what is stored of a student.
    pub(super) fn of(store: &dyn Store, student: StudentId) -> Result<Self> {
        let mut groups = Vec::new();
        for own in store.memberships(&MembershipFilter { student: Some(student), ..MembershipFilter::default() })? {
            groups.push(OwnMembership {
                group: store.group(own.group)?.map(|group| group.name).unwrap_or_default(),
                from_day: text(own.from_day),
                until_day: own.until_day.map(text),
            });
        }
        let withdrawals = store.withdrawals(Some(student))?.into_iter().map(TimeAway::of).collect();
        let of_student = ExcuseFilter { student: Some(student), ..ExcuseFilter::default() };
        let excuses = store.excuses(&of_student)?.into_iter().map(OwnExcuse::of).collect();
        Ok(Self { groups, withdrawals, excuses })
    }
}

impl TimeAway {
    fn of(away: Withdrawal) -> Self {
        Self {
            from_day: (away.from_day != Withdrawal::BEGINNING).then(|| text(away.from_day)),
            until_day: away.until_day.map(text),
            noted_by: away.by,
            noted_at: naive_utc(away.at),
        }
    }
}

impl OwnExcuse {
    fn of(excuse: Excuse) -> Self {
        Self {
            first_day: text(excuse.first_day),
            last_day: text(excuse.last_day),
            period: excuse.period,
            reason: excuse.reason,
            noted_by: excuse.created_by,
            noted_at: naive_utc(excuse.created_at),
            withdrawn_by: excuse.withdrawn_by,
            withdrawn_at: excuse.withdrawn_at.map(naive_utc),
        }
    }
}
