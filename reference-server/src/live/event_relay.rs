//! What happens at one server, for the WebSocket clients of the others.
//!
//! Events of a moment go together: ten cameras that see a crowd are ten messages a second to the database, not a
//! hundred. Marks are not among them, because their rows tell of themselves, and neither are the log's lines, which are
//! about one server.

use std::sync::Arc;
use std::time::Duration;

use faceattend_core::Result;
use faceattend_core::camera::CameraState;
use faceattend_core::store::{SecondLookState, SecondLookVerdict, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::background::BackgroundThreads;
use super::cameras::reached_by_all;
use crate::live::events::{LiveEvent, SeenFace};

/// How long events wait for others to go with.
const GATHER: Duration = Duration::from_millis(100);

/// An event on its way. Words that a newer version adds are passed over by an older one.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Relayed {
    DetectionUpdate {
        camera: String,
        camera_location: Option<String>,
        timestamp: Timestamp,
        faces: Vec<SeenFace>,
    },
    CameraState {
        camera: String,
        camera_location: Option<String>,
        state: String,
        error: Option<String>,
        timestamp: Timestamp,
    },
    SpoofSuspected {
        camera: String,
        camera_location: Option<String>,
        timestamp: Timestamp,
        track: u64,
        student_id: i64,
        student_name: Option<String>,
        reasons: Vec<String>,
    },
    SecondLook {
        second_look_id: i64,
        student_id: i64,
        student_name: String,
        student_roll_number: String,
        state: SecondLookState,
        verdict: SecondLookVerdict,
        reasons: Vec<String>,
        confidence_score: Option<f64>,
        camera_location: Option<String>,
        timestamp: Timestamp,
    },
}

/// Announces what happens at the server called `server`, until nobody can tell anything any more.
pub(super) fn start(
    store: Arc<dyn Store>,
    server: String,
    mut own: Receiver<Arc<LiveEvent>>,
    background: &BackgroundThreads,
) -> Result<()> {
    background.thread("event-relay", move || {
        let mut failing = false;
        loop {
            let mut events = match own.blocking_recv() {
                Ok(event) => vec![event],
                Err(RecvError::Lagged(_)) => Vec::new(),
                Err(RecvError::Closed) => return,
            };
            std::thread::sleep(GATHER);
            loop {
                match own.try_recv() {
                    Ok(event) => events.push(event),
                    Err(TryRecvError::Lagged(_)) => {}
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            let Some(text) = text_of(&events, &server) else { continue };
            match super::cluster::cluster(&*store).and_then(|cluster| cluster.announce(&text)) {
                Ok(()) => failing = false,
                // Events are news: they are not told later.
                Err(error) if !failing => {
                    tracing::warn!("other servers could not be told what happens here: {error}");
                    failing = true;
                }
                Err(_) => {}
            }
        }
    })
}

/// The events as one text; `None` when there are none for others.
fn text_of(events: &[Arc<LiveEvent>], server: &str) -> Option<String> {
    let relayed: Vec<Relayed> = events.iter().filter_map(|event| relayed(event, server)).collect();
    if relayed.is_empty() { None } else { serde_json::to_string(&relayed).ok() }
}

fn relayed(event: &LiveEvent, server: &str) -> Option<Relayed> {
    match event.clone() {
        LiveEvent::DetectionUpdate { camera, camera_location, timestamp, faces } => Some(Relayed::DetectionUpdate {
            camera: seen_from_afar(&camera, server),
            camera_location,
            timestamp,
            faces,
        }),
        LiveEvent::CameraState { camera, camera_location, state, error, timestamp } => Some(Relayed::CameraState {
            camera: seen_from_afar(&camera, server),
            camera_location,
            state: state.to_owned(),
            error,
            timestamp,
        }),
        LiveEvent::SpoofSuspected { camera, camera_location, timestamp, track, student_id, student_name, reasons } => {
            let camera = seen_from_afar(&camera, server);
            Some(Relayed::SpoofSuspected {
                camera,
                camera_location,
                timestamp,
                track,
                student_id,
                student_name,
                reasons,
            })
        }
        LiveEvent::SecondLook {
            second_look_id,
            student_id,
            student_name,
            student_roll_number,
            state,
            verdict,
            reasons,
            confidence_score,
            camera_location,
            timestamp,
        } => Some(Relayed::SecondLook {
            second_look_id,
            student_id,
            student_name,
            student_roll_number,
            state,
            verdict,
            reasons,
            confidence_score,
            camera_location,
            timestamp,
        }),
        // Every server hears of these from the database.
        LiveEvent::AttendanceMarked { .. } | LiveEvent::StatusesChanged { .. } | LiveEvent::LogLine { .. } => None,
    }
}

/// What another server calls a camera of `server`: the same where it reaches it too.
pub(super) fn seen_from_afar(camera: &str, server: &str) -> String {
    if reached_by_all(camera) { camera.to_owned() } else { format!("{camera}@{server}") }
}

/// The events in an announcement of another server; none of what is not understood.
pub(super) fn heard(text: &str) -> Vec<LiveEvent> {
    let items: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).filter_map(event_of).collect()
}

fn event_of(relayed: Relayed) -> Option<LiveEvent> {
    const STATES: [CameraState; 5] = [
        CameraState::Connecting,
        CameraState::Running,
        CameraState::Reconnecting,
        CameraState::Stopped,
        CameraState::Failed,
    ];
    Some(match relayed {
        Relayed::DetectionUpdate { camera, camera_location, timestamp, faces } => {
            LiveEvent::DetectionUpdate { camera, camera_location, timestamp, faces }
        }
        Relayed::CameraState { camera, camera_location, state, error, timestamp } => {
            let state = STATES.into_iter().map(CameraState::as_str).find(|known| *known == state)?;
            LiveEvent::CameraState { camera, camera_location, state, error, timestamp }
        }
        Relayed::SpoofSuspected { camera, camera_location, timestamp, track, student_id, student_name, reasons } => {
            LiveEvent::SpoofSuspected { camera, camera_location, timestamp, track, student_id, student_name, reasons }
        }
        Relayed::SecondLook {
            second_look_id,
            student_id,
            student_name,
            student_roll_number,
            state,
            verdict,
            reasons,
            confidence_score,
            camera_location,
            timestamp,
        } => LiveEvent::SecondLook {
            second_look_id,
            student_id,
            student_name,
            student_roll_number,
            state,
            verdict,
            reasons,
            confidence_score,
            camera_location,
            timestamp,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_arrive_as_they_were_and_say_whose_camera_it_is() {
        let face = SeenFace {
            track: 7,
            bbox: [1, 2, 30, 40],
            student_id: Some(3),
            student_name: Some("Zoë".into()),
            confidence: Some(0.91),
            liveness: "undecided".into(),
            asked: Some("left".into()),
        };
        let update = |camera: &str| LiveEvent::DetectionUpdate {
            camera: camera.into(),
            camera_location: Some("Gate".into()),
            timestamp: "2026-03-02T08:15:30.25Z".parse().unwrap(),
            faces: vec![face.clone()],
        };
        let state = |camera: &str| LiveEvent::CameraState {
            camera: camera.into(),
            camera_location: None,
            state: "reconnecting",
            error: Some("no answer".into()),
            timestamp: Timestamp::UNIX_EPOCH,
        };
        let look = LiveEvent::SecondLook {
            second_look_id: 5,
            student_id: 3,
            student_name: "Zoë".into(),
            student_roll_number: "R1".into(),
            state: SecondLookState::Open,
            verdict: SecondLookVerdict::Spoof,
            reasons: vec!["frozen".into()],
            confidence_score: Some(0.91),
            camera_location: None,
            timestamp: "2026-03-02T08:15:30.25Z".parse().unwrap(),
        };
        let happened = [update("rtsp://host/1"), LiveEvent::info("Reloaded 1 known faces"), state("0"), look.clone()]
            .map(Arc::new);
        let text = text_of(&happened, "b").unwrap();
        assert_eq!(heard(&text), [update("rtsp://host/1"), state("0@b"), look]);
        assert_eq!(text_of(&[Arc::new(LiveEvent::info("x"))], "b"), None);
    }

    #[test]
    fn what_is_not_understood_is_passed_over() {
        let newer = r#"[{"type": "tomorrow"}, 7, {"type": "camera_state", "camera": "c", "state": "flying",
            "timestamp": "2026-03-02T08:15:30Z"}, {"type": "camera_state", "camera": "c", "camera_location": null,
            "state": "stopped", "error": null, "timestamp": "2026-03-02T08:15:30Z"}]"#;
        assert_eq!(heard(newer).len(), 1);
        assert!(heard("").is_empty() && heard("{}").is_empty());
    }
}
