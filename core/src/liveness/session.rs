//! The liveness session: a state machine over observations.

use jiff::Timestamp;
use uuid::Uuid;

use super::challenge::{Challenge, Order};
use super::decision::{Outcome, Reason, Verification};
use super::frame_hash::{FrameHash, frame_hash};
use super::options::LivenessOptions;
use super::pad::PadTally;
use super::position::Position;
use super::replay::{CountedFrames, SeenFrames};
use super::state::{Progress, STATE_VERSION, SessionState, VerifiedPosition};
use super::status::Status;
use super::stream::Stream;
use crate::embedding::Embedding;
use crate::engine::{Analysis, Embedder};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::types::{SessionId, StudentId};

/// One analyzed frame, as a session takes it.
///
/// ```
/// use faceattend_core::{AnalyzeOptions, Engine, Frame, Observation, Position};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
/// let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
/// let seen = Observation::new(Position::Center, &frame, &analysis, engine.embedder());
/// assert_eq!(seen.frame_hash.size, [frame.width(), frame.height()]);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The position that the client asked the person for.
    pub requested: Position,
    /// The analysis of the frame by the engine.
    pub analysis: &'a Analysis,
    /// What made the analysis's embeddings: its calibration puts them on the scale of the thresholds.
    pub embedder: &'a Embedder,
    /// The hash that is kept of the frame: [`super::frame_hash`], with the face that the analysis found.
    pub frame_hash: FrameHash,
    /// The capture time, if the source tells it.
    pub captured_at: Option<Timestamp>,
}

impl<'a> Observation<'a> {
    /// Describes `frame`, analyzed by the engine of `embedder`, as the answer to `requested`.
    #[must_use]
    pub fn new(requested: Position, frame: &Frame<'_>, analysis: &'a Analysis, embedder: &'a Embedder) -> Self {
        let frame_hash = frame_hash(frame).with_face(frame, analysis);
        Self { requested, analysis, embedder, frame_hash, captured_at: frame.captured_at() }
    }
}

/// A liveness session: see [the module](super).
///
/// ```
/// use faceattend_core::liveness::Status;
/// use faceattend_core::{LivenessOptions, LivenessSession, Position, SessionId, Timestamp};
///
/// let now = Timestamp::now();
/// let session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), now);
/// assert_eq!(session.status_at(now), Status::Pending);
/// assert_eq!(session.next(), Some(Position::Center));
/// assert_eq!(session.status_at(session.expires_at()), Status::Expired);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LivenessSession {
    pub(super) state: SessionState,
}

impl LivenessSession {
    /// Creates a session that begins `now`; `student` when it is to enrol one who is in the store already. Its order
    /// and nonces are drawn from the system's randomness.
    #[must_use]
    pub fn new(id: SessionId, student: Option<StudentId>, options: LivenessOptions, now: Timestamp) -> Self {
        Self::with_entropy(id, student, options, now, Uuid::new_v4().as_u128())
    }

    /// Returns the same with an `entropy` of the caller's, from which order and nonces follow: for tests and replays.
    /// Whoever knows it knows what the session will ask.
    #[must_use]
    pub fn with_entropy(
        id: SessionId,
        student: Option<StudentId>,
        options: LivenessOptions,
        now: Timestamp,
        entropy: u128,
    ) -> Self {
        Self {
            state: SessionState {
                version: STATE_VERSION,
                id,
                student,
                options,
                created_at: now,
                expires_at: now.saturating_add(options.ttl).unwrap_or(Timestamp::MAX),
                revision: 0,
                center: None,
                left: None,
                right: None,
                pad: PadTally::default(),
                counted: CountedFrames::default(),
                suspicious: 0,
                progress: Progress::Pending,
                challenge: Challenge::new(options.order, options.extra_steps, options.nods, entropy),
                wrong_turns: 0,
                mirrored: 0,
                frames: 0,
                seen: SeenFrames::default(),
                stream: Stream::default(),
                source: None,
            },
        }
    }

    /// Takes one frame in and says what it was worth. Frames may come late, twice, in any order, and after the end:
    /// each gets its answer, and none changes a completed session. It does not ask for a nonce: for callers in the
    /// same process, who hold the session itself.
    ///
    /// ```
    /// use faceattend_core::liveness::Mirrored;
    /// use faceattend_core::{
    ///     AnalyzeOptions, Engine, Frame, LivenessOptions, LivenessSession, Observation, Position, SessionId,
    ///     Timestamp,
    /// };
    ///
    /// let engine = Engine::new()?;
    /// let options = LivenessOptions::default().with_mirrored(Mirrored::No);
    /// let mut session = LivenessSession::new(SessionId::random(), None, options, Timestamp::now());
    /// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
    /// let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
    /// let seen = Observation::new(Position::Center, &frame, &analysis, engine.embedder());
    /// let outcome = session.observe(&seen, Timestamp::now());
    /// assert!(outcome.is_live);
    /// assert_eq!(outcome.next, Some(Position::Left));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    pub fn observe(&mut self, observation: &Observation<'_>, now: Timestamp) -> Outcome {
        self.take(observation, None, None, now)
    }

    /// Takes a frame in from a remote client: one that does not carry the [`Self::nonce`] of the present
    /// step is refused, when the session has one.
    ///
    /// `now` is when the frame arrived, whole, on a clock that does not go back: the client's word on
    /// [`Observation::captured_at`] hides no pause between the frames of one track but for a second in all, which a
    /// network that stands still may take.
    pub fn observe_answer(&mut self, nonce: Option<&str>, observation: &Observation<'_>, now: Timestamp) -> Outcome {
        let wrong = self.nonce().is_some_and(|expected| nonce != Some(expected.as_str()));
        self.take(observation, wrong.then_some(Reason::WrongNonce), Some(now), now)
    }

    /// Closes the session, as the wire's `verify` does: the template when it is complete, otherwise it has failed,
    /// unless frames on their way complete it after all.
    ///
    /// ```
    /// use faceattend_core::liveness::Status;
    /// use faceattend_core::{LivenessOptions, LivenessSession, SessionId, Timestamp};
    ///
    /// let now = Timestamp::now();
    /// let mut session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), now);
    /// let verification = session.verify(now);
    /// assert_eq!(verification.status, Status::Failed);
    /// assert_eq!(verification.missing.len(), 3);
    /// ```
    pub fn verify(&mut self, now: Timestamp) -> Verification {
        if self.is_open(now) && self.state.progress != Progress::ClosedEarly {
            self.state.progress = Progress::ClosedEarly;
            self.state.revision = self.state.revision.saturating_add(1);
        }
        Verification {
            status: self.status_at(now),
            liveness_score: self.liveness_score(),
            movement_verified: self.is_completed(),
            final_template: self.final_template().cloned(),
            missing: Position::ALL.into_iter().filter(|p| self.position(*p).is_none()).collect(),
        }
    }

    /// Uses the session up: the templates to enrol, the final one first. Only the first call gets them; the store has
    /// to write the state back in the same transaction as the enrolment, on condition of the [`Self::revision`] it
    /// read.
    ///
    /// ```
    /// use faceattend_core::{ErrorKind, LivenessOptions, LivenessSession, SessionId, Timestamp};
    ///
    /// let mut session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), Timestamp::now());
    /// assert_eq!(session.consume().unwrap_err().kind(), ErrorKind::State);
    /// ```
    ///
    /// # Errors
    /// [`Error::State`] when the session is not complete, [`Error::Conflict`] when it has been used.
    pub fn consume(&mut self) -> Result<Vec<Embedding>> {
        match &mut self.state.progress {
            Progress::Completed { consumed: true, .. } => {
                Err(Error::Conflict { what: "an enrolment from this liveness session" })
            }
            Progress::Completed { consumed, .. } => {
                *consumed = true;
                self.state.revision = self.state.revision.saturating_add(1);
                Ok(self.templates().cloned().collect())
            }
            _ => Err(Error::State { what: "liveness session", reason: "it is not complete".into() }),
        }
    }

    /// Returns the session's key.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.state.id
    }

    /// Returns the student to enrol, when the session was begun for one.
    #[must_use]
    pub fn student(&self) -> Option<StudentId> {
        self.state.student
    }

    /// Returns the options of the session.
    #[must_use]
    pub fn options(&self) -> &LivenessOptions {
        &self.state.options
    }

    /// Returns the time at which it began.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.state.created_at
    }

    /// Returns the time after which no frame counts.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.state.expires_at
    }

    /// Returns the position to ask for now: the present step, or without an order the first position that is missing.
    /// `None` when there is nothing more to ask.
    #[must_use]
    pub fn next(&self) -> Option<Position> {
        match self.state.challenge.current() {
            _ if self.is_completed() => None,
            Some(step) => Some(step),
            None => Position::ALL.into_iter().find(|position| self.position(*position).is_none()),
        }
    }

    /// Returns the nonce that a client has to send with the frames for the present step: with a random order, until
    /// the session is complete. It changes with every step.
    #[must_use]
    pub fn nonce(&self) -> Option<String> {
        let asks = self.state.options.order == Order::Random && !self.is_completed();
        asks.then(|| self.state.challenge.nonce())
    }

    /// Returns how many steps have passed, and how many there are: three, or more with a random order.
    #[must_use]
    pub fn steps(&self) -> (usize, usize) {
        match self.state.challenge.progress() {
            (_, 0) => (Position::ALL.into_iter().filter(|p| self.position(*p).is_some()).count(), Position::ALL.len()),
            steps => steps,
        }
    }

    /// Returns the status at `now`. Completed and failed sessions stay so; the others expire.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Status {
        match self.state.progress {
            Progress::Completed { .. } => Status::Completed,
            Progress::ClosedEarly | Progress::GivenUp => Status::Failed,
            Progress::Pending | Progress::Begun if now >= self.state.expires_at => Status::Expired,
            Progress::Pending => Status::Pending,
            Progress::Begun => Status::InProgress,
        }
    }

    /// Returns how sure a completed session is, in [0, 1]: the weakest of its proofs, since a chain is as strong as
    /// its weakest link. The proofs: the least [`VerifiedPosition::confidence`]; the least similarity of a side to
    /// the center; the smaller nose shift and the smaller relief, each 0.5 at its threshold and 1 from twice that on;
    /// the mean of the passive check, where it ran. 0 until the session is complete.
    #[must_use]
    pub fn liveness_score(&self) -> f32 {
        match self.state.progress {
            Progress::Completed { score, .. } => score,
            _ => 0.0,
        }
    }

    /// Returns whether every position is verified.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        matches!(self.state.progress, Progress::Completed { .. })
    }

    /// Returns whether it has enrolled somebody.
    #[must_use]
    pub fn is_consumed(&self) -> bool {
        matches!(self.state.progress, Progress::Completed { consumed: true, .. })
    }

    /// Returns a number that grows with every change. A store writes a state back only if the stored number is the one
    /// that was read.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.state.revision
    }

    /// Returns the view that verified `position`; none of a nod is kept.
    #[must_use]
    pub fn position(&self, position: Position) -> Option<&VerifiedPosition> {
        match position {
            Position::Center => self.state.center.as_ref(),
            Position::Left => self.state.left.as_ref(),
            Position::Right => self.state.right.as_ref(),
            Position::Up | Position::Down => None,
        }
    }

    /// Returns the template to enrol: that of the center view. `None` until the session is complete.
    #[must_use]
    pub fn final_template(&self) -> Option<&Embedding> {
        self.templates().next()
    }

    /// Returns every template, center first, then left and right; none until the session is complete.
    pub fn templates(&self) -> impl Iterator<Item = &Embedding> {
        let completed = self.is_completed();
        Position::ALL
            .into_iter()
            .filter(move |_| completed)
            .filter_map(|position| self.position(position))
            .map(|verified| &verified.embedding)
    }

    /// Returns the receipt for the enrolment of `student`, to be signed; `None` until the session is complete.
    #[cfg(feature = "receipts")]
    #[must_use]
    pub fn receipt(&self, student: StudentId, now: Timestamp) -> Option<super::Receipt> {
        let template = self.final_template()?;
        let options = &self.state.options;
        Some(super::Receipt {
            student,
            model: template.model().clone(),
            issued_at: Timestamp::from_second(now.as_second()).unwrap_or(now),
            liveness_score: self.liveness_score(),
            order: options.order,
            passive: self.state.pad.told(options.pad, options.min_pad_mean).verdict,
            nonce: self.state.challenge.receipt_nonce(&self.state.id.to_string()),
        })
    }

    /// Returns the state that a store keeps.
    ///
    /// ```
    /// use faceattend_core::{LivenessOptions, LivenessSession, SessionId, Timestamp};
    ///
    /// let session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), Timestamp::now());
    /// let text = serde_json::to_string(&session.to_state()).expect("a state is JSON");
    /// let state = serde_json::from_str(&text).expect("what was written");
    /// assert_eq!(LivenessSession::from_state(state)?, session);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn to_state(&self) -> SessionState {
        self.state.clone()
    }

    /// Restores the session from the state that a store kept.
    ///
    /// # Errors
    /// [`Error::State`] when the state was written by a release that this one does not know.
    pub fn from_state(state: SessionState) -> Result<Self> {
        // Version 1 had no order: a session of it goes on without one.
        if !(1..=STATE_VERSION).contains(&state.version) {
            let reason = format!("its stored form has version {}, this release reads {STATE_VERSION}", state.version);
            return Err(Error::State { what: "liveness session", reason });
        }
        Ok(Self { state: SessionState { version: STATE_VERSION, ..state } })
    }
}

#[cfg(test)]
impl LivenessSession {
    pub(super) fn loosen(&mut self, options: LivenessOptions) {
        self.state.options = options;
    }
}
