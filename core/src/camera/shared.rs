//! The state that the threads of one camera share: the newest frame, the figures, and the wish to stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::health::{CameraState, Rate};
use crate::frame::Frame;

pub(super) struct Shared {
    pub(super) inner: Mutex<Inner>,
    /// Something in `inner` has changed.
    pub(super) changed: Condvar,
}

pub(super) struct Inner {
    pub(super) state: CameraState,
    pub(super) stop: bool,
    pub(super) waiting: Option<Frame<'static>>,
    pub(super) analyzing: bool,
    pub(super) source_is_over: bool,
    pub(super) threads: u8,
    pub(super) captured: u64,
    pub(super) analyzed: u64,
    pub(super) dropped: u64,
    pub(super) skipped: u64,
    pub(super) reconnects: u64,
    pub(super) capture_rate: Rate,
    pub(super) analysis_rate: Rate,
    pub(super) last_error: Option<String>,
    pub(super) last_frame: Option<Instant>,
}

impl Inner {
    pub(super) fn captured(&mut self) {
        self.reconnects += u64::from(self.state == CameraState::Reconnecting && self.captured > 0);
        self.state = CameraState::Running;
        self.captured += 1;
        let now = Instant::now();
        self.last_frame = Some(now);
        self.capture_rate.count(now);
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is a plain assignment: a panic leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let value = change(&mut self.lock());
        self.changed.notify_all();
        value
    }

    pub(super) fn wait_until(&self, timeout: Duration, reached: impl Fn(&Inner) -> bool) -> MutexGuard<'_, Inner> {
        self.changed
            .wait_timeout_while(self.lock(), timeout, |inner| !reached(inner))
            .map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner)
    }

    /// Waits for `pause` or the stop; whether it was the pause.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        !self.wait_until(pause, |inner| inner.stop).stop
    }

    pub(super) fn fail(&self, reason: &str) {
        self.change(|inner| {
            inner.last_error = Some(reason.to_owned());
            if !inner.state.is_over() {
                inner.state = CameraState::Failed;
            }
            inner.stop = true;
        });
    }
}

pub(super) const PANICKED: &str = "the camera's thread panicked";

/// A thread or seat of the camera that has not ended yet.
pub(super) struct Alive(pub(super) Arc<Shared>);

impl Alive {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        shared.lock().threads += 1;
        Self(shared.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.change(|inner| inner.threads -= 1);
    }
}
