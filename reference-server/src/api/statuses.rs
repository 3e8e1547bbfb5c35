//! Lists derived statuses: also of those who have no attendance row, because they did not come.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster::{DayStatus, Entry, RosterDays};
use faceattend_core::store::{Listed, Page, RosterOf, RosterStudent, Store};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::views::{NO_GROUP, is_of, readers_of, span, tells_reasons};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Optional, Student, Word};
use crate::responses::{LIMIT, Listing, SKIP, naive_utc, page_of};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const STATUSES: Word<DayStatus> = Word(&[
    ("Present", DayStatus::Present),
    ("Late", DayStatus::Late),
    ("LeftEarly", DayStatus::LeftEarly),
    ("Excused", DayStatus::Excused),
    ("Absent", DayStatus::Absent),
    ("Pending", DayStatus::Pending),
]);

input! {
    /// Which statuses to list.
    pub(crate) struct Asked {
        query {
            skip: u32 = SKIP,
            limit: u32 = LIMIT,
            /// The first day of the site; the last one without it.
            from: Option<Date> = Optional(Day),
            /// The last day, included; today without it.
            to: Option<Date> = Optional(Day),
            /// One status alone, such as `Absent`.
            status: Option<DayStatus> = Optional(STATUSES),
            /// One group alone; 0 for everybody who is in none.
            group: Option<i64> = Optional(Integer),
            student_id: Option<StudentId> = Optional(Student),
        }
    }
}

/// How a student attended a period of a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StatusItem {
    student_id: i64,
    student_name: String,
    student_roll_number: String,
    #[schema(value_type = String, format = Date)]
    day: Date,
    period: String,
    /// `Present`, `Late`, `LeftEarly`, `Excused`, `Absent` or `Pending`.
    status: &'static str,
    /// The attendance row, where there is one.
    #[schema(required)]
    attendance_id: Option<i64>,
    /// When the student came.
    #[schema(required)]
    timestamp: Option<String>,
    /// Why the student is excused; null for viewers.
    #[schema(required)]
    reason: Option<String>,
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/statuses",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Lists how everybody who was expected attended, newest day first",
    errors: &[(400, "Error retrieving the statuses: `to` comes before `from`"), (404, "Group not found")],
};

pub(super) async fn list(
    State(app): State<AppState>,
    call: Authed<Asked>,
) -> std::result::Result<Json<Listing<StatusItem>>, AppError> {
    let (Asked { skip, limit, from, to, status, group, student_id }, tells) = (call.input, tells_reasons(call.role));
    let (page, policy) = (Page { skip, limit }, app.settings().policy.clone());
    let mut listed = app
        .with_store("Error retrieving the statuses", move |store| {
            let now = Timestamp::now();
            let to = to.map_or_else(|| policy.day(now).map(|day| day.date), Ok)?;
            let days = span(from.unwrap_or(to), to)?;
            let of = student_id.map_or_else(|| readers_of(group), RosterOf::Student);
            let wanted = Wanted { of, group, status };
            list_of(store, &policy, &wanted, days, page, now)
        })
        .await?;
    if !tells {
        listed.items.iter_mut().for_each(|item| item.reason = None);
    }
    Ok(Json(page_of(&listed, page, Clone::clone)))
}

struct Wanted {
    of: RosterOf,
    group: Option<i64>,
    status: Option<DayStatus>,
}

fn list_of(
    store: &dyn Store,
    policy: &AttendancePolicy,
    wanted: &Wanted,
    (from, to): (Date, Date),
    page: Page,
    now: Timestamp,
) -> Result<Listed<StatusItem>> {
    let roster = RosterDays::read(store, policy, wanted.of, (from, to), now)?;
    if let Some(id) = wanted.group.filter(|id| *id != NO_GROUP) {
        roster.groups().iter().find(|group| group.id == id).ok_or(Error::NotFound { what: "group" })?;
    }
    let is_member = |student: &RosterStudent, day: Date| is_of(&roster, student, day, wanted.group);
    let is_wanted = |entry: &Entry<'_>| wanted.status.is_none_or(|status| status == entry.status);
    // Student by student, because what is known of a student lies together; and then only the days of this page.
    let mut days: Vec<(Date, u64)> = to.series(-1.day()).take_while(|day| *day >= from).map(|day| (day, 0)).collect();
    for student in roster.students() {
        for (day, count) in days.iter_mut().filter(|(day, _)| is_member(student, *day)) {
            *count += roster.entries(student, *day).filter(is_wanted).count() as u64;
        }
    }
    let total = days.iter().map(|(_, count)| count).sum();
    let (mut items, mut skip) = (Vec::new(), u64::from(page.skip));
    let most = page.limit as usize;
    for (day, count) in days {
        if items.len() >= most {
            break;
        }
        if count <= skip {
            skip -= count;
            continue;
        }
        let students = roster.students().iter().filter(|student| is_member(student, day));
        let found = students.flat_map(|student| roster.entries(student, day)).filter(is_wanted);
        let shown = found.skip(usize::try_from(skip).unwrap_or(usize::MAX)).take(most - items.len());
        items.extend(shown.map(|entry| StatusItem {
            student_id: entry.student.id.0,
            student_name: entry.student.name.clone(),
            student_roll_number: entry.student.roll_number.clone(),
            day,
            period: entry.period.name().to_owned(),
            status: entry.status.as_str(),
            attendance_id: entry.mark.map(|mark| mark.id),
            timestamp: entry.mark.map(|mark| naive_utc(mark.at)),
            reason: entry.excuse.map(|excuse| excuse.reason.clone()),
        }));
        skip = 0;
    }
    Ok(Listed { items, total })
}
