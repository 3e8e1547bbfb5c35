//! A thread that looks after the cameras: it tells what state they have come into, writes their log, and deletes what
//! is old.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use faceattend_core::camera::CameraState;
use faceattend_core::{Error, Result};
use jiff::Timestamp;

use super::cameras::Cameras;
use super::log::DetectionLog;
use crate::live::events::{Events, LiveEvent};

/// How often states are looked at.
const ROUND: Duration = Duration::from_millis(250);
/// How often the log is written.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// The thread.
pub(super) struct Housekeeping(Arc<(Mutex<bool>, Condvar)>);

impl Housekeeping {
    pub(super) fn start(watched: Vec<Arc<Cameras>>, events: Events, log: Arc<DetectionLog>) -> Result<Self> {
        let background = Arc::new((Mutex::new(false), Condvar::new()));
        let held = Arc::clone(&background);
        let work = move || {
            let mut known = BTreeMap::new();
            let mut wrote = Instant::now();
            loop {
                tell_states(&watched, &mut known, &events);
                if wrote.elapsed() >= WRITE_EVERY {
                    log.write();
                    wrote = Instant::now();
                }
                let (stop, told) = &*held;
                let stop = stop.lock().unwrap_or_else(PoisonError::into_inner);
                let waited = told.wait_timeout_while(stop, ROUND, |stop| !*stop);
                if *waited.map_or_else(|poisoned| poisoned.into_inner().0, |(stop, _)| stop) {
                    return;
                }
            }
        };
        let spawned = std::thread::Builder::new().name("housekeeping".into()).spawn(work);
        spawned.map_err(|error| Error::Internal { reason: format!("no thread for the cameras: {error}") })?;
        Ok(Self(background))
    }

    /// Ends the thread at its next round.
    pub(super) fn stop(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.stop();
    }
}

type Known = BTreeMap<(usize, String), (CameraState, Option<String>)>;

/// Publishes every state that is another than in the round before.
fn tell_states(watched: &[Arc<Cameras>], known: &mut Known, events: &Events) {
    let mut now = BTreeMap::new();
    for (group, cameras) in watched.iter().enumerate() {
        for camera in cameras.status() {
            let state = camera.state();
            now.insert((group, camera.name), (state, camera.location, camera.health.last_error));
        }
    }
    let tell = |camera: &str, location: &Option<String>, state: CameraState, error: Option<String>| {
        events.publish(LiveEvent::CameraState {
            camera: camera.to_owned(),
            camera_location: location.clone(),
            state: state.as_str(),
            error,
            timestamp: Timestamp::now(),
        });
    };
    for (key, (state, location, error)) in &now {
        if known.get(key).is_none_or(|(before, _)| before != state) {
            let error = error.clone().filter(|_| matches!(state, CameraState::Reconnecting | CameraState::Failed));
            tell(&key.1, location, *state, error);
        }
    }
    for (key, (state, location)) in known.iter() {
        if !now.contains_key(key) && !state.is_over() {
            tell(&key.1, location, CameraState::Stopped, None);
        }
    }
    *known = now.into_iter().map(|(key, (state, location, _))| (key, (state, location))).collect();
}
