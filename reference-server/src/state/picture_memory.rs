//! The memory that pictures are decoded in, which all requests share.
//!
//! A few hundred kilobytes of PNG can take half a gigabyte while they are decoded. How much is known from the header,
//! so a picture waits until there is room for it. The usual pictures are small and never wait for a large one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A picture that takes no more needs no room: a frame of a 4K camera takes 25 MB. The number of threads limits how
/// many are decoded at a time.
const SMALL: u64 = 32 * MEBIBYTE;
/// How many pictures wait for room. Each holds its encoded bytes, up to 12 MB of them.
const WAITING: usize = 16;
/// How long a picture waits for room: the largest takes 1 to 2 seconds to decode.
const WITHIN: Duration = Duration::from_secs(5);
/// The unit of the semaphore, whose number of permits is limited.
const MEBIBYTE: u64 = 1 << 20;

/// The room for large pictures.
pub(crate) struct PictureMemory {
    free: Arc<Semaphore>,
    mebibytes: u32,
    waiting: Semaphore,
    within: Duration,
}

impl PictureMemory {
    /// Returns room for this many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let mebibytes = mebibytes(bytes).max(1);
        let free = Arc::new(Semaphore::new(mebibytes as usize));
        Self { free, mebibytes, waiting: Semaphore::new(WAITING), within: WITHIN }
    }

    /// Waits for room for a picture that takes this many bytes; `None` when there is none in time.
    pub(crate) async fn take(&self, bytes: u64) -> Option<Room> {
        if bytes <= SMALL {
            return Some(Room(None));
        }
        let _turn = self.waiting.try_acquire().ok()?;
        // The limits of the decoder refuse what takes more than there is.
        let share = mebibytes(bytes).min(self.mebibytes);
        let taken = timeout(self.within, Arc::clone(&self.free).acquire_many_owned(share)).await;
        Some(Room(Some(taken.ok()?.ok()?)))
    }
}

/// The room of one picture, given back when it is dropped.
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

impl Room {
    /// Keeps room for this many bytes and gives the rest back.
    pub(crate) fn keep(&mut self, bytes: usize) {
        if let Some(taken) = &mut self.0 {
            let kept = mebibytes(bytes as u64) as usize;
            drop(taken.split(taken.num_permits().saturating_sub(kept)));
        }
    }
}

fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX).min(u32::MAX >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_pictures_wait_for_room_in_bounded_numbers_and_small_ones_never() {
        let memory = PictureMemory { within: Duration::from_millis(50), ..PictureMemory::new(100 * MEBIBYTE) };
        let mut first = memory.take(90 * MEBIBYTE).await.unwrap();
        assert!(memory.take(40 * MEBIBYTE).await.is_none(), "it waited in vain");
        assert!(memory.take(SMALL).await.is_some(), "a small one waited");
        first.keep(30 << 20);
        let second = memory.take(70 * MEBIBYTE).await.unwrap();
        assert!(memory.take(33 * MEBIBYTE).await.is_none());
        drop((first, second));
        assert!(memory.take(100 * MEBIBYTE).await.is_some());
        assert!(memory.take(u64::MAX).await.is_some(), "more than all is all");

        let _all = memory.take(100 * MEBIBYTE).await.unwrap();
        let turns = memory.waiting.try_acquire_many(u32::try_from(WAITING).unwrap()).unwrap();
        let begun = std::time::Instant::now();
        assert!(memory.take(40 * MEBIBYTE).await.is_none());
        assert!(begun.elapsed() < memory.within, "one too many waited");
        drop(turns);
    }
}
