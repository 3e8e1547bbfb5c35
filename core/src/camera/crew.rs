//! The threads that open cameras: a bounded number of them for all cameras of a scheduler.
//!
//! A camera that gives frames has a thread, which waits in its driver or its socket. A camera that does not needs none
//! while it pauses, and a network with fifteen hundred wrong addresses must not hold as many threads: such cameras wait
//! in a list, and at most [`OPENERS`] threads open them and probe their servers. Whoever answers goes first: an address
//! at which nothing listens takes ten seconds to fail, and takes only half of the threads for that.
//!
//! The thread that has opened a camera reads it, and returns to the list with it when it is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::frame_source::FrameSource;
use crate::error::{Error, Result};

/// A camera as the crew sees it.
pub(super) trait Charge: Send {
    /// Returns whether it may give frames if it is opened now, as far as anybody knows.
    fn is_promising(&self) -> bool;
    /// Returns whether it is to be opened although its server did not answer.
    fn is_blind(&self) -> bool;
    fn is_stopped(&self) -> bool;
    /// Opens it, or does what else is due. `others_wait` for a thread.
    fn step(&mut self, others_wait: bool) -> Next;
    /// Reads it until it ends or is lost.
    fn read_to_its_end(&mut self, source: &mut dyn FrameSource) -> Next;
    /// Says that a thread panicked over it.
    fn panicked(&self);
}

/// What a camera needs next.
pub(super) enum Next {
    /// To be read.
    Read(Box<dyn FrameSource>),
    /// To be left alone until then.
    Rest(Instant),
    /// Nothing any more.
    Over,
}

/// The most cameras that are being opened or probed at the same time. Connecting is waiting for the most part: 64
/// cameras behind a dead switch are each probed every 3 s.
pub(super) const OPENERS: usize = 16;
/// The most of them that open a camera whose server did not answer a moment ago.
const BLIND: usize = OPENERS / 2;

/// The threads, and the cameras that wait for one.
pub(super) struct Crew {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: Vec<Job>,
    next: u64,
    /// Threads that are not reading a camera.
    openers: usize,
    /// Those of them that have nothing to do yet.
    idle: usize,
    /// Those of them that open a camera whose server did not answer.
    blind: usize,
}

struct Job {
    id: u64,
    due: Instant,
    camera: Box<dyn Charge>,
}

impl Job {
    /// Those with a lower rank go first.
    fn rank(&self) -> u8 {
        u8::from(!self.camera.is_promising())
    }
}

/// A camera's place in the list. It stays the same while the camera is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u64);

impl Crew {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), changed: Condvar::new() })
    }

    /// Has a camera opened and read.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no thread.
    pub(super) fn take_on(self: &Arc<Self>, camera: Box<dyn Charge>) -> Result<Ticket> {
        let mut inner = self.lock();
        let id = inner.next;
        inner.next += 1;
        inner.waiting.push(Job { id, due: Instant::now(), camera });
        if let Err(error) = self.call_one(&mut inner)
            && inner.openers == 0
        {
            let job = inner.waiting.pop();
            drop(inner);
            drop(job);
            return Err(Error::Internal { reason: format!("no thread for the camera: {error}") });
        }
        Ok(Ticket(id))
    }

    /// Lets go of a camera that was stopped, unless a thread has it in hand: that one sees by itself that it was.
    pub(super) fn let_go(&self, ticket: Ticket) {
        let mut inner = self.lock();
        let at = inner.waiting.iter().position(|job| job.id == ticket.0);
        let job = at.map(|at| inner.waiting.swap_remove(at));
        drop(inner);
        // Its source may take a while to close.
        drop(job);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is a plain assignment: a panic leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes a thread for a camera that waits, or starts one where there is room.
    fn call_one(self: &Arc<Self>, inner: &mut Inner) -> std::io::Result<()> {
        if inner.idle > 0 {
            self.changed.notify_one();
            return Ok(());
        }
        if inner.openers >= OPENERS {
            return Ok(());
        }
        let crew = Arc::clone(self);
        std::thread::Builder::new().name("camera-capture".into()).spawn(move || crew.work())?;
        inner.openers += 1;
        Ok(())
    }

    fn work(self: Arc<Self>) {
        let mut inner = self.lock();
        loop {
            let (left, job) = self.next(inner);
            inner = left;
            let Some(job) = job else { break };
            // Another may be due before this one is opened.
            if !inner.waiting.is_empty() && inner.idle == 0 {
                let _ = self.call_one(&mut inner);
            }
            inner = self.serve(job, inner);
            if inner.openers > OPENERS {
                // Somebody took its place while it read a camera.
                break;
            }
        }
        inner.openers -= 1;
    }

    /// Does the next thing for a camera, and puts it back where there is more to do.
    fn serve<'a>(self: &'a Arc<Self>, mut job: Job, mut inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        let others_wait = inner.first(Instant::now()).is_some();
        let is_blind = job.camera.is_blind();
        inner.blind += usize::from(is_blind);
        drop(inner);
        let mut next = catch_unwind(AssertUnwindSafe(|| job.camera.step(others_wait)));
        let mut inner = self.lock();
        inner.blind -= usize::from(is_blind);
        if let Ok(Next::Read(mut source)) = next {
            inner.openers -= 1;
            // Those that wait are not to wait for this camera's end.
            if !inner.waiting.is_empty() {
                let _ = self.call_one(&mut inner);
            }
            drop(inner);
            next = catch_unwind(AssertUnwindSafe(|| job.camera.read_to_its_end(source.as_mut())));
            let _ = catch_unwind(AssertUnwindSafe(move || drop(source)));
            inner = self.lock();
            inner.openers += 1;
        }
        match next {
            // Asked with the list in hand: whoever stops a camera says so first and then looks for it here.
            Ok(Next::Rest(due)) if !job.camera.is_stopped() => {
                inner.waiting.push(Job { due, ..job });
                inner
            }
            next => {
                drop(inner);
                if next.is_err() {
                    job.camera.panicked();
                }
                // Its consumer may write its last figures.
                let _ = catch_unwind(AssertUnwindSafe(move || drop(job)));
                self.lock()
            }
        }
    }

    /// Waits for a camera that is due; none when enough other threads wait for those that are not.
    fn next<'a>(&self, mut inner: MutexGuard<'a, Inner>) -> (MutexGuard<'a, Inner>, Option<Job>) {
        loop {
            let now = Instant::now();
            if let Some(at) = inner.first(now) {
                let job = inner.waiting.swap_remove(at);
                return (inner, Some(job));
            }
            if inner.waiting.len() <= inner.idle {
                return (inner, None);
            }
            // What is due and still waits is opened by a thread that opens one of its kind now.
            let due = inner.waiting.iter().map(|job| job.due).filter(|due| *due > now).min();
            inner.idle += 1;
            inner = match due {
                Some(due) => {
                    let pause = due.saturating_duration_since(now);
                    self.changed.wait_timeout(inner, pause).map_or_else(|e| e.into_inner().0, |(inner, _)| inner)
                }
                None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
            inner.idle -= 1;
        }
    }
}

impl Inner {
    /// Returns where in the list the camera is that goes first of those that are due.
    fn first(&self, now: Instant) -> Option<usize> {
        let may_go = |job: &Job| job.due <= now && (self.blind < BLIND || !job.camera.is_blind());
        let due = self.waiting.iter().enumerate().filter(|(_, job)| may_go(job));
        due.min_by_key(|(_, job)| (job.rank(), job.due)).map(|(at, _)| at)
    }
}
