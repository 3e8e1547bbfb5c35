//! Takes a frame into a session and tells its outcome.

use jiff::Timestamp;

use super::challenge::{Nods, Order};
use super::decision::{Outcome, Reason};
use super::gates::Gates;
use super::judge::{self, Judged, READING_ERROR, flaws};
use super::movement::{clearness, nose_shift};
use super::nod;
use super::options::LivenessOptions;
use super::pad::PadPolicy;
use super::position::Position;
use super::session::{LivenessSession, Observation};
use super::state::{Progress, Source, VerifiedPosition};
use super::stream::Glimpse;
use crate::embedding::Calibration;
use crate::types::{Degrees, Similarity};

/// After how many mirrored frames a session fails for good: one in forty altered ones is not known for what it is, and
/// whoever may try often finds it. Of 309 genuine pairs of opposite views none was taken for mirrored.
const MIRRORED_LIMIT: u32 = 3;

impl LivenessSession {
    pub(super) fn take(
        &mut self,
        observation: &Observation<'_>,
        objection: Option<Reason>,
        arrived: Option<Timestamp>,
        now: Timestamp,
    ) -> Outcome {
        let mut judged = self.judge(observation, arrived, now);
        if let Some(over) = self.over(now) {
            judged.verdict = Err(over);
        } else if !self.is_completed() {
            self.state.revision = self.state.revision.saturating_add(1);
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
            let objection = judge::objection(options.pad, options.min_pad_mean, scored, self.state.pad.mean());
            if let Some(objection) = objection {
                judged.verdict = Err(objection);
            } else if duplicate && self.position(requested).is_none() {
                // It counted for another position: one frame cannot verify two.
                judged.verdict = Err(Reason::DuplicateFrame);
            } else if changes && is_asked {
                if self.position(requested).is_none()
                    && let Some(slot) = self.slot(requested)
                {
                    *slot = Some(VerifiedPosition {
                        embedding: view.embedding.clone(),
                        yaw: view.yaw,
                        pitch: view.pitch,
                        nose_offset: view.nose_offset,
                        shape: view.shape.clone(),
                        confidence: view.confidence,
                        at: now,
                    });
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
            let mirrored = matches!(judged.verdict, Err(Reason::MirroredFrame));
            self.state.mirrored = self.state.mirrored.saturating_add(u32::from(mirrored));
            if self.state.suspicious >= self.state.options.suspicious_limit || self.state.mirrored >= MIRRORED_LIMIT {
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
            self.state.wrong_turns = self.state.wrong_turns.saturating_add(1);
            if self.state.wrong_turns > options.wrong_turns {
                self.state.progress = Progress::GivenUp;
            }
        }
        self.state.stream.take(glimpse);
    }

    /// Returns whether the head has turned to a side that a random order did not ask for, beyond any error of
    /// reading.
    fn turns_wrong(&mut self, glimpse: &Glimpse) -> bool {
        let LivenessOptions { order, gates, mirrored, .. } = self.state.options;
        let (Order::Random, Some(asked)) = (order, self.state.challenge.current()) else { return false };
        let sides = Gates {
            left: Degrees(gates.left.0 + READING_ERROR),
            right: Degrees(gates.right.0 + READING_ERROR),
            ..gates
        };
        let before = self.state.challenge.before();
        let center = self.position(Position::Center).map(|center| center.pitch.0);
        // Whoever is asked to look up and looks down does something else than asked; while a side is asked for, people
        // look down for other reasons.
        let shown = |seen: &Glimpse| {
            let nod = center.filter(|_| asked.is_nod()).map(|center| Degrees(seen.pitch.0 - center));
            match sides.shown(seen.yaw, mirrored)? {
                Position::Center => {
                    nod.and_then(|rise| nod::shown(rise, nod::READING_ERROR)).or(Some(Position::Center))
                }
                side => Some(side),
            }
        };
        self.state.stream.turns_wrong(shown, glimpse, asked, before)
    }

    /// Forgets the positions and begins anew: what was shown before the face was lost proves nothing of the face
    /// after.
    fn restart(&mut self) {
        let options = self.state.options;
        (self.state.center, self.state.left, self.state.right) = (None, None, None);
        self.state.source = None;
        self.state.stream.step_passed();
        self.state.challenge.restart(options.order, options.extra_steps, options.nods);
    }

    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        !self.is_completed() && self.over(now).is_none()
    }

    /// Returns why no frame counts any more, unless the session is complete: then frames get their answers.
    fn over(&self, now: Timestamp) -> Option<Reason> {
        match self.state.progress {
            Progress::Completed { .. } => None,
            Progress::GivenUp => Some(Reason::TooManyAttempts),
            _ => (now >= self.state.expires_at).then_some(Reason::Expired),
        }
    }

    fn slot(&mut self, position: Position) -> Option<&mut Option<VerifiedPosition>> {
        match position {
            Position::Center => Some(&mut self.state.center),
            Position::Left => Some(&mut self.state.left),
            Position::Right => Some(&mut self.state.right),
            Position::Up | Position::Down => None,
        }
    }

    /// Returns whether a frame for `position` may verify it or pass a step.
    fn is_asked(&self, position: Position) -> bool {
        match self.state.challenge.current() {
            Some(step) => step == position,
            // Without an order each position is asked for once.
            None => self.position(position).is_none(),
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
        match judge::objection(options.pad, options.min_pad_mean, mean.is_some(), mean) {
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
            rise: judged.rise,
            rise_gate: nod::range(requested).filter(|_| options.nods == Nods::Yes),
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
