//! What happens in live detection, as it happens: for WebSocket clients and for whoever else listens.
//!
//! Events are told to everybody who listens at that moment and kept for nobody: a listener that falls more than
//! [`KEPT`] events behind loses the oldest and is told how many, so a slow one costs no memory.

use std::borrow::Cow;
use std::sync::Arc;

use faceattend_core::store::{AttendanceRecord, SecondLook, SecondLookState, SecondLookVerdict};
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::broadcast;

use crate::wire_time::naive_utc;
use jiff::Timestamp;

/// How far a listener may fall behind: at ten cameras of five pictures a second, five seconds.
pub(crate) const KEPT: usize = 256;

/// What happened. Cameras are named without credentials. Serializes to an object with its `type`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// The faces that a camera shows have changed, or whom they are decided to be.
    DetectionUpdate {
        /// The camera, as its status names it.
        camera: String,
        /// Its place.
        camera_location: Option<String>,
        /// When the picture was taken.
        #[serde(serialize_with = "naive")]
        timestamp: Timestamp,
        /// Every face in it.
        faces: Vec<SeenFace>,
    },
    /// Somebody has been marked, by a camera, by a picture or by hand.
    AttendanceMarked {
        /// The new row.
        attendance_id: i64,
        /// Whose.
        student_id: i64,
        /// The student's name.
        student_name: String,
        /// The student's roll number.
        student_roll_number: String,
        /// `Present` or `Late`.
        status: String,
        /// The similarity, on the scale of the documented threshold 0.7.
        confidence_score: Option<f64>,
        /// Where.
        camera_location: Option<String>,
        /// When.
        #[serde(serialize_with = "naive")]
        timestamp: Timestamp,
    },
    /// A sighting has come onto the second-look list, or was decided.
    SecondLook {
        /// The entry of the list.
        second_look_id: i64,
        /// Who was seen.
        student_id: i64,
        /// The student's name.
        student_name: String,
        /// The student's roll number.
        student_roll_number: String,
        /// `open` for a new one, else what was decided.
        state: SecondLookState,
        /// What the camera thought.
        verdict: SecondLookVerdict,
        /// Why, as stable codes.
        reasons: Vec<String>,
        /// The similarity, on the scale of the documented threshold 0.7.
        confidence_score: Option<f64>,
        /// Where.
        camera_location: Option<String>,
        /// When the student was seen.
        #[serde(serialize_with = "naive")]
        timestamp: Timestamp,
    },
    /// A camera has come into another state.
    CameraState {
        /// The camera, as its status names it.
        camera: String,
        /// Its place.
        camera_location: Option<String>,
        /// `connecting`, `running`, `reconnecting`, `stopped` or `failed`.
        state: &'static str,
        /// The last thing that went wrong.
        error: Option<String>,
        /// When.
        #[serde(serialize_with = "naive")]
        timestamp: Timestamp,
    },
    /// A camera shows a picture of a person instead of the person.
    SpoofSuspected {
        /// The camera, as its status names it.
        camera: String,
        /// Its place.
        camera_location: Option<String>,
        /// When.
        #[serde(serialize_with = "naive")]
        timestamp: Timestamp,
        /// The face, as `detection_update` numbers it.
        track: u64,
        /// Whom the picture shows.
        student_id: i64,
        /// The student's name.
        student_name: Option<String>,
        /// Why, as stable codes.
        reasons: Vec<String>,
    },
    /// What statuses are derived from is another: a row was deleted or corrected, or groups, timetables, the calendar
    /// or excuses changed. A view of them asks anew.
    StatusesChanged {
        /// When this server heard of it.
        #[serde(serialize_with = "naive")]
        timestamp: Timestamp,
    },
    /// A line of the log that an operator wants to see.
    LogLine {
        /// `INFO`, `WARN` or `ERROR`.
        level: &'static str,
        /// One sentence, without credentials.
        message: String,
        /// When.
        #[serde(serialize_with = "naive")]
        timestamp: Timestamp,
    },
}

/// A face in a camera's picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenFace {
    /// The same face keeps its number from picture to picture.
    pub track: u64,
    /// Left, top, right, bottom in pixels of the picture.
    pub bbox: [i64; 4],
    /// Whose it is, once enough views agree.
    pub student_id: Option<i64>,
    /// The student's name, once known.
    pub student_name: Option<String>,
    /// The similarity, once known.
    pub confidence: Option<f32>,
    /// Whether it is alive, as far as its pictures tell: `live`, `undecided` or `spoof`. Other servers of an earlier
    /// version say nothing of it.
    #[serde(default)]
    pub liveness: Cow<'static, str>,
    /// The movement that the person is asked for: `left` and `right` (the person's own), `up` or `down`.
    #[serde(default)]
    pub asked: Option<Cow<'static, str>>,
}

impl LiveEvent {
    /// What a new attendance row tells.
    #[must_use]
    pub fn marked(record: &AttendanceRecord) -> Self {
        Self::AttendanceMarked {
            attendance_id: record.id,
            student_id: record.student.0,
            student_name: record.student_name.clone(),
            student_roll_number: record.student_roll_number.clone(),
            status: record.status.clone(),
            confidence_score: record.confidence_score,
            camera_location: record.camera_location.clone(),
            timestamp: record.timestamp,
        }
    }

    /// What a new entry of the second-look list tells, or one that was decided.
    #[must_use]
    pub fn second_look(look: &SecondLook) -> Self {
        Self::SecondLook {
            second_look_id: look.id,
            student_id: look.student().0,
            student_name: look.student_name.clone(),
            student_roll_number: look.student_roll_number.clone(),
            state: look.state,
            verdict: look.verdict,
            reasons: look.reasons.clone(),
            confidence_score: look.sighting.confidence_score,
            camera_location: look.sighting.camera_location.clone(),
            timestamp: look.sighting.at,
        }
    }

    /// What statuses are derived from is another, now.
    #[must_use]
    pub fn statuses_changed() -> Self {
        Self::StatusesChanged { timestamp: Timestamp::now() }
    }

    /// A line of the log, now.
    #[must_use]
    pub fn info(message: impl Into<String>) -> Self {
        Self::LogLine { level: "INFO", message: message.into(), timestamp: Timestamp::now() }
    }
}

/// Where events are told. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    /// Everything, for whoever listens here.
    told: broadcast::Sender<Arc<LiveEvent>>,
    /// What has happened at this server, for the others.
    own: broadcast::Sender<Arc<LiveEvent>>,
}

impl Default for Events {
    fn default() -> Self {
        Self { told: broadcast::Sender::new(KEPT), own: broadcast::Sender::new(KEPT) }
    }
}

impl Events {
    /// Tells everybody who listens. Never waits.
    pub fn publish(&self, event: LiveEvent) {
        let event = Arc::new(event);
        // Nobody listens: nobody misses it.
        let _ = self.own.send(Arc::clone(&event));
        let _ = self.told.send(event);
    }

    /// Tells everybody who listens here what has happened at another server.
    pub(crate) fn repeat(&self, event: LiveEvent) {
        let _ = self.told.send(Arc::new(event));
    }

    /// What happens at this server from now on.
    pub(crate) fn subscribe_to_own(&self) -> broadcast::Receiver<Arc<LiveEvent>> {
        self.own.subscribe()
    }

    /// What happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<LiveEvent>> {
        self.told.subscribe()
    }
}

fn naive<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&naive_utc(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_its_type_and_its_time_as_the_api_does() {
        let event = LiveEvent::LogLine { level: "INFO", message: "x".into(), timestamp: Timestamp::UNIX_EPOCH };
        let expected = r#"{"type":"log_line","level":"INFO","message":"x","timestamp":"1970-01-01T00:00:00"}"#;
        assert_eq!(serde_json::to_string(&event).unwrap(), expected);
    }

    #[tokio::test]
    async fn a_slow_listener_loses_the_oldest_and_is_told() {
        let events = Events::default();
        let mut slow = events.subscribe();
        for n in 0..=KEPT {
            events.publish(LiveEvent::info(n.to_string()));
        }
        assert!(matches!(slow.recv().await, Err(broadcast::error::RecvError::Lagged(1))));
        assert!(matches!(&*slow.recv().await.unwrap(), LiveEvent::LogLine { message, .. } if message == "1"));
    }
}
