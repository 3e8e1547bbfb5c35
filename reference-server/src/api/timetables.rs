//! Versions of the timetables of the site and of groups.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::attendance::Period;
use faceattend_core::store::{NewTimetable, RosterScope, TimetableVersion, Weekdays};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::{NO_GROUP, day_or_today, group_error, today};
use crate::error::{AppError, during};
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{Day, Integer, Optional};
use crate::request::lists::Periods;
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_TIMETABLE: &str = "Timetable not found";

/// A part of the day that is marked once.
#[derive(Serialize, ToSchema)]
struct PeriodItem {
    name: String,
    /// A time of the site's clocks, such as `07:30`.
    begins: String,
    /// From when on an arrival is late.
    #[schema(required)]
    late_after: Option<String>,
    /// From when on a sighting is a check-out.
    #[schema(required)]
    check_out_from: Option<String>,
}

impl PeriodItem {
    fn of(period: &Period) -> Self {
        let clock = |time: Time| {
            let form = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
            time.strftime(form).to_string()
        };
        Self {
            name: period.name().to_owned(),
            begins: clock(period.begins()),
            late_after: period.late_after().map(clock),
            check_out_from: period.check_out_from().map(clock),
        }
    }
}

/// A version of a timetable: what holds from a day on, until the next version begins.
#[derive(Serialize, ToSchema)]
pub(crate) struct TimetableItem {
    timetable_id: i64,
    /// The group that it is for; null for the site's.
    #[schema(required)]
    group_id: Option<i64>,
    #[schema(format = Date)]
    valid_from: String,
    /// The days of the week, such as `mon tue wed thu fri`.
    weekdays: String,
    /// Without any, each day is marked once.
    periods: Vec<PeriodItem>,
    created_at: String,
    created_by: String,
}

impl TimetableItem {
    fn of(version: &TimetableVersion) -> Self {
        Self {
            timetable_id: version.id,
            group_id: version.scope.group(),
            valid_from: version.valid_from.to_string(),
            weekdays: version.weekdays.to_string(),
            periods: version.periods.iter().map(PeriodItem::of).collect(),
            created_at: naive_utc(version.created_at),
            created_by: version.created_by.clone(),
        }
    }
}

/// Every version of every timetable.
#[derive(Serialize, ToSchema)]
pub(crate) struct TimetableList {
    /// The site's first, in the order in which they hold.
    timetables: Vec<TimetableItem>,
    /// The days of the week where no version holds.
    usual_weekdays: String,
    /// When a day of the site begins: periods before it belong to the night before.
    day_begins: String,
    /// The day of the site.
    #[schema(format = Date)]
    today: String,
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/timetables",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Groups,
    summary: "Lists every version of the timetables of the site and of groups",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<TimetableList>>, AppError> {
    const PREFIX: &str = "Error retrieving timetables";
    let versions = app.with_store(PREFIX, |store| store.timetables()).await?;
    let list = TimetableList {
        timetables: versions.iter().map(TimetableItem::of).collect(),
        usual_weekdays: Weekdays::MONDAY_TO_FRIDAY.to_string(),
        day_begins: app.settings().policy.day_boundary().strftime("%H:%M").to_string(),
        today: today(&app).map_err(during(PREFIX))?.to_string(),
    };
    Ok(Json(reply("Timetables retrieved successfully", list)))
}

input! {
    /// A version of a timetable to keep.
    pub(crate) struct New {
        body Json {
            /// The group that it is for; the site where it is left out.
            group_id: Option<i64> = Optional(Integer),
            /// The first day on which it holds; today where it is left out.
            valid_from: Option<Date> = Optional(Day),
            /// The first three letters of the days of the week, separated by spaces.
            weekdays: String = texts::WEEKDAYS,
            /// In any order; none for a day that is marked once.
            periods: Vec<Period> = Periods,
        }
    }
}

pub(super) const SET: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/timetables",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Keeps a version of a timetable from a day on; past days keep the one that they had",
    errors: &[(404, NO_GROUP), (400, "Periods that contradict each other"), (409, "The day is past")],
};

pub(super) async fn set(
    State(app): State<AppState>,
    call: Authed<New>,
) -> Result<Json<Reply<TimetableItem>>, AppError> {
    const PREFIX: &str = "Error keeping the timetable";
    let New { group_id, valid_from, weekdays, periods } = call.input;
    let (state, by) = (app.clone(), call.user);
    let version = app
        .with_store(PREFIX, move |store| {
            let (scope, weekdays) = (RosterScope::of(group_id), weekdays.parse()?);
            let (today, boundary) = (today(&state)?, state.settings().policy.day_boundary());
            let valid_from = day_or_today(&state, valid_from)?;
            let new = NewTimetable::new(scope, valid_from, weekdays, periods, boundary, by, Timestamp::now())?;
            store.set_timetable(&new, today)
        })
        .await
        .map_err(group_error)?;
    call.trail.note(told(&version));
    Ok(Json(reply("Timetable kept", TimetableItem::of(&version))))
}

/// A version in a few words.
fn told(version: &TimetableVersion) -> String {
    let of = version.scope.group().map_or_else(|| "the site".to_owned(), |id| format!("group_id {id}"));
    let periods: Vec<String> = version.periods.iter().map(ToString::to_string).collect();
    format!("of {of} from {}: {} {}", version.valid_from, version.weekdays, periods.join(" ")).trim_end().to_owned()
}

input! {
    /// The version in the path.
    pub(crate) struct Which {
        path {
            timetable_id: i64 = Integer,
        }
    }
}

pub(super) const REMOVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/timetables/{timetable_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Removes a version of a timetable that does not hold yet",
    errors: &[(404, NO_TIMETABLE), (409, "The version holds, or held before")],
};

pub(super) async fn remove(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Done>, AppError> {
    let Which { timetable_id } = call.input;
    let state = app.clone();
    let version = app
        .with_store("Error removing the timetable", move |store| store.remove_timetable(timetable_id, today(&state)?))
        .await
        .map_err(|error| match error {
            AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_TIMETABLE),
            other => other,
        })?;
    call.trail.note(told(&version));
    Ok(Json(done("Timetable removed")))
}
