//! Judges the frames of a session.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use faceattend_core::engine::{AnalyzeOptions, Depth, Selection};
use faceattend_core::enrolment::{ClientFrame, FaceOfSession, Observed};
use faceattend_core::liveness::{PadPolicy, Position, frame_hash};
use faceattend_core::types::SessionId;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ReasonItem, Steps, TOO_MANY, receipt_of};
use crate::auth::clock;
use crate::error::AppError;
use crate::image_data::{self, INVALID};
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Number, Optional, Picture, Word, WordOr};
use crate::request::texts;
use crate::responses::null;
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const POSITION: WordOr<Position> = WordOr {
    known: Word(&[("center", Position::Center), ("left", Position::Left), ("right", Position::Right)]),
    // Steps of a random order, which has a nonce.
    later: &[("up", Position::Up), ("down", Position::Down)],
    with: "nonce",
};

const NO_SESSION: &str = "Session not found";
const SESSION_OVER: &str = "Session expired";

input! {
    /// A frame for a position of a session.
    pub(crate) struct NewFrame {
        body Json {
            session_id: String = texts::SESSION_ID,
            position: Position = POSITION,
            frame_data: String = Picture,
            /// The nonce of the step that the frame answers, in a random order.
            nonce: Option<String> = Optional(texts::NONCE),
            /// How long after the session's begin the frame was captured, in milliseconds of the client's clock.
            elapsed_ms: Option<f64> = Optional(Number),
        }
    }
}

/// What a frame is worth, and what to do next.
#[derive(Serialize, ToSchema)]
pub(crate) struct Judged {
    success: bool,
    message: &'static str,
    position: &'static str,
    /// Whether the frame passed every check for its position.
    is_live: bool,
    confidence_score: f64,
    /// Always null.
    #[schema(schema_with = null)]
    error: (),
    /// True once the session is complete; until then it and what follows of a complete session are null.
    #[schema(required)]
    session_completed: Option<bool>,
    #[schema(required)]
    liveness_score: Option<f64>,
    #[schema(required)]
    movement_verified: Option<bool>,
    #[schema(required)]
    final_embedding_saved: Option<bool>,
    #[schema(required)]
    student_id: Option<i64>,
    // Ours: the page advances on `detected_pose`, and shows the rest to the person.
    /// The position that the head shows.
    #[schema(required)]
    detected_pose: Option<&'static str>,
    /// The measured yaw, in degrees.
    #[schema(required)]
    yaw: Option<f64>,
    /// How far the face looks up (positive) or down against the verified center, in degrees.
    #[schema(required)]
    rise: Option<f64>,
    /// The rises between which the position is shown, in degrees; null for the sides, and in a session without nods.
    #[schema(required)]
    rise_gate: Option<[f64; 2]>,
    /// The positions that are verified.
    verified: Vec<&'static str>,
    #[schema(required)]
    next_position: Option<&'static str>,
    steps: Steps,
    /// The nonce of the next step, in a random order.
    #[schema(required)]
    nonce: Option<String>,
    /// The yaws between which the position is shown, in degrees.
    gate: [f64; 2],
    passive: Passive,
    status: &'static str,
    reasons: Vec<ReasonItem>,
    /// The signed receipt of an enrolment; null where the server signs none. Only there when a student was enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Option<String>>,
}

/// The passive antispoof check so far.
#[derive(Serialize, ToSchema)]
struct Passive {
    /// `require`, `prefer` or `off`.
    #[schema(value_type = String)]
    policy: PadPolicy,
    verdict: &'static str,
    /// The mean probability of a living face, in [0, 1].
    #[schema(required)]
    mean: Option<f64>,
    /// Over how many frames the mean is.
    frames: usize,
}

/// Returns the duration; `None` for one that no session lasts.
fn milliseconds(count: f64) -> Option<SignedDuration> {
    const DAY: f64 = 86_400_000.0;
    (0.0..=DAY).contains(&count).then(|| SignedDuration::try_from_secs_f64(count / 1000.0).ok())?
}

const FRAME_ERRORS: &[(u16, &str)] =
    &[(400, INVALID), (404, NO_SESSION), (409, TOO_MANY), (410, SESSION_OVER), (503, "The server is busy")];

pub(crate) const DETECT: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/detect",
    access: Access::Operator,
    // It comes five times a second; the enrolment itself writes an entry.
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Judges a frame of a session and returns what to do next",
    errors: FRAME_ERRORS,
};

/// The same under the name that later versions of the existing service give it.
pub(crate) const FRAMES: Endpoint = Endpoint { path: "/api/v1/liveness/frames", ..DETECT };

pub(crate) async fn detect(State(app): State<AppState>, call: Authed<NewFrame>) -> Result<Json<Judged>, AppError> {
    const PREFIX: &str = "Error in liveness detection";
    // The whole of it has been read by now: what a client sends slowly has not arrived before its end.
    let arrived = clock::now();
    let Authed { user, role, input, .. } = call;
    let NewFrame { session_id, position, frame_data, nonce, elapsed_ms } = input;
    let elapsed = elapsed_ms.and_then(milliseconds);
    let unknown = || AppError::not_found(NO_SESSION);
    let id = SessionId::parse(&session_id).ok_or_else(unknown)?;
    let stored = app.with_registry(PREFIX, move |registry| registry.session(id)).await?.ok_or_else(unknown)?;
    if stored.is_over(arrived) {
        return Err(AppError::Detail(StatusCode::GONE, SESSION_OVER.into()));
    }

    let bytes = image_data::bytes_of(&frame_data)?;
    drop(frame_data);
    let analyze = AnalyzeOptions::default().with_depth(Depth::Antispoof).with_selection(Selection::All);
    // The hash wants the file as well as the pixels; the analysis takes the file.
    let file: Vec<u8> = bytes.iter().take(EXIF_REACHES).copied().collect();
    let (frame, analysis) = app.analyze(PREFIX, bytes, analyze).await?;
    let embedder = app.engine().embedder().clone();
    let observed = app
        .with_registry(PREFIX, move |registry| {
            let frame = ClientFrame {
                position,
                analysis: &analysis,
                embedder: &embedder,
                hash: frame_hash(&frame).with_file(&file).with_face(&frame, &analysis),
                nonce: nonce.as_deref(),
                elapsed,
            };
            registry.observe(stored, &frame, role.enrols_as(&user), arrived)
        })
        .await?
        .ok_or_else(unknown)?;
    let mut answer = judged(&observed);
    if let FaceOfSession::Saved(student) = &observed.face {
        app.live().student_enrolled();
        answer.receipt = Some(receipt_of(&app, observed.session.session(), student.id)?);
    }
    Ok(Json(answer))
}

/// The part of a file in which its EXIF block ends, in bytes: the block has up to 64 KiB, behind the start and a JFIF
/// block.
const EXIF_REACHES: usize = 66_000;

fn judged(observed: &Observed) -> Judged {
    let Observed { outcome, face, .. } = observed;
    let session = observed.session.session();
    let completed = outcome.session_completed;
    let saved = !matches!(face, FaceOfSession::NoSuchStudent | FaceOfSession::Refused(_) | FaceOfSession::Unlike);
    Judged {
        success: true,
        message: "Liveness detection processed",
        position: outcome.requested.as_str(),
        is_live: outcome.is_live,
        confidence_score: f64::from(outcome.confidence),
        error: (),
        session_completed: completed.then_some(true),
        liveness_score: completed.then_some(f64::from(outcome.liveness_score)),
        movement_verified: completed.then_some(outcome.movement_verified),
        final_embedding_saved: completed.then_some(saved),
        student_id: session.student().filter(|_| completed).map(|student| student.0),
        detected_pose: outcome.detected_pose.map(Position::as_str),
        yaw: outcome.yaw.map(|yaw| f64::from(yaw.0)),
        rise: outcome.rise.map(|rise| f64::from(rise.0)),
        rise_gate: outcome.rise_gate.map(|gate| gate.map(|rise| f64::from(rise.0))),
        verified: outcome.verified.iter().map(|position| position.as_str()).collect(),
        next_position: outcome.next.map(Position::as_str),
        steps: Steps::of(outcome.steps),
        nonce: session.nonce(),
        gate: outcome.gate.map(|yaw| f64::from(yaw.0)),
        passive: Passive {
            policy: outcome.passive.policy,
            verdict: outcome.passive.verdict.as_str(),
            mean: outcome.passive.mean.map(f64::from),
            frames: outcome.passive.frames,
        },
        status: outcome.status.as_str(),
        reasons: outcome.reasons.iter().map(ReasonItem::of).collect(),
        receipt: None,
    }
}
