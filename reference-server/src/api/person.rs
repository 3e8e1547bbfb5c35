//! A person's days: what each was, and the sums.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster::{RosterDays, StatusCounts};
use faceattend_core::store::{RosterOf, Store};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::students::NO_STUDENT;
use super::views::{Choice, Counts, OffDay, clock, span, tells_reasons};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Optional, Student};
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// Without a first day: this month and the two before it.
const MONTHS_BEFORE: i64 = 2;

input! {
    /// Whose days to return.
    pub(crate) struct Asked {
        query {
            student_id: StudentId = Student,
            /// The first day of the site; without it that of the month two months before the last one.
            from: Option<Date> = Optional(Day),
            /// The last day, included; today without it.
            to: Option<Date> = Optional(Day),
        }
    }
}

/// A person's days.
#[derive(Serialize, ToSchema)]
pub(crate) struct PersonDays {
    student: Whom,
    #[schema(value_type = String, format = Date)]
    from: Date,
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// The groups on the last day.
    groups: Vec<Choice>,
    counts: Counts,
    days: Vec<PersonDay>,
}

#[derive(Serialize, ToSchema)]
struct Whom {
    id: i64,
    name: String,
    roll_number: String,
}

#[derive(Serialize, ToSchema)]
struct PersonDay {
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[serde(flatten)]
    off: OffDay,
    /// The periods in which the person was expected.
    periods: Vec<PersonPeriod>,
}

/// How a person attended a period.
#[derive(Serialize, ToSchema)]
struct PersonPeriod {
    period: String,
    /// `Present`, `Late`, `LeftEarly`, `Excused`, `Absent` or `Pending`.
    status: &'static str,
    /// The attendance row, where there is one.
    #[schema(required)]
    attendance_id: Option<i64>,
    /// When the person came, by the site's clocks.
    #[schema(required)]
    time: Option<String>,
    /// When the person was last seen leaving.
    #[schema(required)]
    left: Option<String>,
    /// Why the person is excused, and who noted it.
    #[schema(required)]
    reason: Option<String>,
    #[schema(required)]
    by: Option<String>,
}

pub(super) const PERSON: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/person",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Returns a student's days with their statuses and sums",
    errors: &[(400, "Error retrieving the days: `to` comes before `from`"), (404, NO_STUDENT)],
};

pub(super) async fn person(
    State(app): State<AppState>,
    call: Authed<Asked>,
) -> std::result::Result<Json<Reply<PersonDays>>, AppError> {
    let (Asked { student_id, from, to }, tells) = (call.input, tells_reasons(call.role));
    let policy = app.settings().policy.clone();
    let mut person = app
        .with_store("Error retrieving the days", move |store| {
            person_of(store, &policy, student_id, from, to, Timestamp::now())
        })
        .await?;
    if !tells {
        person.days.iter_mut().flat_map(|day| &mut day.periods).for_each(|period| period.reason = None);
    }
    Ok(Json(reply("Days retrieved successfully", person)))
}

fn person_of(
    store: &dyn Store,
    policy: &AttendancePolicy,
    id: StudentId,
    from: Option<Date>,
    to: Option<Date>,
    now: Timestamp,
) -> Result<PersonDays> {
    let to = match to {
        Some(day) => day,
        None => policy.day(now)?.date,
    };
    let from = match from {
        Some(day) => day,
        None => to.saturating_sub(MONTHS_BEFORE.months()).first_of_month(),
    };
    let (from, to) = span(from, to)?;
    let roster = RosterDays::read(store, policy, RosterOf::Student(id), (from, to), now)?;
    let student = roster.students().first().ok_or(Error::NotFound { what: "student" })?;
    let mut counts = StatusCounts::default();
    let days = from.series(1.day()).take_while(|day| *day <= to).map(|date| {
        let periods = roster.entries(student, date).map(|entry| {
            counts.add(entry.status);
            PersonPeriod {
                period: entry.period.name().to_owned(),
                status: entry.status.as_str(),
                attendance_id: entry.mark.map(|mark| mark.id),
                time: entry.mark.map(|mark| clock(policy, mark.at)),
                left: entry.mark.and_then(|mark| mark.checked_out_at).map(|at| clock(policy, at)),
                reason: entry.excuse.map(|excuse| excuse.reason.clone()),
                by: entry.excuse.map(|excuse| excuse.created_by.clone()),
            }
        });
        let periods = periods.collect();
        PersonDay { date, off: OffDay::of(&roster.plan_of(student.id, date)), periods }
    });
    let days = days.collect();
    let own: Vec<i64> = roster.groups_of(student.id, to).collect();
    let groups = roster.groups().iter().filter(|group| own.contains(&group.id));
    Ok(PersonDays {
        student: Whom { id: student.id.0, name: student.name.clone(), roll_number: student.roll_number.clone() },
        from,
        to,
        groups: groups.map(|group| Choice::of(Some(group))).collect(),
        counts: Counts::of(&counts),
        days,
    })
}
