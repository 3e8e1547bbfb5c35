//! The session: a state machine over observations.

use jiff::Timestamp;
use uuid::Uuid;

use super::challenge::{Challenge, Gates, Order, Position};
use super::decision::{Outcome, Reason, Verification};
use super::movement::{Shape, clearness, nose_shift};
use super::options::{LivenessOptions, QualityGate};
use super::pad::{self, PadPolicy, PadTally};
use super::replay::{CountedFrames, FrameHash, SeenFrame, SeenFrames, frame_hash};
use super::state::{Progress, STATE_VERSION, SessionState, Source, Status, VerifiedPosition};
use super::stream::{CaptureTime, Glimpse, Stream};
use crate::embedding::{Calibration, Embedding};
use crate::engine::{Analysis, Embedder, Face};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::quality::QualityReason;
use crate::types::{Degrees, SessionId, Similarity, StudentId};

/// Up to which yaw a face that is not asked for is compared with the verified ones: as far as
/// [`LivenessOptions::same_person`] was measured.
const COMPARABLE_YAW: f32 = 40.0;
/// How far a single reading may lie outside its gate when the median over several lies inside: the error of one reading
/// (3.6 degrees on 567 labeled faces, rounded up).
const READING_ERROR: f32 = 4.0;

/// One analyzed frame, as a session takes it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The position that the client asked the person for.
    pub requested: Position,
    /// What the engine saw.
    pub analysis: &'a Analysis,
    /// What made the analysis's embeddings: its calibration puts them on the scale of the thresholds.
    pub embedder: &'a Embedder,
    /// What is kept of the frame: [`super::frame_hash`].
    pub frame_hash: FrameHash,
    /// When the frame was captured, if its source says so.
    pub captured_at: Option<Timestamp>,
}

impl<'a> Observation<'a> {
    /// Describes `frame`, analyzed by the engine of `embedder`, as the answer to `requested`.
    #[must_use]
    pub fn new(requested: Position, frame: &Frame<'_>, analysis: &'a Analysis, embedder: &'a Embedder) -> Self {
        Self { requested, analysis, embedder, frame_hash: frame_hash(frame), captured_at: frame.captured_at() }
    }
}

/// A liveness session: see [the module](super).
#[derive(Debug, Clone, PartialEq)]
pub struct LivenessSession {
    state: SessionState,
}

/// What a frame was judged to be, before the session takes it in.
struct Judged<'a> {
    face: Option<&'a Face>,
    detected_pose: Option<Position>,
    yaw: Option<Degrees>,
    smoothed_yaw: Option<Degrees>,
    glimpse: Option<Glimpse>,
    verdict: Result<View<'a>, Reason>,
}

impl Judged<'_> {
    fn refused(reason: Reason) -> Self {
        Self { face: None, detected_pose: None, yaw: None, smoothed_yaw: None, glimpse: None, verdict: Err(reason) }
    }

    /// The frame as others of its like are told by.
    fn looks(&self, observation: &Observation<'_>) -> Option<SeenFrame> {
        self.yaw.map(|yaw| SeenFrame { perceptual: observation.frame_hash.perceptual, yaw })
    }
}

/// A view that passed every check but the passive one.
struct View<'a> {
    embedding: &'a Embedding,
    yaw: Degrees,
    nose_offset: f32,
    shape: Shape,
    confidence: f32,
}

impl LivenessSession {
    /// A session that begins `now`; `student` when it is to enrol one who is in the store already. Its order and nonces
    /// are drawn from the system's randomness.
    #[must_use]
    pub fn new(id: SessionId, student: Option<StudentId>, options: LivenessOptions, now: Timestamp) -> Self {
        Self::with_entropy(id, student, options, now, Uuid::new_v4().as_u128())
    }

    /// The same with an `entropy` of the caller's, from which order and nonces follow: for tests and replays. Whoever
    /// knows it knows what the session will ask.
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
                challenge: Challenge::new(options.order, options.extra_steps, entropy),
                wrong_turns: 0,
                frames: 0,
                seen: SeenFrames::default(),
                stream: Stream::default(),
                source: None,
            },
        }
    }

    /// Takes one frame in and says what it was worth. Frames may come late, twice, in any order, and after the end: each
    /// gets its answer, and none changes a completed session. It does not ask for a nonce: for callers in the same process,
    /// who hold the session itself.
    pub fn observe(&mut self, observation: &Observation<'_>, now: Timestamp) -> Outcome {
        self.take(observation, None, now)
    }

    /// The same for a client at a distance: a frame that does not carry the [`Self::nonce`] of the present step is refused,
    /// when the session has one.
    pub fn observe_answer(&mut self, nonce: Option<&str>, observation: &Observation<'_>, now: Timestamp) -> Outcome {
        let wrong = self.nonce().is_some_and(|expected| nonce != Some(expected.as_str()));
        self.take(observation, wrong.then_some(Reason::WrongNonce), now)
    }

    fn take(&mut self, observation: &Observation<'_>, objection: Option<Reason>, now: Timestamp) -> Outcome {
        let mut judged = self.judge(observation, now);
        if let Some(over) = self.over(now) {
            judged.verdict = Err(over);
        } else if !self.is_completed() {
            self.state.revision += 1;
            if self.state.progress == Progress::Pending {
                self.state.progress = Progress::Begun;
            }
            self.state.frames = self.state.frames.saturating_add(1);
            if self.state.frames > self.state.options.attempt_limit {
                self.state.progress = Progress::GivenUp;
                judged.verdict = Err(Reason::TooManyAttempts);
            } else if let Some(objection) = objection {
                judged.verdict = Err(objection);
            }
        }
        let looks = judged.looks(observation);
        // A frame that counted counts no more, nor does its like; what was refused may come again for what it shows.
        let repeated = self.state.counted.contain(observation.frame_hash.exact);
        let duplicate = repeated || looks.is_some_and(|looks| self.state.seen.contain(&looks));
        let open = self.is_open(now) && !repeated;
        let requested = observation.requested;
        let is_asked = self.is_asked(requested);
        if open {
            self.follow(&mut judged, observation, duplicate, now);
        }
        if let Ok(view) = &judged.verdict {
            let changes = open && !duplicate;
            if changes {
                self.state.counted.add(observation.frame_hash.exact);
                if let Some(looks) = looks {
                    self.state.seen.add(looks);
                }
            }
            let options = &self.state.options;
            let scored = judged.face.is_some_and(|face| face.antispoof.real().is_some());
            let objection = pad::objection(options.pad, options.min_pad_mean, scored, self.state.pad.mean());
            if let Some(objection) = objection {
                judged.verdict = Err(objection);
            } else if duplicate && self.position(requested).is_none() {
                // It counted for another position: one frame cannot verify two.
                judged.verdict = Err(Reason::DuplicateFrame);
            } else if changes && is_asked {
                if self.position(requested).is_none() {
                    let verified = VerifiedPosition {
                        embedding: view.embedding.clone(),
                        yaw: view.yaw,
                        nose_offset: view.nose_offset,
                        shape: view.shape.clone(),
                        confidence: view.confidence,
                        at: now,
                    };
                    *self.slot(requested) = Some(verified);
                }
                let hash = &observation.frame_hash;
                self.state.source.get_or_insert(Source { size: hash.size, camera: hash.camera });
                self.state.challenge.advance();
                self.state.stream.step_passed();
                self.complete_if_proven(&observation.embedder.calibration);
            }
        }
        if open && judged.verdict.as_ref().err().is_some_and(Reason::is_suspicious) {
            self.state.suspicious = self.state.suspicious.saturating_add(1);
            if self.state.suspicious >= self.state.options.suspicious_limit {
                self.state.progress = Progress::GivenUp;
            }
        }
        self.outcome(requested, &judged, duplicate, now)
    }

    /// Takes in what a frame says of the stream, whatever it is worth for its position: the passive score, whether the
    /// picture stands still, and the track.
    fn follow(&mut self, judged: &mut Judged<'_>, observation: &Observation<'_>, duplicate: bool, now: Timestamp) {
        let options = self.state.options;
        if let Some(captured_at) = observation.captured_at {
            self.state.stream.captured(captured_at, now);
        }
        let Some(face) = judged.face else { return };
        // A frame that was compressed again must not be scored until the mean suits.
        if let Some(real) = face.antispoof.real().filter(|_| options.pad != PadPolicy::Off && !duplicate) {
            self.state.pad.add(real);
        }
        // A camera that stands still is why the pose does not change.
        let weaker = matches!(judged.verdict, Ok(_) | Err(Reason::WrongPose { .. } | Reason::NotSteady));
        if let Some(embedding) = &face.embedding
            && self.state.stream.stand_still(embedding, &observation.frame_hash.perceptual, options.frozen)
                >= options.frozen_frames
            && weaker
        {
            judged.verdict = Err(Reason::FrozenPicture);
        }
        let Some(glimpse) = judged.glimpse else { return };
        if options.steady_frames > 1 {
            let begun = Position::ALL.into_iter().any(|position| self.position(position).is_some());
            if begun && !self.state.stream.follows(&glimpse) {
                self.restart();
                judged.verdict = Err(Reason::TrackBroken);
            } else if matches!(judged.verdict, Err(Reason::DifferentPerson { .. })) {
                // Another face in the same place is no part of the track.
                return;
            }
        }
        if self.turns_wrong(&glimpse) {
            let asked = self.next().unwrap_or(observation.requested);
            judged.verdict = Err(Reason::WrongTurn { asked });
            self.restart();
            self.state.wrong_turns += 1;
            if self.state.wrong_turns > options.wrong_turns {
                self.state.progress = Progress::GivenUp;
            }
        }
        self.state.stream.take(glimpse);
    }

    /// Whether the head has turned to a side that a random order did not ask for, beyond any error of reading.
    fn turns_wrong(&mut self, glimpse: &Glimpse) -> bool {
        let LivenessOptions { order, gates, mirrored, .. } = self.state.options;
        let (Order::Random, Some(asked)) = (order, self.state.challenge.current()) else { return false };
        let sides = Gates {
            left: Degrees(gates.left.0 + READING_ERROR),
            right: Degrees(gates.right.0 + READING_ERROR),
            ..gates
        };
        let before = self.state.challenge.before();
        self.state.stream.turns_wrong(|yaw| sides.shown(yaw, mirrored), glimpse.yaw, asked, before)
    }

    /// Forgets the positions and begins anew: what was shown before the face was lost proves nothing of the face after.
    fn restart(&mut self) {
        let options = self.state.options;
        (self.state.center, self.state.left, self.state.right) = (None, None, None);
        self.state.source = None;
        self.state.stream.step_passed();
        self.state.challenge.restart(options.order, options.extra_steps);
    }

    /// A frame as a store remembers it, to tell another session of it; `None` unless it shows one face with a pose.
    #[must_use]
    pub fn looks(&self, analysis: &Analysis, hash: &FrameHash) -> Option<SeenFrame> {
        let face = dominant_face(analysis, self.state.options.dominance).ok()?;
        let yaw = face.pose?.yaw;
        yaw.0.is_finite().then_some(SeenFrame { perceptual: hash.perceptual, yaw })
    }

    /// Closes the session, as the wire's `verify` does: the template when it is complete, otherwise it has failed, unless
    /// frames on their way complete it after all.
    pub fn verify(&mut self, now: Timestamp) -> Verification {
        if self.is_open(now) && self.state.progress != Progress::ClosedEarly {
            self.state.progress = Progress::ClosedEarly;
            self.state.revision += 1;
        }
        Verification {
            status: self.status_at(now),
            liveness_score: self.liveness_score(),
            movement_verified: self.is_completed(),
            final_template: self.final_template().cloned(),
            missing: Position::ALL.into_iter().filter(|p| self.position(*p).is_none()).collect(),
        }
    }

    /// Uses the session up: the templates to enrol, the final one first. Only the first call gets them; the store has to
    /// write the state back in the same transaction as the enrolment, on condition of the [`Self::revision`] it read.
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
                self.state.revision += 1;
                Ok(self.templates().cloned().collect())
            }
            _ => Err(Error::State { what: "liveness session", reason: "it is not complete".into() }),
        }
    }

    /// The session's key.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.state.id
    }

    /// The student to enrol, when the session was begun for one.
    #[must_use]
    pub fn student(&self) -> Option<StudentId> {
        self.state.student
    }

    /// What the session demands.
    #[must_use]
    pub fn options(&self) -> &LivenessOptions {
        &self.state.options
    }

    /// When it began.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.state.created_at
    }

    /// From when on no frame counts any more.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.state.expires_at
    }

    /// The position to ask for now: the present step, or without an order the first position that is missing. `None` when
    /// there is nothing more to ask.
    #[must_use]
    pub fn next(&self) -> Option<Position> {
        match self.state.challenge.current() {
            _ if self.is_completed() => None,
            Some(step) => Some(step),
            None => Position::ALL.into_iter().find(|position| self.position(*position).is_none()),
        }
    }

    /// The word that a client has to send with the frames for the present step: with a random order, until the session is
    /// complete. It changes with every step.
    #[must_use]
    pub fn nonce(&self) -> Option<String> {
        let asks = self.state.options.order == Order::Random && !self.is_completed();
        asks.then(|| self.state.challenge.nonce())
    }

    /// How many steps have passed, and how many there are: three, or more with a random order.
    #[must_use]
    pub fn steps(&self) -> (usize, usize) {
        match self.state.challenge.progress() {
            (_, 0) => (Position::ALL.into_iter().filter(|p| self.position(*p).is_some()).count(), Position::ALL.len()),
            steps => steps,
        }
    }

    /// Where it stands. Completed and failed sessions stay so; the others expire.
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

    /// How sure a completed session is, in [0, 1]: the weakest of its proofs, since a chain is as strong as its
    /// weakest link. The proofs: the least [`VerifiedPosition::confidence`]; the least similarity of a side to the
    /// center; the smaller nose shift and the smaller relief, each 0.5 at its threshold and 1 from twice that on; the
    /// mean of the passive check, where it ran. 0 until the session is complete.
    #[must_use]
    pub fn liveness_score(&self) -> f32 {
        match self.state.progress {
            Progress::Completed { score, .. } => score,
            _ => 0.0,
        }
    }

    /// Whether every position is verified.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        matches!(self.state.progress, Progress::Completed { .. })
    }

    /// Whether it has enrolled somebody.
    #[must_use]
    pub fn is_consumed(&self) -> bool {
        matches!(self.state.progress, Progress::Completed { consumed: true, .. })
    }

    /// A number that grows with every change, for a store to write back only what nobody has changed meanwhile.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.state.revision
    }

    /// The view that verified `position`.
    #[must_use]
    pub fn position(&self, position: Position) -> Option<&VerifiedPosition> {
        match position {
            Position::Center => self.state.center.as_ref(),
            Position::Left => self.state.left.as_ref(),
            Position::Right => self.state.right.as_ref(),
        }
    }

    /// The template to enrol: that of the center view. `None` until the session is complete.
    #[must_use]
    pub fn final_template(&self) -> Option<&Embedding> {
        self.templates().next()
    }

    /// Every template, center first, then left and right; none until the session is complete.
    pub fn templates(&self) -> impl Iterator<Item = &Embedding> {
        let completed = self.is_completed();
        Position::ALL
            .into_iter()
            .filter(move |_| completed)
            .filter_map(|position| self.position(position))
            .map(|verified| &verified.embedding)
    }

    /// The receipt for the enrolment of `student`, to be signed; `None` until the session is complete.
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

    /// The session as a store keeps it.
    #[must_use]
    pub fn to_state(&self) -> SessionState {
        self.state.clone()
    }

    /// The session that a store kept.
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

    fn is_open(&self, now: Timestamp) -> bool {
        !self.is_completed() && self.over(now).is_none()
    }

    /// Why no frame counts any more, unless the session is complete: then frames get their answers.
    fn over(&self, now: Timestamp) -> Option<Reason> {
        match self.state.progress {
            Progress::Completed { .. } => None,
            Progress::GivenUp => Some(Reason::TooManyAttempts),
            _ => (now >= self.state.expires_at).then_some(Reason::Expired),
        }
    }

    fn slot(&mut self, position: Position) -> &mut Option<VerifiedPosition> {
        match position {
            Position::Center => &mut self.state.center,
            Position::Left => &mut self.state.left,
            Position::Right => &mut self.state.right,
        }
    }

    /// Whether a frame for `position` may verify it or pass a step.
    fn is_asked(&self, position: Position) -> bool {
        match self.state.challenge.current() {
            Some(step) => step == position,
            // Without an order each position is asked for once.
            None => self.position(position).is_none(),
        }
    }

    fn judge<'a>(&self, observation: &Observation<'a>, now: Timestamp) -> Judged<'a> {
        let LivenessOptions { gates, mirrored, dominance, steady_frames, .. } = self.state.options;
        let face = match dominant_face(observation.analysis, dominance) {
            Ok(face) => face,
            Err(reason) => return Judged::refused(reason),
        };
        let mut judged = Judged { face: Some(face), ..Judged::refused(Reason::FaceUnclear) };
        let Some(pose) = face.pose else { return judged };
        let at = observation.captured_at.unwrap_or(now);
        let glimpse = Glimpse { at, bbox: face.bbox, yaw: pose.yaw, nose_offset: pose.nose_offset };
        judged.yaw = Some(pose.yaw);
        judged.detected_pose = gates.shown(pose.yaw, mirrored);
        // Nothing of a face that cannot be measured may be stored.
        let [x1, y1, x2, y2] = [face.bbox.x1, face.bbox.y1, face.bbox.x2, face.bbox.y2];
        let finite = [pose.yaw.0, pose.nose_offset, x1, y1, x2, y2].iter().all(|value| value.is_finite());
        judged.glimpse = finite.then_some(glimpse);
        let smoothed = self.state.stream.smoothed(&glimpse, steady_frames);
        judged.smoothed_yaw = smoothed.map(|(yaw, _)| yaw);
        judged.verdict = self.check(observation, face, &glimpse, smoothed, now);
        judged
    }

    /// Every check that needs no more than this frame and what is known so far; the gravest reason first.
    fn check<'a>(
        &self,
        observation: &Observation<'a>,
        face: &'a Face,
        glimpse: &Glimpse,
        smoothed: Option<(Degrees, f32)>,
        now: Timestamp,
    ) -> Result<View<'a>, Reason> {
        let LivenessOptions { gates, mirrored, quality, .. } = self.state.options;
        let requested = observation.requested;
        self.check_origin(observation, now)?;
        let calibration = &observation.embedder.calibration;
        self.check_identity(face, glimpse.yaw, calibration)?;
        if let Some(expected) = self.state.challenge.current()
            && requested != expected
            && self.position(requested).is_none()
        {
            return Err(Reason::OutOfOrder { expected });
        }
        // What the eye sees decides when there is one frame; over several the median does, and the frame must be near.
        let wrong_pose = Reason::WrongPose { turn: gates.turn_towards(requested, glimpse.yaw, mirrored) };
        let single = self.state.options.steady_frames <= 1;
        let tolerance = if single { 0.0 } else { READING_ERROR };
        if gates.outside(requested, glimpse.yaw, mirrored) > tolerance {
            return Err(wrong_pose);
        }
        let (yaw, nose_offset) = smoothed.ok_or(Reason::NotSteady)?;
        if !gates.admit(requested, yaw, mirrored) {
            return Err(if gates.admit(requested, glimpse.yaw, mirrored) { Reason::NotSteady } else { wrong_pose });
        }
        // A nose offset that is no number could not be compared, nor stored.
        let embedding = face.embedding.as_ref().filter(|_| nose_offset.is_finite()).ok_or(Reason::FaceUnclear)?;
        if requested == Position::Center
            && quality == QualityGate::Refuse
            && let Some(flaw) = flaws(face).next()
        {
            return Err(Reason::Quality(flaw));
        }
        let confidence = gates.confidence(requested, yaw, mirrored);
        let view = View { embedding, yaw, nose_offset, shape: Shape::of(face), confidence };
        for known in Position::ALL {
            if let Some(verified) = self.position(known) {
                self.check_pair(requested, &view, known, verified, calibration)?;
            }
        }
        let looks = SeenFrame { perceptual: observation.frame_hash.perceptual, yaw: glimpse.yaw };
        if requested != Position::Center && self.state.seen.contain_mirror_of(&looks) {
            return Err(Reason::MirroredFrame);
        }
        Ok(view)
    }

    /// Where the frame comes from: another session, another time, another camera. A completed session does not ask.
    fn check_origin(&self, observation: &Observation<'_>, now: Timestamp) -> Result<(), Reason> {
        if self.is_completed() {
            return Ok(());
        }
        let hash = &observation.frame_hash;
        if let Some(captured_at) = observation.captured_at {
            if captured_at < self.state.created_at {
                return Err(Reason::StaleFrame);
            }
            // The frame itself, sent again, has its time of course.
            if !self.state.counted.contain(hash.exact) {
                match self.state.stream.capture_time(captured_at, now) {
                    CaptureTime::Advances => {}
                    CaptureTime::Overtaken => return Err(Reason::StaleFrame),
                    CaptureTime::Impossible => return Err(Reason::BadTimestamp),
                }
            }
        }
        if self.state.options.recent_sessions.is_some() && hash.seen_elsewhere {
            return Err(Reason::ReplayedFrame);
        }
        match self.state.source {
            Some(source) if source != (Source { size: hash.size, camera: hash.camera }) => Err(Reason::SourceChanged),
            _ => Ok(()),
        }
    }

    /// Whether the face is that of the verified positions, whatever it shows: it need not be like each, since two opposite
    /// turns differ most, but like one. A face that is turned too far or too blurred to tell is not judged here.
    fn check_identity(&self, face: &Face, yaw: Degrees, calibration: &Calibration) -> Result<(), Reason> {
        let unsure = |reason| matches!(reason, QualityReason::TooSmall | QualityReason::Blurred);
        let Some(embedding) = face.embedding.as_ref().filter(|_| yaw.0.abs() <= COMPARABLE_YAW) else { return Ok(()) };
        if flaws(face).any(unsure) {
            return Ok(());
        }
        let mut best: Option<Similarity> = None;
        for verified in Position::ALL.into_iter().filter_map(|position| self.position(position)) {
            let cosine = embedding.cosine(&verified.embedding).map_err(|_| Reason::ModelChanged)?;
            let similarity = calibration.similarity(cosine);
            if best.is_none_or(|best| similarity > best) {
                best = Some(similarity);
            }
        }
        match best {
            Some(similarity) if !self.state.options.same_person.admits(similarity) => {
                Err(Reason::DifferentPerson { similarity })
            }
            _ => Ok(()),
        }
    }

    /// Checks a view against one verified position. Identity goes through the center and within a position: two opposite
    /// turns of one person differ most (cosine 0.52 to 0.85), and the center between them settles it.
    fn check_pair(
        &self,
        requested: Position,
        view: &View<'_>,
        known: Position,
        verified: &VerifiedPosition,
        calibration: &Calibration,
    ) -> Result<(), Reason> {
        let options = &self.state.options;
        let cosine = view.embedding.cosine(&verified.embedding).map_err(|_| Reason::ModelChanged)?;
        let similarity = calibration.similarity(cosine);
        let opposite_sides = requested != known && requested != Position::Center && known != Position::Center;
        if !opposite_sides && !options.same_person.admits(similarity) {
            return Err(Reason::DifferentPerson { similarity });
        }
        if requested == known {
            return Ok(());
        }
        if cosine >= options.frozen {
            return Err(Reason::FrozenPicture);
        }
        if opposite_sides {
            return Ok(());
        }
        let shift = if requested == Position::Center {
            nose_shift(view.nose_offset, verified.nose_offset, known, options.mirrored)
        } else {
            nose_shift(verified.nose_offset, view.nose_offset, requested, options.mirrored)
        };
        if shift < options.min_nose_shift {
            return Err(Reason::NoParallax { shift });
        }
        match verified.shape.relief(&view.shape) {
            Some(relief) if relief < options.min_relief => Err(Reason::NoRelief { relief }),
            _ => Ok(()),
        }
    }

    /// Completes the session when all positions are verified, having checked all of it once more from what is kept: no
    /// path through the frames may complete what the evidence does not bear out.
    fn complete_if_proven(&mut self, calibration: &Calibration) {
        if let Some(score) = self.proof(calibration) {
            self.state.progress = Progress::Completed { score, consumed: false };
        }
    }

    fn proof(&self, calibration: &Calibration) -> Option<f32> {
        let options = &self.state.options;
        if self.state.challenge.current().is_some() {
            return None;
        }
        let center = self.state.center.as_ref()?;
        let sides = [(Position::Left, self.state.left.as_ref()?), (Position::Right, self.state.right.as_ref()?)];
        let mut score = center.confidence;
        for (position, side) in [(Position::Center, center), sides[0], sides[1]] {
            if !options.gates.admit(position, side.yaw, options.mirrored) {
                return None;
            }
        }
        for (position, side) in sides {
            let similarity: Similarity = calibration.similarity(side.embedding.cosine(&center.embedding).ok()?);
            let shift = nose_shift(center.nose_offset, side.nose_offset, position, options.mirrored);
            if !options.same_person.admits(similarity) || shift < options.min_nose_shift {
                return None;
            }
            // Points that cannot be compared (a detector without any) leave the nose shift as the only opinion.
            let relief = center.shape.relief(&side.shape).unwrap_or(f32::INFINITY);
            if relief < options.min_relief {
                return None;
            }
            let movement = clearness(shift, options.min_nose_shift).min(clearness(relief, options.min_relief));
            score = score.min(side.confidence).min(similarity.value()).min(movement);
        }
        let mean = self.state.pad.mean();
        match pad::objection(options.pad, options.min_pad_mean, mean.is_some(), mean) {
            Some(_) => None,
            None => Some(score.min(mean.unwrap_or(1.0))),
        }
    }

    fn outcome(&self, requested: Position, judged: &Judged<'_>, duplicate: bool, now: Timestamp) -> Outcome {
        let mut reasons = Vec::new();
        if let Err(reason) = &judged.verdict {
            reasons.push(*reason);
        }
        if duplicate && !reasons.contains(&Reason::DuplicateFrame) {
            reasons.push(Reason::DuplicateFrame);
        }
        // A side view is turned: that is no remark. Nor is one needed on what refused the frame.
        let remarks = judged.face.into_iter().flat_map(flaws).map(Reason::Quality);
        for remark in remarks {
            if !reasons.contains(&remark) {
                reasons.push(remark);
            }
        }
        let options = &self.state.options;
        Outcome {
            requested,
            detected_pose: judged.detected_pose,
            yaw: judged.yaw,
            smoothed_yaw: judged.smoothed_yaw,
            gate: options.gates.range(requested, options.mirrored),
            is_live: judged.verdict.is_ok(),
            confidence: judged.verdict.as_ref().map_or(0.0, |view| view.confidence),
            next: self.next(),
            steps: self.steps(),
            passive: self.state.pad.told(options.pad, options.min_pad_mean),
            verified: Position::ALL.into_iter().filter(|p| self.position(*p).is_some()).collect(),
            status: self.status_at(now),
            session_completed: self.is_completed(),
            liveness_score: self.liveness_score(),
            movement_verified: self.is_completed(),
            reasons,
        }
    }
}

/// What speaks against a view, but for its pose.
fn flaws(face: &Face) -> impl Iterator<Item = QualityReason> {
    let reasons = face.quality.iter().flat_map(|quality| quality.reasons.iter().copied());
    reasons.filter(|reason| *reason != QualityReason::PoseTooFar)
}

/// The face whose session this is: the only one, or one that is `dominance` times larger than any other.
fn dominant_face(analysis: &Analysis, dominance: f32) -> Result<&Face, Reason> {
    let mut largest: Option<&Face> = None;
    for face in &analysis.faces {
        if largest.is_none_or(|other| face.bbox.area() > other.bbox.area()) {
            largest = Some(face);
        }
    }
    let largest = largest.ok_or(Reason::NoFace)?;
    let rivals = |face: &&Face| face.bbox.area() * dominance > largest.bbox.area();
    // A face of no area has no rivals by area: several of them are still several.
    let count = analysis.faces.iter().filter(rivals).count();
    if count > 1 || (largest.bbox.area() <= 0.0 && analysis.faces.len() > 1) {
        return Err(Reason::SeveralFaces { count: count.max(analysis.faces.len().min(2)) });
    }
    Ok(largest)
}

#[cfg(test)]
impl LivenessSession {
    pub(super) fn loosen(&mut self, options: LivenessOptions) {
        self.state.options = options;
    }
}
