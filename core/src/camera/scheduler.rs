//! One CPU budget for all cameras: a fixed number of threads, and the order in which cameras use them.
//!
//! Each camera has a seat, in which its newest frame waits. The seat that has used the least processor time goes
//! first, so a camera with twenty faces in view takes nothing from the others. No seat is served more often than its
//! rate, and one that had to wait is due again as if it had not. Under overload every seat gets its share and sees
//! newer frames less often, rather than older frames later.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::options::Attention;
use crate::error::{Error, Result};

/// Threads that analyze frames for all cameras. Cheap to clone; the threads end with the last clone and the last seat.
///
/// ```
/// use std::num::NonZero;
/// use std::time::Duration;
///
/// use faceattend_core::camera::{Pace, Scheduler, WorkerOptions};
/// use faceattend_core::{CameraSource, CameraWorker};
///
/// // Two recordings share one thread.
/// let scheduler = Scheduler::new(NonZero::<usize>::MIN)?;
/// let options = WorkerOptions::default().with_pace(Pace::AsAnalyzed);
/// let workers = ["hopper", "obama"].map(|name| {
///     let source = CameraSource::parse(&format!("../examples/media/{name}/turn.avi"))?;
///     CameraWorker::start_on(&scheduler, &source, options, drop)
/// });
/// for worker in workers {
///     assert!(worker?.wait(Duration::from_secs(20)).is_over());
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Scheduler(Arc<Owner>);

/// Ends the threads when the last handle is dropped.
struct Owner {
    shared: Arc<Shared>,
    crew: Arc<Crew>,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    threads: usize,
    most: NonZero<usize>,
}

/// How many cameras a thread may have where nobody says so. A core analyzes far fewer than 160 pictures a second, five
/// of each: more would all be seen too rarely.
const CAMERAS_PER_THREAD: usize = 32;
/// The limits of what follows from that. A camera that is read has a thread, which waits, and some 20 MB.
const MOST_CAMERAS: (usize, usize) = (64, 512);

#[derive(Default)]
struct Inner {
    seats: BTreeMap<u64, Place>,
    next: u64,
    over: bool,
    /// The use of the seat that was served last. A seat that returns from a rest starts from there.
    clock: Duration,
}

struct Place {
    /// Absent while it runs.
    task: Option<Task>,
    ready: bool,
    left: bool,
    /// The least time between two turns, usually and with close attention.
    intervals: [Duration; 2],
    /// When it may be served.
    due: Instant,
    /// When it asked for a turn.
    asked: Instant,
    used: Duration,
}

impl Place {
    fn ask(&mut self) {
        if !self.ready {
            (self.ready, self.asked) = (true, Instant::now());
        }
    }
}

/// Returns when a turn may follow one that was to be served at `wanted` and was at `now`. A turn that had to wait for a
/// thread makes the next no later, or every camera of a busy server would fall behind its rate; but half an interval
/// lies between them.
fn next_due(wanted: Instant, now: Instant, interval: Duration) -> Instant {
    (wanted + interval).max(now + interval / 2)
}

/// Does one piece of work; says whether more may come, and how soon it wants it.
pub(super) type Task = Box<dyn FnMut() -> (Turn, Attention) + Send>;

/// The next step after a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// More, when the seat is woken.
    Done,
    /// More, and it is there already.
    Again,
    /// Nothing more.
    Over,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scheduler({} threads, {} of {} cameras)", self.0.shared.threads, self.cameras(), self.max_cameras())
    }
}

impl Scheduler {
    /// Creates a budget of `threads` threads, for 32 cameras a thread, at least 64 and at most 512.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no thread.
    pub fn new(threads: NonZero<usize>) -> Result<Self> {
        let (least, greatest) = MOST_CAMERAS;
        let most = threads.get().saturating_mul(CAMERAS_PER_THREAD).clamp(least, greatest);
        Self::with_max_cameras(threads, NonZero::new(most).unwrap_or(NonZero::<usize>::MIN))
    }

    /// Creates a budget of `threads` threads, for so many cameras at a time. A further one is refused: each is one more
    /// to decode, and makes every other be seen less often.
    ///
    /// ```
    /// use std::num::NonZero;
    ///
    /// use faceattend_core::camera::{Pace, Scheduler, WorkerOptions};
    /// use faceattend_core::{CameraSource, CameraWorker};
    ///
    /// let one = NonZero::<usize>::MIN;
    /// let scheduler = Scheduler::with_max_cameras(one, one)?;
    /// let source = CameraSource::parse("../examples/media/class.avi")?;
    /// let start = || CameraWorker::start_on(&scheduler, &source, WorkerOptions::default(), drop);
    /// let first = start()?;
    /// assert!(scheduler.is_full() && start().is_err());
    /// drop(first);
    /// assert!(start().is_ok());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_max_cameras(threads: NonZero<usize>, most: NonZero<usize>) -> Result<Self> {
        let shared = Shared { inner: Mutex::default(), changed: Condvar::new(), threads: threads.get(), most };
        let shared = Arc::new(shared);
        // Made first: it ends the threads that were started when a later one is refused.
        let owner = Self(Arc::new(Owner { shared: Arc::clone(&shared), crew: Crew::new() }));
        for _ in 0..threads.get() {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("camera-analysis".into())
                .spawn(move || shared.work())
                .map_err(|error| Error::Internal { reason: format!("no thread for the cameras: {error}") })?;
        }
        Ok(owner)
    }

    /// Creates a budget of as many threads as this process may use processors, cgroup limits included.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn for_this_machine() -> Result<Self> {
        Self::new(std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN))
    }

    /// Returns the number of cameras that it may have at a time.
    #[must_use]
    pub fn max_cameras(&self) -> NonZero<usize> {
        self.0.shared.most
    }

    /// Returns the number of cameras that it has, of those that have not ended.
    #[must_use]
    pub fn cameras(&self) -> usize {
        self.0.shared.lock().seats.values().filter(|place| !place.left).count()
    }

    /// Returns whether it takes no further camera.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.cameras() >= self.max_cameras().get()
    }

    /// Returns the threads that open its cameras.
    pub(super) fn crew(&self) -> &Arc<Crew> {
        &self.0.crew
    }

    /// Adds a seat for `task`, served at most so many times a second, usually and with close attention.
    ///
    /// # Errors
    /// [`Error::State`] when every seat is taken.
    pub(super) fn join(&self, rates: [Option<f32>; 2], task: Task) -> Result<Seat> {
        let intervals = rates.map(|rate| {
            rate.filter(|rate| rate.is_finite() && *rate > 0.0).map_or(Duration::ZERO, |rate| {
                Duration::try_from_secs_f32(1.0 / rate).unwrap_or(Duration::from_secs(60))
            })
        });
        let mut inner = self.0.shared.lock();
        let most = self.max_cameras();
        if inner.seats.values().filter(|place| !place.left).count() >= most.get() {
            drop(inner);
            let reason = format!(
                "{most} are watched already, as many as this scheduler may: stop one, or make it with more \
                 (Scheduler::with_max_cameras)"
            );
            return Err(Error::State { what: "cameras", reason });
        }
        let id = inner.next;
        inner.next += 1;
        let (used, now) = (inner.clock, Instant::now());
        let (task, ready, left) = (Some(task), false, false);
        inner.seats.insert(id, Place { task, ready, left, intervals, due: now, asked: now, used });
        drop(inner);
        Ok(Seat { scheduler: self.clone(), id })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
    }
}

/// A camera's place with a [`Scheduler`].
pub(super) struct Seat {
    scheduler: Scheduler,
    id: u64,
}

impl Seat {
    /// Asks for a turn.
    pub(super) fn wake(&self) {
        let shared = &self.scheduler.0.shared;
        let mut inner = shared.lock();
        let clock = inner.clock;
        if let Some(place) = inner.seats.get_mut(&self.id) {
            if !place.ready && place.task.is_some() {
                // A rest is no credit.
                place.used = place.used.max(clock);
            }
            place.ask();
        }
        drop(inner);
        shared.changed.notify_one();
    }

    /// Returns whether a frame that comes now could be analyzed before the next: otherwise it need not even be
    /// decoded.
    pub(super) fn wants(&self, next_in: Duration) -> bool {
        let inner = self.scheduler.0.shared.lock();
        inner.seats.get(&self.id).is_some_and(|place| place.due < Instant::now() + next_in)
    }

    /// Gives the seat up. The task is dropped here, or by the thread that runs it when it is done.
    pub(super) fn leave(&self) {
        let mut inner = self.scheduler.0.shared.lock();
        let idle = inner.seats.get_mut(&self.id).is_some_and(|place| {
            place.left = true;
            place.task.is_some()
        });
        let place = if idle { inner.seats.remove(&self.id) } else { None };
        drop(inner);
        drop(place);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is a plain assignment: a panic leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut inner = self.lock();
        loop {
            // Whoever could wake a seat holds the scheduler.
            if inner.over {
                return;
            }
            let now = Instant::now();
            let waiting = || inner.seats.iter().filter(|(_, place)| place.ready && place.task.is_some());
            let next = waiting().filter(|(_, place)| place.due <= now).min_by_key(|(_, place)| place.used);
            let Some(id) = next.map(|(id, _)| *id) else {
                let until = waiting().map(|(_, place)| place.due).min();
                inner = match until {
                    Some(due) => {
                        let pause = due.saturating_duration_since(now);
                        self.changed.wait_timeout(inner, pause).map_or_else(|e| e.into_inner().0, |(inner, _)| inner)
                    }
                    None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
                };
                continue;
            };
            inner = self.serve(id, now, inner);
        }
    }

    fn serve<'a>(&'a self, id: u64, now: Instant, mut inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        let Some(place) = inner.seats.get_mut(&id) else { return inner };
        let Some(mut task) = place.task.take() else { return inner };
        place.ready = false;
        let wanted = place.due.max(place.asked);
        place.due = next_due(wanted, now, place.intervals[0]);
        inner.clock = place.used;
        drop(inner);
        // The task reports its own panic; here it only must not take the thread along.
        let done = catch_unwind(AssertUnwindSafe(&mut task));
        let (turn, attention) = done.unwrap_or((Turn::Over, Attention::Usual));
        let took = now.elapsed();
        let mut inner = self.lock();
        let left = inner.seats.get(&id).is_none_or(|place| place.left);
        if turn == Turn::Over || left {
            inner.seats.remove(&id);
            drop(inner);
            // It may write its last figures.
            let _ = catch_unwind(AssertUnwindSafe(move || drop(task)));
            self.changed.notify_all();
            return self.lock();
        }
        if let Some(place) = inner.seats.get_mut(&id) {
            place.task = Some(task);
            place.used += took;
            if attention == Attention::Close {
                place.due = next_due(wanted, now, place.intervals[1]);
            }
            if turn == Turn::Again {
                place.ask();
            }
            if place.ready {
                // Woken while it ran.
                self.changed.notify_one();
            }
        }
        inner
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn one_thread() -> Scheduler {
        Scheduler::new(NonZero::<usize>::MIN).unwrap()
    }

    /// Returns a seat whose every turn takes `takes`, and that always wants the next; and how many it had.
    fn busy(scheduler: &Scheduler, rate: Option<f32>, takes: Duration) -> (Arc<Seat>, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let seat: Arc<Mutex<Option<Arc<Seat>>>> = Arc::default();
        let (counted, again) = (count.clone(), seat.clone());
        let joined = Arc::new(
            scheduler
                .join(
                    [rate, rate],
                    Box::new(move || {
                        std::thread::sleep(takes);
                        counted.fetch_add(1, Ordering::SeqCst);
                        if let Some(seat) = &*again.lock().unwrap() {
                            seat.wake();
                        }
                        (Turn::Done, Attention::Usual)
                    }),
                )
                .unwrap(),
        );
        *seat.lock().unwrap() = Some(joined.clone());
        joined.wake();
        (joined, count)
    }

    fn wait_for(count: &AtomicUsize, least: usize) {
        let begun = Instant::now();
        while count.load(Ordering::SeqCst) < least {
            assert!(begun.elapsed() < SOON, "{} of {least}", count.load(Ordering::SeqCst));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_costly_camera_does_not_starve_a_cheap_one() {
        let scheduler = one_thread();
        let (costly, costly_turns) = busy(&scheduler, None, Duration::from_millis(40));
        let (cheap, cheap_turns) = busy(&scheduler, None, Duration::from_millis(2));
        wait_for(&costly_turns, 5);
        // By turns it would have had five as well.
        assert!(cheap_turns.load(Ordering::SeqCst) >= 20, "{cheap_turns:?}");
        costly.leave();
        cheap.leave();
    }

    #[test]
    fn a_camera_is_not_served_more_often_than_its_rate() {
        let scheduler = Scheduler::new(NonZero::new(2).unwrap()).unwrap();
        let begun = Instant::now();
        let (seat, turns) = busy(&scheduler, Some(50.0), Duration::ZERO);
        wait_for(&turns, 10);
        assert!(begun.elapsed() >= Duration::from_millis(9 * 20), "{:?}", begun.elapsed());
        seat.leave();
    }

    #[test]
    fn a_turn_that_waited_makes_the_next_no_later() {
        let (begun, ms) = (Instant::now(), Duration::from_millis);
        let next = |wanted, served| next_due(begun + ms(wanted), begun + ms(served), ms(200)) - begun;
        assert_eq!(next(0, 0), ms(200));
        assert_eq!(next(0, 90), ms(200));
        assert_eq!(next(0, 150), ms(250), "no two at once");
        assert_eq!(next(0, 900), ms(1000), "what was missed is not made up for");
    }

    #[test]
    fn a_camera_that_waits_for_a_thread_is_due_as_if_it_had_not() {
        let scheduler = one_thread();
        let (begun, begins) = std::sync::mpsc::channel();
        let (goes_on, end) = std::sync::mpsc::channel::<()>();
        let holds = scheduler
            .join(
                [None; 2],
                Box::new(move || {
                    begun.send(()).unwrap();
                    end.recv_timeout(SOON).unwrap();
                    (Turn::Done, Attention::Usual)
                }),
            )
            .unwrap();
        holds.wake();
        begins.recv_timeout(SOON).unwrap();
        let (seat, turns) = busy(&scheduler, Some(1.0 / 60.0), Duration::ZERO);
        let asked = Instant::now();
        goes_on.send(()).unwrap();
        wait_for(&turns, 1);
        let due = scheduler.0.shared.lock().seats[&seat.id].due;
        assert!(due <= asked + Duration::from_secs(60), "{:?} late", due - asked);
        holds.leave();
        seat.leave();
    }

    #[test]
    fn a_camera_with_something_to_see_is_served_more_often() {
        let scheduler = one_thread();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        // Once a minute, and every 20 ms with close attention, which it asks for ten times.
        let seat = scheduler
            .join(
                [Some(1.0 / 60.0), Some(50.0)],
                Box::new(move || {
                    let turns = counted.fetch_add(1, Ordering::SeqCst);
                    (Turn::Again, if turns < 10 { Attention::Close } else { Attention::Usual })
                }),
            )
            .unwrap();
        let begun = Instant::now();
        seat.wake();
        wait_for(&count, 11);
        assert!(begun.elapsed() >= Duration::from_millis(10 * 20), "{:?}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(count.load(Ordering::SeqCst), 11, "the usual rate holds again");
        seat.leave();
    }

    #[test]
    fn a_rest_is_no_credit() {
        let scheduler = one_thread();
        let (worker, worked) = busy(&scheduler, None, Duration::from_millis(5));
        wait_for(&worked, 20);
        let (late, late_turns) = busy(&scheduler, None, Duration::from_millis(5));
        let before = worked.load(Ordering::SeqCst);
        wait_for(&late_turns, 10);
        assert!(worked.load(Ordering::SeqCst) >= before + 5, "the one who had worked waited for the one who had not");
        worker.leave();
        late.leave();
    }

    #[test]
    fn a_task_that_panics_takes_no_thread_along() {
        let scheduler = one_thread();
        let broken = scheduler.join([None; 2], Box::new(|| panic!("a bug"))).unwrap();
        broken.wake();
        let (seat, turns) = busy(&scheduler, None, Duration::ZERO);
        wait_for(&turns, 3);
        seat.leave();
    }

    #[test]
    fn leaving_drops_the_task_at_once() {
        let scheduler = one_thread();
        let held = Arc::new(());
        let inside = held.clone();
        let seat = scheduler
            .join(
                [None; 2],
                Box::new(move || {
                    let _ = &inside;
                    (Turn::Done, Attention::Usual)
                }),
            )
            .unwrap();
        assert_eq!(Arc::strong_count(&held), 2);
        seat.leave();
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
