//! Why kept cameras are not watched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faceattend_core::Result;
use faceattend_core::store::KeptCamera;

use super::cameras::{Taken, no_room};

/// What is said of a camera that an operator chose and that may not be opened any more.
const NOT_PERMITTED: &str =
    "it is not there, or its place is no longer among --camera-hosts and --camera-folders: an admin may start it";

/// Why a camera is not watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A word for programs and pages.
    pub(crate) code: RefusalCode,
    /// What is wrong and what to do.
    pub(crate) text: String,
}

/// The kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalCode {
    /// As many cameras are watched as may be: it waits.
    NoRoom,
    /// It may not be opened.
    NotPermitted,
    /// Something else: see the text.
    Other,
}

impl RefusalCode {
    /// Returns the kind as the API spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoRoom => "no_room",
            Self::NotPermitted => "not_permitted",
            Self::Other => "other",
        }
    }
}

impl Refusal {
    /// Returns that of a camera which waits, where `most` are watched.
    pub(super) fn no_room(most: usize) -> Self {
        Self { code: RefusalCode::NoRoom, text: no_room(most) }
    }
}

/// The reasons, by the ids of the cameras. Each is logged once. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<BTreeMap<i64, Refusal>>>);

impl Refusals {
    /// Notes what came of watching a camera, where `most` may be watched.
    pub(super) fn note(&self, kept: &KeptCamera, outcome: Result<Taken>, most: usize) {
        let reason = match outcome {
            Ok(Taken::Watched) => None,
            Ok(Taken::NotPermitted) => Some(Refusal { code: RefusalCode::NotPermitted, text: NOT_PERMITTED.into() }),
            Ok(Taken::NoRoom) => Some(Refusal::no_room(most)),
            Err(error) => Some(Refusal { code: RefusalCode::Other, text: error.to_string() }),
        };
        let Some(reason) = reason else {
            self.lock().remove(&kept.id);
            return;
        };
        let before = self.lock().insert(kept.id, reason.clone());
        if before.as_ref() != Some(&reason) {
            let (name, address, text) = (&kept.name, &kept.key.name, &reason.text);
            // A thousand may wait: whoever starts them says how many.
            match reason.code {
                RefusalCode::NoRoom => tracing::debug!(camera = name, address, "a camera waits: {text}"),
                _ => tracing::error!(camera = name, address, "a camera is not watched: {text}"),
            }
        }
    }

    /// Returns why the camera is not watched.
    pub(super) fn of(&self, id: i64) -> Option<Refusal> {
        self.lock().get(&id).cloned()
    }

    /// Returns how many cameras wait for room.
    pub(super) fn waiting(&self) -> usize {
        self.lock().values().filter(|reason| reason.code == RefusalCode::NoRoom).count()
    }

    /// Forgets the reasons of all but these cameras.
    pub(super) fn keep_only(&self, is_wanted: impl Fn(i64) -> bool) {
        self.lock().retain(|id, _| is_wanted(*id));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Refusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
