//! Which connections are at work, and which of the others gives way to a newcomer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

/// How long a client that must give way has for taking the rest of its answer.
const GIVES_WAY_WITHIN: Duration = Duration::from_millis(400);

/// The open connections.
#[derive(Clone, Default)]
pub(super) struct Seats(Arc<Mutex<Vec<Arc<Seat>>>>);

impl Seats {
    /// Adds a connection that has not asked for anything yet.
    pub(super) fn sit(&self) -> Seated {
        let seat = Arc::new(Seat {
            state: Mutex::new(State { waiting_since: Some(Instant::now()), at_work: 0, asked: false }),
            leave: watch::Sender::new(false),
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&seat));
        Seated { seat, among: self.clone() }
    }

    /// Tells the connection that has waited longest for nothing to leave. Returns whether there is one.
    pub(super) fn longest_leaves(&self) -> bool {
        let seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest =
            seats.iter().filter_map(|seat| Some((seat.state().waiting_since?, seat))).min_by_key(|(since, _)| *since);
        let Some((_, seat)) = longest else { return false };
        // It is told once.
        seat.state().waiting_since = None;
        seat.leave.send_replace(true);
        true
    }
}

/// One connection, as far as it matters whether it is idle.
pub(super) struct Seat {
    state: Mutex<State>,
    leave: watch::Sender<bool>,
}

struct State {
    /// Since when no request is being answered; `None` for a connection at work, and for one that was told to leave.
    waiting_since: Option<Instant>,
    /// How many requests are being answered; over HTTP/1.1 one at a time.
    at_work: usize,
    /// Whether there ever was a request.
    asked: bool,
}

impl Seat {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_asked_nothing(&self) -> bool {
        !self.state().asked
    }

    /// Notes that a request has arrived. It is being answered until what is returned is dropped.
    pub(super) fn asks(self: &Arc<Self>) -> AtWork {
        let mut state = self.state();
        *state = State { waiting_since: None, at_work: state.at_work + 1, asked: true };
        AtWork(Arc::clone(self))
    }

    /// Returns since when the connection waits for a request.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.state().waiting_since
    }

    /// Resolves once the connection is told to leave.
    pub(super) async fn told_to_leave(&self) {
        // The sender is this seat's own.
        let _ = self.leave.subscribe().wait_for(|told| *told).await;
    }

    /// Resolves when a client that was told to leave has had time enough for the rest of its answer.
    pub(super) async fn had_its_time(&self) {
        loop {
            sleep(GIVES_WAY_WITHIN).await;
            if self.state().at_work == 0 {
                return;
            }
        }
    }
}

/// A request that is being answered. Dropped, the answer is made: what the client takes of it, and when, is up to the
/// client.
pub(super) struct AtWork(Arc<Seat>);

impl AtWork {
    /// Leaves the connection at work until it ends, as a WebSocket.
    pub(super) fn for_good(self) {
        self.0.state().at_work += 1;
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.at_work -= 1;
        if state.at_work == 0 {
            state.waiting_since = Some(Instant::now());
        }
    }
}

/// A seat that is given back when it is dropped.
pub(super) struct Seated {
    seat: Arc<Seat>,
    among: Seats,
}

impl Seated {
    pub(super) fn seat(&self) -> Arc<Seat> {
        Arc::clone(&self.seat)
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let mut seats = self.among.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
    }
}
