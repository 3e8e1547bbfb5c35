//! Why kept cameras are not watched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faceattend_core::Result;
use faceattend_core::store::KeptCamera;

/// What is said of a camera that an operator chose and that may not be opened any more.
const NOT_PERMITTED: &str =
    "it is not there, or its place is no longer among --camera-hosts and --camera-folders: an admin may start it";

/// The reasons, by the ids of the cameras. Each is logged once. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<BTreeMap<i64, String>>>);

impl Refusals {
    /// Notes what came of watching a camera.
    pub(super) fn note(&self, kept: &KeptCamera, outcome: Result<bool>) {
        let reason = match outcome {
            Ok(true) => None,
            Ok(false) => Some(NOT_PERMITTED.to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let Some(reason) = reason else {
            self.lock().remove(&kept.id);
            return;
        };
        let before = self.lock().insert(kept.id, reason.clone());
        if before.as_ref() != Some(&reason) {
            tracing::error!(camera = kept.name, address = kept.key.name, "a camera is not watched: {reason}");
        }
    }

    /// Returns why the camera is not watched.
    pub(super) fn of(&self, id: i64) -> Option<String> {
        self.lock().get(&id).cloned()
    }

    /// Forgets the reasons of all but these cameras.
    pub(super) fn keep_only(&self, is_wanted: impl Fn(i64) -> bool) {
        self.lock().retain(|id, _| is_wanted(*id));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
