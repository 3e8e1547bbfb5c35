//! The threads that decode and analyze the pictures of requests.
//!
//! They are their own, not the runtime's, so that they can run at a lower priority: where every core analyzes, a health
//! check, a login or a page does not wait for one to be done with a picture.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::{Error, Result};
use tokio::sync::oneshot;

use crate::error::AppError;
use crate::priority::yield_to_requests;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped.
pub(crate) struct AnalysisThreads {
    jobs: Sender<Job>,
}

impl AnalysisThreads {
    /// Starts so many threads.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives none.
    pub(crate) fn start(threads: usize) -> Result<Self> {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads.max(1) {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name("analysis".into())
                .spawn(move || work(&waiting))
                .map_err(|error| Error::Internal { reason: format!("no thread for analysis: {error}") })?;
        }
        Ok(Self { jobs })
    }

    /// Does `work` on one of the threads, in the order in which it was asked for. It is done also for a request whose
    /// client has gone meanwhile.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        prefix: &'static str,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, AppError> {
        let (tell, told) = oneshot::channel();
        let job = Box::new(move || {
            // A panic is the request's own. Nobody sees what it left half done.
            if let Ok(done) = catch_unwind(AssertUnwindSafe(work)) {
                let _ = tell.send(done);
            }
        });
        if self.jobs.send(job).is_err() {
            return Err(AppError::Died(prefix));
        }
        match told.await {
            Ok(done) => done.map_err(|error| AppError::Core(prefix, error)),
            Err(_) => Err(AppError::Died(prefix)),
        }
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    yield_to_requests();
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_os = "linux")]
    use crate::priority::NICE;

    #[tokio::test]
    async fn work_is_done_in_order_and_a_panic_takes_no_thread_along() {
        let threads = AnalysisThreads::start(1).unwrap();
        let done = Arc::new(Mutex::new(Vec::new()));
        let push = |number: usize| {
            let done = Arc::clone(&done);
            threads.run("test", move || {
                done.lock().unwrap().push(number);
                Ok(number)
            })
        };
        let (first, second, third) = tokio::join!(push(1), push(2), push(3));
        assert_eq!((first.unwrap(), second.unwrap(), third.unwrap()), (1, 2, 3));
        assert_eq!(*done.lock().unwrap(), [1, 2, 3]);
        let died = threads.run::<()>("test", || panic!("a bug")).await;
        assert!(matches!(died, Err(AppError::Died("test"))), "{died:?}");
        assert_eq!(threads.run("test", || Ok(4)).await.unwrap(), 4);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn analysis_gives_way_to_everything_else() {
        let of_this_thread = || rustix::process::getpriority_process(None).unwrap();
        let threads = AnalysisThreads::start(2).unwrap();
        let before = of_this_thread();
        let theirs = threads.run("test", move || Ok(of_this_thread())).await.unwrap();
        assert_eq!((theirs, of_this_thread()), (NICE, before));
        assert!(before < NICE, "this test itself runs at a low priority");
    }
}
