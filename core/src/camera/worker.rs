//! A camera's two threads: one captures, one analyses, and between them lies the newest frame only.
//!
//! A slow consumer never sees an old frame: what comes while it works replaces what waits. A live camera that fails is
//! opened again, after a pause that doubles up to a ceiling and is blurred so that many cameras behind one switch do
//! not come back in step. A recording is played at its own pace, or as fast as it is analysed, and ends as stopped.

use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{CameraSource, FrameSource, Nature, OpenOptions, open};
use crate::error::{Error, Result};
use crate::frame::Frame;

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pace {
    /// As it was recorded; a slow consumer misses frames, as it would with a camera.
    #[default]
    Recorded,
    /// As fast as the consumer takes them; it gets every frame.
    AsAnalysed,
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
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            pace: Pace::default(),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
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
    pub analysed: u64,
    /// Frames that a newer one replaced before the consumer was free, and frames that could not be decoded.
    pub dropped: u64,
    /// The last thing that went wrong, without credentials; it stays after a recovery.
    pub last_error: Option<String>,
    /// How long ago the source gave its last frame.
    pub last_frame_age: Option<Duration>,
}

/// The threads of one camera. Dropping it stops them.
pub struct CameraWorker {
    shared: Arc<Shared>,
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
    analysing: bool,
    source_is_over: bool,
    threads: u8,
    captured: u64,
    analysed: u64,
    dropped: u64,
    last_error: Option<String>,
    last_frame: Option<Instant>,
}

impl CameraWorker {
    /// Reads the camera and hands its frames to `consumer`, on threads of its own.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no thread. That the camera cannot be opened is told by the
    /// [health](Self::health).
    pub fn start(
        source: &CameraSource,
        options: WorkerOptions,
        consumer: impl FnMut(Frame<'static>) + Send + 'static,
    ) -> Result<Self> {
        let (camera, nature, opened) = (source.to_string(), source.nature(), source.clone());
        Self::start_with(camera, nature, options, move || open(&opened, &options.open), consumer)
    }

    /// As [`start`](Self::start) for a source of the caller's own: `open` is called for each attempt. `camera` names it
    /// in logs and holds no credentials.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        camera: impl Into<String>,
        nature: Nature,
        options: WorkerOptions,
        open: impl FnMut() -> Result<Box<dyn FrameSource>> + Send + 'static,
        consumer: impl FnMut(Frame<'static>) + Send + 'static,
    ) -> Result<Self> {
        let inner = Inner {
            state: CameraState::Connecting,
            stop: false,
            waiting: None,
            analysing: false,
            source_is_over: false,
            threads: 0,
            captured: 0,
            analysed: 0,
            dropped: 0,
            last_error: None,
            last_frame: None,
        };
        let worker = Self {
            shared: Arc::new(Shared { inner: Mutex::new(inner), changed: Condvar::new() }),
            camera: camera.into(),
        };
        let capture = Capture { shared: worker.shared.clone(), camera: worker.camera.clone(), nature, options };
        // A failed spawn drops the worker, which stops the thread that was spawned before.
        worker.spawn("camera-analysis", {
            let shared = worker.shared.clone();
            move || shared.analyse(consumer)
        })?;
        worker.spawn("camera-capture", move || capture.run(open))?;
        Ok(worker)
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        let shared = self.shared.clone();
        self.shared.lock().threads += 1;
        let body = move || {
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                shared.fail("the camera's thread panicked");
            }
            shared.change(|inner| inner.threads -= 1);
        };
        match std::thread::Builder::new().name(name.into()).spawn(body) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.shared.lock().threads -= 1;
                Err(Error::Internal { reason: format!("no thread for the camera: {error}") })
            }
        }
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
        CameraHealth {
            state: inner.state,
            captured: inner.captured,
            analysed: inner.analysed,
            dropped: inner.dropped,
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

    fn analyse(&self, mut consumer: impl FnMut(Frame<'static>)) {
        loop {
            let frame = {
                let mut inner = self.lock();
                loop {
                    if inner.stop {
                        return;
                    }
                    if let Some(frame) = inner.waiting.take() {
                        inner.analysing = true;
                        break frame;
                    }
                    if inner.source_is_over {
                        inner.state = CameraState::Stopped;
                        inner.stop = true;
                        drop(inner);
                        return self.changed.notify_all();
                    }
                    inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                }
            };
            self.changed.notify_all();
            consumer(frame);
            self.change(|inner| {
                inner.analysing = false;
                inner.analysed += 1;
            });
        }
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
    camera: String,
    nature: Nature,
    options: WorkerOptions,
}

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
                End::Over => return self.shared.change(|inner| inner.source_is_over = true),
                End::Failed(error, ran_for) => (error, ran_for),
            };
            let may_come_back = self.nature == Nature::Live && matches!(error, Error::Camera { .. } | Error::Io { .. });
            if !may_come_back {
                tracing::warn!(camera = self.camera, %error, "the camera cannot be read");
                return self.shared.fail(&error.to_string());
            }
            // One that ran for a while is a new story; one that dies at once each time is the same.
            if ran_for > self.options.longest_pause {
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
            if !self.shared.pause(pause) {
                return;
            }
        }
    }

    fn read(&self, source: &mut dyn FrameSource) -> End {
        let opened = Instant::now();
        let interval = source.frame_interval();
        let mut due = opened;
        loop {
            let frame = match source.next_frame() {
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
            if !self.hand_over(frame, interval.is_some() && self.options.pace == Pace::AsAnalysed) {
                return End::Stopped;
            }
        }
    }

    /// Leaves the frame for the analysis, in place of one that waits, or after it is done `when_free`; `false` after a
    /// stop.
    fn hand_over(&self, frame: Frame<'static>, when_free: bool) -> bool {
        let mut inner = self.shared.lock();
        while when_free && !inner.stop && (inner.analysing || inner.waiting.is_some()) {
            inner = self.shared.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.stop {
            return false;
        }
        inner.state = CameraState::Running;
        inner.captured += 1;
        inner.last_frame = Some(Instant::now());
        if inner.waiting.replace(frame).is_some() {
            inner.dropped += 1;
        }
        drop(inner);
        self.shared.changed.notify_all();
        true
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
