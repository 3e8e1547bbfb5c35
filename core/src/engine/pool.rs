//! A bounded pool of workbenches: it analyzes as many frames at once as the thread budget allows.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::error::Result;

pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
    limit: usize,
    make: Box<dyn Fn() -> Result<T> + Send + Sync>,
}

struct State<T> {
    idle: Vec<T>,
    /// Idle and lent out together.
    alive: usize,
}

impl<T> Pool<T> {
    /// Creates a pool that holds `first` and makes up to `limit` in all, each when it is first needed.
    pub(super) fn new(first: T, limit: usize, make: impl Fn() -> Result<T> + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::new(State { idle: vec![first], alive: 1 }),
            returned: Condvar::new(),
            limit: limit.max(1),
            make: Box::new(make),
        }
    }

    /// Runs `work` on one of them, waiting for one to come back when all are lent out.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut lent = Lent { pool: self, item: None };
        let item = match self.take() {
            Some(item) => lent.item.insert(item),
            // Making one takes long: it happens outside the lock, its place already counted.
            None => lent.item.insert((self.make)()?),
        };
        work(item)
    }

    /// Returns an idle one, or `None` when a place for a new one was reserved.
    fn take(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(item) = state.idle.pop() {
                return Some(item);
            }
            if state.alive < self.limit {
                state.alive += 1;
                return None;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Gives the item back, or its place when it was never made or a panic may have left it half done.
struct Lent<'a, T> {
    pool: &'a Pool<T>,
    item: Option<T>,
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.item.take() {
            Some(item) if !std::thread::panicking() => state.idle.push(item),
            _ => state.alive -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;

    #[test]
    fn never_more_than_the_limit_are_made() {
        let made = Arc::new(AtomicUsize::new(1));
        let counter = Arc::clone(&made);
        let pool = Pool::new(0, 3, move || Ok(counter.fetch_add(1, Ordering::SeqCst)));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        pool.with(|_| {
                            std::thread::sleep(std::time::Duration::from_micros(200));
                            Ok(())
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert!(made.load(Ordering::SeqCst) <= 3);
    }

    #[test]
    fn a_failure_to_make_one_and_a_panic_leave_the_place_free() {
        let pool = Pool::new((), 1, || Err(Error::Internal { reason: "no".into() }));
        let caught =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pool.with(|()| -> Result<()> { panic!("x") })));
        assert!(caught.is_err());
        // The only one is lost; its place is free, so making another is tried instead of waiting for ever.
        assert!(pool.with(|()| Ok(())).is_err());
        assert!(pool.with(|()| Ok(())).is_err());
    }
}
