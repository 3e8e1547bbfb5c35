//! Liveness sessions: begin, frames, close, enrol.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use faceattend_core::Error;
use faceattend_core::engine::{AnalyzeOptions, Depth, Selection};
use faceattend_core::liveness::{Mirrored, Outcome, Position, frame_hash};
use faceattend_core::types::{SessionId, StudentId};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::students::{NAME_LENGTH, ROLL_LENGTH, student_error};
use crate::error::AppError;
use crate::http::body::Expects;
use crate::http::call::{Authed, Input};
use crate::http::input::Reader;
use crate::image_data;
use crate::sessions::{self, FrameSeen, Saved, Stored};
use crate::state::AppState;
use crate::wire::{Reply, naive_utc, reply};

const NOT_FOUND: &str = "Liveness detection session not found";
const NOT_COMPLETED: &str = "Completed liveness detection session not found";

/// A session to begin: for a student, if there is one already. `mirrored` says whether the frames will be flipped, as
/// the existing page flips them.
pub(crate) struct NewSession {
    student: Option<StudentId>,
    mirrored: Mirrored,
}

impl Input for NewSession {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let student = body.optional_integer("student_id").map(StudentId);
        let mirrored = if body.flag_or("mirrored", true)? { Mirrored::Yes } else { Mirrored::No };
        Some(Self { student, mirrored })
    }
}

/// `POST /liveness/session`.
pub(crate) async fn create(
    State(app): State<AppState>,
    call: Authed<NewSession>,
) -> Result<Json<Reply<Value>>, AppError> {
    let NewSession { student, mirrored } = call.input;
    let options = app.settings().liveness.with_mirrored(mirrored);
    let record = app
        .with_store("Error creating liveness session", move |store| {
            sessions::create(store, student, options, Timestamp::now())
        })
        .await?;
    let data = json!({
        "session_id": record.id.to_string(),
        "expires_at": naive_utc(record.expires_at),
        "status": record.status.as_str(),
    });
    Ok(Json(reply("Liveness detection session created successfully", data)))
}

/// A frame for a position of a session.
pub(crate) struct NewFrame {
    session: String,
    position: Position,
    frame_data: String,
}

impl Input for NewFrame {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let mut body = request.body()?;
        let session = body.text("session_id");
        let position = body.one_of("position", &["center", "left", "right"], "^(center|left|right)$");
        let frame_data = body.text("frame_data");
        Some(Self { session: session?, position: Position::parse(&position?)?, frame_data: frame_data? })
    }
}

/// `POST /liveness/detect` and `/liveness/frames`: what the frame is worth, and what is still to do.
pub(crate) async fn detect(State(app): State<AppState>, call: Authed<NewFrame>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Error in liveness detection";
    let NewFrame { session, position, frame_data } = call.input;
    let unknown = || AppError::not_found("Session not found");
    let id = SessionId::parse(&session).ok_or_else(unknown)?;
    let options = app.settings().liveness;
    let stored = app.with_store(PREFIX, move |store| sessions::load(store, id, options)).await?.ok_or_else(unknown)?;
    if stored.is_over(Timestamp::now()) {
        return Err(AppError::Detail(StatusCode::GONE, "Session expired".into()));
    }

    let bytes = image_data::bytes_of(&frame_data)?;
    drop(frame_data);
    let analyze = AnalyzeOptions::default().with_depth(Depth::Antispoof).with_selection(Selection::All);
    let (frame, analysis) = app.analyse(PREFIX, bytes, analyze).await?;
    let hash = frame_hash(&frame);
    let embedder = app.engine().embedder().clone();
    let (stored, outcome, saved) = app
        .with_store(PREFIX, move |store| {
            let now = Timestamp::now();
            let seen = FrameSeen { position, analysis: &analysis, embedder: &embedder, hash };
            let Some((stored, outcome)) = sessions::observe(store, id, options, &seen, now)? else { return Ok(None) };
            let saved = sessions::save_face(store, &stored, now)?;
            Ok(Some((stored, outcome, saved)))
        })
        .await?
        .ok_or_else(unknown)?;
    if let (Saved::Student(Some(student)), Some(enrolment)) = (&saved, sessions::enrolment_of(&stored.session)) {
        app.live().student_enrolled(student, &enrolment.templates);
    }
    Ok(Json(detect_answer(&stored, &outcome, &saved)))
}

fn detect_answer(stored: &Stored, outcome: &Outcome, saved: &Saved) -> Value {
    let completed = outcome.session_completed;
    let reasons: Vec<Value> =
        outcome.reasons.iter().map(|reason| json!({ "code": reason.code(), "advice": reason.advice() })).collect();
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
        "final_embedding_saved": completed.then_some(*saved != Saved::NoSuchStudent),
        "student_id": stored.session.student().filter(|_| completed),
        // Ours: the page advances on `detected_pose`, and shows the rest to the person.
        "detected_pose": outcome.detected_pose.map(Position::as_str),
        "yaw": outcome.yaw,
        "verified": outcome.verified.iter().map(|position| position.as_str()).collect::<Vec<_>>(),
        "next_position": outcome.next.map(Position::as_str),
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
    let options = app.settings().liveness;
    let now = Timestamp::now();
    let closed = app
        .with_store(PREFIX, move |store| match sessions::load(store, id, options)? {
            Some(stored) if stored.is_over(now) => Ok(Some(None)),
            _ => Ok(sessions::verify(store, id, options, now)?.map(Some)),
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
        "student_id": stored.record.student,
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
    let options = app.settings().liveness;
    let enrolled = app
        .with_store(PREFIX, move |store| {
            let Some(stored) = sessions::load(store, id, options)? else { return Ok(None) };
            let Some(enrolment) = sessions::enrolment_of(&stored.session) else { return Ok(None) };
            let student = store.register_student(id, &name, &roll_number, &enrolment, Timestamp::now())?;
            Ok(Some((student, enrolment)))
        })
        .await;
    let (student, enrolment) = match enrolled {
        Ok(enrolled) => enrolled.ok_or_else(unknown)?,
        Err(AppError::Core(_, Error::State { .. } | Error::NotFound { .. })) => return Err(unknown()),
        Err(error) => return Err(student_error(PREFIX)(error)),
    };
    app.live().student_enrolled(&student, &enrolment.templates);
    let data = json!({
        "student_id": student.id,
        "name": student.name,
        "roll_number": student.roll_number,
        "roll_no": student.roll_number,
        "liveness_verified": student.liveness_verified,
        "embedding_saved": true,
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
    let options = app.settings().liveness;
    let stored = app
        .with_store("Error retrieving liveness session", move |store| sessions::load(store, id, options))
        .await?
        .ok_or_else(unknown)?;
    let data = json!({
        "session_id": stored.record.id.to_string(),
        "status": stored.status(Timestamp::now()).as_str(),
        "liveness_score": stored.session.liveness_score(),
        "expires_at": naive_utc(stored.record.expires_at),
    });
    Ok(Json(reply("Session retrieved successfully", data)))
}
