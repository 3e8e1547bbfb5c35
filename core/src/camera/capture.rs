//! The capture thread: opens a source, reads it at its pace, and opens it again when it fails.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::frame_source::FrameSource;
use super::health::CameraState;
use super::options::{Pace, WorkerOptions};
use super::probe::Probe;
use super::scheduler::Seat;
use super::shared::Shared;
use super::source::Nature;
use crate::error::{Error, Result};
use crate::frame::Frame;

/// Why a source gives nothing more.
enum End {
    /// The worker was stopped.
    Stopped,
    /// The recording is over.
    Over,
    /// It failed, after running for so long.
    Failed(Error, Duration),
}

pub(super) struct Capture {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: Arc<Seat>,
    pub(super) camera: String,
    pub(super) nature: Nature,
    pub(super) options: WorkerOptions,
    pub(super) probe: Option<Probe>,
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
/// The interval at which a stream's server is probed.
const PROBE_EVERY: Duration = Duration::from_millis(700);
/// The longest gap between frames that counts as a frame rate.
const LONGEST_GAP: Duration = Duration::from_millis(200);

impl Capture {
    pub(super) fn run(self, mut open: impl FnMut() -> Result<Box<dyn FrameSource>>) {
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
            // That of a recording may change from frame to frame.
            let interval = source.frame_interval();
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
