//! A camera that is read by a thread of the [crew](super::crew) and has a seat with the [`Scheduler`]; between them
//! waits the newest frame only.
//!
//! A slow consumer never sees an old frame: a new frame replaces the one that waits, and a frame that comes before the
//! consumer wants another is not decoded. A live camera that fails is opened again after a pause. The pause doubles up
//! to a ceiling and varies at random, so that many cameras behind one switch do not come back in step. A stream whose
//! server was away is opened as soon as the server answers. A recording plays at its own pace, or as fast as it is
//! analyzed, and ends in the state stopped.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::capture::{Attempts, Capture};
use super::crew::{Crew, Ticket};
use super::frame_source::FrameSource;
use super::health::{CameraHealth, CameraState, Rate};
use super::open::open;
use super::options::{Attention, WorkerOptions};
use super::probe::Probe;
use super::scheduler::{Scheduler, Seat, Turn};
use super::shared::{Alive, Inner, PANICKED, Shared};
use super::source::{CameraSource, Nature};
use crate::error::Result;
use crate::frame::Frame;

/// One camera, read and analyzed by threads of its own or of a [`Scheduler`]. Dropping it stops the camera.
///
/// ```
/// use std::time::Duration;
///
/// use faceattend_core::camera::{Pace, WorkerOptions};
/// use faceattend_core::{CameraSource, CameraWorker};
///
/// let source = CameraSource::parse("../examples/media/hopper/turn.avi")?;
/// let options = WorkerOptions::default().with_pace(Pace::AsAnalyzed);
/// let worker = CameraWorker::start(&source, options, |frame| println!("{frame:?}"))?;
/// assert!(worker.wait(Duration::from_secs(20)).is_over());
/// assert!(worker.health().analyzed > 0);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub struct CameraWorker {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    crew: Arc<Crew>,
    ticket: Ticket,
    camera: String,
}

impl std::fmt::Debug for CameraWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CameraWorker({}, {:?})", self.camera, self.health())
    }
}

/// The time that a stop waits for the threads. A thread that hangs in a driver or in a long analysis ends by itself
/// at its next step.
const STOP_PATIENCE: Duration = Duration::from_millis(800);

impl CameraWorker {
    /// Reads the camera and hands its frames to `consumer`, on threads of its own.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when the system gives no thread. That the camera cannot be opened is
    /// told by the [health](Self::health).
    pub fn start<A: Into<Attention>>(
        source: &CameraSource,
        options: WorkerOptions,
        consumer: impl FnMut(Frame<'static>) -> A + Send + 'static,
    ) -> Result<Self> {
        Self::start_on(&Scheduler::new(NonZero::<usize>::MIN)?, source, options, consumer)
    }

    /// Starts a camera as [`start`](Self::start) does, with `consumer` called by the threads of `scheduler`, which
    /// other cameras share. They share the threads that open them, too; a camera that gives frames is read by a thread
    /// of its own.
    ///
    /// # Errors
    /// As [`start`](Self::start), and [`Error::State`](crate::Error::State) when the scheduler has as many cameras as
    /// it may.
    pub fn start_on<A: Into<Attention>>(
        scheduler: &Scheduler,
        source: &CameraSource,
        options: WorkerOptions,
        consumer: impl FnMut(Frame<'static>) -> A + Send + 'static,
    ) -> Result<Self> {
        let (camera, nature, opened) = (source.to_string(), source.nature(), source.clone());
        let opening = move || open(&opened, &options.open);
        Self::run(scheduler, camera, nature, options, Probe::of_source(source), opening, consumer)
    }

    /// Starts a source of the caller's own as [`start`](Self::start) does: `open` is called for each attempt. `camera`
    /// names it in logs and holds no credentials.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with<A: Into<Attention>>(
        camera: impl Into<String>,
        nature: Nature,
        options: WorkerOptions,
        open: impl FnMut() -> Result<Box<dyn FrameSource>> + Send + 'static,
        consumer: impl FnMut(Frame<'static>) -> A + Send + 'static,
    ) -> Result<Self> {
        let scheduler = Scheduler::new(NonZero::<usize>::MIN)?;
        Self::run(&scheduler, camera.into(), nature, options, None, open, consumer)
    }

    /// Starts a source as [`start_with`](Self::start_with) does, with `consumer` called by the threads of `scheduler`.
    ///
    /// # Errors
    /// As [`start_on`](Self::start_on).
    pub fn start_with_on<A: Into<Attention>>(
        scheduler: &Scheduler,
        camera: impl Into<String>,
        nature: Nature,
        options: WorkerOptions,
        open: impl FnMut() -> Result<Box<dyn FrameSource>> + Send + 'static,
        consumer: impl FnMut(Frame<'static>) -> A + Send + 'static,
    ) -> Result<Self> {
        Self::run(scheduler, camera.into(), nature, options, None, open, consumer)
    }

    fn run<A: Into<Attention>>(
        scheduler: &Scheduler,
        camera: String,
        nature: Nature,
        options: WorkerOptions,
        probe: Option<Probe>,
        open: impl FnMut() -> Result<Box<dyn FrameSource>> + Send + 'static,
        consumer: impl FnMut(Frame<'static>) -> A + Send + 'static,
    ) -> Result<Self> {
        let inner = Inner {
            state: CameraState::Connecting,
            stop: false,
            waiting: None,
            analyzing: false,
            source_is_over: false,
            threads: 0,
            captured: 0,
            analyzed: 0,
            dropped: 0,
            skipped: 0,
            reconnects: 0,
            capture_rate: Rate::default(),
            analysis_rate: Rate::default(),
            last_error: None,
            last_frame: None,
        };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), changed: Condvar::new() });
        let mut analysis = Analysis { consumer, alive: Alive::of(&shared) };
        let rates = [options.rate, options.close_rate.or(options.rate)];
        let seat = Arc::new(scheduler.join(rates, Box::new(move || analysis.turn()))?);
        let capture = Capture {
            shared: shared.clone(),
            seat: seat.clone(),
            camera: camera.clone(),
            nature,
            options,
            probe,
            open: Box::new(open),
            state: Attempts::default(),
            alive: Alive::of(&shared),
        };
        let crew = scheduler.crew().clone();
        let ticket = match crew.take_on(Box::new(capture)) {
            Ok(ticket) => ticket,
            Err(error) => {
                seat.leave();
                return Err(error);
            }
        };
        Ok(Self { shared, seat, crew, ticket, camera })
    }

    /// Returns the camera's address, without credentials.
    #[must_use]
    pub fn camera(&self) -> &str {
        &self.camera
    }

    /// Returns the state and the figures of this moment.
    #[must_use]
    pub fn health(&self) -> CameraHealth {
        let inner = self.shared.lock();
        let now = Instant::now();
        CameraHealth {
            state: inner.state,
            captured: inner.captured,
            analyzed: inner.analyzed,
            dropped: inner.dropped,
            skipped: inner.skipped,
            captured_per_second: inner.capture_rate.per_second(now),
            analyzed_per_second: inner.analysis_rate.per_second(now),
            reconnects: inner.reconnects,
            last_error: inner.last_error.clone(),
            last_frame_age: inner.last_frame.map(|at| at.elapsed()),
        }
    }

    /// Waits until nothing more will come, but not longer than `timeout`; returns the state then.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> CameraState {
        self.shared.wait_until(timeout, |inner| inner.state.is_over()).state
    }

    /// Stops the camera within a second. When it returns, the consumer has its last frame behind it, unless it takes
    /// longer than that over one.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use faceattend_core::camera::{CameraState, WorkerOptions};
    /// use faceattend_core::{CameraSource, CameraWorker};
    ///
    /// let source = CameraSource::parse("../examples/media/class.avi")?;
    /// let worker = CameraWorker::start(&source, WorkerOptions::default(), drop)?;
    /// worker.stop();
    /// assert_eq!(worker.wait(Duration::from_secs(5)), CameraState::Stopped);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    pub fn stop(&self) {
        Self::stop_all([self]);
    }

    /// Stops several cameras, all of them within a second.
    ///
    /// ```
    /// use faceattend_core::camera::WorkerOptions;
    /// use faceattend_core::{CameraSource, CameraWorker};
    ///
    /// let source = CameraSource::parse("../examples/media/class.avi")?;
    /// let start = || CameraWorker::start(&source, WorkerOptions::default(), drop);
    /// let workers = [start()?, start()?];
    /// CameraWorker::stop_all(&workers);
    /// assert!(workers.iter().all(|worker| worker.health().state.is_over()));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    pub fn stop_all<'a>(workers: impl IntoIterator<Item = &'a Self>) {
        let workers: Vec<&Self> = workers.into_iter().collect();
        for worker in &workers {
            worker.shared.change(|inner| {
                inner.stop = true;
                inner.waiting = None;
                if !inner.state.is_over() {
                    inner.state = CameraState::Stopped;
                }
            });
            worker.seat.leave();
            worker.crew.let_go(worker.ticket);
        }
        let until = Instant::now() + STOP_PATIENCE;
        for worker in workers {
            let left = until.saturating_duration_since(Instant::now());
            if worker.shared.wait_until(left, |inner| inner.threads == 0).threads > 0 {
                tracing::warn!(camera = worker.camera, "the camera's threads have not ended yet");
            }
        }
    }
}

impl Drop for CameraWorker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Takes a camera's turns with the scheduler. The consumer is dropped before the sign of life, so the last figures are
/// written when a wait for the end returns.
struct Analysis<C> {
    consumer: C,
    alive: Alive,
}

impl<C: FnMut(Frame<'static>) -> A, A: Into<Attention>> Analysis<C> {
    fn turn(&mut self) -> (Turn, Attention) {
        let shared = &self.alive.0;
        let taken = shared.change(|inner| {
            if inner.stop {
                return Err(Turn::Over);
            }
            if let Some(frame) = inner.waiting.take() {
                inner.analyzing = true;
                return Ok(frame);
            }
            if !inner.source_is_over {
                return Err(Turn::Done);
            }
            inner.state = CameraState::Stopped;
            inner.stop = true;
            Err(Turn::Over)
        });
        let frame = match taken {
            Ok(frame) => frame,
            Err(turn) => return (turn, Attention::Usual),
        };
        let consumer = &mut self.consumer;
        let Ok(attention) = catch_unwind(AssertUnwindSafe(|| consumer(frame).into())) else {
            shared.fail(PANICKED);
            return (Turn::Over, Attention::Usual);
        };
        let turn = shared.change(|inner| {
            inner.analyzing = false;
            inner.analyzed += 1;
            inner.analysis_rate.count(Instant::now());
            // The wake of what came meanwhile may have been the one that brought this frame.
            if inner.waiting.is_some() || inner.source_is_over { Turn::Again } else { Turn::Done }
        });
        (turn, attention)
    }
}
