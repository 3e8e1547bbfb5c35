//! Liveness sessions: begin, frames, close, enrol.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use faceattend_core::engine::{AnalyzeOptions, Depth, Selection};
use faceattend_core::enrolment::{ClientFrame, EnrolmentOutcome, FaceOfSession, Observed, known_as};
use faceattend_core::liveness::{LivenessSession, Mirrored, PadPolicy, Position, Reason, frame_hash};
use faceattend_core::types::{SessionId, StudentId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::students::{NAME, ROLL_NUMBER, ROLL_TAKEN, student_error};
use crate::error::AppError;
use crate::image_data::{self, INVALID};
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{FlagOr, Number, Optional, Picture, Student as StudentNumber, TEXT, Text, Word};
use crate::responses::{Reply, naive_utc, null, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::settings::ChallengePolicy;
use crate::state::AppState;

pub(super) const SESSION_ID: Text = TEXT.example("6c1e3a52-0d0e-4a38-9f63-2f6b1f6d9a10");
const POSITION: Word<Position> =
    Word(&[("center", Position::Center), ("left", Position::Left), ("right", Position::Right)]);
const CHALLENGE: Word<Challenge> = Word(&[("fixed", Challenge::Fixed), ("random", Challenge::Random)]);

const NO_SESSION: &str = "Session not found";
const SESSION_OVER: &str = "Session expired";
const NOT_FOUND: &str = "Liveness detection session not found";
const NOT_COMPLETED: &str = "Completed liveness detection session not found";
const RANDOM_ONLY: &str = "This server asks in a random order: send \"challenge\": \"random\"";
const TOO_MANY: &str = "Too many frames at once";

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
            student_id: Option<StudentId> = Optional(StudentNumber),
            /// Whether the frames will be flipped, as the existing page flips them.
            mirrored: bool = FlagOr(true),
            /// The order in which the client follows the positions.
            challenge: Option<Challenge> = Optional(CHALLENGE),
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

/// How many steps a session has passed.
#[derive(Serialize, ToSchema)]
struct Steps {
    passed: usize,
    all: usize,
}

impl Steps {
    fn of((passed, all): (usize, usize)) -> Self {
        Self { passed, all }
    }
}

pub(super) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/session",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Liveness,
    summary: "Begins a session",
    errors: &[(400, RANDOM_ONLY)],
};

pub(super) async fn create(
    State(app): State<AppState>,
    call: Authed<NewSession>,
) -> Result<Json<Reply<Begun>>, AppError> {
    let NewSession { student_id: student, mirrored, challenge } = call.input;
    let random = challenge == Some(Challenge::Random);
    if !random && app.settings().challenge == ChallengePolicy::Required {
        return Err(AppError::bad_request(RANDOM_ONLY));
    }
    let mirrored = if mirrored { Mirrored::Yes } else { Mirrored::No };
    let fixed = app.settings().liveness.with_mirrored(mirrored);
    let options = if random { fixed.with_guard() } else { fixed };
    let stored = app
        .with_registry("Error creating liveness session", move |registry| {
            registry.begin(student, options, Timestamp::now())
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
    /// A frame for a position of a session.
    pub(crate) struct NewFrame {
        body Json {
            session_id: String = SESSION_ID,
            position: Position = POSITION,
            frame_data: String = Picture,
            /// The nonce of the step that the frame answers, in a random order.
            nonce: Option<String> = Optional(TEXT),
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

/// Why a frame was refused, or a remark on it.
#[derive(Serialize, ToSchema)]
struct ReasonItem {
    code: &'static str,
    /// A sentence for the person.
    advice: String,
    /// The student that the face is enrolled as already.
    #[serde(skip_serializing_if = "Option::is_none")]
    student_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
}

impl ReasonItem {
    fn of(reason: &Reason) -> Self {
        let known = match reason {
            Reason::AlreadyEnrolled { student, similarity } => Some((student.0, f64::from(similarity.value()))),
            _ => None,
        };
        Self {
            code: reason.code(),
            advice: reason.advice().into_owned(),
            student_id: known.map(|(student, _)| student),
            similarity: known.map(|(_, similarity)| similarity),
        }
    }
}

/// A time that no session lasts is none.
fn milliseconds(count: f64) -> Option<SignedDuration> {
    const DAY: f64 = 86_400_000.0;
    (0.0..=DAY).contains(&count).then(|| SignedDuration::try_from_secs_f64(count / 1000.0).ok())?
}

const FRAME_ERRORS: &[(u16, &str)] =
    &[(400, INVALID), (404, NO_SESSION), (409, TOO_MANY), (410, SESSION_OVER), (503, "The server is busy")];

pub(super) const DETECT: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/detect",
    access: Access::Operator,
    // It comes five times a second; the enrolment itself is kept.
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Judges a frame of a session and returns what to do next",
    errors: FRAME_ERRORS,
};

/// The same under the name that later versions of the existing service give it.
pub(super) const FRAMES: Endpoint = Endpoint { path: "/api/v1/liveness/frames", ..DETECT };

pub(super) async fn detect(State(app): State<AppState>, call: Authed<NewFrame>) -> Result<Json<Judged>, AppError> {
    const PREFIX: &str = "Error in liveness detection";
    let NewFrame { session_id, position, frame_data, nonce, elapsed_ms } = call.input;
    let elapsed = elapsed_ms.and_then(milliseconds);
    let unknown = || AppError::not_found(NO_SESSION);
    let id = SessionId::parse(&session_id).ok_or_else(unknown)?;
    let stored = app.with_registry(PREFIX, move |registry| registry.session(id)).await?.ok_or_else(unknown)?;
    if stored.is_over(Timestamp::now()) {
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
                hash: frame_hash(&frame).with_file(&file),
                nonce: nonce.as_deref(),
                elapsed,
            };
            registry.observe(stored, &frame, Timestamp::now())
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

/// How far into a file its EXIF block reaches at most: behind the start and a JFIF block, with its own 64 KiB.
const EXIF_REACHES: usize = 66_000;

/// The signed receipt for the enrolment of `student`, where the operator signs them.
fn receipt_of(app: &AppState, session: &LivenessSession, student: StudentId) -> Result<Option<String>, AppError> {
    let Some(key) = &app.settings().receipts else { return Ok(None) };
    let signed = session.receipt(student, Timestamp::now()).map(|receipt| key.sign(&receipt)).transpose();
    signed.map_err(|error| AppError::Core("Error signing the receipt", error))
}

fn judged(observed: &Observed) -> Judged {
    let Observed { outcome, face, .. } = observed;
    let session = observed.session.session();
    let completed = outcome.session_completed;
    let saved = !matches!(face, FaceOfSession::NoSuchStudent | FaceOfSession::Refused(_));
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

input! {
    /// The session in the body.
    pub(crate) struct Closing {
        body Json {
            session_id: String = SESSION_ID,
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
    /// The embedding to enrol, as a JSON array in a text; null unless the session is complete.
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

pub(super) const VERIFY: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/verify",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Liveness,
    summary: "Closes a session",
    errors: &[(400, EXPIRED), (404, NOT_FOUND), (409, TOO_MANY)],
};

/// Closes the session. As recorded, a session that has failed is closed with success too.
pub(super) async fn verify(State(app): State<AppState>, call: Authed<Closing>) -> Result<Json<Closed>, AppError> {
    const PREFIX: &str = "Error verifying liveness completion";
    let unknown = || AppError::not_found(NOT_FOUND);
    let id = SessionId::parse(&call.input.session_id).ok_or_else(unknown)?;
    let now = Timestamp::now();
    let closed = app
        .with_registry(PREFIX, move |registry| match registry.session(id)? {
            None => Ok(None),
            Some(stored) if stored.is_over(now) => Ok(Some(None)),
            Some(stored) => Ok(registry.verify(stored, now)?.map(Some)),
        })
        .await?
        .ok_or_else(unknown)?;
    let (stored, verification) = closed.ok_or_else(|| AppError::bad_request(EXPIRED))?;
    let embedding = verification.final_template.map(|template| json!(template.values()).to_string());
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
    /// A student to create with the face of a completed session.
    pub(crate) struct Registration {
        body Json {
            name: String = NAME,
            roll_number: String = ROLL_NUMBER,
            session_id: String = SESSION_ID,
        }
    }
}

/// A student who was created with a face.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewlyRegistered {
    student_id: i64,
    name: String,
    roll_number: String,
    liveness_verified: bool,
    embedding_saved: bool,
    // Ours.
    roll_no: String,
    /// The signed receipt; null where the server signs none.
    #[schema(required)]
    receipt: Option<String>,
    warnings: Vec<ReasonItem>,
}

pub(super) const REGISTER: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/liveness/register-student",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Liveness,
    summary: "Creates a student with the face of a completed session",
    errors: &[(400, ROLL_TAKEN), (400, "This face is already enrolled as student 7."), (404, NOT_COMPLETED)],
};

/// Enrols one student with the face of a session, once.
pub(super) async fn register(
    State(app): State<AppState>,
    call: Authed<Registration>,
) -> Result<Json<Reply<NewlyRegistered>>, AppError> {
    const PREFIX: &str = "Error completing student registration";
    let Registration { name, roll_number, session_id } = call.input;
    let unknown = || AppError::not_found(NOT_COMPLETED);
    let id = SessionId::parse(&session_id).ok_or_else(unknown)?;
    let outcome = app
        .with_registry(PREFIX, move |registry| registry.register(id, &name, &roll_number, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    let enrolled = match outcome {
        EnrolmentOutcome::Enrolled(enrolled) => *enrolled,
        EnrolmentOutcome::Refused(found) => return Err(AppError::bad_request(known_as(&found).advice())),
        EnrolmentOutcome::UnknownSession
        | EnrolmentOutcome::NotCompleted
        | EnrolmentOutcome::UsedUp
        | EnrolmentOutcome::UnknownStudent => return Err(unknown()),
    };
    let (student, session) = (enrolled.student, enrolled.session);
    app.live().student_enrolled();
    let registered = NewlyRegistered {
        student_id: student.id.0,
        receipt: receipt_of(&app, &session, student.id)?,
        warnings: enrolled.resembles.iter().map(|found| ReasonItem::of(&known_as(found))).collect(),
        name: student.name,
        roll_number: student.roll_number.clone(),
        roll_no: student.roll_number,
        liveness_verified: student.liveness_verified,
        embedding_saved: true,
    };
    Ok(Json(reply("Student registration completed successfully", registered)))
}

input! {
    /// The session in the path.
    pub(crate) struct Which {
        path {
            session_id: String = SESSION_ID,
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

pub(super) const GET: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/liveness/session/{session_id}",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Returns the status of a session",
    errors: &[(404, NOT_FOUND)],
};

pub(super) async fn get(
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
        status: stored.status(Timestamp::now()).as_str(),
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

pub(super) const RECEIPT_KEY: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/liveness/receipt-key",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Liveness,
    summary: "Returns the public key with which receipts are checked",
    errors: &[(404, NO_RECEIPTS)],
};

pub(super) async fn receipt_key(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<ReceiptKey>>, AppError> {
    let key = app.settings().receipts.as_ref().ok_or_else(|| AppError::not_found(NO_RECEIPTS))?;
    let key = ReceiptKey { algorithm: "EdDSA", public_key: key.public_key_pem() };
    Ok(Json(reply("Receipt key retrieved successfully", key)))
}
