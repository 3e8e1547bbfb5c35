//! Tests of the session, with faces made up in the geometry of the recordings.

mod arrival;
mod evidence;
mod lifecycle;
mod nods;
mod one_frame;
mod order;
mod properties;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::antispoof::PassivePad;
use crate::embedding::{Calibration, Embedding};
use crate::engine::{Analysis, Embedder, Face};
use crate::error::ErrorKind;
use crate::geometry::Rect;
use crate::pose::Pose;
use crate::quality::{Quality, QualityReason};
use crate::types::{Cosine, Degrees, ModelId, SessionId, StudentId, Threshold};

pub(super) fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

pub(super) fn seconds(count: i64) -> Timestamp {
    start() + SignedDuration::from_secs(count)
}

pub(super) fn embedder() -> Embedder {
    Embedder { model: ModelId::new("test"), dimension: 48, calibration: Calibration::arcface() }
}

/// The view of `person` at `yaw`, in the geometry of the recordings: cosine .8 from center to each side, .52 between
/// the sides; persons are orthogonal.
pub(super) fn view(person: usize, yaw: f32) -> Face {
    let mut raw = vec![0.0; 48];
    let parts: &[f32] = match yaw {
        y if y < -15.0 => &[0.8, 0.6, 0.0],
        y if y > 15.0 => &[0.8, -0.2, 0.565_7],
        _ => &[1.0, 0.0, 0.0],
    };
    raw[person * 3..person * 3 + 3].copy_from_slice(parts);
    let mut face = Face::detected(Rect::new(0.0, 0.0, 96.0, 96.0), 0.9, None);
    face.embedding = Some(Embedding::from_raw(ModelId::new("test"), &raw).unwrap());
    face.pose = Some(Pose { yaw: Degrees(yaw), nose_offset: yaw.to_radians().tan() / 0.8, ..Pose::default() });
    face
}

fn scored(person: usize, yaw: f32, real: f32) -> Face {
    Face { antispoof: PassivePad::Scored { real }, ..view(person, yaw) }
}

/// A hash that no other number has, and that looks like no other.
pub(super) fn hash_of(number: u64) -> FrameHash {
    let words = (0..9u64).flat_map(|i| {
        (number * 9 + i + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            .to_le_bytes()
    });
    let perceptual = PerceptualHash::from_bytes(&words.collect::<Vec<_>>()).unwrap();
    FrameHash { exact: number, perceptual, face: None, size: [640, 480], camera: None, seen_elsewhere: false }
}

/// A session, and a counter that gives every frame its own hash.
struct Run {
    session: LivenessSession,
    embedder: Embedder,
    frames: u64,
}

impl Run {
    fn new(options: LivenessOptions) -> Self {
        let session = LivenessSession::new(SessionId::random(), Some(StudentId(7)), options, start());
        Self { session, embedder: embedder(), frames: 0 }
    }

    fn see(&mut self, requested: Position, faces: Vec<Face>) -> Outcome {
        self.frames += 1;
        self.see_frame(requested, faces, self.frames, seconds(1))
    }

    fn see_frame(&mut self, requested: Position, faces: Vec<Face>, frame_hash: u64, now: Timestamp) -> Outcome {
        let analysis = Analysis { faces, input_size: 320 };
        let frame_hash = hash_of(frame_hash);
        let observation =
            Observation { requested, analysis: &analysis, embedder: &self.embedder, frame_hash, captured_at: None };
        self.session.observe(&observation, now)
    }

    /// Sees a frame of which something else is known.
    fn see_as(
        &mut self,
        requested: Position,
        face: Face,
        frame_hash: FrameHash,
        captured_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Outcome {
        let analysis = Analysis { faces: vec![face], input_size: 320 };
        let observation =
            Observation { requested, analysis: &analysis, embedder: &self.embedder, frame_hash, captured_at };
        self.session.observe(&observation, now)
    }

    fn genuine(&mut self) -> Outcome {
        self.see(Position::Center, vec![view(0, 1.0)]);
        self.see(Position::Left, vec![view(0, -20.0)]);
        self.see(Position::Right, vec![view(0, 20.0)])
    }
}

fn default_run() -> Run {
    Run::new(LivenessOptions::default())
}

fn any_order() -> LivenessOptions {
    LivenessOptions::default().with_order(Order::Any, 0)
}

fn first_code(outcome: &Outcome) -> Option<&'static str> {
    outcome.reasons.first().map(Reason::code)
}

fn of_quality(face: Face, reasons: &[QualityReason]) -> Face {
    let quality =
        Quality { eye_distance: 50.0, sharpness: 90.0, brightness: 20.0, visible: 1.0, reasons: reasons.to_vec() };
    Face { quality: Some(quality), ..face }
}

fn through_json(session: &LivenessSession) -> LivenessSession {
    let text = serde_json::to_string(&session.to_state()).unwrap();
    LivenessSession::from_state(serde_json::from_str(&text).unwrap()).unwrap()
}
