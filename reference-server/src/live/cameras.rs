//! The cameras that were started, by the address that they were started with.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use faceattend_core::camera::{
    CameraSource, CameraState, CameraWorker, FrameSource, Nature, OpenOptions, WorkerOptions, open,
};
use faceattend_core::{Error, Result};

use super::watch::Watcher;

/// How often a recording is tried, as the original tries: it may still be being copied or mounted. A stream is tried for
/// as long as it is not stopped, by the worker itself.
const ATTEMPTS: u32 = 5;
/// The pause between two tries. Together they stay within the second that stopping a camera may take.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(180);

/// The cameras.
pub(crate) struct Cameras {
    watcher: Watcher,
    running: Mutex<BTreeMap<String, Camera>>,
}

struct Camera {
    worker: CameraWorker,
    location: Option<String>,
}

/// A camera as the API shows it.
pub(crate) struct CameraStatus {
    /// The address that it was started with.
    pub(crate) url: String,
    /// Whether it delivers frames or may still do so.
    pub(crate) is_running: bool,
    /// What it is doing.
    pub(crate) state: CameraState,
    /// Its place.
    pub(crate) location: Option<String>,
    /// How many frames it has delivered.
    pub(crate) frame_count: u64,
}

impl Cameras {
    pub(crate) fn new(watcher: Watcher) -> Self {
        Self { watcher, running: Mutex::default() }
    }

    /// Starts the camera at `url`. One that runs already goes on as it is, in the place it was started with.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an address that is none of a camera's.
    pub(crate) fn start(&self, url: &str, location: Option<&str>) -> Result<()> {
        let mut running = self.lock();
        if running.get(url).is_some_and(|camera| !camera.worker.health().state.is_over()) {
            return Ok(());
        }
        let watch = self.watcher.watch(location);
        // An empty address is started, as recorded, and ends like a file that is not there.
        let worker = if url.trim().is_empty() {
            let nothing = || Err(Error::NotFound { what: "camera" });
            CameraWorker::start_with("", Nature::Recording, WorkerOptions::default(), persistently(nothing), watch)?
        } else {
            let source = CameraSource::parse(url)?;
            let (name, nature, options) = (source.to_string(), source.nature(), OpenOptions::default());
            let opening = move || open(&source, &options);
            match nature {
                Nature::Live => CameraWorker::start_with(name, nature, WorkerOptions::default(), opening, watch)?,
                Nature::Recording => {
                    CameraWorker::start_with(name, nature, WorkerOptions::default(), persistently(opening), watch)?
                }
            }
        };
        tracing::info!(camera = worker.camera(), "detection started");
        running.insert(url.to_owned(), Camera { worker, location: location.map(str::to_owned) });
        Ok(())
    }

    /// Stops the camera at `url`, if it was started. Blocks until it has stopped, for about a second at most.
    pub(crate) fn stop(&self, url: &str) {
        // Out of the lock before it is stopped: others may be started and shown meanwhile.
        let stopped = self.lock().remove(url);
        if let Some(camera) = stopped {
            camera.worker.stop();
            tracing::info!(camera = camera.worker.camera(), "detection stopped");
        }
    }

    /// Stops every camera. Blocks like [`stop`](Self::stop).
    pub(crate) fn stop_all(&self) {
        let stopped = std::mem::take(&mut *self.lock());
        thread::scope(|threads| {
            for camera in stopped.values() {
                threads.spawn(|| camera.worker.stop());
            }
        });
    }

    /// How every camera is, by address.
    pub(crate) fn status(&self) -> Vec<CameraStatus> {
        let status = |(url, camera): (&String, &Camera)| {
            let health = camera.worker.health();
            CameraStatus {
                url: url.clone(),
                is_running: !health.state.is_over(),
                state: health.state,
                location: camera.location.clone(),
                frame_count: health.captured,
            }
        };
        self.lock().iter().map(status).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Camera>> {
        // Every change is one insertion or removal: a panic leaves nothing half done.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens by trying several times.
fn persistently(
    open: impl Fn() -> Result<Box<dyn FrameSource>> + Send + 'static,
) -> impl FnMut() -> Result<Box<dyn FrameSource>> + Send + 'static {
    move || {
        for _ in 1..ATTEMPTS {
            if let Ok(source) = open() {
                return Ok(source);
            }
            thread::sleep(BETWEEN_ATTEMPTS);
        }
        open()
    }
}
