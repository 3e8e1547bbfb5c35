//! What a session answers.

use faceattend_core::liveness::{
    Outcome as CoreOutcome, PadVerdict, Position as CorePosition, Reason as CoreReason, Status as CoreStatus, Turn,
    Verification as CoreVerification,
};
use napi_derive::napi;

use crate::embedding::Embedding;

/// Where the head is to point. Left and right are the person's own. Only a random order of a session with `nods` asks
/// for `up` and `down`.
#[napi(string_enum = "lowercase")]
pub enum Position {
    Center,
    Left,
    Right,
    Up,
    Down,
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

/// What came of the passive check of a session: the policy leaves it `off`, it has `not_run`, or its mean is that of a
/// `live` face or of a `spoof`.
#[napi(string_enum = "snake_case")]
pub enum PassiveVerdict {
    Off,
    NotRun,
    Live,
    Spoof,
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
    Up,
    FurtherUp,
    Down,
    FurtherDown,
    BackFromUp,
    BackFromDown,
}

/// Why a frame did not count, or what would make the next one better.
#[napi(object, use_nullable = true)]
pub struct LivenessReason {
    /// The stable code.
    #[napi(ts_type = "LivenessReasonCode")]
    pub code: String,
    /// One sentence that the person in front of the camera can act on.
    pub advice: String,
    /// The measured figure where there is one: the number of faces, the similarity, the nose shift, the relief, or the
    /// mean probability of a living face.
    pub figure: Option<f64>,
    /// For `wrong_pose`: which way to turn.
    pub turn: Option<TurnAdvice>,
}

/// What a session says about one frame. Nothing in it identifies a person.
#[napi(object, use_nullable = true)]
pub struct Outcome {
    /// The position that was asked for.
    pub requested: Position,
    /// The position that the head shows; `null` when there is no single face with a pose.
    pub detected_pose: Option<Position>,
    /// The measured yaw in degrees, in the frame as received.
    pub yaw: Option<f64>,
    /// The yaw in degrees that was compared with `gate`: the median over the last frames of the track, where the
    /// session asks for steady frames.
    pub smoothed_yaw: Option<f64>,
    /// The yaws in degrees, lowest and highest, between which the head shows the position that was asked for.
    #[napi(ts_type = "[from: number, to: number]")]
    pub gate: Vec<f64>,
    /// How far the face looks up (positive) or down against the verified center, in degrees; `null` before there is
    /// one.
    pub rise: Option<f64>,
    /// The rises in degrees, lowest and highest, between which the head shows the position that was asked for; `null`
    /// for the sides, and in a session without `nods`.
    #[napi(ts_type = "[from: number, to: number] | null")]
    pub rise_gate: Option<Vec<f64>>,
    /// Whether the frame passed every check for the position that was asked for.
    pub is_live: bool,
    /// How well the frame shows the position asked for, in [0, 1]: 0 when it was refused, else from 0.75 on.
    pub confidence: f64,
    /// The positions verified by now.
    pub verified: Vec<Position>,
    /// The position to ask for next; `null` when all are verified.
    pub next: Option<Position>,
    /// How many steps have passed.
    pub steps_done: u32,
    /// How many steps there are: three, or more with a random order.
    pub steps: u32,
    /// What came of the passive check so far.
    pub passive: PassiveVerdict,
    /// The mean probability of a living face over the frames that the passive check scored lately, in [0, 1]; `null`
    /// when it has scored none.
    pub passive_mean: Option<f64>,
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

impl From<Position> for CorePosition {
    fn from(position: Position) -> Self {
        match position {
            Position::Center => Self::Center,
            Position::Left => Self::Left,
            Position::Right => Self::Right,
            Position::Up => Self::Up,
            Position::Down => Self::Down,
        }
    }
}

impl From<CorePosition> for Position {
    fn from(position: CorePosition) -> Self {
        match position {
            CorePosition::Center => Self::Center,
            CorePosition::Left => Self::Left,
            CorePosition::Right => Self::Right,
            CorePosition::Up => Self::Up,
            CorePosition::Down => Self::Down,
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
            Turn::Up => Self::Up,
            Turn::FurtherUp => Self::FurtherUp,
            Turn::Down => Self::Down,
            Turn::FurtherDown => Self::FurtherDown,
            Turn::BackFromUp => Self::BackFromUp,
            Turn::BackFromDown => Self::BackFromDown,
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
            smoothed_yaw: outcome.smoothed_yaw.map(|yaw| yaw.0.into()),
            gate: outcome.gate.iter().map(|yaw| yaw.0.into()).collect(),
            rise: outcome.rise.map(|rise| rise.0.into()),
            rise_gate: outcome.rise_gate.map(|gate| gate.iter().map(|rise| rise.0.into()).collect()),
            is_live: outcome.is_live,
            confidence: outcome.confidence.into(),
            verified: outcome.verified.iter().copied().map(Into::into).collect(),
            next: outcome.next.map(Into::into),
            steps_done: crate::gallery::count(outcome.steps.0),
            steps: crate::gallery::count(outcome.steps.1),
            passive: outcome.passive.verdict.into(),
            passive_mean: outcome.passive.mean.map(Into::into),
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

impl From<PadVerdict> for PassiveVerdict {
    fn from(verdict: PadVerdict) -> Self {
        match verdict {
            PadVerdict::Off => Self::Off,
            PadVerdict::NotRun => Self::NotRun,
            PadVerdict::Live => Self::Live,
            PadVerdict::Spoof => Self::Spoof,
        }
    }
}
