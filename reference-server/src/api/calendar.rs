//! Holidays and extra days.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{CalendarEntry, CalendarKind, NewCalendarEntry, RosterScope};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::{NO_GROUP, group_error};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Optional, Word};
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_ENTRY: &str = "Calendar entry not found";
const KINDS: Word<CalendarKind> = Word(&[("holiday", CalendarKind::Holiday), ("extra_day", CalendarKind::ExtraDay)]);

input! {
    /// Days of the calendar.
    pub(crate) struct Days {
        query {
            /// The first day; without it, from the beginning.
            from_day: Option<Date> = Optional(Day),
            /// The last day; without it, to the end.
            to_day: Option<Date> = Optional(Day),
        }
    }
}

/// Days on which nobody is expected, or people are whatever the timetable says.
#[derive(Serialize, ToSchema)]
pub(crate) struct CalendarItem {
    calendar_id: i64,
    /// The group that it is for; null for everybody.
    #[schema(required)]
    group_id: Option<i64>,
    /// `holiday` or `extra_day`.
    kind: &'static str,
    #[schema(format = Date)]
    first_day: String,
    /// The last day, included.
    #[schema(format = Date)]
    last_day: String,
    name: String,
    created_at: String,
    created_by: String,
}

impl CalendarItem {
    fn of(entry: CalendarEntry) -> Self {
        Self {
            calendar_id: entry.id,
            group_id: entry.scope.group(),
            kind: entry.kind.as_str(),
            first_day: entry.first_day.to_string(),
            last_day: entry.last_day.to_string(),
            name: entry.name,
            created_at: naive_utc(entry.created_at),
            created_by: entry.created_by,
        }
    }
}

/// The entries of a calendar, by day.
#[derive(Serialize, ToSchema)]
pub(crate) struct Calendar {
    entries: Vec<CalendarItem>,
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/calendar",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Groups,
    summary: "Lists holidays and extra days",
    errors: &[],
};

pub(super) async fn list(State(app): State<AppState>, call: Authed<Days>) -> Result<Json<Reply<Calendar>>, AppError> {
    let Days { from_day, to_day } = call.input;
    let (first, last) = (from_day.unwrap_or(Date::constant(1, 1, 1)), to_day.unwrap_or(Date::constant(9999, 12, 31)));
    let found = app.with_store("Error retrieving the calendar", move |store| store.calendar(first, last)).await?;
    let entries = found.into_iter().map(CalendarItem::of).collect();
    Ok(Json(reply("Calendar retrieved successfully", Calendar { entries })))
}

input! {
    /// An entry of the calendar to keep.
    pub(crate) struct New {
        body Json {
            /// The group that it is for; everybody where it is left out. A group's entry wins over that of everybody.
            group_id: Option<i64> = Optional(Integer),
            kind: CalendarKind = KINDS,
            first_day: Date = Day,
            /// The last day, included; the first one where it is left out.
            last_day: Option<Date> = Optional(Day),
            name: String = texts::CALENDAR_NAME,
        }
    }
}

pub(super) const ADD: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/calendar",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Adds a holiday or extra days to the calendar",
    errors: &[(404, NO_GROUP), (400, "The last day is before the first")],
};

pub(super) async fn add(State(app): State<AppState>, call: Authed<New>) -> Result<Json<Reply<CalendarItem>>, AppError> {
    let New { group_id, kind, first_day, last_day, name } = call.input;
    let (scope, last_day) = (RosterScope::of(group_id), last_day.unwrap_or(first_day));
    let new = NewCalendarEntry { scope, kind, first_day, last_day, name, by: call.user, at: Timestamp::now() };
    let entry = app
        .with_store("Error adding to the calendar", move |store| store.add_calendar_entry(&new))
        .await
        .map_err(group_error)?;
    call.trail.note(told(&entry));
    Ok(Json(reply("Added to the calendar", CalendarItem::of(entry))))
}

/// An entry in a few words.
fn told(entry: &CalendarEntry) -> String {
    let of = entry.scope.group().map(|id| format!(" of group_id {id}")).unwrap_or_default();
    format!("{} {}{of}, {} to {}", entry.kind.as_str(), entry.name, entry.first_day, entry.last_day)
}

input! {
    /// The entry in the path.
    pub(crate) struct Which {
        path {
            calendar_id: i64 = Integer,
        }
    }
}

pub(super) const REMOVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/calendar/{calendar_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Removes an entry of the calendar",
    errors: &[(404, NO_ENTRY)],
};

pub(super) async fn remove(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Done>, AppError> {
    let Which { calendar_id } = call.input;
    let entry = app
        .with_store("Error removing from the calendar", move |store| store.remove_calendar_entry(calendar_id))
        .await
        .map_err(|error| match error {
            AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_ENTRY),
            other => other,
        })?;
    call.trail.note(told(&entry));
    Ok(Json(done("Removed from the calendar")))
}
