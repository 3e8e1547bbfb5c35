//! How a source is opened, read at its pace, and opened again when it fails: by a thread of the [crew](super::crew).

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::crew::{Charge, Next};
use super::frame_source::FrameSource;
use super::health::CameraState;
use super::options::{Pace, WorkerOptions};
use super::probe::Probe;
use super::scheduler::Seat;
use super::shared::{Alive, PANICKED, Shared};
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

/// Opens a source, each time anew.
pub(super) type Opening = Box<dyn FnMut() -> Result<Box<dyn FrameSource>> + Send>;

/// A camera that is opened and read, by whichever thread has it.
pub(super) struct Capture {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: Arc<Seat>,
    pub(super) camera: String,
    pub(super) nature: Nature,
    pub(super) options: WorkerOptions,
    pub(super) probe: Option<Probe>,
    pub(super) open: Opening,
    pub(super) state: Attempts,
    /// Dropped last, so that a wait for the end finds everything else gone.
    #[expect(dead_code, reason = "it counts while it exists")]
    pub(super) alive: Alive,
}

/// How the attempts to open a camera went.
#[derive(Default)]
pub(super) struct Attempts {
    /// Since it last ran well.
    failures: u32,
    /// Until when it pauses; `None` when it is to be opened.
    pause: Option<Instant>,
    server: Server,
}

/// What is known of a stream's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Server {
    /// Nobody asked.
    #[default]
    Unknown,
    /// It did not answer the last probe.
    Away,
    /// It did.
    There,
}

/// A stream that ran for so long before it was lost is tried again at once.
const STEADY: Duration = Duration::from_secs(3);
/// The interval at which a stream's server is probed.
const PROBE_EVERY: Duration = Duration::from_millis(700);
/// The longest gap between frames that counts as a frame rate.
const LONGEST_GAP: Duration = Duration::from_millis(200);

impl Charge for Capture {
    fn is_promising(&self) -> bool {
        self.state.pause.is_none() && self.state.server != Server::Away
    }

    fn is_blind(&self) -> bool {
        self.state.pause.is_none() && self.state.server == Server::Away
    }

    fn is_stopped(&self) -> bool {
        self.shared.lock().stop
    }

    fn panicked(&self) {
        self.shared.fail(PANICKED);
        self.seat.leave();
    }

    /// Opens it, or probes its server while it pauses. Where others wait, a server that was never asked is probed
    /// first: opening a camera whose server is not there takes ten seconds.
    fn step(&mut self, others_wait: bool) -> Next {
        if self.is_stopped() {
            return Next::Over;
        }
        if let Some(until) = self.state.pause {
            return self.go_on_pausing(until);
        }
        if others_wait && self.state.server == Server::Unknown && self.is_away() {
            self.state.server = Server::Away;
            return Next::Rest(Instant::now());
        }
        match (self.open)() {
            Ok(source) => Next::Read(source),
            Err(error) => self.after(&error, Duration::ZERO),
        }
    }

    fn read_to_its_end(&mut self, source: &mut dyn FrameSource) -> Next {
        match self.read(source) {
            End::Stopped => Next::Over,
            End::Over => {
                self.shared.change(|inner| inner.source_is_over = true);
                self.seat.wake();
                Next::Over
            }
            End::Failed(error, ran_for) => self.after(&error, ran_for),
        }
    }
}

impl Capture {
    /// Decides when it is opened again.
    fn after(&mut self, error: &Error, ran_for: Duration) -> Next {
        let may_come_back = self.nature == Nature::Live && matches!(error, Error::Camera { .. } | Error::Io { .. });
        if !may_come_back {
            tracing::warn!(camera = self.camera, %error, "the camera cannot be read");
            self.shared.fail(&error.to_string());
            self.seat.leave();
            return Next::Over;
        }
        // One that ran for a while is a new story; one that dies at once each time is the same.
        let failures = if ran_for > STEADY { 0 } else { self.state.failures };
        let pause = self.options.pause(failures, RandomState::new().hash_one(failures));
        tracing::warn!(camera = self.camera, %error, ?pause, "the camera is opened again after a pause");
        self.shared.change(|inner| {
            inner.last_error = Some(error.to_string());
            if !inner.stop {
                inner.state = CameraState::Reconnecting;
            }
        });
        let now = Instant::now();
        let (failures, pause) = (failures.saturating_add(1), Some(now + pause));
        self.state = Attempts { failures, pause, server: Server::Unknown };
        Next::Rest(now)
    }

    /// Waits for the end of the pause, or for the return of the stream's server.
    fn go_on_pausing(&mut self, until: Instant) -> Next {
        let over = |now: Instant| now >= until;
        if over(Instant::now()) || self.is_back() {
            self.state.pause = None;
            return Next::Rest(Instant::now());
        }
        let now = Instant::now();
        Next::Rest(if self.probe.is_some() { until.min(now + PROBE_EVERY) } else { until })
    }

    /// Probes the server; whether it answers again, which it did not when the pause began.
    fn is_back(&mut self) -> bool {
        let Some(away) = self.probe.as_ref().map(|probe| !probe.answers(PROBE_EVERY)) else { return false };
        let was_away = self.state.server == Server::Away;
        self.state.server = if away { Server::Away } else { Server::There };
        if was_away && !away {
            // One that has just started may not have its stream yet.
            self.state.failures = 0;
        }
        was_away && !away
    }

    fn is_away(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| !probe.answers(PROBE_EVERY))
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
