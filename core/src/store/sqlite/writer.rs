//! The one connection that writes, and the line before it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::connection::BUSY_TIMEOUT;

/// How many calls may wait for the connection. A write takes milliseconds, so a line this long is a database that is
/// held by another program; and the threads of a server (512) must not all stand in it, or nothing can be read.
const LONGEST_LINE: usize = 256;

/// The connection that writes. Each call waits no longer than [`BUSY_TIMEOUT`] for it and for other programs together:
/// in a line where each waited its turn and then for the other program, the last would wait minutes.
pub(super) struct Writer {
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    /// `None` while somebody writes.
    connection: Option<Connection>,
    waiting: usize,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { state: Mutex::new(State { connection: Some(connection), waiting: 0 }), returned: Condvar::new() }
    }

    /// Does `work` with the connection, which waits for other programs for what is left of [`BUSY_TIMEOUT`]; returns
    /// `None` when the turn does not come in time or the line is too long.
    pub(super) fn in_turn<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        let until = Instant::now() + BUSY_TIMEOUT;
        let mut state = self.state();
        if state.connection.is_none() {
            if state.waiting >= LONGEST_LINE {
                return None;
            }
            state.waiting += 1;
            let waited = self.returned.wait_timeout_while(state, BUSY_TIMEOUT, |state| state.connection.is_none());
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            state.waiting -= 1;
        }
        let mut turn = Turn { writer: self, connection: state.connection.take() };
        drop(state);
        let connection = turn.connection.as_mut()?;
        // It only says how long SQLite waits, and cannot fail on an open connection.
        let _ = connection.busy_timeout(until.saturating_duration_since(Instant::now()));
        Some(work(connection))
    }

    /// Does `work` with the connection, however long others take.
    pub(super) fn when_free<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        let state = self.returned.wait_while(self.state(), |state| state.connection.is_none());
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let mut turn = Turn { writer: self, connection: state.connection.take() };
        drop(state);
        turn.connection.as_mut().map(work)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds the connection, which goes back when this is dropped. A panic in a transaction rolls it back as it unwinds, so
/// that the connection is sound.
struct Turn<'w> {
    writer: &'w Writer,
    connection: Option<Connection>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.writer.state().connection = Some(connection);
            self.writer.returned.notify_one();
        }
    }
}
