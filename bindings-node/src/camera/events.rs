//! What a camera tells, as JavaScript gets it.

use faceattend_core::camera::{CameraHealth as CoreHealth, CameraState as CoreState};
use faceattend_core::gate::{Life, LifeReason, LifeVerdict};
use faceattend_core::recognition::{CameraProblem as CoreProblem, RecognizedFace, Sighting as CoreSighting};
use faceattend_core::tracking::{Decision as CoreDecision, TrackId};
use napi_derive::napi;

use crate::attendance::Marking;
use crate::face::{Analysis, Rect};
use crate::frame::Frame;
use crate::liveness::Position;
use crate::time::{Date, date};

/// What a camera is doing.
#[napi(string_enum = "lowercase")]
pub enum CameraState {
    Connecting,
    Running,
    Reconnecting,
    Stopped,
    Failed,
}

/// Whose face it is, by its views so far.
#[napi(string_enum = "lowercase")]
pub enum Decision {
    Waiting,
    Unknown,
    Known,
}

/// Whether the views of a face show a living person.
#[napi(string_enum = "snake_case")]
pub enum Liveness {
    /// They do.
    Live,
    /// They do not say.
    Undecided,
    /// They show a picture of a person.
    Spoof,
}

impl From<LifeVerdict> for Liveness {
    fn from(verdict: LifeVerdict) -> Self {
        match verdict {
            LifeVerdict::Live => Self::Live,
            LifeVerdict::Undecided => Self::Undecided,
            LifeVerdict::Spoof => Self::Spoof,
        }
    }
}

fn reason(life: &Life) -> Option<String> {
    life.reason.map(|reason: LifeReason| reason.as_str().to_owned())
}

/// A person whom a camera recognized, and what the views say of life.
#[napi(object, use_nullable = true)]
pub struct Sighting {
    /// The number of the track, as in `SeenFace`.
    pub track_id: i64,
    /// Whom the face shows.
    pub student_id: i64,
    /// How similar the face is, in [0, 1].
    pub similarity: f64,
    pub liveness: Liveness,
    /// What speaks against a living person; `null` for the living.
    #[napi(ts_type = "LifeReason | null")]
    pub liveness_reason: Option<String>,
    /// When the person was seen last.
    pub at: Date,
}

impl From<&CoreSighting> for Sighting {
    fn from(seen: &CoreSighting) -> Self {
        let TrackId(track) = seen.track;
        Self {
            track_id: track.cast_signed(),
            student_id: seen.student.0,
            similarity: seen.similarity.value().into(),
            liveness: seen.life.verdict.into(),
            liveness_reason: reason(&seen.life),
            at: date(seen.at),
        }
    }
}

/// A face in view of a camera.
#[napi(object, use_nullable = true)]
pub struct SeenFace {
    /// Where it is, in frame pixels.
    pub bbox: Rect,
    /// The number of the track: the same face has the same number in the frames before and after. Numbers rise, and a
    /// camera never uses one again.
    pub track_id: i64,
    /// Whose face it is, as far as its views agree.
    pub decision: Decision,
    /// The student, when known.
    pub student_id: Option<i64>,
    /// How similar the face is, in the best of the agreeing views, in [0, 1]; `null` unless known.
    pub similarity: Option<f64>,
    /// Whether its views show a living person. Nobody looks for it with the gate `off`, and for long only where it
    /// decides about a mark.
    pub liveness: Liveness,
    /// What speaks against a living person; `null` for the living.
    #[napi(ts_type = "LifeReason | null")]
    pub liveness_reason: Option<String>,
    /// The movement that the person is asked for with the gate `ask`: `left` and `right` are the person's own. Show it
    /// on a screen beside the camera.
    pub asked: Option<Position>,
}

/// What keeps a camera from naming people.
#[napi(object)]
pub struct CameraProblem {
    /// A stable code: `too_slow` or `turned`.
    pub code: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl From<&CoreProblem> for CameraProblem {
    fn from(problem: &CoreProblem) -> Self {
        Self { code: problem.code().to_owned(), message: problem.to_string() }
    }
}

/// What one frame of a camera showed.
#[napi(object, use_nullable = true)]
pub struct CameraFrame {
    pub captured_at: Date,
    pub width: u32,
    pub height: u32,
    /// The faces and whose faces they are, when the camera has an engine and a gallery.
    pub faces: Option<Vec<SeenFace>>,
    /// The marks of the students that are known, when the camera has a book too. `newlyMarked` tells who just
    /// came.
    pub marks: Vec<Marking>,
    /// The people who may be marked, by what the camera's gate asks of a face: those to mark in an attendance table of
    /// your own. Without those whom the book knows to be marked already.
    pub admitted: Vec<Sighting>,
    /// The people who were recognized and are not marked, because their views did not show in time that they are alive.
    /// Each is told once, and goes on the second-look list of the book's store.
    pub second_looks: Vec<Sighting>,
    /// The faces that show a picture of a person, each told once.
    pub suspected: Vec<Sighting>,
    /// What keeps the camera from naming people, as far as its frames tell, for as long as it lasts.
    pub problems: Vec<CameraProblem>,
    /// The analysis, when the camera has an engine and no gallery.
    pub analysis: Option<Analysis>,
    /// The frame itself, when it was asked for or there is no engine.
    pub pixels: Option<Frame>,
}

/// The state of a camera, and counts.
#[napi(object, use_nullable = true)]
pub struct CameraHealth {
    pub state: CameraState,
    /// Frames that the source gave.
    pub captured: i64,
    /// Frames that have been analyzed.
    pub analyzed: i64,
    /// @deprecated Use `analyzed`.
    pub analysed: i64,
    /// Frames that a newer one replaced, and frames that could not be decoded.
    pub dropped: i64,
    /// The last thing that went wrong, without credentials; it stays after a recovery.
    pub last_error: Option<String>,
    /// How long ago the source gave its last frame, in milliseconds.
    pub last_frame_age_ms: Option<f64>,
}

impl From<CoreState> for CameraState {
    fn from(state: CoreState) -> Self {
        match state {
            CoreState::Connecting => Self::Connecting,
            CoreState::Running => Self::Running,
            CoreState::Reconnecting => Self::Reconnecting,
            CoreState::Stopped => Self::Stopped,
            CoreState::Failed => Self::Failed,
        }
    }
}

impl From<&RecognizedFace> for SeenFace {
    fn from(face: &RecognizedFace) -> Self {
        let TrackId(track) = face.track;
        Self {
            bbox: (&face.bbox).into(),
            track_id: track.cast_signed(),
            decision: match face.decision {
                CoreDecision::Waiting => Decision::Waiting,
                CoreDecision::Unknown => Decision::Unknown,
                CoreDecision::Known { .. } => Decision::Known,
            },
            student_id: face.student().map(|student| student.0),
            similarity: face.similarity().map(|similarity| similarity.value().into()),
            liveness: face.life.verdict.into(),
            liveness_reason: reason(&face.life),
            asked: face.asked.map(Into::into),
        }
    }
}

impl From<CoreHealth> for CameraHealth {
    fn from(health: CoreHealth) -> Self {
        Self {
            state: health.state.into(),
            captured: health.captured.cast_signed(),
            analyzed: health.analyzed.cast_signed(),
            analysed: health.analyzed.cast_signed(),
            dropped: health.dropped.cast_signed(),
            last_error: health.last_error,
            last_frame_age_ms: health.last_frame_age.map(|age| age.as_secs_f64() * 1000.0),
        }
    }
}
