//! The session: a state machine over observations.

use jiff::Timestamp;

use super::challenge::Position;
use super::decision::{Outcome, Reason, Verification};
use super::movement::{clearness, nose_shift};
use super::options::LivenessOptions;
use super::pad::{self, PadPolicy, PadTally};
use super::replay::CountedFrames;
use super::state::{Progress, STATE_VERSION, SessionState, Status, VerifiedPosition};
use crate::embedding::{Calibration, Embedding};
use crate::engine::{Analysis, Embedder, Face};
use crate::error::{Error, Result};
use crate::types::{Degrees, SessionId, Similarity, StudentId};

/// One analysed frame, as a session takes it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The position that the client asked the person for.
    pub requested: Position,
    /// What the engine saw.
    pub analysis: &'a Analysis,
    /// What made the analysis's embeddings: its calibration puts them on the scale of the thresholds.
    pub embedder: &'a Embedder,
    /// The frame's exact hash: [`super::frame_hash`].
    pub frame_hash: u64,
    /// When the frame was captured, if its source says so.
    pub captured_at: Option<Timestamp>,
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
    verdict: Result<View<'a>, Reason>,
}

/// A view that passed every check but the passive one.
struct View<'a> {
    embedding: &'a Embedding,
    yaw: Degrees,
    nose_offset: f32,
    confidence: f32,
}

impl LivenessSession {
    /// A session that begins `now`; `student` when it is to enrol one who is in the store already.
    #[must_use]
    pub fn new(id: SessionId, student: Option<StudentId>, options: LivenessOptions, now: Timestamp) -> Self {
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
            },
        }
    }

    /// Takes one frame in and says what it was worth. Frames may come late, twice, in any order, and after the end: each
    /// gets its answer, and none changes a completed session.
    pub fn observe(&mut self, observation: &Observation<'_>, now: Timestamp) -> Outcome {
        let mut judged = self.judge(observation);
        if let Some(over) = self.over(now) {
            judged.verdict = Err(over);
        } else if !matches!(self.state.progress, Progress::Completed { .. }) {
            self.state.revision += 1;
            if self.state.progress == Progress::Pending {
                self.state.progress = Progress::Begun;
            }
        }
        let duplicate = self.state.counted.contain(observation.frame_hash);
        let changes = !duplicate && self.is_open(now);

        if let Ok(view) = &judged.verdict {
            let real = judged.face.and_then(|face| face.antispoof.real());
            if changes {
                self.state.counted.add(observation.frame_hash);
                if let Some(real) = real.filter(|_| self.state.options.pad != PadPolicy::Off) {
                    self.state.pad.add(real);
                }
            }
            let options = &self.state.options;
            let objection = pad::objection(options.pad, options.min_pad_mean, real.is_some(), self.state.pad.mean());
            if let Some(objection) = objection {
                judged.verdict = Err(objection);
            } else if duplicate && self.position(observation.requested).is_none() {
                // It counted for another position: one frame cannot verify two.
                judged.verdict = Err(Reason::DuplicateFrame);
            } else if changes && self.position(observation.requested).is_none() {
                let verified = VerifiedPosition {
                    embedding: view.embedding.clone(),
                    yaw: view.yaw,
                    nose_offset: view.nose_offset,
                    confidence: view.confidence,
                    at: now,
                };
                *self.slot(observation.requested) = Some(verified);
                self.complete_if_proven(&observation.embedder.calibration);
            }
        }
        if changes && judged.verdict.as_ref().err().is_some_and(Reason::is_suspicious) {
            self.state.suspicious = self.state.suspicious.saturating_add(1);
            if self.state.suspicious >= self.state.options.suspicious_limit {
                self.state.progress = Progress::GivenUp;
            }
        }
        self.outcome(observation.requested, &judged, duplicate, now)
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

    /// How sure a completed session is, in [0, 1]: the weakest of its proofs, since a chain is as strong as its weakest
    /// link. The proofs: the least [`VerifiedPosition::confidence`]; the least similarity of a side to the center; the
    /// smaller nose shift, .5 at the threshold and 1 from twice that on; the mean of the passive check, where it ran.
    /// 0 until the session is complete.
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
        if state.version != STATE_VERSION {
            let reason = format!("its stored form has version {}, this release reads {STATE_VERSION}", state.version);
            return Err(Error::State { what: "liveness session", reason });
        }
        Ok(Self { state })
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

    fn judge<'a>(&self, observation: &Observation<'a>) -> Judged<'a> {
        let mut judged = Judged { face: None, detected_pose: None, yaw: None, verdict: Err(Reason::NoFace) };
        let face = match dominant_face(observation.analysis, self.state.options.dominance) {
            Ok(face) => face,
            Err(reason) => {
                judged.verdict = Err(reason);
                return judged;
            }
        };
        judged.face = Some(face);
        let Some(pose) = face.pose else {
            judged.verdict = Err(Reason::FaceUnclear);
            return judged;
        };
        judged.yaw = Some(pose.yaw);
        judged.detected_pose = self.state.options.gates.shown(pose.yaw, self.state.options.mirrored);
        judged.verdict = self.check(observation, face, pose.yaw, pose.nose_offset);
        judged
    }

    /// Every check that needs no more than this frame and the positions verified so far.
    fn check<'a>(
        &self,
        observation: &Observation<'a>,
        face: &'a Face,
        yaw: Degrees,
        nose_offset: f32,
    ) -> Result<View<'a>, Reason> {
        let LivenessOptions { gates, mirrored, .. } = self.state.options;
        let requested = observation.requested;
        if observation.captured_at.is_some_and(|captured| captured < self.state.created_at) {
            return Err(Reason::StaleFrame);
        }
        if !gates.admit(requested, yaw, mirrored) {
            return Err(Reason::WrongPose { turn: gates.turn_towards(requested, yaw, mirrored) });
        }
        // A nose offset that is no number could not be compared, nor stored.
        let embedding = face.embedding.as_ref().filter(|_| nose_offset.is_finite()).ok_or(Reason::FaceUnclear)?;
        let confidence = gates.confidence(requested, yaw, mirrored);
        let view = View { embedding, yaw, nose_offset, confidence };
        for known in Position::ALL {
            if let Some(verified) = self.position(known) {
                self.check_pair(requested, &view, known, verified, &observation.embedder.calibration)?;
            }
        }
        Ok(view)
    }

    /// Checks a view against one verified position. Identity goes through the center and within a position: two opposite
    /// turns of one person differ most (cosine .52 to .85), and the center between them settles it.
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
        if shift < options.min_nose_shift { Err(Reason::NoParallax { shift }) } else { Ok(()) }
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
            let shift = clearness(shift, options.min_nose_shift);
            score = score.min(side.confidence).min(similarity.value()).min(shift);
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
        let quality = judged.face.and_then(|face| face.quality.as_ref());
        reasons.extend(
            quality
                .into_iter()
                .flat_map(|quality| quality.reasons.iter().copied())
                // A side view is turned: that is no remark.
                .filter(|reason| *reason != crate::quality::QualityReason::PoseTooFar)
                .map(Reason::Quality),
        );
        let verified: Vec<_> = Position::ALL.into_iter().filter(|p| self.position(*p).is_some()).collect();
        Outcome {
            requested,
            detected_pose: judged.detected_pose,
            yaw: judged.yaw,
            is_live: judged.verdict.is_ok(),
            confidence: judged.verdict.as_ref().map_or(0.0, |view| view.confidence),
            next: Position::ALL.into_iter().find(|p| !verified.contains(p)),
            verified,
            status: self.status_at(now),
            session_completed: self.is_completed(),
            liveness_score: self.liveness_score(),
            movement_verified: self.is_completed(),
            reasons,
        }
    }
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
