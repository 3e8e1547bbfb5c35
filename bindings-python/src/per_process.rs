//! What belongs to one process and is made anew after a fork.
//!
//! A web server that preloads its application forks afterwards. What was made before holds locks that nobody will
//! release, connections that two processes must not share, and threads that are gone. So it is never used in the
//! child: its first use there makes another one, and the parent's is left as it is, not even dropped, since dropping
//! would touch all that.

use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use faceattend_core::Result;

/// A value made at its first use in each process.
pub(crate) struct PerProcess<T> {
    slot: ArcSwap<Slot<T>>,
    make: Box<dyn Fn() -> Result<T> + Send + Sync>,
}

struct Slot<T> {
    process: u32,
    value: Mutex<Option<Arc<T>>>,
}

impl<T> Slot<T> {
    fn empty() -> Arc<Self> {
        Arc::new(Self { process: process::id(), value: Mutex::new(None) })
    }
}

impl<T> PerProcess<T> {
    /// A value that `make` makes.
    pub(crate) fn new(make: impl Fn() -> Result<T> + Send + Sync + 'static) -> Self {
        Self { slot: ArcSwap::new(Slot::empty()), make: Box::new(make) }
    }

    /// This process's value. Blocks while another thread makes it.
    ///
    /// # Errors
    /// Those of making it; the next call tries again.
    pub(crate) fn get(&self) -> Result<Arc<T>> {
        let slot = self.slot();
        let mut value = slot.value.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*value {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new((self.make)()?);
        *value = Some(Arc::clone(&made));
        Ok(made)
    }

    fn slot(&self) -> Arc<Slot<T>> {
        let current = self.slot.load_full();
        if current.process == process::id() {
            return current;
        }
        // The parent's lock may be held by a thread that does not exist here, so it is not looked into.
        let previous = self.slot.compare_and_swap(&current, Slot::empty());
        if Arc::ptr_eq(&previous, &current) {
            // Once for each fork: what it holds is the parent's.
            std::mem::forget(current);
        }
        self.slot.load_full()
    }
}
