//! Hashing passwords, a few at a time: each takes 19 MiB and tens of milliseconds of a core on purpose, and anybody can
//! ask for one.

use std::sync::Arc;

use faceattend_core::Result;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many logins may wait: two classes that arrive in one moment, who wait two seconds on two cores.
const WAITING: usize = 64;

/// Turns for hashing passwords, one for each core. The threads of the store are never taken by hashes: so many more
/// threads exist than turns.
#[derive(Debug)]
pub(crate) struct Hashing {
    /// One permit a login that waits.
    queue: Semaphore,
    /// One permit a password that is hashed.
    running: Arc<Semaphore>,
}

/// A turn for hashing one password.
#[derive(Debug)]
pub(crate) struct Turn(OwnedSemaphorePermit);

impl Hashing {
    /// Returns the turns of a machine.
    pub(crate) fn new() -> Self {
        Self::with_turns(std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn with_turns(turns: usize) -> Self {
        Self { queue: Semaphore::new(WAITING), running: Arc::new(Semaphore::new(turns)) }
    }

    /// Waits for a turn; `None` when too many wait already.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        let _waits = self.queue.try_acquire().ok()?;
        Arc::clone(&self.running).acquire_owned().await.ok().map(Turn)
    }
}

impl Turn {
    /// Runs `work` and ends the turn, on a thread that may block. The turn lasts as long as the work, also when the
    /// client hangs up.
    pub(crate) fn run<T>(self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let _permit = self.0;
        work()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn as_many_hash_as_there_are_cores_a_few_wait_and_the_rest_is_refused() {
        let mut context = Context::from_waker(Waker::noop());
        let hashing = Hashing::with_turns(2);
        let first = hashing.turn().await.unwrap();
        let _second = hashing.turn().await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(hashing.turn())).collect();
        for turn in &mut waiting {
            assert!(turn.as_mut().poll(&mut context).is_pending());
        }
        assert!(hashing.turn().await.is_none());
        // One who hangs up leaves a place, and one who is done a turn.
        drop(waiting.pop());
        let mut late = Box::pin(hashing.turn());
        assert!(late.as_mut().poll(&mut context).is_pending());
        first.run(|| Ok(())).unwrap();
        assert!(waiting.remove(0).await.is_some());
    }
}
