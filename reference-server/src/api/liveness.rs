//! Liveness sessions: begin, frames, close, enrol.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use faceattend_core::engine::{AnalyzeOptions, Depth, Selection};
use faceattend_core::enrolment::{ClientFrame, EnrolmentOutcome, FaceOfSession, Observed, known_as};
use faceattend_core::liveness::{LivenessSession, Mirrored, Position, Reason, frame_hash};
use faceattend_core::types::{SessionId, StudentId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::students::{NAME_LENGTH, ROLL_LENGTH, student_error};
use crate::error::AppError;
use crate::image_data;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input, Nothing};
use crate::request::fields::Reader;
use crate::responses::{Reply, naive_utc, reply};
use crate::state::{AppState, ChallengePolicy};

const NOT_FOUND: &str = "Liveness detection session not found";
const NOT_COMPLETED: &str = "Completed liveness detection session not found";

/// A session to begin: for a student, if there is one already. `mirrored` says whether the frames will be flipped, as
/// the existing page flips them; `challenge` which order the client follows.
pub(crate) struct NewSession {
    student: Option<StudentId>,
    mirrored: Mirrored,
    random: bool,
}

impl Input for NewSession {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let student = body.optional_integer("student_id").map(StudentId);
        let mirrored = if body.flag_or("mirrored", true)? { Mirrored::Yes } else { Mirrored::No };
        let random =
            body.has("challenge") && body.one_of("challenge", &["fixed", "random"], "^(fixed|random)$")? == "random";
        Some(Self { student, mirrored, random })
    }
}

/// `POST /liveness/session`.
pub(crate) async fn create(
    State(app): State<AppState>,
    call: Authed<NewSession>,
) -> Result<Json<Reply<Value>>, AppError> {
    let NewSession { student, mirrored, random } = call.input;
    if !random && app.settings().challenge == ChallengePolicy::Required {
        return Err(AppError::bad_request("This server asks in a random order: send \"challenge\": \"random\""));
    }
    let fixed = app.settings().liveness.with_mirrored(mirrored);
    let options = if random { fixed.with_guard() } else { fixed };
    let stored = app
        .with_registry("Error creating liveness session", move |registry| {
            registry.begin(student, options, Timestamp::now())
        })
        .await?;
    let (record, session) = (stored.record(), stored.session());
    let mut data = json!({
        "session_id": record.id.to_string(),
        "expires_at": naive_utc(record.expires_at),
        "status": record.status.as_str(),
    });
    if random {
        data["next_position"] = json!(session.next().map(Position::as_str));
        data["nonce"] = json!(session.nonce());
        data["steps"] = steps_of(session.steps());
    }
    Ok(Json(reply("Liveness detection session created successfully", data)))
}

fn steps_of((passed, all): (usize, usize)) -> Value {
    json!({ "passed": passed, "all": all })
}

/// A frame for a position of a session; with `nonce` the answer to a step of a random order. `elapsed_ms` says how long
/// after the session's begin it was captured, on the client's clock.
pub(crate) struct NewFrame {
    session: String,
    position: Position,
    frame_data: String,
    nonce: Option<String>,
    elapsed: Option<SignedDuration>,
}

impl Input for NewFrame {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let session = body.text("session_id");
        let position = body.one_of("position", &["center", "left", "right"], "^(center|left|right)$");
        let frame_data = body.text("frame_data");
        let nonce = body.optional_text("nonce");
        let elapsed = body.optional_number("elapsed_ms").and_then(milliseconds);
        Some(Self {
            session: session?,
            position: Position::parse(&position?)?,
            frame_data: frame_data?,
            nonce,
            elapsed,
        })
    }
}

/// A time that no session lasts is none.
fn milliseconds(count: f64) -> Option<SignedDuration> {
    const DAY: f64 = 86_400_000.0;
    (0.0..=DAY).contains(&count).then(|| SignedDuration::try_from_secs_f64(count / 1000.0).ok())?
}

/// `POST /liveness/detect` and `/liveness/frames`: what the frame is worth, and what is still to do.
pub(crate) async fn detect(State(app): State<AppState>, call: Authed<NewFrame>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Error in liveness detection";
    let NewFrame { session, position, frame_data, nonce, elapsed } = call.input;
    let unknown = || AppError::not_found("Session not found");
    let id = SessionId::parse(&session).ok_or_else(unknown)?;
    let stored = app.with_registry(PREFIX, move |registry| registry.session(id)).await?.ok_or_else(unknown)?;
    if stored.is_over(Timestamp::now()) {
        return Err(AppError::Detail(StatusCode::GONE, "Session expired".into()));
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
    let mut answer = detect_answer(&observed);
    if let FaceOfSession::Saved(student) = &observed.face {
        app.live().student_enrolled();
        answer["receipt"] = receipt_of(&app, observed.session.session(), student.id)?;
    }
    Ok(Json(answer))
}

/// How far into a file its EXIF block reaches at most: behind the start and a JFIF block, with its own 64 KiB.
const EXIF_REACHES: usize = 66_000;

/// The signed receipt for the enrolment of `student`, where the operator signs them.
fn receipt_of(app: &AppState, session: &LivenessSession, student: StudentId) -> Result<Value, AppError> {
    let Some(key) = &app.settings().receipts else { return Ok(Value::Null) };
    let signed = session.receipt(student, Timestamp::now()).map(|receipt| key.sign(&receipt)).transpose();
    signed.map(|token| json!(token)).map_err(|error| AppError::Core("Error signing the receipt", error))
}

fn reason_of(reason: &Reason) -> Value {
    let mut told = json!({ "code": reason.code(), "advice": reason.advice() });
    if let Reason::AlreadyEnrolled { student, similarity } = reason {
        told["student_id"] = json!(student);
        told["similarity"] = json!(similarity);
    }
    told
}

fn detect_answer(observed: &Observed) -> Value {
    let Observed { outcome, face, .. } = observed;
    let session = observed.session.session();
    let completed = outcome.session_completed;
    let reasons: Vec<Value> = outcome.reasons.iter().map(reason_of).collect();
    json!({
        "success": true,
        "message": "Liveness detection processed",
        "position": outcome.requested.as_str(),
        "is_live": outcome.is_live,
        "confidence_score": outcome.confidence,
        "error": null,
        "session_completed": completed.then_some(true),
        "liveness_score": completed.then_some(outcome.liveness_score),
        "movement_verified": completed.then_some(outcome.movement_verified),
        "final_embedding_saved":
            completed.then_some(!matches!(face, FaceOfSession::NoSuchStudent | FaceOfSession::Refused(_))),
        "student_id": session.student().filter(|_| completed),
        // Ours: the page advances on `detected_pose`, and shows the rest to the person.
        "detected_pose": outcome.detected_pose.map(Position::as_str),
        "yaw": outcome.yaw,
        "verified": outcome.verified.iter().map(|position| position.as_str()).collect::<Vec<_>>(),
        "next_position": outcome.next.map(Position::as_str),
        "steps": steps_of(outcome.steps),
        "nonce": session.nonce(),
        "gate": outcome.gate,
        "passive": {
            "policy": outcome.passive.policy,
            "verdict": outcome.passive.verdict.as_str(),
            "mean": outcome.passive.mean,
            "frames": outcome.passive.frames,
        },
        "status": outcome.status.as_str(),
        "reasons": reasons,
    })
}

/// The session in the body.
pub(crate) struct Closing(String);

impl Input for Closing {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        request.body()?.text("session_id").map(Self)
    }
}

/// `POST /liveness/verify`: closes the session. It answers success also when the session has failed, as recorded.
pub(crate) async fn verify(State(app): State<AppState>, call: Authed<Closing>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Error verifying liveness completion";
    let unknown = || AppError::not_found(NOT_FOUND);
    let id = SessionId::parse(&call.input.0).ok_or_else(unknown)?;
    let now = Timestamp::now();
    let closed = app
        .with_registry(PREFIX, move |registry| match registry.session(id)? {
            None => Ok(None),
            Some(stored) if stored.is_over(now) => Ok(Some(None)),
            Some(stored) => Ok(registry.verify(stored, now)?.map(Some)),
        })
        .await?
        .ok_or_else(unknown)?;
    let (stored, verification) =
        closed.ok_or_else(|| AppError::bad_request("Liveness detection session has expired"))?;
    let embedding = verification.final_template.map(|template| json!(template.values()).to_string());
    Ok(Json(json!({
        "success": true,
        "message": "Liveness verification completed",
        "liveness_score": verification.liveness_score,
        "movement_verified": verification.movement_verified,
        "final_embedding": embedding,
        "student_id": stored.record().student,
        "error": null,
        "missing_positions": verification.missing.iter().map(|position| position.as_str()).collect::<Vec<_>>(),
    })))
}

/// A student to be made of a completed session.
pub(crate) struct Registration {
    name: String,
    roll_number: String,
    session: String,
}

impl Input for Registration {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let name = body.text_of("name", None, NAME_LENGTH);
        let roll_number = body.text_of("roll_number", Some("roll_no"), ROLL_LENGTH);
        let session = body.text("session_id");
        Some(Self { name: name?, roll_number: roll_number?, session: session? })
    }
}

/// `POST /liveness/register-student`: enrols one student with the face of a completed session, once.
pub(crate) async fn register(
    State(app): State<AppState>,
    call: Authed<Registration>,
) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error completing student registration";
    let Registration { name, roll_number, session } = call.input;
    let unknown = || AppError::not_found(NOT_COMPLETED);
    let id = SessionId::parse(&session).ok_or_else(unknown)?;
    let registered = app
        .with_registry(PREFIX, move |registry| registry.register(id, &name, &roll_number, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    let enrolled = match registered {
        EnrolmentOutcome::Enrolled(enrolled) => *enrolled,
        EnrolmentOutcome::Refused(found) => return Err(AppError::bad_request(known_as(&found).advice())),
        EnrolmentOutcome::UnknownSession
        | EnrolmentOutcome::NotCompleted
        | EnrolmentOutcome::UsedUp
        | EnrolmentOutcome::UnknownStudent => return Err(unknown()),
    };
    let (student, session) = (enrolled.student, enrolled.session);
    app.live().student_enrolled();
    let data = json!({
        "student_id": student.id,
        "name": student.name,
        "roll_number": student.roll_number,
        "roll_no": student.roll_number,
        "liveness_verified": student.liveness_verified,
        "embedding_saved": true,
        "receipt": receipt_of(&app, &session, student.id)?,
        "warnings": enrolled.resembles.iter().map(|found| reason_of(&known_as(found))).collect::<Vec<_>>(),
    });
    Ok(Json(reply("Student registration completed successfully", data)))
}

/// The session in the path.
pub(crate) struct Which(String);

impl Input for Which {
    fn read(request: &mut Reader) -> Option<Self> {
        request.path().text("session_id").map(Self)
    }
}

/// `GET /liveness/session/{id}`.
pub(crate) async fn get(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<Value>>, AppError> {
    let unknown = || AppError::not_found(NOT_FOUND);
    let id = SessionId::parse(&call.input.0).ok_or_else(unknown)?;
    let stored = app
        .with_registry("Error retrieving liveness session", move |registry| registry.session(id))
        .await?
        .ok_or_else(unknown)?;
    let data = json!({
        "session_id": stored.id().to_string(),
        "status": stored.status(Timestamp::now()).as_str(),
        "liveness_score": stored.session().liveness_score(),
        "expires_at": naive_utc(stored.record().expires_at),
    });
    Ok(Json(reply("Session retrieved successfully", data)))
}

/// `GET /liveness/receipt-key`: the public key with which receipts are checked, as PEM.
pub(crate) async fn receipt_key(
    State(app): State<AppState>,
    _: Authed<Nothing>,
) -> Result<Json<Reply<Value>>, AppError> {
    let key = app.settings().receipts.as_ref().ok_or_else(|| AppError::not_found("This server signs no receipts"))?;
    let data = json!({ "algorithm": "EdDSA", "public_key": key.public_key_pem() });
    Ok(Json(reply("Receipt key retrieved successfully", data)))
}
