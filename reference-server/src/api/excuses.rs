//! Why students are absent: excuses, which are withdrawn and never deleted.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{Excuse, ExcuseFilter, NewExcuse, Store};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::students::NO_STUDENT;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Optional, Student};
use crate::request::texts;
use crate::responses::{Reply, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_EXCUSE: &str = "Excuse not found";

input! {
    /// Which excuses to list.
    pub(crate) struct Wanted {
        query {
            student_id: Option<StudentId> = Optional(Student),
            /// Those that end on this day or later.
            from_day: Option<Date> = Optional(Day),
            /// Those that begin on this day or earlier.
            to_day: Option<Date> = Optional(Day),
        }
    }
}

/// That absences of a student are excused.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExcuseItem {
    excuse_id: i64,
    student_id: i64,
    student_name: String,
    student_roll_number: String,
    #[schema(format = Date)]
    first_day: String,
    /// The last day, included.
    #[schema(format = Date)]
    last_day: String,
    /// The period that it is for; null for the whole of each day.
    #[schema(required)]
    period: Option<String>,
    reason: String,
    created_at: String,
    created_by: String,
    /// When it was withdrawn: it excuses nothing any more.
    #[schema(required)]
    withdrawn_at: Option<String>,
    #[schema(required)]
    withdrawn_by: Option<String>,
}

/// The name and the roll number.
type Named = (String, String);

impl ExcuseItem {
    fn of(excuse: Excuse, (student_name, student_roll_number): Named) -> Self {
        Self {
            excuse_id: excuse.id,
            student_id: excuse.student.0,
            student_name,
            student_roll_number,
            first_day: excuse.first_day.to_string(),
            last_day: excuse.last_day.to_string(),
            period: excuse.period,
            reason: excuse.reason,
            created_at: naive_utc(excuse.created_at),
            created_by: excuse.created_by,
            withdrawn_at: excuse.withdrawn_at.map(naive_utc),
            withdrawn_by: excuse.withdrawn_by,
        }
    }
}

/// Excuses, by day.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExcuseList {
    excuses: Vec<ExcuseItem>,
}

fn named(store: &dyn Store, student: StudentId) -> faceattend_core::Result<Named> {
    Ok(store.student(student)?.map(|student| (student.name, student.roll_number)).unwrap_or_default())
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/excuses",
    // A reason may tell of an illness.
    access: Access::Operator,
    audit: Audit::None,
    tag: Tag::Groups,
    summary: "Lists excuses, withdrawn ones among them",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    call: Authed<Wanted>,
) -> Result<Json<Reply<ExcuseList>>, AppError> {
    let Wanted { student_id, from_day, to_day } = call.input;
    let filter = ExcuseFilter { student: student_id, from: from_day, to: to_day };
    let excuses = app
        .with_store("Error retrieving excuses", move |store| {
            let mut names: HashMap<StudentId, Named> = HashMap::new();
            let mut items = Vec::new();
            for excuse in store.excuses(&filter)? {
                let name = match names.get(&excuse.student) {
                    Some(known) => known.clone(),
                    None => names.entry(excuse.student).or_insert(named(store, excuse.student)?).clone(),
                };
                items.push(ExcuseItem::of(excuse, name));
            }
            Ok(items)
        })
        .await?;
    Ok(Json(reply("Excuses retrieved successfully", ExcuseList { excuses })))
}

input! {
    /// An excuse to note.
    pub(crate) struct New {
        body Json {
            student_id: StudentId = Student,
            first_day: Date = Day,
            /// The last day, included; the first one where it is left out.
            last_day: Option<Date> = Optional(Day),
            /// The period that it is for; the whole of each day where it is left out.
            period: Option<String> = Optional(texts::PERIOD_NAME),
            reason: String = texts::EXCUSE_REASON,
        }
    }
}

pub(super) const ADD: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/excuses",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Notes why a student is absent on some days",
    errors: &[(404, NO_STUDENT), (400, "The last day is before the first")],
};

pub(super) async fn add(State(app): State<AppState>, call: Authed<New>) -> Result<Json<Reply<ExcuseItem>>, AppError> {
    let New { student_id: student, first_day, last_day, period, reason } = call.input;
    let last_day = last_day.unwrap_or(first_day);
    let period = period.filter(|text| !text.trim().is_empty());
    let new = NewExcuse { student, first_day, last_day, period, reason, by: call.user, at: Timestamp::now() };
    let (excuse, name) = app
        .with_store("Error noting the excuse", move |store| Ok((store.add_excuse(&new)?, named(store, student)?)))
        .await
        .map_err(|error| match error {
            AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_STUDENT),
            other => other,
        })?;
    // The reason is not in the log: it may tell of an illness, and the log outlives the excuse.
    call.trail.note(told(&excuse));
    Ok(Json(reply("Excuse noted", ExcuseItem::of(excuse, name))))
}

/// Whom and which days, in a few words.
fn told(excuse: &Excuse) -> String {
    let period = excuse.period.as_deref().map(|period| format!(", {period}")).unwrap_or_default();
    format!("student_id {}, {} to {}{period}", excuse.student, excuse.first_day, excuse.last_day)
}

input! {
    /// The excuse in the path.
    pub(crate) struct Which {
        path {
            excuse_id: i64 = Integer,
        }
    }
}

pub(super) const WITHDRAW: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/excuses/{excuse_id}/withdraw",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Withdraws an excuse: it stays in the list and excuses nothing any more",
    errors: &[(404, NO_EXCUSE), (409, "The excuse is withdrawn already")],
};

pub(super) async fn withdraw(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> Result<Json<Reply<ExcuseItem>>, AppError> {
    let (Which { excuse_id }, by) = (call.input, call.user);
    let (excuse, name) = app
        .with_store("Error withdrawing the excuse", move |store| {
            let excuse = store.withdraw_excuse(excuse_id, &by, Timestamp::now())?;
            let name = named(store, excuse.student)?;
            Ok((excuse, name))
        })
        .await
        .map_err(|error| match error {
            AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_EXCUSE),
            other => other,
        })?;
    call.trail.note(told(&excuse));
    Ok(Json(reply("Excuse withdrawn", ExcuseItem::of(excuse, name))))
}
