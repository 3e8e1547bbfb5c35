//! The cameras that were started, by the address that they were started with, without its credentials.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use faceattend_core::camera::{
    CameraAccess, CameraHealth, CameraSource, CameraState, CameraWorker, FrameSource, Nature, OpenOptions, Orientation,
    Scheduler, WorkerOptions, open, redacted,
};
use faceattend_core::store::{StoreTrouble, limits};
use faceattend_core::{Error, Result};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ambiguous::AmbiguousPair;
use super::preview::Preview;
use super::problems::ProblemItem;
use super::watch::{Shown, Watcher};
use crate::settings::{LiveSettings, Mountings};

/// How many times as often a camera is looked at while the next picture may decide whose a face is.
const CLOSER: f32 = 2.0;
/// How often a recording is tried, as the original tries: it may still be being copied or mounted. A stream is tried
/// for as long as it is not stopped, by the worker itself.
const ATTEMPTS: u32 = 5;
/// The pause between two tries. Together they stay within the second that stopping a camera may take.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(180);
/// How often a camera that is being opened is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Numbers cameras for their previews, across all groups.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Who has a camera started, which decides what may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter {
    /// Whoever administers the site: any camera and any file.
    Admin,
    /// Anybody else: those that the operator of the site allows.
    Operator,
}

/// The cameras.
pub(crate) struct Cameras {
    watcher: Watcher,
    scheduler: Scheduler,
    rate: f32,
    preview: bool,
    access: Arc<CameraAccess>,
    mountings: Mountings,
    running: Mutex<BTreeMap<String, Camera>>,
}

struct Camera {
    id: u64,
    /// With its credentials, to tell another start from the same.
    address: String,
    worker: CameraWorker,
    location: Option<String>,
    shown: Shown,
}

/// How a camera is mounted, as far as the one who starts it says so. Its place says the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mounted {
    /// By how many degrees its pictures are turned: an upright orientation, not mirrored.
    pub(crate) turned: Option<Orientation>,
    /// Whether they are mirrored then.
    pub(crate) mirror: Option<bool>,
}

impl Mounted {
    /// Returns the orientation of a camera, whose place has this one.
    fn or(self, of_place: Orientation) -> Orientation {
        let mirror = self.mirror.unwrap_or(of_place.is_mirrored());
        let turned = self.turned.unwrap_or(if of_place.is_mirrored() { of_place.mirrored() } else { of_place });
        if mirror { turned.mirrored() } else { turned }
    }

    /// Returns whether a camera with this orientation need not be started anew.
    fn admits(self, orientation: Orientation) -> bool {
        self.or(orientation) == orientation
    }
}

/// A camera as the API shows it.
pub(crate) struct CameraStatus {
    /// The address that it was started with, without credentials.
    pub(crate) name: String,
    /// Its number, for the preview.
    pub(crate) id: u64,
    /// Whether it delivers frames or may still do so.
    pub(crate) is_running: bool,
    /// Its place.
    pub(crate) location: Option<String>,
    /// Whether its pictures may be looked at.
    pub(crate) preview: bool,
    /// How its pictures are turned.
    pub(crate) orientation: Orientation,
    /// What keeps it from naming people.
    pub(crate) problems: Vec<ProblemItem>,
    /// How it is doing.
    pub(crate) health: CameraHealth,
    /// Whom it could not tell apart.
    pub(crate) ambiguous: Vec<AmbiguousPair>,
    /// How many marks of its place wait for the database, and why.
    pub(crate) waiting: (u64, Option<StoreTrouble>),
}

/// A camera as the API shows it: the recorded three figures, and ours.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CameraItem {
    is_running: bool,
    camera_location: String,
    frame_count: u64,
    /// The number for the preview; null while another server has not reported it.
    #[schema(required, value_type = Option<u64>)]
    id: u64,
    /// Whether its preview may be looked at on this server.
    preview: bool,
    /// `connecting`, `running`, `reconnecting`, `stopped` or `failed`. A stream that could not be opened yet is
    /// `failed` for the reason in `last_error`, and opened again as long as `is_running` holds.
    state: &'static str,
    frames_analysed: u64,
    frames_dropped: u64,
    captured_per_second: f64,
    analysed_per_second: f64,
    /// In seconds.
    #[schema(required)]
    last_frame_age: Option<f64>,
    reconnects: u64,
    #[schema(required)]
    last_error: Option<String>,
    /// Students whom it could not tell apart lately: one person who is enrolled twice, or two who look alike.
    ambiguous: Vec<AmbiguousPair>,
    /// By how many degrees clockwise its pictures are turned: 0, 90, 180 or 270.
    orientation: u16,
    /// Whether they are mirrored left to right then.
    mirror: bool,
    /// What keeps it from naming people, as far as its pictures tell.
    problems: Vec<ProblemItem>,
    /// How many marks of its place wait for the database, which another program holds, or which is away.
    marks_waiting: u64,
    /// The server that reads it, where several share the cameras.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

impl CameraStatus {
    /// Returns its state as it is shown: one that never gave a picture has failed so far, also while it is opened
    /// again and again.
    pub(crate) fn state(&self) -> CameraState {
        match self.health.state {
            CameraState::Reconnecting if self.health.captured == 0 => CameraState::Failed,
            state => state,
        }
    }

    /// Returns it as the API shows it, as JSON: servers that share cameras send it to each other.
    pub(crate) fn item(&self) -> Value {
        let health = &self.health;
        let item = CameraItem {
            is_running: self.is_running,
            camera_location: self.location.clone().unwrap_or_else(|| "Unknown".into()),
            frame_count: health.captured,
            id: self.id,
            preview: self.preview,
            state: self.state().as_str(),
            frames_analysed: health.analyzed,
            frames_dropped: health.dropped,
            captured_per_second: tenths(health.captured_per_second),
            analysed_per_second: tenths(health.analyzed_per_second),
            last_frame_age: health.last_frame_age.map(|age| age.as_secs_f64()),
            reconnects: health.reconnects,
            last_error: health.last_error.clone().or_else(|| self.why_marks_wait()),
            marks_waiting: self.waiting.0,
            ambiguous: self.ambiguous.clone(),
            orientation: self.orientation.degrees(),
            mirror: self.orientation.is_mirrored(),
            problems: self.problems.clone(),
            server: None,
        };
        serde_json::to_value(item).unwrap_or_default()
    }
}

impl CameraStatus {
    /// A camera that works and whose marks wait has this to say.
    fn why_marks_wait(&self) -> Option<String> {
        let (marks, trouble) = self.waiting;
        let why = trouble.map_or("the database has not taken them yet", StoreTrouble::advice);
        (marks > 0).then(|| format!("marks that wait for the database: {marks}; {why}"))
    }
}

fn tenths(value: f32) -> f64 {
    (f64::from(value) * 10.0).round() / 10.0
}

/// The name of a camera or of its place, as it is kept and shown: a client of the replaced service may send the address
/// of a camera instead.
pub(crate) fn shown_place(name: &str) -> String {
    let may_be_address = name.contains("://") || name.contains('@') && name.contains(':');
    if may_be_address { redacted(name) } else { name.to_owned() }
}

/// Whether a camera is at an address of the network, as opposed to a device or a file of one machine.
pub(super) fn reached_by_all(name: &str) -> bool {
    name.contains("://") && CameraSource::parse(name).is_ok()
}

impl Cameras {
    pub(super) fn new(watcher: Watcher, scheduler: Scheduler, settings: &LiveSettings) -> Self {
        let LiveSettings { rate, preview, camera_access, mountings, .. } = settings;
        let (access, mountings) = (Arc::clone(camera_access), mountings.clone());
        Self { watcher, scheduler, rate: *rate, preview: *preview, access, mountings, running: Mutex::default() }
    }

    /// The source at `address`, bound to what its starter may open; `None` for one that may not be opened. Blocks while
    /// a name is resolved.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an address that is none of a camera's.
    pub(super) fn source(&self, address: &str, starter: Starter) -> Result<Option<CameraSource>> {
        let source = CameraSource::parse(address)?;
        Ok(match starter {
            Starter::Admin => Some(source),
            Starter::Operator => source.permitted_by(&self.access),
        })
    }

    /// Whether the host of an address cannot become another before it is opened.
    pub(super) fn is_fixed(&self, source: &CameraSource) -> bool {
        source.is_fixed_by(&self.access)
    }

    /// Starts the camera at `address`; whether it may be opened. One that runs already goes on as it is, in the place
    /// it was started with; one that was started with other credentials, or is mounted otherwise, is started anew.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an address that is none of a camera's.
    pub(crate) fn start(
        &self,
        address: &str,
        location: Option<&str>,
        mounted: Mounted,
        starter: Starter,
    ) -> Result<bool> {
        // An empty address is started, as recorded, and ends like a file that is not there.
        let source = match address.trim().is_empty() {
            true => None,
            false => match self.source(address, starter)? {
                Some(source) => Some(source),
                None => return Ok(false),
            },
        };
        self.start_unless(address, source, location, mounted, |camera| {
            let is_the_same = camera.address == address && mounted.admits(camera.shown.orientation);
            is_the_same && !camera.worker.health().state.is_over()
        })?;
        Ok(true)
    }

    /// Starts a camera that another server let go unless it was started already, also when it is over. Where its
    /// address is one that an operator may open, it is bound as if one had started it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(super) fn take_up(&self, address: &str, location: Option<&str>) -> Result<()> {
        // It is asked every two seconds, and a name need not be resolved for that.
        if self.lock().get(&redacted(address)).is_some_and(|camera| camera.address == address) {
            return Ok(());
        }
        let source = match address.trim().is_empty() {
            true => None,
            false => self.source(address, Starter::Operator)?.or(self.source(address, Starter::Admin)?),
        };
        self.start_unless(address, source, location, Mounted::default(), |camera| camera.address == address)
    }

    fn start_unless(
        &self,
        address: &str,
        source: Option<CameraSource>,
        location: Option<&str>,
        mounted: Mounted,
        is_good: impl Fn(&Camera) -> bool,
    ) -> Result<()> {
        let name = redacted(address);
        let mut running = self.lock();
        if running.get(&name).is_some_and(is_good) {
            return Ok(());
        }
        let orientation = mounted.or(self.mountings.of(location));
        let preview = self.preview.then(|| Arc::new(Preview::default()));
        let shown = Shown::new(preview, orientation, &self.watcher.gallery);
        let nature = source.as_ref().map_or(Nature::Recording, CameraSource::nature);
        let watch = self.watcher.watch(&name, location, nature, shown.clone());
        let opened = OpenOptions::default().with_orientation(orientation);
        let options =
            WorkerOptions::default().with_open(opened).with_rate(self.rate).with_close_rate(self.rate * CLOSER);
        let worker = match source {
            None => {
                let nothing = || Err(Error::NotFound { what: "camera" });
                let opening = persistently(nothing);
                CameraWorker::start_with_on(&self.scheduler, "", Nature::Recording, options, opening, watch)?
            }
            Some(source) if nature == Nature::Live => CameraWorker::start_on(&self.scheduler, &source, options, watch)?,
            Some(source) => {
                let name = source.to_string();
                let opening = persistently(move || open(&source, &opened));
                CameraWorker::start_with_on(&self.scheduler, name, nature, options, opening, watch)?
            }
        };
        tracing::info!(camera = worker.camera(), "detection started");
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let location = location.map(str::to_owned);
        let before = running.insert(name, Camera { id, address: address.to_owned(), worker, location, shown });
        drop(running);
        drop(before);
        Ok(())
    }

    /// Stops the camera at `address`, with or without its credentials; whether it was started. Blocks until it has
    /// stopped, for about a second at most.
    pub(crate) fn stop(&self, address: &str) -> bool {
        // Out of the lock before it is stopped: others may be started and shown meanwhile.
        let stopped = self.lock().remove(&redacted(address));
        if let Some(camera) = &stopped {
            camera.worker.stop();
            tracing::info!(camera = camera.worker.camera(), "detection stopped");
        }
        stopped.is_some()
    }

    /// Stops the camera at `address` but goes on listing it. Blocks like [`stop`](Self::stop).
    pub(crate) fn halt(&self, address: &str) {
        // Its own handle is all that a stop needs, but it lies in the map: stopping is prompt.
        if let Some(camera) = self.lock().get(&redacted(address)) {
            camera.worker.stop();
        }
    }

    /// Returns whether the camera at `address`, which was started a moment ago, gives a picture, once it does or cannot
    /// be opened. Blocks, for about as long as opening a camera may take.
    pub(crate) fn comes_up(&self, address: &str) -> bool {
        let until = Instant::now() + OpenOptions::default().open_timeout + OpenOptions::default().read_timeout;
        while Instant::now() < until {
            let state = self.lock().get(&redacted(address)).map(|camera| camera.worker.health().state);
            match state {
                Some(CameraState::Connecting) => thread::sleep(BETWEEN_LOOKS),
                Some(CameraState::Running) => return true,
                _ => return false,
            }
        }
        false
    }

    /// Stops every camera. Blocks like [`stop`](Self::stop).
    pub(crate) fn stop_all(&self) {
        self.stop_where(|_| true);
    }

    /// Stops the cameras whose names `gone` holds for; returns their names. Blocks like [`stop`](Self::stop).
    pub(super) fn stop_where(&self, gone: impl Fn(&str) -> bool) -> Vec<String> {
        let stopped: BTreeMap<_, _> = self.lock().extract_if(.., |name, _| gone(name)).collect();
        thread::scope(|threads| {
            for camera in stopped.values() {
                threads.spawn(|| camera.worker.stop());
            }
        });
        stopped.into_keys().collect()
    }

    /// How every camera is, by address.
    pub(crate) fn status(&self) -> Vec<CameraStatus> {
        let backlog = self.watcher.backlog.status();
        let status = |(name, camera): (&String, &Camera)| {
            let place = limits::cut(camera.location.as_deref().unwrap_or_default(), limits::CAMERA_LOCATION);
            let waiting = (backlog.marks_at(place), backlog.trouble);
            let health = camera.worker.health();
            CameraStatus {
                name: name.clone(),
                id: camera.id,
                is_running: !health.state.is_over(),
                location: camera.location.clone(),
                preview: camera.shown.preview.is_some(),
                orientation: camera.shown.orientation,
                problems: camera.shown.problems.now(),
                health,
                ambiguous: camera.shown.ambiguous.items(Timestamp::now()),
                waiting,
            }
        };
        self.lock().iter().map(status).collect()
    }

    /// The pictures of the camera with this number.
    pub(crate) fn preview(&self, id: u64) -> Option<Arc<Preview>> {
        self.lock().values().find(|camera| camera.id == id)?.shown.preview.clone()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_starts_a_camera_overrules_its_place() {
        let (half, quarter) = (Orientation::HalfTurn, Orientation::Clockwise);
        let said = |turned, mirror| Mounted { turned, mirror };
        assert_eq!(said(None, None).or(half.mirrored()), half.mirrored());
        assert_eq!(said(Some(quarter), None).or(half.mirrored()), quarter.mirrored());
        assert_eq!(said(Some(quarter), Some(false)).or(half.mirrored()), quarter);
        assert_eq!(said(None, Some(true)).or(half), half.mirrored());
        assert!(said(None, None).admits(quarter) && said(Some(quarter), None).admits(quarter.mirrored()));
        assert!(!said(Some(half), None).admits(quarter) && !said(None, Some(true)).admits(quarter));
    }

    #[test]
    fn a_device_or_a_file_belongs_to_one_machine() {
        assert!(reached_by_all("rtsp://a:***@host/1"));
        for own in ["", "0", "/dev/video0", "clip.avi", "nonsense://x", "webcam"] {
            assert!(!reached_by_all(own), "{own}");
        }
    }

    #[test]
    fn an_address_is_shown_without_credentials_and_as_it_was_given_otherwise() {
        assert_eq!(redacted("rtsp://a:b@host/1"), "rtsp://a:***@host/1");
        assert_eq!(shown_place("rtsp:/a:b@host/1"), "***@host/1");
        assert_eq!(shown_place("Gate @ north?"), "Gate @ north?");
        for plain in ["", " 0", "/dev/video0", "clip.avi", "rtsp://host/1", "nonsense://x"] {
            assert_eq!(redacted(plain), plain);
            assert_eq!(shown_place(plain), plain);
        }
    }
}
