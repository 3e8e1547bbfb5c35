//! Begins, shows and closes a session.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::liveness::{Mirrored, Nods, Position};
use faceattend_core::types::{SessionId, StudentId};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Steps, TOO_MANY};
use crate::auth::clock;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{FlagOr, Optional, Student, Word};
use crate::request::texts;
use crate::responses::{Reply, null, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::settings::ChallengePolicy;
use crate::state::AppState;
use crate::wire_time::naive_utc;

const CHALLENGE: Word<Challenge> = Word(&[("fixed", Challenge::Fixed), ("random", Challenge::Random)]);

const NOT_FOUND: &str = "Liveness detection session not found";
const RANDOM_ONLY: &str = "This server asks in a random order: send \"challenge\": \"random\"";

/// The order in which a session asks for positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    Fixed,
    Random,
}

input! {
    /// A session to begin.
    pub(crate) struct NewSession {
        body Json {
            /// The student whom the session is for, where there is one already.
            student_id: Option<StudentId> = Optional(Student),
            /// Whether the frames will be flipped, as the existing page flips them.
            mirrored: bool = FlagOr(true),
            /// The order in which the client follows the positions.
            challenge: Option<Challenge> = Optional(CHALLENGE),
            /// Whether the client can also ask the person to look `up` and `down`: a random order then does.
            nods: bool = FlagOr(false),
        }
    }
}

/// A session that began.
#[derive(Serialize, ToSchema)]
pub(crate) struct Begun {
    session_id: String,
    expires_at: String,
    status: &'static str,
    /// The position to show next. This and what follows are there for a random order only.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_position: Option<&'static str>,
    /// The frames for the next step carry it.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Steps>,
}

pub(crate) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/session",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Liveness,
    summary: "Begins a session",
    errors: &[(400, RANDOM_ONLY)],
};

pub(crate) async fn create(
    State(app): State<AppState>,
    call: Authed<NewSession>,
) -> Result<Json<Reply<Begun>>, AppError> {
    let NewSession { student_id: student, mirrored, challenge, nods } = call.input;
    let random = challenge == Some(Challenge::Random);
    if !random && app.settings().challenge == ChallengePolicy::Required {
        return Err(AppError::bad_request(RANDOM_ONLY));
    }
    let mirrored = if mirrored { Mirrored::Yes } else { Mirrored::No };
    let fixed = app.settings().liveness.with_mirrored(mirrored);
    let nods = if nods && app.engine().reads_pitch() { Nods::Yes } else { Nods::No };
    let options = if random { fixed.with_guard().with_nods(nods) } else { fixed };
    let stored = app
        .with_registry("Error creating liveness session", move |registry| {
            registry.begin(student, options, clock::now())
        })
        .await?;
    let (record, session) = (stored.record(), stored.session());
    let begun = Begun {
        session_id: record.id.to_string(),
        expires_at: naive_utc(record.expires_at),
        status: record.status.as_str(),
        next_position: session.next().filter(|_| random).map(Position::as_str),
        nonce: session.nonce().filter(|_| random),
        steps: random.then(|| Steps::of(session.steps())),
    };
    Ok(Json(reply("Liveness detection session created successfully", begun)))
}

input! {
    /// The session in the body.
    pub(crate) struct Closing {
        body Json {
            session_id: String = texts::SESSION_ID,
        }
    }
}

/// A session that was closed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Closed {
    success: bool,
    message: &'static str,
    liveness_score: f64,
    movement_verified: bool,
    /// The embedding to enrol, as a JSON array in a text. Null unless the session is complete, and unless an admin
    /// asks or the server shows embeddings to everybody.
    #[schema(required)]
    final_embedding: Option<String>,
    #[schema(required)]
    student_id: Option<i64>,
    /// Always null.
    #[schema(schema_with = null)]
    error: (),
    // Ours.
    missing_positions: Vec<&'static str>,
}

const EXPIRED: &str = "Liveness detection session has expired";

pub(crate) const VERIFY: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/verify",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Liveness,
    summary: "Closes a session",
    errors: &[(400, EXPIRED), (404, NOT_FOUND), (409, TOO_MANY)],
};

/// Closes the session. As recorded, a session that has failed is closed with success too.
pub(crate) async fn verify(State(app): State<AppState>, call: Authed<Closing>) -> Result<Json<Closed>, AppError> {
    const PREFIX: &str = "Error verifying liveness completion";
    let unknown = || AppError::not_found(NOT_FOUND);
    let id = SessionId::parse(&call.input.session_id).ok_or_else(unknown)?;
    let now = clock::now();
    let closed = app
        .with_registry(PREFIX, move |registry| match registry.session(id)? {
            None => Ok(None),
            Some(stored) if stored.is_over(now) => Ok(Some(None)),
            Some(stored) => Ok(registry.verify(stored, now)?.map(Some)),
        })
        .await?
        .ok_or_else(unknown)?;
    let (stored, verification) = closed.ok_or_else(|| AppError::bad_request(EXPIRED))?;
    let shown = verification.final_template.filter(|_| app.settings().embeddings.are_shown_to(call.role));
    let embedding = shown.map(|template| json!(template.values()).to_string());
    Ok(Json(Closed {
        success: true,
        message: "Liveness verification completed",
        liveness_score: f64::from(verification.liveness_score),
        movement_verified: verification.movement_verified,
        final_embedding: embedding,
        student_id: stored.record().student.map(|student| student.0),
        error: (),
        missing_positions: verification.missing.iter().map(|position| position.as_str()).collect(),
    }))
}

input! {
    /// The session in the path.
    pub(crate) struct Which {
        path {
            session_id: String = texts::SESSION_ID_IN_PATH,
        }
    }
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionStatus {
    session_id: String,
    status: &'static str,
    liveness_score: f64,
    expires_at: String,
}

pub(crate) const GET: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/liveness/session/{session_id}",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Returns the status of a session",
    errors: &[(404, NOT_FOUND)],
};

pub(crate) async fn get(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> Result<Json<Reply<SessionStatus>>, AppError> {
    let unknown = || AppError::not_found(NOT_FOUND);
    let id = SessionId::parse(&call.input.session_id).ok_or_else(unknown)?;
    let stored = app
        .with_registry("Error retrieving liveness session", move |registry| registry.session(id))
        .await?
        .ok_or_else(unknown)?;
    let item = SessionStatus {
        session_id: stored.id().to_string(),
        status: stored.status(clock::now()).as_str(),
        liveness_score: f64::from(stored.session().liveness_score()),
        expires_at: naive_utc(stored.record().expires_at),
    };
    Ok(Json(reply("Session retrieved successfully", item)))
}

/// The key with which receipts are checked.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiptKey {
    algorithm: &'static str,
    /// As PEM.
    public_key: String,
}

const NO_RECEIPTS: &str = "This server signs no receipts";

pub(crate) const RECEIPT_KEY: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/liveness/receipt-key",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Returns the public key with which receipts are checked",
    errors: &[(404, NO_RECEIPTS)],
};

pub(crate) async fn receipt_key(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<ReceiptKey>>, AppError> {
    let key = app.settings().receipts.as_ref().ok_or_else(|| AppError::not_found(NO_RECEIPTS))?;
    let key = ReceiptKey { algorithm: "EdDSA", public_key: key.public_key_pem() };
    Ok(Json(reply("Receipt key retrieved successfully", key)))
}
