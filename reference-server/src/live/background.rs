//! What ends the threads that run beside the requests.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use faceattend_core::{Error, Result};

/// Holds threads that end once it is cut. Clones hold the same ones.
#[derive(Clone, Default)]
pub(super) struct BackgroundThreads(Arc<(Mutex<Pull>, Condvar)>);

#[derive(Default)]
struct Pull {
    cut: bool,
    pulled: bool,
}

impl BackgroundThreads {
    /// Starts a thread, which has to look whether the background threads are to end.
    pub(super) fn thread(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let spawned = std::thread::Builder::new().name(name.into()).spawn(work);
        spawned.map(drop).map_err(|error| Error::Internal { reason: format!("no thread {name}: {error}") })
    }

    /// Tells the threads to end at their next turn.
    pub(super) fn cut(&self) {
        self.lock().cut = true;
        self.0.1.notify_all();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.lock().cut
    }

    /// Ends one wait early, or the next one.
    pub(super) fn pull(&self) {
        self.lock().pulled = true;
        self.0.1.notify_all();
    }

    /// Waits so long, or until it is pulled or cut; whether the thread goes on.
    pub(super) fn wait(&self, at_most: Duration) -> bool {
        let waiting = self.0.1.wait_timeout_while(self.lock(), at_most, |pull| !pull.cut && !pull.pulled);
        let mut pull = waiting.map_or_else(|poisoned| poisoned.into_inner().0, |(pull, _)| pull);
        pull.pulled = false;
        !pull.cut
    }

    fn lock(&self) -> MutexGuard<'_, Pull> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
