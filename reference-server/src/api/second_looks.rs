//! Lists and decides sightings of people whom a camera recognized and did not believe to be alive.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{
    DecidedSecondLook, Marking, Page, SecondLookAnswer, SecondLookDecision, SecondLookFilter, SecondLookState,
};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::live::events::LiveEvent;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Optional, Student, Word};
use crate::responses::{LIMIT, Listing, Reply, SKIP, SecondLookItem, naive_utc, page_of, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_SECOND_LOOK: &str = "Second look not found";

const STATES: Word<SecondLookState> = Word(&[
    ("open", SecondLookState::Open),
    ("confirmed", SecondLookState::Confirmed),
    ("refused", SecondLookState::Refused),
    ("settled", SecondLookState::Settled),
]);

input! {
    /// A slice of the second-look list.
    pub(crate) struct Slice {
        query {
            skip: u32 = SKIP,
            limit: u32 = LIMIT,
            /// `open` for those that wait for a decision.
            state: Option<SecondLookState> = Optional(STATES),
            /// A day of the site.
            day: Option<Date> = Optional(Day),
            student_id: Option<StudentId> = Optional(Student),
        }
    }
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/attendance/second-looks",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Attendance,
    summary: "Lists sightings of people who were not believed to be alive, newest first",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    call: Authed<Slice>,
) -> Result<Json<Listing<SecondLookItem>>, AppError> {
    let Slice { skip, limit, state, day, student_id: student } = call.input;
    let (page, filter) = (Page { skip, limit }, SecondLookFilter { state, day, student });
    let looks = app.with_store("Error retrieving second looks", move |store| store.second_looks(&filter, page)).await?;
    Ok(Json(page_of(&looks, page, SecondLookItem::of)))
}

input! {
    /// The entry in the path.
    pub(crate) struct Which {
        path {
            second_look_id: i64 = Integer,
        }
    }
}

/// What a decision did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Decided {
    second_look_id: i64,
    student_id: i64,
    /// `confirmed` or `refused`.
    state: &'static str,
    /// The row that marks the student, of the time of the sighting; null for a refused one.
    #[schema(required)]
    attendance_id: Option<i64>,
    /// Whether the decision made the row.
    marked: bool,
}

pub(super) const CONFIRM: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/attendance/second-looks/{second_look_id}/confirm",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Attendance,
    summary: "Confirms a sighting: marks the student at its time",
    errors: &[(404, NO_SECOND_LOOK), (409, "The sighting is decided already")],
};

pub(super) async fn confirm(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> Result<Json<Reply<Decided>>, AppError> {
    decide(&app, call, SecondLookAnswer::Confirm).await
}

pub(super) const REFUSE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/attendance/second-looks/{second_look_id}/refuse",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Attendance,
    summary: "Refuses a sighting: marks nobody",
    errors: &[(404, NO_SECOND_LOOK), (409, "The sighting is decided already")],
};

pub(super) async fn refuse(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<Decided>>, AppError> {
    decide(&app, call, SecondLookAnswer::Refuse).await
}

async fn decide(
    app: &AppState,
    call: Authed<Which>,
    answer: SecondLookAnswer,
) -> Result<Json<Reply<Decided>>, AppError> {
    let Which { second_look_id: id } = call.input;
    let decision = SecondLookDecision::new(answer, call.user, Timestamp::now());
    let decided = app
        .with_store("Error deciding a second look", move |store| store.decide_second_look(id, &decision))
        .await
        .map_err(|error| match error {
            AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_SECOND_LOOK),
            other => other,
        })?;
    app.live().second_look_decided();
    let DecidedSecondLook { look, marking } = decided;
    let (student, at) = (look.student(), naive_utc(look.sighting.at));
    call.trail.note(format!("{} sighting of student_id {student} at {at} UTC", look.verdict.as_str()));
    let events = app.live().events();
    events.publish(LiveEvent::second_look(&look));
    let message = match &marking {
        Some(Marking::Marked(record)) => {
            events.publish(LiveEvent::marked(record));
            format!("Attendance marked for {}", record.student_name)
        }
        Some(Marking::AlreadyMarked(_)) => "Attendance already marked in this period".to_owned(),
        None => "Sighting refused".to_owned(),
    };
    let decided = Decided {
        second_look_id: look.id,
        student_id: student.0,
        state: look.state.as_str(),
        attendance_id: marking.as_ref().map(|marking| marking.record().id),
        marked: matches!(marking, Some(Marking::Marked(_))),
    };
    Ok(Json(reply(message, decided)))
}
