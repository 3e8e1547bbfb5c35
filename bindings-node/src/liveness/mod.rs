//! Liveness sessions: a person looks straight, to the left and to the right.

mod options;
mod outcome;
mod receipt;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faceattend_core::engine::AnalyzeOptions;
use faceattend_core::enrolment::KeptSession;
use faceattend_core::enrolment::session::text_of;
use faceattend_core::liveness::{
    LivenessSession as CoreSession, Observation, Outcome as CoreOutcome, Position as CorePosition, frame_hash,
};
use faceattend_core::types::SessionId;
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use self::options::{LivenessOptions, Order, core_options};
pub(crate) use self::outcome::Position;
use self::outcome::{LivenessStatus, Outcome, Verification};
use self::receipt::Receipt;
use crate::embedding::Embedding;
use crate::engine::Engine;
use crate::error::{OrThrow as _, invalid};
use crate::frame::{ImageInput, Picture, captured_at};
use crate::gallery::{count, student};
use crate::job::{Job, job};
use crate::time::{self, Date};

/// How a frame is taken into a session.
#[napi(object, object_to_js = false)]
pub struct ObserveOptions {
    /// When the frame was captured, if it does not say so itself. Frames from before the session's beginning are
    /// refused.
    pub captured_at: Option<Date>,
    /// The time to judge by. Default: now.
    pub now: Option<Date>,
}

/// A liveness session. Frames may come late, twice, in any order, and at the same time: each gets its answer. It lives
/// in this process until it is written down, with `toState` or `Store.saveSession`.
#[napi]
pub struct LivenessSession {
    pub(crate) live: Arc<Mutex<KeptSession>>,
}

#[napi]
impl LivenessSession {
    /// Begins a session. Throws `invalid_input` naming the option that is out of range.
    #[napi(constructor)]
    pub fn new(options: LivenessOptions) -> napi::Result<Self> {
        let begin = || {
            let student = options.student_id.map(student).transpose()?;
            let session = CoreSession::new(SessionId::random(), student, core_options(&options)?, Timestamp::now());
            Ok(Self::of(KeptSession::new(session)))
        };
        begin().or_throw()
    }

    /// Returns the session that `toState` wrote down, in this process or another.
    #[napi]
    pub fn from_state(state: String) -> napi::Result<Self> {
        let read = || {
            let state = serde_json::from_str(&state)
                .map_err(|_| invalid("session state", "it was not written by LivenessSession.toState"))?;
            Ok(Self::of(KeptSession::new(CoreSession::from_state(state)?)))
        };
        read().or_throw()
    }

    /// Takes one frame in and resolves to what it was worth. `position` is what the person was asked for. It asks for
    /// no nonce: for frames of the program's own camera.
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
        self.taken(engine, image, position, options, CoreSession::observe)
    }

    /// Takes in one frame of a client at a distance. With a random order, a frame that does not carry the `nonce` of
    /// the present step is refused (`wrong_nonce`); `null` stands for a client that sent none. Other orders have no
    /// nonce.
    #[napi(
        ts_args_type = "nonce: string | null | undefined, engine: Engine, image: ImageInput, position: Position, \
                        options?: ObserveOptions & Abortable",
        ts_return_type = "Promise<Outcome>"
    )]
    pub fn observe_answer(
        &self,
        nonce: Option<String>,
        engine: &Engine,
        image: ImageInput,
        position: Position,
        options: Option<ObserveOptions>,
    ) -> napi::Result<AsyncTask<Job<Outcome>>> {
        self.taken(engine, image, position, options, move |session, observation, now| {
            session.observe_answer(nonce.as_deref(), observation, now)
        })
    }

    /// Closes the session and returns the template when it is complete. Otherwise the session has failed, unless
    /// frames on their way complete it after all.
    #[napi]
    pub fn verify(&self) -> Verification {
        self.lock().session_mut().verify(Timestamp::now()).into()
    }

    /// Uses the session up and returns the templates to enrol, center first. Only the first call gets them; another
    /// throws `conflict`, and one before the end `state`. `Store.registerStudent` does it by itself.
    #[napi]
    pub fn consume(&self) -> napi::Result<Vec<Embedding>> {
        self.lock().session_mut().consume().map(|all| all.iter().map(Into::into).collect()).or_throw()
    }

    /// Returns the session as text. It holds embeddings, which are personal data.
    #[napi]
    pub fn to_state(&self) -> napi::Result<String> {
        text_of(self.lock().session()).or_throw()
    }

    /// Its key, a random UUID.
    #[napi(getter)]
    pub fn id(&self) -> String {
        self.lock().session().id().to_string()
    }

    /// The student to enrol, when it was begun for one.
    #[napi(getter, ts_return_type = "number | null")]
    pub fn student_id(&self) -> Option<i64> {
        self.lock().session().student().map(|student| student.0)
    }

    /// The position to ask the person for; `null` when there is nothing more to ask.
    #[napi(getter, ts_return_type = "Position | null")]
    pub fn next(&self) -> Option<Position> {
        self.lock().session().next().map(Into::into)
    }

    /// The order in which it asks for the positions.
    #[napi(getter)]
    pub fn order(&self) -> Order {
        self.lock().session().options().order.into()
    }

    /// The word that a client has to send with the frames for the present step; it changes with every step. `null`
    /// unless the order is random and the session is not complete.
    #[napi(getter, ts_return_type = "string | null")]
    pub fn nonce(&self) -> Option<String> {
        self.lock().session().nonce()
    }

    /// How many steps have passed, and how many there are: three, or more with a random order.
    #[napi(getter, ts_return_type = "[passed: number, all: number]")]
    pub fn steps(&self) -> Vec<u32> {
        let (passed, all) = self.lock().session().steps();
        vec![count(passed), count(all)]
    }

    /// The receipt for the enrolment of a student with this session, to be signed with a `ReceiptKey`. `null` until the
    /// session is complete. `now`, by default the present, is when it is issued.
    #[napi(ts_return_type = "Receipt | null")]
    pub fn receipt(&self, student_id: f64, now: Option<Date>) -> napi::Result<Option<Receipt>> {
        let (student, now) = (student(student_id).or_throw()?, time::moment_or_now(now).or_throw()?);
        Ok(self.lock().session().receipt(student, now).map(Receipt::of))
    }

    /// A number that grows with every change.
    #[napi(getter)]
    pub fn revision(&self) -> i64 {
        self.lock().session().revision().cast_signed()
    }

    /// The positions verified by now.
    #[napi(getter)]
    pub fn verified(&self) -> Vec<Position> {
        let live = self.lock();
        let verified = CorePosition::ALL.into_iter().filter(|position| live.session().position(*position).is_some());
        verified.map(Into::into).collect()
    }

    /// When it began.
    #[napi(getter)]
    pub fn created_at(&self) -> Date {
        time::date(self.lock().session().created_at())
    }

    /// From when on no frame counts any more.
    #[napi(getter)]
    pub fn expires_at(&self) -> Date {
        time::date(self.lock().session().expires_at())
    }

    /// Where it stands now.
    #[napi(getter)]
    pub fn status(&self) -> LivenessStatus {
        self.lock().session().status_at(Timestamp::now()).into()
    }

    /// Whether every position is verified.
    #[napi(getter)]
    pub fn is_completed(&self) -> bool {
        self.lock().session().is_completed()
    }

    /// Whether it has enrolled somebody.
    #[napi(getter)]
    pub fn is_consumed(&self) -> bool {
        self.lock().session().is_consumed()
    }

    /// How sure a completed session is, in [0, 1]. 0 before that.
    #[napi(getter)]
    pub fn liveness_score(&self) -> f64 {
        self.lock().session().liveness_score().into()
    }
}

impl LivenessSession {
    /// Analyzes the frame and hands what was seen to `take`.
    fn taken(
        &self,
        engine: &Engine,
        image: ImageInput,
        position: Position,
        options: Option<ObserveOptions>,
        take: impl FnOnce(&mut CoreSession, &Observation<'_>, Timestamp) -> CoreOutcome + Send + 'static,
    ) -> napi::Result<AsyncTask<Job<Outcome>>> {
        let (live, engine) = (self.live.clone(), engine.inner.clone());
        let picture = Picture::take(image).or_throw()?;
        let (captured, now) = options.map_or((None, None), |options| (options.captured_at, options.now));
        let captured = captured_at(captured).or_throw()?;
        // When the call came, not when a worker has time for it: a client's claims are held against it.
        let now = time::moment_or_now(now).or_throw()?;
        Ok(job(move || {
            let frame = picture.into_frame()?;
            let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
            let observation = Observation {
                requested: position.into(),
                analysis: &analysis,
                embedder: engine.embedder(),
                frame_hash: frame_hash(&frame).with_face(&frame, &analysis),
                captured_at: captured.or(frame.captured_at()),
            };
            let mut live = live.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(take(live.session_mut(), &observation, now).into())
        }))
    }

    pub(crate) fn of(live: KeptSession) -> Self {
        Self { live: Arc::new(Mutex::new(live)) }
    }

    fn lock(&self) -> MutexGuard<'_, KeptSession> {
        // Each change of a session is checked again as a whole before it completes, so a panic leaves nothing proven.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session that `id` spells.
pub(crate) fn session_id(id: &str) -> Result<SessionId> {
    SessionId::parse(id).ok_or(Error::NotFound { what: "liveness session" })
}
