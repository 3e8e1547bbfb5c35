//! The first loading of the gallery. A small one is loaded before the server listens; a large one while it answers
//! already, and until it is whole nobody is recognized: a server that knows half of the people would take the others
//! for strangers, and might take one for the most similar of those whom it knows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use faceattend_core::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;

use super::background::BackgroundThreads;
use super::gallery_sync::GallerySync;

/// How often the log says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(3);
/// The pause before it is tried again, while the database does not answer.
const BEFORE_ANOTHER_TRY: Duration = Duration::from_secs(2);
/// How often a pause is looked at, so that a server that is told to stop ends.
const LOOK: Duration = Duration::from_millis(100);

/// How far the known faces are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Loaded {
    /// How many templates are loaded.
    pub(crate) loaded: u64,
    /// How many there are.
    pub(crate) of: u64,
}

/// The state of the first loading. Clones tell of the same one.
#[derive(Clone, Default)]
pub(crate) struct GalleryStart(Arc<Shared>);

#[derive(Default)]
struct Shared {
    loaded: AtomicU64,
    of: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
enum State {
    /// Whoever starts the server waits for the outcome.
    #[default]
    Awaited,
    /// The server answers already.
    InTheBackground,
    /// It failed while it was awaited.
    Failed(Error),
    Whole,
}

impl GalleryStart {
    /// Loads the gallery from a thread of its own, and waits for it as long as `within` says: without one, until it is
    /// whole.
    ///
    /// # Errors
    /// Those of the store, if they come while it is awaited. Later ones are logged, and the loading is tried again.
    pub(super) fn load(
        &self,
        sync: &Arc<GallerySync>,
        within: Option<Duration>,
        background: &BackgroundThreads,
    ) -> Result<()> {
        if within == Some(Duration::ZERO) {
            *self.lock() = State::InTheBackground;
        }
        let (start, sync, held) = (self.clone(), Arc::clone(sync), background.clone());
        background.thread("known-faces", move || start.load_until_whole(&sync, &held))?;
        let is_awaited = |state: &mut State| matches!(state, State::Awaited);
        let mut state = match within {
            Some(within) => self
                .0
                .changed
                .wait_timeout_while(self.lock(), within, is_awaited)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state),
            None => self.0.changed.wait_while(self.lock(), is_awaited).unwrap_or_else(PoisonError::into_inner),
        };
        match std::mem::replace(&mut *state, State::InTheBackground) {
            State::Failed(error) => Err(error),
            State::Whole => {
                *state = State::Whole;
                Ok(())
            }
            State::Awaited | State::InTheBackground => Ok(()),
        }
    }

    /// Returns how far it is; `None` for a gallery that is whole.
    pub(crate) fn progress(&self) -> Option<Loaded> {
        if matches!(*self.lock(), State::Whole) {
            return None;
        }
        let (loaded, of) = (self.0.loaded.load(Ordering::Relaxed), self.0.of.load(Ordering::Relaxed));
        Some(Loaded { loaded, of })
    }

    /// Returns whether everybody is known who has a face.
    pub(crate) fn is_whole(&self) -> bool {
        self.progress().is_none()
    }

    fn load_until_whole(&self, sync: &GallerySync, background: &BackgroundThreads) {
        let mut said = Instant::now();
        let mut failing = false;
        loop {
            let loaded = sync.load_telling(&mut |loaded, of| {
                self.0.loaded.store(loaded, Ordering::Relaxed);
                self.0.of.store(of, Ordering::Relaxed);
                if background.is_cut() {
                    return Err(Error::State { what: "known faces", reason: "the server stops".into() });
                }
                if said.elapsed() >= SAY_EVERY {
                    said = Instant::now();
                    tracing::info!("Loaded {loaded} of {of} known faces");
                }
                Ok(())
            });
            let mut state = self.lock();
            let is_awaited = matches!(*state, State::Awaited);
            match loaded {
                Ok(()) => *state = State::Whole,
                Err(error) if is_awaited => *state = State::Failed(error),
                Err(error) => {
                    drop(state);
                    if !failing && !background.is_cut() {
                        tracing::warn!("the known faces cannot be loaded, nobody is recognized: {error}");
                    }
                    failing = true;
                    if wait(background) {
                        continue;
                    }
                    return;
                }
            }
            self.0.changed.notify_all();
            return;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits before another try; whether there is one.
fn wait(background: &BackgroundThreads) -> bool {
    let began = Instant::now();
    while began.elapsed() < BEFORE_ANOTHER_TRY {
        if background.is_cut() {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}
