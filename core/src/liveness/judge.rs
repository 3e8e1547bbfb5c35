//! Judges a frame: whether it shows the requested position, and whether it is genuine.

use jiff::Timestamp;

use super::challenge::Nods;
use super::decision::Reason;
use super::frame_hash::FrameHash;
use super::gates::CONFIDENCE_AT_GATE;
use super::movement::{Shape, nose_shift};
use super::nod;
use super::options::{LivenessOptions, QualityGate};
use super::pad::PadPolicy;
use super::position::Position;
use super::replay::{Looks, SeenFrame};
use super::session::{LivenessSession, Observation};
use super::state::{Source, VerifiedPosition};
use super::stream::{CaptureTime, Glimpse};
use crate::embedding::{Calibration, Embedding};
use crate::engine::{Analysis, Face};
use crate::quality::QualityReason;
use crate::types::{Degrees, Similarity};

/// Up to which yaw a face that is not asked for is compared with the verified ones: as far as
/// [`LivenessOptions::same_person`] was measured.
const COMPARABLE_YAW: f32 = 40.0;
/// How far a single reading may lie outside its gate when the median over several lies inside: the error of one
/// reading (3.6 degrees on 567 labeled faces, rounded up).
pub(super) const READING_ERROR: f32 = 4.0;

/// What a frame was judged to be, before the session takes it in.
pub(super) struct Judged<'a> {
    pub(super) face: Option<&'a Face>,
    pub(super) detected_pose: Option<Position>,
    pub(super) yaw: Option<Degrees>,
    pub(super) smoothed_yaw: Option<Degrees>,
    pub(super) rise: Option<Degrees>,
    pub(super) glimpse: Option<Glimpse>,
    pub(super) verdict: Result<View<'a>, Reason>,
}

impl Judged<'_> {
    fn refused(reason: Reason) -> Self {
        Self {
            face: None,
            detected_pose: None,
            yaw: None,
            smoothed_yaw: None,
            rise: None,
            glimpse: None,
            verdict: Err(reason),
        }
    }

    /// Returns the frame as others of its like are told by.
    pub(super) fn looks(&self, observation: &Observation<'_>) -> Option<Looks> {
        self.yaw.map(|yaw| looks_at(yaw, &observation.frame_hash))
    }
}

/// A view that passed every check but the passive one.
pub(super) struct View<'a> {
    pub(super) embedding: &'a Embedding,
    pub(super) yaw: Degrees,
    pub(super) pitch: Degrees,
    pub(super) nose_offset: f32,
    pub(super) shape: Shape,
    pub(super) confidence: f32,
}

impl LivenessSession {
    /// Returns a frame as a store remembers it, to tell another session of it; `None` unless it shows one face with a
    /// pose.
    #[must_use]
    pub fn looks(&self, analysis: &Analysis, hash: &FrameHash) -> Option<SeenFrame> {
        let face = dominant_face(analysis, self.state.options.dominance).ok()?;
        let yaw = face.pose?.yaw;
        yaw.0.is_finite().then_some(SeenFrame { perceptual: hash.perceptual, yaw })
    }

    /// Judges a frame that is taken in `now`, and that `arrived` from a client at a distance.
    pub(super) fn judge<'a>(
        &self,
        observation: &Observation<'a>,
        arrived: Option<Timestamp>,
        now: Timestamp,
    ) -> Judged<'a> {
        let LivenessOptions { gates, mirrored, dominance, steady_frames, .. } = self.state.options;
        let face = match dominant_face(observation.analysis, dominance) {
            Ok(face) => face,
            Err(reason) => return Judged::refused(reason),
        };
        let mut judged = Judged { face: Some(face), ..Judged::refused(Reason::FaceUnclear) };
        let Some(pose) = face.pose else { return judged };
        // No frame arrives before it is captured: a clock that runs ahead tells no later time than the arrival.
        let at = observation.captured_at.map_or(now, |claimed| arrived.map_or(claimed, |arrived| claimed.min(arrived)));
        let glimpse =
            Glimpse { at, arrived, bbox: face.bbox, yaw: pose.yaw, pitch: pose.pitch, nose_offset: pose.nose_offset };
        judged.yaw = Some(pose.yaw);
        judged.detected_pose = gates.shown(pose.yaw, mirrored);
        judged.rise = self.rise(pose.pitch);
        if judged.detected_pose == Some(Position::Center) && self.state.options.nods == Nods::Yes {
            let nod = judged.rise.and_then(|rise| nod::shown(rise, 0.0));
            judged.detected_pose = nod.or(judged.detected_pose);
        }
        // Nothing of a face that cannot be measured may be stored.
        let [x1, y1, x2, y2] = [face.bbox.x1, face.bbox.y1, face.bbox.x2, face.bbox.y2];
        let finite = [pose.yaw.0, pose.pitch.0, pose.nose_offset, x1, y1, x2, y2].iter().all(|value| value.is_finite());
        judged.glimpse = finite.then_some(glimpse);
        let smoothed = self.state.stream.smoothed(&glimpse, steady_frames);
        judged.smoothed_yaw = smoothed.map(|(yaw, _)| yaw);
        judged.verdict = self.check(observation, face, &glimpse, smoothed, now);
        judged
    }

    /// Returns every check that needs no more than this frame and what is known so far; the gravest reason first.
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
        // No view of a nod is kept, so it is asked for in its step alone.
        if requested.is_nod() && self.state.challenge.current() != Some(requested) {
            return Err(Reason::OutOfOrder { expected: self.next().unwrap_or(Position::Center) });
        }
        // What the eye sees decides when there is one frame; over several the median does, and the frame must be near.
        let wrong_pose = Reason::WrongPose { turn: gates.turn_towards(requested, glimpse.yaw, mirrored) };
        let single = self.state.options.steady_frames <= 1;
        let tolerance = if single { 0.0 } else { READING_ERROR };
        if gates.outside(requested, glimpse.yaw, mirrored) > tolerance {
            return Err(wrong_pose);
        }
        let rise = self.rise(glimpse.pitch).filter(|_| self.state.options.nods == Nods::Yes);
        let wrong_nod = |rise| Reason::WrongPose { turn: nod::turn_towards(requested, rise) };
        if let Some(rise) = rise
            && nod::outside(requested, rise) > if single { 0.0 } else { nod::READING_ERROR }
        {
            return Err(wrong_nod(rise));
        }
        let (yaw, nose_offset) = smoothed.ok_or(Reason::NotSteady)?;
        if !gates.admit(requested, yaw, mirrored) {
            return Err(if gates.admit(requested, glimpse.yaw, mirrored) { Reason::NotSteady } else { wrong_pose });
        }
        let pitch = self.state.stream.smoothed_pitch(glimpse, self.state.options.steady_frames);
        let pitch = pitch.unwrap_or(glimpse.pitch);
        let smoothed_rise = self.rise(pitch).filter(|_| rise.is_some());
        if smoothed_rise.is_some_and(|rise| nod::outside(requested, rise) > 0.0) {
            return Err(match rise {
                Some(rise) if nod::outside(requested, rise) > 0.0 => wrong_nod(rise),
                _ => Reason::NotSteady,
            });
        }
        // A nose offset that is no number could not be compared, nor stored.
        let embedding = face.embedding.as_ref().filter(|_| nose_offset.is_finite()).ok_or(Reason::FaceUnclear)?;
        if requested == Position::Center
            && quality == QualityGate::Refuse
            && let Some(flaw) = flaws(face).next()
        {
            return Err(Reason::Quality(flaw));
        }
        let confidence = match smoothed_rise.filter(|_| requested.is_nod()) {
            Some(rise) => CONFIDENCE_AT_GATE + (1.0 - CONFIDENCE_AT_GATE) * nod::clearness(rise),
            None => gates.confidence(requested, yaw, mirrored),
        };
        let view = View { embedding, yaw, pitch, nose_offset, shape: Shape::of(face), confidence };
        for known in Position::ALL {
            if let Some(verified) = self.position(known) {
                self.check_pair(requested, &view, known, verified, calibration)?;
            }
        }
        let hash = &observation.frame_hash;
        let looks = SeenFrame { perceptual: hash.perceptual, yaw: glimpse.yaw };
        let is_side = matches!(requested, Position::Left | Position::Right);
        if is_side && self.state.seen.contain_mirror_of(&looks, hash.face.as_ref()) {
            return Err(Reason::MirroredFrame);
        }
        Ok(view)
    }

    /// Returns how far a face of this pitch looks up against the verified center.
    pub(super) fn rise(&self, pitch: Degrees) -> Option<Degrees> {
        self.position(Position::Center).map(|center| Degrees(pitch.0 - center.pitch.0))
    }

    /// Returns where the frame comes from: another session, another time, another camera. A completed session does
    /// not ask.
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

    /// Returns whether the face is that of the verified positions, whatever it shows: it need not be like each, since
    /// two opposite turns differ most, but like one. A face that is turned too far or too blurred to tell is not
    /// judged here.
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

    /// Checks a view against one verified position. Identity goes through the center and within a position: two
    /// opposite turns of one person differ most (cosine 0.52 to 0.85), and the center between them settles it.
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
        if requested.is_nod() {
            // That the nose moved between eyes and mouth is how the nod was told.
            return match verified.shape.relief(&view.shape) {
                Some(relief) if relief < nod::MIN_RELIEF => Err(Reason::NoRelief { relief }),
                _ => Ok(()),
            };
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
}

fn looks_at(yaw: Degrees, hash: &FrameHash) -> Looks {
    Looks { seen: SeenFrame { perceptual: hash.perceptual, yaw }, face: hash.face.map(|face| face.crop) }
}

/// Returns what speaks against a view, but for its pose.
pub(super) fn flaws(face: &Face) -> impl Iterator<Item = QualityReason> {
    let reasons = face.quality.iter().flat_map(|quality| quality.reasons.iter().copied());
    reasons.filter(|reason| *reason != QualityReason::PoseTooFar)
}

/// Returns the face whose session this is: the only one, or one that is `dominance` times larger than any other.
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

/// Returns why `policy` refuses a frame, given whether it was `scored` and the `mean` so far.
pub(super) fn objection(policy: PadPolicy, min_mean: f32, scored: bool, mean: Option<f32>) -> Option<Reason> {
    match (policy, mean) {
        (PadPolicy::Off, _) | (PadPolicy::Prefer, None) => None,
        (PadPolicy::Require, _) if !scored => Some(Reason::PassiveCheckMissing),
        (PadPolicy::Require, None) => Some(Reason::PassiveCheckMissing),
        (PadPolicy::Require | PadPolicy::Prefer, Some(mean)) => {
            (mean < min_mean).then_some(Reason::SpoofSuspected { real: mean })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_differ_when_no_score_is_there() {
        assert_eq!(objection(PadPolicy::Off, 0.5, false, None), None);
        assert_eq!(objection(PadPolicy::Prefer, 0.5, false, None), None);
        assert_eq!(objection(PadPolicy::Require, 0.5, false, None), Some(Reason::PassiveCheckMissing));
        // The scores of other frames do not stand in for this one.
        assert_eq!(objection(PadPolicy::Require, 0.5, false, Some(0.9)), Some(Reason::PassiveCheckMissing));
    }

    #[test]
    fn a_low_mean_is_refused_unless_off() {
        let suspected = Some(Reason::SpoofSuspected { real: 0.4 });
        assert_eq!(objection(PadPolicy::Require, 0.5, true, Some(0.4)), suspected);
        assert_eq!(objection(PadPolicy::Prefer, 0.5, true, Some(0.4)), suspected);
        assert_eq!(objection(PadPolicy::Off, 0.5, true, Some(0.4)), None);
    }
}
