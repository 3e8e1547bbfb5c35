//! The cameras that were started, by the address that they were started with, without its credentials.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use faceattend_core::camera::{
    CameraAccess, CameraSource, CameraState, CameraWorker, FrameSource, Nature, OpenOptions, Orientation, Scheduler,
    WorkerOptions, open, redacted,
};
use faceattend_core::gate::GatePolicy;
use faceattend_core::store::{CameraReach, KeptAddress, KeptCamera, limits};
use faceattend_core::{Error, Result};

use jiff::Timestamp;

use super::camera_status::CameraStatus;
use super::preview::Preview;
use super::watch::{Shown, Watcher};
use crate::auth::Role;
use crate::priority::yield_to_requests;
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

/// What became of a kept camera that is to be watched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is watched.
    Watched,
    /// Its starter may not open it any more.
    NotPermitted,
    /// As many are watched as may be.
    NoRoom,
}

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

impl Starter {
    /// Returns what somebody with this role is.
    pub(crate) fn of(role: Role) -> Self {
        if role == Role::Admin { Self::Admin } else { Self::Operator }
    }
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
    gate: Option<GatePolicy>,
    nature: Nature,
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

/// A camera that is to be watched.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Its address, with credentials.
    pub(crate) address: &'a str,
    pub(crate) location: Option<&'a str>,
    pub(crate) mounted: Mounted,
    /// What it asks of a face before its person is marked; its place says it where this does not.
    pub(crate) gate: Option<GatePolicy>,
}

impl<'a> Wanted<'a> {
    /// What is wanted of a kept camera.
    ///
    /// # Errors
    /// [`Error::State`] for one whose password cannot be read.
    pub(super) fn of(kept: &'a KeptCamera) -> Result<Self> {
        let address = match &kept.address {
            KeptAddress::Known(address) => address,
            KeptAddress::Locked(reason) => return Err(Error::State { what: "camera", reason: reason.clone() }),
        };
        let mounted = Mounted { turned: kept.turned, mirror: kept.mirror };
        Ok(Self { address, location: kept.location.as_deref(), mounted, gate: kept.gate })
    }
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

impl Camera {
    fn goes_on(&self, wanted: Wanted<'_>) -> bool {
        let is_as_wanted =
            wanted.mounted.admits(self.shown.orientation) && wanted.gate.is_none_or(|gate| Some(gate) == self.gate);
        self.address == wanted.address && is_as_wanted && !self.worker.health().state.is_over()
    }
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

    /// Returns the orientation of a camera at this place.
    pub(super) fn orientation(&self, mounted: Mounted, location: Option<&str>) -> Orientation {
        mounted.or(self.mountings.of(location))
    }

    /// Whether the host of an address cannot become another before it is opened.
    pub(super) fn is_fixed(&self, source: &CameraSource) -> bool {
        source.is_fixed_by(&self.access)
    }

    /// Returns how many cameras this server watches at most.
    pub(crate) fn most(&self) -> usize {
        self.scheduler.max_cameras().get()
    }

    /// Returns how many further cameras may be watched.
    pub(super) fn room(&self) -> usize {
        self.most().saturating_sub(self.scheduler.cameras())
    }

    /// Returns how many cameras of this list have not ended.
    pub(super) fn count(&self) -> usize {
        self.lock().values().filter(|camera| !camera.worker.health().state.is_over()).count()
    }

    /// Checks that the camera at `address` may be watched beside those that are.
    ///
    /// # Errors
    /// [`Error::State`], with what to do, when it is one too many.
    pub(crate) fn must_have_room_for(&self, address: &str) -> Result<()> {
        let takes_its_own = self.lock().get(&redacted(address)).is_some_and(|c| !c.worker.health().state.is_over());
        if takes_its_own || self.room() > 0 {
            return Ok(());
        }
        Err(Error::State { what: "cameras", reason: no_room(self.most()) })
    }

    /// Starts a camera; whether it may be opened. One that runs already goes on as it is, in the place it was started
    /// with; one that was started with other credentials, or is mounted otherwise, is started anew.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an address that is none of a camera's; [`Error::State`] when as many are watched as
    /// may be.
    pub(crate) fn start(&self, wanted: Wanted<'_>, starter: Starter) -> Result<bool> {
        // An empty address is started, as recorded, and ends like a file that is not there.
        let source = match wanted.address.trim().is_empty() {
            true => None,
            false => match self.source(wanted.address, starter)? {
                Some(source) => Some(source),
                None => return Ok(false),
            },
        };
        self.start_unless(wanted, source, |camera| camera.goes_on(wanted))?;
        Ok(true)
    }

    /// Returns whether the camera runs and need not be started anew.
    pub(super) fn goes_on(&self, wanted: Wanted<'_>) -> bool {
        self.lock().get(&redacted(wanted.address)).is_some_and(|camera| camera.goes_on(wanted))
    }

    /// Watches a kept camera as it is kept, unless it was started like that already, also when it is over.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an address that is none of a camera's, and [`Error::State`] for one whose password
    /// cannot be read.
    pub(super) fn take_up(&self, kept: &KeptCamera) -> Result<Taken> {
        let wanted = Wanted::of(kept)?;
        let orientation = self.orientation(wanted.mounted, wanted.location);
        let is_as_kept = |camera: &Camera| {
            (camera.address.as_str(), camera.location.as_deref()) == (wanted.address, wanted.location)
                && (camera.shown.orientation, camera.gate) == (orientation, wanted.gate)
        };
        // It is asked every two seconds, and a name need not be resolved for that.
        if self.lock().get(&redacted(wanted.address)).is_some_and(is_as_kept) {
            return Ok(Taken::Watched);
        }
        // Nor for one that waits.
        if self.must_have_room_for(wanted.address).is_err() {
            return Ok(Taken::NoRoom);
        }
        let starter = match kept.reach {
            CameraReach::Anywhere => Starter::Admin,
            CameraReach::Permitted => Starter::Operator,
        };
        let Some(source) = self.source(wanted.address, starter)? else { return Ok(Taken::NotPermitted) };
        self.start_unless(wanted, Some(source), is_as_kept)?;
        Ok(Taken::Watched)
    }

    fn start_unless(
        &self,
        wanted: Wanted<'_>,
        source: Option<CameraSource>,
        is_good: impl Fn(&Camera) -> bool,
    ) -> Result<()> {
        let Wanted { address, location, mounted, gate } = wanted;
        let name = redacted(address);
        let is_there = |running: &BTreeMap<String, Camera>| running.get(&name).is_some_and(&is_good);
        let mut running = self.lock();
        if is_there(&running) {
            return Ok(());
        }
        drop(running);
        self.must_have_room_for(address)?;
        running = self.lock();
        // The one that is replaced ends first: many cameras are read by one at a time. Out of the lock, as in `stop`.
        if let Some(before) = running.remove(&name) {
            drop(running);
            before.worker.stop();
            drop(before);
            running = self.lock();
            if is_there(&running) {
                return Ok(());
            }
        }
        let orientation = self.orientation(mounted, location);
        let preview = self.preview.then(|| Arc::new(Preview::default()));
        let shown = Shown::new(preview, orientation, &self.watcher.gallery);
        let nature = source.as_ref().map_or(Nature::Recording, CameraSource::nature);
        let mut watch = self.watcher.watch(&name, location, (nature, gate), shown.clone());
        // The scheduler's threads do nothing else.
        let watch = move |frame| {
            yield_to_requests();
            watch(frame)
        };
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
        let before =
            running.insert(name, Camera { id, address: address.to_owned(), worker, location, gate, nature, shown });
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

    /// Returns the recordings that were watched to their end.
    pub(super) fn ended(&self) -> Vec<String> {
        let is_at_its_end = |camera: &Camera| {
            camera.nature == Nature::Recording && camera.worker.health().state == CameraState::Stopped
        };
        self.lock().iter().filter(|(_, camera)| is_at_its_end(camera)).map(|(name, _)| name.clone()).collect()
    }

    /// Stops the cameras that run and whose names `gone` holds for; what is over stays on the list.
    pub(super) fn stop_running_where(&self, gone: impl Fn(&str) -> bool) -> Vec<String> {
        let over: Vec<_> = self.status().into_iter().filter(|camera| !camera.is_running).map(|c| c.name).collect();
        self.stop_where(|name| gone(name) && !over.iter().any(|over| over == name))
    }

    /// Stops the cameras whose names `gone` holds for; returns their names. Blocks like [`stop`](Self::stop).
    pub(super) fn stop_where(&self, gone: impl Fn(&str) -> bool) -> Vec<String> {
        let stopped: BTreeMap<_, _> = self.lock().extract_if(.., |name, _| gone(name)).collect();
        CameraWorker::stop_all(stopped.values().map(|camera| &camera.worker));
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

/// Returns what is said of a camera for which there is no room, where `most` are watched.
pub(super) fn no_room(most: usize) -> String {
    format!(
        "this server watches {most} cameras, as many as it may: stop or pause one, raise --max-cameras, or let another \
         server share them (--server-name)"
    )
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
