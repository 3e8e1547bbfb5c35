//! A camera as the API shows it.

use faceattend_core::camera::{CameraHealth, CameraState, Orientation};
use faceattend_core::store::StoreTrouble;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ambiguous::AmbiguousPair;
use super::problems::ProblemItem;

/// A camera as the API shows it.
pub(crate) struct CameraStatus {
    /// The address that it was started with, without credentials.
    pub(crate) name: String,
    /// Its number, for the preview.
    pub(crate) id: u64,
    /// Whether it delivers frames or may still do so.
    pub(crate) is_running: bool,
    /// Its place.
    pub(crate) location: Option<String>,
    /// Whether its pictures may be looked at.
    pub(crate) preview: bool,
    /// How its pictures are turned.
    pub(crate) orientation: Orientation,
    /// What keeps it from naming people.
    pub(crate) problems: Vec<ProblemItem>,
    /// How it is doing.
    pub(crate) health: CameraHealth,
    /// Whom it could not tell apart.
    pub(crate) ambiguous: Vec<AmbiguousPair>,
    /// How many marks of its place wait for the database, and why.
    pub(crate) waiting: (u64, Option<StoreTrouble>),
}

/// A camera as the API shows it: the recorded three figures, and ours.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CameraItem {
    is_running: bool,
    camera_location: String,
    frame_count: u64,
    /// The number for the preview; null while another server has not reported it.
    #[schema(required, value_type = Option<u64>)]
    id: u64,
    /// Whether its preview may be looked at on this server.
    preview: bool,
    /// `connecting`, `running`, `reconnecting`, `stopped` or `failed`. A stream that could not be opened yet is
    /// `failed` for the reason in `last_error`, and opened again as long as `is_running` holds.
    state: &'static str,
    frames_analysed: u64,
    frames_dropped: u64,
    captured_per_second: f64,
    analysed_per_second: f64,
    /// In seconds.
    #[schema(required)]
    last_frame_age: Option<f64>,
    reconnects: u64,
    #[schema(required)]
    last_error: Option<String>,
    /// Students whom it could not tell apart lately: one person who is enrolled twice, or two who look alike.
    ambiguous: Vec<AmbiguousPair>,
    /// By how many degrees clockwise its pictures are turned: 0, 90, 180 or 270.
    orientation: u16,
    /// Whether they are mirrored left to right then.
    mirror: bool,
    /// What keeps it from naming people, as far as its pictures tell.
    problems: Vec<ProblemItem>,
    /// How many marks of its place wait for the database, which another program holds, or which is away.
    marks_waiting: u64,
    /// The server that reads it, where several share the cameras.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

impl CameraStatus {
    /// Returns its state as it is shown: one that never gave a picture has failed so far, also while it is opened
    /// again and again.
    pub(crate) fn state(&self) -> CameraState {
        match self.health.state {
            CameraState::Reconnecting if self.health.captured == 0 => CameraState::Failed,
            state => state,
        }
    }

    /// Returns it as the API shows it, as JSON: servers that share cameras send it to each other.
    pub(crate) fn item(&self) -> Value {
        let health = &self.health;
        let item = CameraItem {
            is_running: self.is_running,
            camera_location: self.location.clone().unwrap_or_else(|| "Unknown".into()),
            frame_count: health.captured,
            id: self.id,
            preview: self.preview,
            state: self.state().as_str(),
            frames_analysed: health.analyzed,
            frames_dropped: health.dropped,
            captured_per_second: tenths(health.captured_per_second),
            analysed_per_second: tenths(health.analyzed_per_second),
            last_frame_age: health.last_frame_age.map(|age| age.as_secs_f64()),
            reconnects: health.reconnects,
            last_error: health.last_error.clone().or_else(|| self.why_marks_wait()),
            marks_waiting: self.waiting.0,
            ambiguous: self.ambiguous.clone(),
            orientation: self.orientation.degrees(),
            mirror: self.orientation.is_mirrored(),
            problems: self.problems.clone(),
            server: None,
        };
        serde_json::to_value(item).unwrap_or_default()
    }
}

impl CameraStatus {
    /// A camera that works and whose marks wait has this to say.
    fn why_marks_wait(&self) -> Option<String> {
        let (marks, trouble) = self.waiting;
        let why = trouble.map_or("the database has not taken them yet", StoreTrouble::advice);
        (marks > 0).then(|| format!("marks that wait for the database: {marks}; {why}"))
    }
}

fn tenths(value: f32) -> f64 {
    (f64::from(value) * 10.0).round() / 10.0
}
