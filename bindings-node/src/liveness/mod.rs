//! Liveness sessions: a person looks straight, to the left and to the right.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faceattend_core::engine::{AnalyzeOptions, FaceEngine as _};
use faceattend_core::liveness::{
    LivenessOptions as CoreOptions, LivenessSession as CoreSession, Mirrored, Observation, Order as CoreOrder,
    Outcome as CoreOutcome, PadPolicy as CorePad, Position as CorePosition, Reason as CoreReason, Status as CoreStatus,
    Turn, Verification as CoreVerification, frame_hash,
};
use faceattend_core::types::{Cosine, Degrees, SessionId, Threshold};
use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::embedding::Embedding;
use crate::engine::Engine;
use crate::error::{OrThrow as _, invalid};
use crate::frame::{ImageInput, Picture, captured_at};
use crate::gallery::student;
use crate::job::{Job, job};
use crate::sessions::Live;
use crate::time::{self, Date};

/// Where the head is to point. Left and right are the person's own.
#[napi(string_enum = "lowercase")]
pub enum Position {
    Center,
    Left,
    Right,
}

/// Where a session stands.
#[napi(string_enum)]
pub enum LivenessStatus {
    #[napi(value = "PENDING")]
    Pending,
    #[napi(value = "IN_PROGRESS")]
    InProgress,
    #[napi(value = "COMPLETED")]
    Completed,
    #[napi(value = "FAILED")]
    Failed,
    #[napi(value = "EXPIRED")]
    Expired,
}

/// In which order the positions are asked for: `fixed` is center, left, right; `random` is drawn for each session, which a
/// prepared video cannot follow; with `any` a frame counts for whichever position it is sent for.
#[napi(string_enum = "lowercase")]
pub enum Order {
    Any,
    Fixed,
    Random,
}

/// What to make of the passive check: `require` a score of every frame that counts, `prefer` scores where there are any,
/// or leave it `off`.
#[napi(string_enum = "lowercase")]
pub enum PadPolicy {
    Require,
    Prefer,
    Off,
}

/// Which way the person has to turn, in their own left and right.
#[napi(string_enum = "snake_case")]
pub enum TurnAdvice {
    Left,
    FurtherLeft,
    Right,
    FurtherRight,
    BackFromLeft,
    BackFromRight,
}

/// What a liveness session demands.
#[napi(object, object_to_js = false)]
pub struct LivenessOptions {
    /// Whether the frames arrive flipped, as a mirror shows them: it decides which side is the person's own left. No
    /// default, because a wrong guess swaps left and right. Cameras and recordings are `false`.
    pub mirrored: bool,
    /// The student to enrol, when there is one already.
    pub student_id: Option<f64>,
    /// Default `fixed`. Ask for `Outcome.next` each time.
    pub order: Option<Order>,
    /// How many more steps than three a random order has, up to 5. Default 3.
    pub extra_steps: Option<u32>,
    /// The largest yaw for center, in degrees. Default 5.
    pub center_gate: Option<f64>,
    /// The yaw beyond which the head counts as turned left, in degrees. Default 15.
    pub left_gate: Option<f64>,
    /// The yaw beyond which the head counts as turned right, in degrees. Default 15.
    pub right_gate: Option<f64>,
    /// How long the session lasts, in seconds, up to a day. Default 600.
    pub ttl_seconds: Option<f64>,
    /// After how many suspicious frames the session fails for good. Default 60.
    pub suspicious_limit: Option<u32>,
    /// From which similarity a side view shows the person of the center view, in [0, 1]. Default 0.65.
    pub same_person: Option<f64>,
    /// From which raw cosine two positions show one and the same picture. Default 0.999.
    pub frozen: Option<f64>,
    /// By how much the nose offset must change between center and each side. Default 0.203.
    pub min_nose_shift: Option<f64>,
    /// Default `prefer`.
    pub pad: Option<PadPolicy>,
    /// From which mean probability of a living face the passive check is content, in [0, 1]. Default 0.5.
    pub min_pad_mean: Option<f64>,
    /// How many times larger than any other the face of the person must be. Default 2.
    pub dominance: Option<f64>,
}

/// How a frame is taken in.
#[napi(object, object_to_js = false)]
pub struct ObserveOptions {
    /// When the frame was captured, if it does not say so itself. Frames from before the session's beginning are refused.
    pub captured_at: Option<Date>,
    /// The time to judge by. Default: now.
    pub now: Option<Date>,
}

/// Why a frame did not count, or what would make the next one better.
#[napi(object, use_nullable = true)]
pub struct LivenessReason {
    /// The stable code.
    #[napi(ts_type = "LivenessReasonCode")]
    pub code: String,
    /// One sentence that the person in front of the camera can act on.
    pub advice: String,
    /// The measured figure where there is one: the number of faces, the similarity, the nose shift, the relief, or the mean probability
    /// of a living face.
    pub figure: Option<f64>,
    /// For `wrong_pose`: which way to turn.
    pub turn: Option<TurnAdvice>,
}

/// What a session says of one frame. Nothing in it identifies a person.
#[napi(object, use_nullable = true)]
pub struct Outcome {
    /// The position that was asked for.
    pub requested: Position,
    /// The position that the head shows; `null` when there is no single face with a pose.
    pub detected_pose: Option<Position>,
    /// The measured yaw in degrees, in the frame as received.
    pub yaw: Option<f64>,
    /// Whether the frame passed every check for the position asked for.
    pub is_live: bool,
    /// How well the frame shows the position asked for, in [0, 1]: 0 when it was refused, else from 0.75 on.
    pub confidence: f64,
    /// The positions verified by now.
    pub verified: Vec<Position>,
    /// The position to ask for next; `null` when all are verified.
    pub next: Option<Position>,
    /// How many steps have passed.
    pub steps_done: u32,
    /// How many steps there are; 0 where the order is `any`.
    pub steps: u32,
    /// The session's status after the frame.
    pub status: LivenessStatus,
    /// Whether the session is complete.
    pub session_completed: bool,
    /// How sure a completed session is, in [0, 1]: the weakest of its proofs. 0 before that.
    pub liveness_score: f64,
    /// Whether the head has been seen to turn to both sides.
    pub movement_verified: bool,
    /// Why the frame was refused, first, then remarks; empty when all is well.
    pub reasons: Vec<LivenessReason>,
}

/// What closing a session finds.
#[napi(object, use_nullable = true)]
pub struct Verification {
    /// `COMPLETED`, `FAILED` or `EXPIRED`.
    pub status: LivenessStatus,
    /// As in an outcome.
    pub liveness_score: f64,
    /// As in an outcome.
    pub movement_verified: bool,
    /// The template to enrol, when the session is complete.
    pub final_template: Option<Embedding>,
    /// The positions that are still missing.
    pub missing: Vec<Position>,
}

/// A liveness session. Frames may come late, twice, in any order, and at the same time: each gets its answer. It lives in
/// this process until it is written down, with `toState` or `Store.saveSession`.
#[napi]
pub struct LivenessSession {
    pub(crate) live: Arc<Mutex<Live>>,
}

#[napi]
impl LivenessSession {
    /// A session that begins now. Throws `invalid_input` naming the option that is out of range.
    #[napi(constructor)]
    pub fn new(options: LivenessOptions) -> napi::Result<Self> {
        let begin = || {
            let student = options.student_id.map(student).transpose()?;
            let session = CoreSession::new(SessionId::random(), student, core_options(&options)?, Timestamp::now());
            Ok(Self::of(Live::unsaved(session)))
        };
        begin().or_throw()
    }

    /// The session that `toState` wrote down, in this process or another.
    #[napi]
    pub fn from_state(state: String) -> napi::Result<Self> {
        let read = || {
            let state = serde_json::from_str(&state)
                .map_err(|_| invalid("session state", "it was not written by LivenessSession.toState"))?;
            Ok(Self::of(Live::unsaved(CoreSession::from_state(state)?)))
        };
        read().or_throw()
    }

    /// Takes one frame in and says what it was worth. `position` is what the person was asked for.
    #[napi(
        ts_args_type = "engine: Engine, image: ImageInput, position: Position, options?: ObserveOptions & Abortable",
        ts_return_type = "Promise<Outcome>"
    )]
    pub fn observe(
        &self,
        engine: &Engine,
        image: ImageInput,
        position: Position,
        options: Option<ObserveOptions>,
    ) -> napi::Result<AsyncTask<Job<Outcome>>> {
        let (live, engine) = (self.live.clone(), engine.inner.clone());
        let picture = Picture::take(image).or_throw()?;
        let (captured, now) = options.map_or((None, None), |options| (options.captured_at, options.now));
        let captured = captured_at(captured).or_throw()?;
        let now = now.map(time::moment).transpose().or_throw()?;
        Ok(job(move || {
            let frame = picture.into_frame()?;
            let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
            let observation = Observation {
                requested: position.into(),
                analysis: &analysis,
                embedder: engine.embedder(),
                frame_hash: frame_hash(&frame),
                captured_at: captured.or(frame.captured_at()),
            };
            let mut live = live.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(live.session.observe(&observation, now.unwrap_or_else(Timestamp::now)).into())
        }))
    }

    /// Closes the session: the template when it is complete, otherwise it has failed, unless frames on their way complete it
    /// after all.
    #[napi]
    pub fn verify(&self) -> Verification {
        self.lock().session.verify(Timestamp::now()).into()
    }

    /// Uses the session up: the templates to enrol, center first. Only the first call gets them; another throws `conflict`,
    /// and one before the end `state`. `Store.registerStudent` does it by itself.
    #[napi]
    pub fn consume(&self) -> napi::Result<Vec<Embedding>> {
        self.lock().session.consume().map(|all| all.iter().map(Into::into).collect()).or_throw()
    }

    /// The session as text, embeddings and all: keep it as the personal datum that it is.
    #[napi]
    pub fn to_state(&self) -> napi::Result<String> {
        self.lock().text().or_throw()
    }

    /// Its key, a random UUID.
    #[napi(getter)]
    pub fn id(&self) -> String {
        self.lock().session.id().to_string()
    }

    /// The student to enrol, when it was begun for one.
    #[napi(getter, ts_return_type = "number | null")]
    pub fn student_id(&self) -> Option<i64> {
        self.lock().session.student().map(|student| student.0)
    }

    /// The position to ask the person for; `null` when there is nothing more to ask.
    #[napi(getter, ts_return_type = "Position | null")]
    pub fn next(&self) -> Option<Position> {
        self.lock().session.next().map(Into::into)
    }

    /// When it began.
    #[napi(getter)]
    pub fn created_at(&self) -> Date {
        time::date(self.lock().session.created_at())
    }

    /// From when on no frame counts any more.
    #[napi(getter)]
    pub fn expires_at(&self) -> Date {
        time::date(self.lock().session.expires_at())
    }

    /// Where it stands now.
    #[napi(getter)]
    pub fn status(&self) -> LivenessStatus {
        self.lock().session.status_at(Timestamp::now()).into()
    }

    /// Whether every position is verified.
    #[napi(getter)]
    pub fn is_completed(&self) -> bool {
        self.lock().session.is_completed()
    }

    /// Whether it has enrolled somebody.
    #[napi(getter)]
    pub fn is_consumed(&self) -> bool {
        self.lock().session.is_consumed()
    }

    /// How sure a completed session is, in [0, 1]. 0 before that.
    #[napi(getter)]
    pub fn liveness_score(&self) -> f64 {
        self.lock().session.liveness_score().into()
    }
}

impl LivenessSession {
    pub(crate) fn of(live: Live) -> Self {
        Self { live: Arc::new(Mutex::new(live)) }
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        // Each change of a session is checked again as a whole before it completes, so a panic leaves nothing proven.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "gates, similarities and shifts need no more than an f32")]
fn core_options(options: &LivenessOptions) -> Result<CoreOptions> {
    let mut made = CoreOptions::default();
    let gates = made.gates;
    let gate = |value: Option<f64>, default: Degrees| value.map_or(default, |degrees| Degrees(degrees as f32));
    made = made.with_mirrored(if options.mirrored { Mirrored::Yes } else { Mirrored::No }).with_gates(
        gate(options.center_gate, gates.center),
        gate(options.left_gate, gates.left),
        gate(options.right_gate, gates.right),
    );
    if let Some(seconds) = options.ttl_seconds {
        let ttl = SignedDuration::try_from_secs_f64(seconds)
            .map_err(|_| invalid("ttlSeconds", format!("{seconds} is no duration")))?;
        made = made.with_ttl(ttl);
    }
    let order = match options.order {
        None => made.order,
        Some(Order::Any) => CoreOrder::Any,
        Some(Order::Fixed) => CoreOrder::Fixed,
        Some(Order::Random) => CoreOrder::Random,
    };
    made = made.with_order(order, options.extra_steps.unwrap_or(made.extra_steps));
    if let Some(limit) = options.suspicious_limit {
        made = made.with_suspicious_limit(limit);
    }
    if let Some(similarity) = options.same_person {
        made = made.with_same_person(Threshold::new(similarity as f32)?);
    }
    if let Some(cosine) = options.frozen {
        made = made.with_frozen(Cosine(cosine as f32));
    }
    if let Some(shift) = options.min_nose_shift {
        made = made.with_min_nose_shift(shift as f32);
    }
    let policy = match options.pad {
        None => made.pad,
        Some(PadPolicy::Require) => CorePad::Require,
        Some(PadPolicy::Prefer) => CorePad::Prefer,
        Some(PadPolicy::Off) => CorePad::Off,
    };
    let mean = options.min_pad_mean.map_or(made.min_pad_mean, |mean| mean as f32);
    made = made.with_pad(policy, mean);
    if let Some(factor) = options.dominance {
        made = made.with_dominance(factor as f32);
    }
    made.check()?;
    Ok(made)
}

impl From<Position> for CorePosition {
    fn from(position: Position) -> Self {
        match position {
            Position::Center => Self::Center,
            Position::Left => Self::Left,
            Position::Right => Self::Right,
        }
    }
}

impl From<CorePosition> for Position {
    fn from(position: CorePosition) -> Self {
        match position {
            CorePosition::Center => Self::Center,
            CorePosition::Left => Self::Left,
            CorePosition::Right => Self::Right,
        }
    }
}

impl From<CoreStatus> for LivenessStatus {
    fn from(status: CoreStatus) -> Self {
        match status {
            CoreStatus::Pending => Self::Pending,
            CoreStatus::InProgress => Self::InProgress,
            CoreStatus::Completed => Self::Completed,
            CoreStatus::Failed => Self::Failed,
            CoreStatus::Expired => Self::Expired,
        }
    }
}

impl From<Turn> for TurnAdvice {
    fn from(turn: Turn) -> Self {
        match turn {
            Turn::Left => Self::Left,
            Turn::FurtherLeft => Self::FurtherLeft,
            Turn::Right => Self::Right,
            Turn::FurtherRight => Self::FurtherRight,
            Turn::BackFromLeft => Self::BackFromLeft,
            Turn::BackFromRight => Self::BackFromRight,
        }
    }
}

impl From<&CoreReason> for LivenessReason {
    fn from(reason: &CoreReason) -> Self {
        let figure = match reason {
            CoreReason::SeveralFaces { count } => Some(f64::from(crate::gallery::count(*count))),
            CoreReason::DifferentPerson { similarity } => Some(similarity.value().into()),
            CoreReason::NoParallax { shift } => Some((*shift).into()),
            CoreReason::NoRelief { relief } => Some((*relief).into()),
            CoreReason::AlreadyEnrolled { similarity, .. } => Some(similarity.value().into()),
            CoreReason::SpoofSuspected { real } => Some((*real).into()),
            _ => None,
        };
        let turn = if let CoreReason::WrongPose { turn } = reason { Some((*turn).into()) } else { None };
        Self { code: reason.code().to_owned(), advice: reason.advice().into_owned(), figure, turn }
    }
}

impl From<CoreOutcome> for Outcome {
    fn from(outcome: CoreOutcome) -> Self {
        Self {
            requested: outcome.requested.into(),
            detected_pose: outcome.detected_pose.map(Into::into),
            yaw: outcome.yaw.map(|yaw| yaw.0.into()),
            is_live: outcome.is_live,
            confidence: outcome.confidence.into(),
            verified: outcome.verified.iter().copied().map(Into::into).collect(),
            next: outcome.next.map(Into::into),
            steps_done: crate::gallery::count(outcome.steps.0),
            steps: crate::gallery::count(outcome.steps.1),
            status: outcome.status.into(),
            session_completed: outcome.session_completed,
            liveness_score: outcome.liveness_score.into(),
            movement_verified: outcome.movement_verified,
            reasons: outcome.reasons.iter().map(Into::into).collect(),
        }
    }
}

impl From<CoreVerification> for Verification {
    fn from(verification: CoreVerification) -> Self {
        Self {
            status: verification.status.into(),
            liveness_score: verification.liveness_score.into(),
            movement_verified: verification.movement_verified,
            final_template: verification.final_template.as_ref().map(Into::into),
            missing: verification.missing.iter().copied().map(Into::into).collect(),
        }
    }
}

/// The session that `id` spells.
pub(crate) fn session_id(id: &str) -> Result<SessionId> {
    SessionId::parse(id).ok_or(Error::NotFound { what: "liveness session" })
}
