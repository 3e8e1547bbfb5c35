//! The answer of a session to a frame: reasons, outcome and verification.

use std::borrow::Cow;

use super::gates::Turn;
use super::pad::PassiveCheck;
use super::position::Position;
use super::status::Status;
use crate::embedding::Embedding;
use crate::quality::QualityReason;
use crate::types::{Degrees, Similarity, StudentId};

/// The reason why a frame did not count, or a remark on how to improve the next one.
///
/// ```
/// use faceattend_core::liveness::Reason;
///
/// assert_eq!(Reason::NoFace.code(), "no_face");
/// assert_eq!(Reason::NoFace.advice(), "Look into the camera: no face is in the picture.");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// No face is in the frame.
    NoFace,
    /// Several faces of about one size: it is unclear whose session this is.
    SeveralFaces {
        /// The number of faces.
        count: usize,
    },
    /// A face, but too unclear to measure its pose or to recognize it.
    FaceUnclear,
    /// The head does not show the requested position.
    WrongPose {
        /// The way to turn.
        turn: Turn,
    },
    /// Another person than in the other positions.
    DifferentPerson {
        /// The similarity of the two.
        similarity: Similarity,
    },
    /// Two positions show one and the same picture.
    FrozenPicture,
    /// The head seems turned, but the nose did not move against the face as it does on a real head.
    NoParallax {
        /// The change of the nose offset towards the side asked for.
        shift: f32,
    },
    /// The nose moved, but the face as a whole has no more depth between the two views than a picture.
    NoRelief {
        /// The relief: see [`super::Shape::relief`].
        relief: f32,
    },
    /// The position is not the one that is to be shown now.
    OutOfOrder {
        /// The position to show first.
        expected: Position,
    },
    /// The head turned to the other side than a random order asked; the positions count no more.
    WrongTurn {
        /// The requested position.
        asked: Position,
    },
    /// The answer does not carry the nonce of the present step.
    WrongNonce,
    /// A frame like this was part of another session.
    ReplayedFrame,
    /// A frame like this has counted in this session, as a mirror shows it.
    MirroredFrame,
    /// The capture time does not advance, or lies ahead of now.
    BadTimestamp,
    /// Size or camera of the frame changed after the first position.
    SourceChanged,
    /// The face was lost between the positions; they count no more.
    TrackBroken,
    /// The position is shown, but not yet by enough frames in a row.
    NotSteady,
    /// The face is enrolled as another student.
    AlreadyEnrolled {
        /// Whose it is there.
        student: StudentId,
        /// The similarity of the two.
        similarity: Similarity,
    },
    /// The face is unlike the one that is stored for the student.
    UnlikeFace,
    /// The passive check sees paper or a screen.
    SpoofSuspected {
        /// The mean probability of a living face so far.
        real: f32,
    },
    /// The policy asks for a passive check, and its model did not run.
    PassiveCheckMissing,
    /// This very frame has counted before; it does not count again.
    DuplicateFrame,
    /// The frame was captured before the session began.
    StaleFrame,
    /// The recognition model was changed while the session ran.
    ModelChanged,
    /// Too many frames, or too many suspicious ones: the session has failed.
    TooManyAttempts,
    /// The session's time is over.
    Expired,
    /// A remark on the view that did not refuse it.
    Quality(QualityReason),
}

impl Reason {
    /// Returns the stable code, in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoFace => "no_face",
            Self::SeveralFaces { .. } => "several_faces",
            Self::FaceUnclear => "face_unclear",
            Self::WrongPose { .. } => "wrong_pose",
            Self::DifferentPerson { .. } => "different_person",
            Self::FrozenPicture => "frozen_picture",
            Self::NoParallax { .. } => "no_parallax",
            Self::NoRelief { .. } => "no_relief",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::WrongTurn { .. } => "wrong_turn",
            Self::WrongNonce => "wrong_nonce",
            Self::ReplayedFrame => "replayed_frame",
            Self::MirroredFrame => "mirrored_frame",
            Self::BadTimestamp => "bad_timestamp",
            Self::SourceChanged => "source_changed",
            Self::TrackBroken => "track_broken",
            Self::NotSteady => "not_steady",
            Self::AlreadyEnrolled { .. } => "already_enrolled",
            Self::UnlikeFace => "unlike_face",
            Self::SpoofSuspected { .. } => "spoof_suspected",
            Self::PassiveCheckMissing => "passive_check_missing",
            Self::DuplicateFrame => "duplicate_frame",
            Self::StaleFrame => "stale_frame",
            Self::ModelChanged => "model_changed",
            Self::TooManyAttempts => "too_many_attempts",
            Self::Expired => "expired",
            Self::Quality(reason) => reason.code(),
        }
    }

    /// Returns one sentence that the person in front of the camera can act on.
    #[must_use]
    pub fn advice(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NoFace => "Look into the camera: no face is in the picture.",
            Self::SeveralFaces { count } => {
                return Cow::Owned(format!("One person only, please: {count} faces are in the picture."));
            }
            Self::FaceUnclear => "Come closer and into the light: the face cannot be made out.",
            Self::WrongPose { turn } => match turn {
                Turn::Left => "Turn your head to your left.",
                Turn::FurtherLeft => "Turn a little further to your left.",
                Turn::Right => "Turn your head to your right.",
                Turn::FurtherRight => "Turn a little further to your right.",
                Turn::BackFromLeft => "Look straight into the camera: turn a little to your right.",
                Turn::BackFromRight => "Look straight into the camera: turn a little to your left.",
                Turn::Up => "Look up: lift your chin.",
                Turn::FurtherUp => "Look up a little further.",
                Turn::Down => "Look down: lower your chin.",
                Turn::FurtherDown => "Look down a little further.",
                Turn::BackFromUp => "Look straight into the camera: lower your chin a little.",
                Turn::BackFromDown => "Look straight into the camera: lift your chin a little.",
            },
            Self::DifferentPerson { .. } => "The same person must be in every picture: please start again.",
            Self::FrozenPicture => "The camera seems frozen: please check it and move your head.",
            Self::OutOfOrder { expected: Position::Center } => "First look straight into the camera.",
            Self::OutOfOrder { expected: Position::Left } => "First turn your head to your left.",
            Self::OutOfOrder { expected: Position::Right } => "First turn your head to your right.",
            Self::OutOfOrder { expected: Position::Up } => "First look up.",
            Self::OutOfOrder { expected: Position::Down } => "First look down.",
            Self::WrongTurn { .. } => "That was the other side: follow what is said, from the first position.",
            Self::WrongNonce => "This picture answers another question: please send a new one.",
            Self::ReplayedFrame => "This picture was part of another registration: please use a live camera.",
            Self::MirroredFrame => "This picture was sent before, mirrored: please turn your head to the other side.",
            Self::BadTimestamp => "The camera's clock stands still or runs ahead: please restart the camera.",
            Self::SourceChanged => "The camera was changed meanwhile: please start again.",
            Self::TrackBroken => "Your face left the picture: go on with the first position.",
            Self::NotSteady => "Good: hold it for a moment.",
            Self::AlreadyEnrolled { student, .. } => {
                return Cow::Owned(format!(
                    "This face is already enrolled as student {student}: please tell the operator."
                ));
            }
            Self::UnlikeFace => "This face is unlike the one that is stored: please tell an administrator.",
            Self::NoParallax { .. } | Self::NoRelief { .. } => {
                "Turn your head itself a little further, and face the camera in person."
            }
            Self::SpoofSuspected { .. } => "Face the camera in person, with even light and no screen in the way.",
            Self::PassiveCheckMissing => "The check for living faces is not installed: please tell the operator.",
            Self::DuplicateFrame => "This picture was sent before: please send a new one.",
            Self::StaleFrame => "This picture is older than the session: please send a new one.",
            Self::ModelChanged => "The recognition model was changed meanwhile: please start again.",
            Self::TooManyAttempts => "Too many pictures were refused: please start again.",
            Self::Expired => "The time is over: please start again.",
            Self::Quality(reason) => return Cow::Owned(sentence(reason.advice())),
        })
    }

    /// Returns whether a frame refused for this looks like an attempt to deceive.
    pub(super) fn is_suspicious(&self) -> bool {
        matches!(
            self,
            Self::DifferentPerson { .. }
                | Self::FrozenPicture
                | Self::NoParallax { .. }
                | Self::NoRelief { .. }
                | Self::ReplayedFrame
                | Self::MirroredFrame
                | Self::BadTimestamp
                | Self::SourceChanged
                | Self::TrackBroken
                | Self::WrongTurn { .. }
                | Self::SpoofSuspected { .. }
        )
    }
}

fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// The answer of a session to one frame. Nothing in it identifies a person.
///
/// ```
/// use faceattend_core::Outcome;
///
/// fn hint(outcome: &Outcome) -> String {
///     match (outcome.reasons.first(), outcome.next) {
///         (Some(reason), _) => reason.advice().into_owned(),
///         (None, Some(position)) => format!("now look {position}"),
///         (None, None) => "done".to_owned(),
///     }
/// }
/// # let _ = hint;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The position that was asked for.
    pub requested: Position,
    /// The position that the head shows: `None` when there is no single face with a pose.
    pub detected_pose: Option<Position>,
    /// The measured yaw, in the frame as received.
    pub yaw: Option<Degrees>,
    /// The yaw that the gate was held against: the median over the frames of the track, where several are asked for.
    pub smoothed_yaw: Option<Degrees>,
    /// The yaws between which the position asked for is shown, in the frame as received.
    pub gate: [Degrees; 2],
    /// How far the face looks up (positive) or down against the verified center, in degrees as they are read; `None`
    /// before there is one.
    pub rise: Option<Degrees>,
    /// The rises between which the position asked for is shown, where it asks for one: for nods, and for the center in
    /// a session that asks for nods.
    pub rise_gate: Option<[Degrees; 2]>,
    /// Whether the frame passed every check for the position asked for. A repeated or late frame that passes is live
    /// too, though it changes nothing.
    pub is_live: bool,
    /// The confidence that the frame shows the requested position, in [0, 1]: 0 when refused, else 0.75 at the gate's
    /// edge, rising to 1 straight ahead or 15 degrees beyond the gate.
    pub confidence: f32,
    /// The positions verified by now.
    pub verified: Vec<Position>,
    /// The position to ask for next; `None` when there is nothing more to ask.
    pub next: Option<Position>,
    /// The number of steps passed, and the number of all steps.
    pub steps: (usize, usize),
    /// The result of the passive check so far.
    pub passive: PassiveCheck,
    /// The session's status after the frame.
    pub status: Status,
    /// Whether the session is complete.
    pub session_completed: bool,
    /// The confidence of a completed session, in [0, 1]: see [`super::LivenessSession::liveness_score`]. 0 before
    /// that.
    pub liveness_score: f32,
    /// Whether the head has been seen to turn to both sides. True from completion on.
    pub movement_verified: bool,
    /// Why the frame was refused, first, then remarks; empty when all is well.
    pub reasons: Vec<Reason>,
}

/// The result of closing a session.
///
/// ```
/// use faceattend_core::{LivenessOptions, LivenessSession, SessionId, Timestamp};
///
/// let now = Timestamp::now();
/// let verification = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), now).verify(now);
/// assert!(verification.final_template.is_none());
/// assert!(!verification.movement_verified);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verification {
    /// The session's status: `Completed`, or `Failed` or `Expired`.
    pub status: Status,
    /// As in [`Outcome::liveness_score`].
    pub liveness_score: f32,
    /// As in [`Outcome::movement_verified`].
    pub movement_verified: bool,
    /// The template to enrol, when the session is complete.
    pub final_template: Option<Embedding>,
    /// The positions that are still missing.
    pub missing: Vec<Position>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_on_quality_read_as_sentences() {
        assert_eq!(Reason::Quality(QualityReason::TooDark).advice(), "More light on the face, please.");
        assert_eq!(Reason::Quality(QualityReason::TooDark).code(), "too_dark");
    }
}
