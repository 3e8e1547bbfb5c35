//! What is to be sent, what was sent and what was given up.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{LetterState, OutboxFilter, OutboxRow, OutboxState, Page};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Integer, Optional, Word};
use crate::request::texts;
use crate::responses::{LIMIT, Listing, Reply, SKIP, naive_utc, page_of, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_LETTER: &str = "Notice not found";

const STATES: Word<LetterState> = Word(&[
    ("waiting", LetterState::Waiting),
    ("sent", LetterState::Sent),
    ("dead", LetterState::Dead),
    ("withdrawn", LetterState::Withdrawn),
]);

/// One event for one recipient. It does not name the recipient.
#[derive(Serialize, ToSchema)]
pub(crate) struct NoticeItem {
    notice_id: i64,
    /// The id of the letter that carries it, the same in every try.
    letter_id: String,
    rule_id: i64,
    /// The name of the rule as it was.
    rule: String,
    channel_id: i64,
    event: &'static str,
    #[schema(required)]
    student_id: Option<i64>,
    #[schema(required)]
    student_name: Option<String>,
    /// The camera, where it is about one.
    #[schema(required)]
    camera: Option<String>,
    /// Whether it goes to a guardian of the student.
    to_guardian: bool,
    happened_at: String,
    written_at: String,
    /// When it is sent, or tried again.
    due_at: String,
    /// `waiting`, `sent`, `dead` (given up) or `withdrawn` (not needed any more).
    state: &'static str,
    tries: u32,
    /// What went wrong in the last try.
    #[schema(required)]
    last_error: Option<String>,
    #[schema(required)]
    done_at: Option<String>,
}

impl NoticeItem {
    pub(in crate::api) fn of(row: &OutboxRow) -> Self {
        let facts = &row.message.facts;
        Self {
            notice_id: row.id,
            letter_id: row.letter.clone(),
            rule_id: row.rule,
            rule: facts.rule.clone(),
            channel_id: row.channel,
            event: row.message.event.as_str(),
            student_id: row.student.map(|student| student.0),
            student_name: facts.student_name.clone(),
            camera: facts.camera.clone(),
            to_guardian: row.to_guardian,
            happened_at: naive_utc(row.message.happened_at),
            written_at: naive_utc(row.written_at),
            due_at: naive_utc(row.due_at),
            state: row.state.as_str(),
            tries: row.tries,
            last_error: row.last_error.clone(),
            done_at: row.done_at.map(naive_utc),
        }
    }
}

input! {
    /// A slice of the outbox.
    pub(crate) struct NoticeSlice {
        query {
            skip: u32 = SKIP,
            limit: u32 = LIMIT,
            /// `waiting`, `sent`, `dead` or `withdrawn`.
            state: Option<LetterState> = Optional(STATES),
            channel_id: Option<i64> = Optional(Integer),
        }
    }
}

pub(in crate::api) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/notices",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Notices,
    summary: "Lists notices that wait, were sent or were given up, newest first",
    errors: &[],
};

pub(in crate::api) async fn list(
    State(app): State<AppState>,
    call: Authed<NoticeSlice>,
) -> Result<Json<Listing<NoticeItem>>, AppError> {
    let NoticeSlice { skip, limit, state, channel_id: channel } = call.input;
    let (page, filter) = (Page { skip, limit }, OutboxFilter { state, channel });
    let rows = app.with_store("Error retrieving notices", move |store| store.outbox(filter, page)).await?;
    Ok(Json(page_of(&rows, page, NoticeItem::of)))
}

/// How it stands with the outbox.
#[derive(Serialize, ToSchema)]
pub(crate) struct NoticeCounts {
    waiting: u64,
    sent: u64,
    /// Those that were given up.
    dead: u64,
    /// When the oldest of those that wait was written; paused channels are left out.
    #[schema(required)]
    waiting_since: Option<String>,
}

pub(in crate::api) const STATE: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/notices/state",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Notices,
    summary: "Counts the notices that wait, were sent or were given up",
    errors: &[],
};

pub(in crate::api) async fn state(
    State(app): State<AppState>,
    _call: Authed<crate::request::input::Nothing>,
) -> Result<Json<Reply<NoticeCounts>>, AppError> {
    let OutboxState { waiting, sent, dead, waiting_since, .. } =
        app.with_store("Error counting notices", |store| store.outbox_state()).await?;
    let counts = NoticeCounts { waiting, sent, dead, waiting_since: waiting_since.map(naive_utc) };
    Ok(Json(reply("Notices counted", counts)))
}

input! {
    /// The letter in the path.
    pub(crate) struct WhichLetter {
        path {
            letter_id: String = texts::LETTER_ID,
        }
    }
}

/// What is sent once more.
#[derive(Serialize, ToSchema)]
pub(crate) struct Resent {
    letter_id: String,
    /// How many events the letter carries.
    notices: u64,
}

pub(in crate::api) const RESEND: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/notices/{letter_id}/resend",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Sends a notice once more that was given up, under its old id",
    errors: &[(404, NO_LETTER), (409, "The notice was not given up")],
};

pub(in crate::api) async fn resend(
    State(app): State<AppState>,
    call: Authed<WhichLetter>,
) -> Result<Json<Reply<Resent>>, AppError> {
    let letter = call.input.letter_id;
    let asked = letter.clone();
    let resent =
        app.with_store("Error sending a notice again", move |store| store.resend_letter(&asked, Timestamp::now()));
    let notices = resent.await.map_err(|error| match error {
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_LETTER),
        other => other,
    })?;
    Ok(Json(reply("The notice is sent once more", Resent { letter_id: letter, notices })))
}
