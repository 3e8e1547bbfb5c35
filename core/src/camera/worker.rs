//! A camera's capture thread, its seat with the [`Scheduler`], and between them the newest frame only.
//!
//! A slow consumer never sees an old frame: what comes while it works replaces what waits, and what comes before the
//! consumer wants another is not even decoded. A live camera that fails is opened again, after a pause that doubles up
//! to a ceiling and is blurred so that many cameras behind one switch do not come back in step; a stream whose server
//! was away is opened as soon as it answers again. A recording is played at its own pace, or as fast as it is analyzed, and ends as stopped.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::probe::Probe;
use super::scheduler::{Seat, Turn};
use super::{CameraSource, FrameSource, Nature, OpenOptions, Scheduler, open};
use crate::error::{Error, Result};
use crate::frame::Frame;

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pace {
    /// As it was recorded; a slow consumer misses frames, as it would with a camera.
    #[default]
    Recorded,
    /// As fast as the consumer takes them; it gets every frame.
    AsAnalyzed,
}

/// What a consumer wants after a frame. A consumer that returns `()` is content with the usual rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Attention {
    /// The next frame at [`WorkerOptions::rate`].
    #[default]
    Usual,
    /// The next frame sooner, at [`WorkerOptions::close_rate`]: something is there that will soon be gone.
    Close,
}

impl From<()> for Attention {
    fn from((): ()) -> Self {
        Self::Usual
    }
}

/// How a camera is read.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// How the source is opened.
    pub open: OpenOptions,
    /// How fast a recording is played. Default [`Pace::Recorded`].
    pub pace: Pace,
    /// The first pause before a live camera is opened again. Default 0.5 s.
    pub first_pause: Duration,
    /// The longest pause. Default 30 s: a camera that was off for the night is back within half a minute.
    pub longest_pause: Duration,
    /// How many frames a second are analyzed at most. Default: all that the consumer has time for. Five a second show a
    /// face that walks through a door several times.
    pub rate: Option<f32>,
    /// How many while the consumer asks for [`Attention::Close`]. Default: as [`rate`](Self::rate).
    pub close_rate: Option<f32>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            pace: Pace::default(),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            rate: None,
            close_rate: None,
        }
    }
}

impl WorkerOptions {
    /// The same options with these for opening.
    #[must_use]
    pub fn with_open(mut self, open: OpenOptions) -> Self {
        self.open = open;
        self
    }

    /// The same options with this pace.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// The same options with these pauses before a live camera is opened again.
    #[must_use]
    pub fn with_pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_pause, self.longest_pause) = (first, longest);
        self
    }

    /// The same options, analyzing at most so many frames a second.
    #[must_use]
    pub fn with_rate(mut self, rate: f32) -> Self {
        self.rate = Some(rate);
        self
    }

    /// The same options, analyzing at most so many frames a second while the consumer asks for it.
    #[must_use]
    pub fn with_close_rate(mut self, rate: f32) -> Self {
        self.close_rate = Some(rate);
        self
    }

    /// The pause before the attempt after `failures` failures in a row: doubled each time up to the longest, then cut
    /// to between a half and the whole by `noise`.
    fn pause(&self, failures: u32, noise: u64) -> Duration {
        let doubled = self.first_pause.saturating_mul(1_u32.checked_shl(failures.min(31)).unwrap_or(u32::MAX));
        let half = doubled.min(self.longest_pause) / 2;
        #[expect(clippy::cast_precision_loss, reason = "a fraction needs no 64 bits")]
        let fraction = noise as f64 / u64::MAX as f64;
        half + half.mul_f64(fraction)
    }
}

/// What a camera is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CameraState {
    /// It is being opened for the first time.
    Connecting,
    /// It gives frames.
    Running,
    /// It gave frames or failed to, and is opened again after a pause.
    Reconnecting,
    /// It was stopped, or the recording is over.
    Stopped,
    /// It cannot be read and will not be tried again.
    Failed,
}

impl CameraState {
    /// The state as a word, for an API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Running => "running",
            Self::Reconnecting => "reconnecting",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

/// How a camera is doing at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraHealth {
    /// What it is doing.
    pub state: CameraState,
    /// Frames that the source gave.
    pub captured: u64,
    /// Frames that the consumer has worked through.
    pub analyzed: u64,
    /// Frames that a newer one replaced before the consumer was free, and frames that could not be decoded.
    pub dropped: u64,
    /// Frames that came before the consumer wanted another, by [`WorkerOptions::rate`].
    pub skipped: u64,
    /// Frames that the source gives in a second, of late.
    pub captured_per_second: f32,
    /// Frames that the consumer works through in a second, of late.
    pub analyzed_per_second: f32,
    /// How often the source was lost and came back.
    pub reconnects: u64,
    /// The last thing that went wrong, without credentials; it stays after a recovery.
    pub last_error: Option<String>,
    /// How long ago the source gave its last frame.
    pub last_frame_age: Option<Duration>,
}

/// The threads of one camera. Dropping it stops them.
pub struct CameraWorker {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    camera: String,
}

impl std::fmt::Debug for CameraWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CameraWorker({}, {:?})", self.camera, self.health())
    }
}

/// How long a stop waits for the threads. One that hangs in a driver or in a long analysis is left to end by itself
/// at its next step, with nothing more to give its frame to.
const STOP_PATIENCE: Duration = Duration::from_millis(800);

struct Shared {
    inner: Mutex<Inner>,
    /// Something in `inner` has changed.
    changed: Condvar,
}

struct Inner {
    state: CameraState,
    stop: bool,
    waiting: Option<Frame<'static>>,
    analyzing: bool,
    source_is_over: bool,
    threads: u8,
    captured: u64,
    analyzed: u64,
    dropped: u64,
    skipped: u64,
    reconnects: u64,
    capture_rate: Rate,
    analysis_rate: Rate,
    last_error: Option<String>,
    last_frame: Option<Instant>,
}

impl Inner {
    fn captured(&mut self) {
        self.reconnects += u64::from(self.state == CameraState::Reconnecting && self.captured > 0);
        self.state = CameraState::Running;
        self.captured += 1;
        let now = Instant::now();
        self.last_frame = Some(now);
        self.capture_rate.count(now);
    }
}

/// When the last things happened.
#[derive(Default)]
struct Rate(VecDeque<Instant>);

impl Rate {
    /// As many as ten seconds at five a second, two at 25.
    const KEPT: usize = 50;

    fn count(&mut self, now: Instant) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    #[expect(clippy::cast_precision_loss, reason = "at most fifty")]
    fn per_second(&self, now: Instant) -> f32 {
        let Some(first) = self.0.front() else { return 0.0 };
        // Until the next one comes, the time that it lets wait for itself counts too.
        let passed = now.duration_since(*first).as_secs_f32();
        if passed > 0.0 { (self.0.len() - 1) as f32 / passed } else { 0.0 }
    }
}

impl CameraWorker {
    /// Reads the camera and hands its frames to `consumer`, on threads of its own.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no thread. That the camera cannot be opened is told by the
    /// [health](Self::health).
    pub fn start<A: Into<Attention>>(
        source: &CameraSource,
        options: WorkerOptions,
        consumer: impl FnMut(Frame<'static>) -> A + Send + 'static,
    ) -> Result<Self> {
        Self::start_on(&Scheduler::new(NonZero::<usize>::MIN)?, source, options, consumer)
    }

    /// As [`start`](Self::start), with `consumer` called by the threads of `scheduler`, which other cameras share.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_on<A: Into<Attention>>(
        scheduler: &Scheduler,
        source: &CameraSource,
        options: WorkerOptions,
        consumer: impl FnMut(Frame<'static>) -> A + Send + 'static,
    ) -> Result<Self> {
        let (camera, nature, opened) = (source.to_string(), source.nature(), source.clone());
        let opening = move || open(&opened, &options.open);
        Self::run(scheduler, camera, nature, options, source.address().and_then(Probe::of), opening, consumer)
    }

    /// As [`start`](Self::start) for a source of the caller's own: `open` is called for each attempt. `camera` names it
    /// in logs and holds no credentials.
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

    /// As [`start_with`](Self::start_with), with `consumer` called by the threads of `scheduler`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
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
        let seat = Arc::new(scheduler.join(rates, Box::new(move || analysis.turn())));
        let worker = Self { shared, seat, camera };
        let capture = Capture {
            shared: worker.shared.clone(),
            seat: worker.seat.clone(),
            camera: worker.camera.clone(),
            nature,
            options,
            probe,
        };
        let alive = Alive::of(&worker.shared);
        let seat = worker.seat.clone();
        let body = move || {
            let shared = alive.0.clone();
            if catch_unwind(AssertUnwindSafe(|| capture.run(open))).is_err() {
                shared.fail(PANICKED);
                seat.leave();
            }
            drop(alive);
        };
        // A failed spawn drops the worker, which gives up the seat.
        std::thread::Builder::new()
            .name("camera-capture".into())
            .spawn(body)
            .map_err(|error| Error::Internal { reason: format!("no thread for the camera: {error}") })?;
        Ok(worker)
    }

    /// The camera, without credentials.
    #[must_use]
    pub fn camera(&self) -> &str {
        &self.camera
    }

    /// How it is doing.
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
    pub fn stop(&self) {
        self.shared.change(|inner| {
            inner.stop = true;
            inner.waiting = None;
            if !inner.state.is_over() {
                inner.state = CameraState::Stopped;
            }
        });
        self.seat.leave();
        if self.shared.wait_until(STOP_PATIENCE, |inner| inner.threads == 0).threads > 0 {
            tracing::warn!(camera = self.camera, "the camera's threads have not ended yet");
        }
    }
}

impl Drop for CameraWorker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is a plain assignment: a panic leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let value = change(&mut self.lock());
        self.changed.notify_all();
        value
    }

    fn wait_until(&self, timeout: Duration, reached: impl Fn(&Inner) -> bool) -> MutexGuard<'_, Inner> {
        self.changed
            .wait_timeout_while(self.lock(), timeout, |inner| !reached(inner))
            .map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner)
    }

    /// Waits for `pause` or the stop; whether it was the pause.
    fn pause(&self, pause: Duration) -> bool {
        !self.wait_until(pause, |inner| inner.stop).stop
    }

    fn fail(&self, reason: &str) {
        self.change(|inner| {
            inner.last_error = Some(reason.to_owned());
            if !inner.state.is_over() {
                inner.state = CameraState::Failed;
            }
            inner.stop = true;
        });
    }
}

const PANICKED: &str = "the camera's thread panicked";

/// A thread or seat of the camera that has not ended yet.
struct Alive(Arc<Shared>);

impl Alive {
    fn of(shared: &Arc<Shared>) -> Self {
        shared.lock().threads += 1;
        Self(shared.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.change(|inner| inner.threads -= 1);
    }
}

/// What has a camera's turns with the scheduler. The consumer goes before the sign of life: who waits for the end finds
/// its last figures written.
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

/// Why a source gives nothing more.
enum End {
    /// The worker was stopped.
    Stopped,
    /// The recording is over.
    Over,
    /// It failed, after running for so long.
    Failed(Error, Duration),
}

struct Capture {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    camera: String,
    nature: Nature,
    options: WorkerOptions,
    probe: Option<Probe>,
}

/// How a pause ended.
enum Rest {
    /// It is over.
    Over,
    /// The stream's server answers again, which it did not when the pause began.
    Back,
    /// The worker was stopped.
    Stopped,
}

/// A stream that ran for so long before it was lost is tried again at once.
const STEADY: Duration = Duration::from_secs(3);
/// How often a stream's server is asked whether it is back.
const PROBE_EVERY: Duration = Duration::from_millis(700);
/// A frame gap that is longer is no frame rate.
const LONGEST_GAP: Duration = Duration::from_millis(200);

impl Capture {
    fn run(self, mut open: impl FnMut() -> Result<Box<dyn FrameSource>>) {
        let mut failures = 0;
        loop {
            let end = match open() {
                Ok(mut source) => self.read(source.as_mut()),
                Err(error) => End::Failed(error, Duration::ZERO),
            };
            let (error, ran_for) = match end {
                End::Stopped => return,
                End::Over => {
                    self.shared.change(|inner| inner.source_is_over = true);
                    return self.seat.wake();
                }
                End::Failed(error, ran_for) => (error, ran_for),
            };
            let may_come_back = self.nature == Nature::Live && matches!(error, Error::Camera { .. } | Error::Io { .. });
            if !may_come_back {
                tracing::warn!(camera = self.camera, %error, "the camera cannot be read");
                self.shared.fail(&error.to_string());
                return self.seat.leave();
            }
            // One that ran for a while is a new story; one that dies at once each time is the same.
            if ran_for > STEADY {
                failures = 0;
            }
            let pause = self.options.pause(failures, RandomState::new().hash_one(failures));
            failures = failures.saturating_add(1);
            tracing::warn!(camera = self.camera, %error, ?pause, "the camera is opened again after a pause");
            self.shared.change(|inner| {
                inner.last_error = Some(error.to_string());
                if !inner.stop {
                    inner.state = CameraState::Reconnecting;
                }
            });
            match self.rest(pause) {
                Rest::Over => {}
                // One that has just started may not have its stream yet.
                Rest::Back => failures = 0,
                Rest::Stopped => return,
            }
        }
    }

    /// Waits for the pause, the stop, or the return of the stream's server.
    fn rest(&self, pause: Duration) -> Rest {
        let until = Instant::now() + pause;
        let mut was_away = false;
        loop {
            if let Some(probe) = &self.probe {
                let away = !probe.answers(PROBE_EVERY);
                if was_away && !away {
                    return Rest::Back;
                }
                was_away |= away;
            }
            let left = until.saturating_duration_since(Instant::now());
            let step = if self.probe.is_some() { left.min(PROBE_EVERY) } else { left };
            if !self.shared.pause(step) {
                return Rest::Stopped;
            }
            if step == left {
                return Rest::Over;
            }
        }
    }

    fn read(&self, source: &mut dyn FrameSource) -> End {
        let opened = Instant::now();
        let interval = source.frame_interval();
        let mut due = opened;
        let every = interval.is_some() && self.options.pace == Pace::AsAnalyzed;
        let (mut last, mut gap) = (opened, interval.unwrap_or_default());
        loop {
            // When the frame that comes now will be there.
            let next_in = if interval.is_some() { due.saturating_duration_since(Instant::now()) } else { gap };
            let next = if every || self.seat.wants(next_in) {
                source.next_frame()
            } else {
                match source.skip() {
                    Ok(true) => {
                        (last, gap) = (Instant::now(), last.elapsed().min(LONGEST_GAP));
                        if let Some(interval) = interval {
                            if !self.shared.pause(next_in) {
                                return End::Stopped;
                            }
                            due += interval;
                        }
                        if !self.passed_over() {
                            return End::Stopped;
                        }
                        continue;
                    }
                    Ok(false) => Ok(None),
                    Err(error) => Err(error),
                }
            };
            (last, gap) = (Instant::now(), last.elapsed().min(LONGEST_GAP));
            let frame = match next {
                Ok(Some(frame)) => frame,
                Ok(None) if self.nature == Nature::Recording => return End::Over,
                Ok(None) => {
                    let reason = "the stream ended".to_owned();
                    return End::Failed(Error::Camera { camera: self.camera.clone(), reason }, opened.elapsed());
                }
                Err(error @ Error::InvalidImage { .. }) => {
                    let stopped = self.shared.change(|inner| {
                        inner.dropped += 1;
                        inner.last_error = Some(error.to_string());
                        inner.stop
                    });
                    if stopped {
                        return End::Stopped;
                    }
                    continue;
                }
                Err(error) => return End::Failed(error, opened.elapsed()),
            };
            if let (Some(interval), Pace::Recorded) = (interval, self.options.pace) {
                if !self.shared.pause(due.saturating_duration_since(Instant::now())) {
                    return End::Stopped;
                }
                // A reader that fell behind does not catch up in a rush.
                due = due.max(Instant::now().checked_sub(interval).unwrap_or(due)) + interval;
            }
            if !self.hand_over(frame, interval.is_some() && self.options.pace == Pace::AsAnalyzed) {
                return End::Stopped;
            }
        }
    }

    /// Leaves the frame for the analysis, in place of one that waits, or after it is done `when_free`; `false` after a
    /// stop.
    fn hand_over(&self, frame: Frame<'static>, when_free: bool) -> bool {
        let mut inner = self.shared.lock();
        while when_free && !inner.stop && (inner.analyzing || inner.waiting.is_some()) {
            inner = self.shared.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.stop {
            return false;
        }
        inner.captured();
        if inner.waiting.replace(frame).is_some() {
            inner.dropped += 1;
        }
        drop(inner);
        self.shared.changed.notify_all();
        self.seat.wake();
        true
    }

    /// Counts a frame that nobody wanted; `false` after a stop.
    fn passed_over(&self) -> bool {
        self.shared.change(|inner| {
            if !inner.stop {
                inner.captured();
                inner.skipped += 1;
            }
            !inner.stop
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_the_ceiling_and_never_falls_below_half() {
        let options = WorkerOptions::default();
        let [shortest, longest] = [0, u64::MAX].map(|noise| (0..8).map(move |n| options.pause(n, noise).as_millis()));
        assert_eq!(longest.collect::<Vec<_>>(), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(shortest.collect::<Vec<_>>(), [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        assert_eq!(options.pause(u32::MAX, u64::MAX), Duration::from_secs(30));
    }
}
