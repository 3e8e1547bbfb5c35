//! The cameras that are kept: whoever starts, changes or stops one changes the list in the database first, and what is
//! watched follows the list. So a restart, however the server ended, loses none.
//!
//! On one server the list alone decides. Where several servers share a database, [`CameraLeases`] decide which of them
//! watches a camera of the list.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use faceattend_core::Result;
use faceattend_core::camera::redacted;
use faceattend_core::store::{
    CameraGroup, CameraKey, CameraReach, CameraSettings, KeptCamera, KeptCameraChange, NewKeptCamera, Store,
};
use jiff::Timestamp;

use super::background::BackgroundThreads;
use super::camera_leases::CameraLeases;
use super::cameras::{Cameras, Mounted, Starter, Wanted, no_room, reached_by_all};
use super::gallery_start::GalleryStart;
use super::refusals::{Refusal, Refusals};
use super::trial::{Trial, try_camera};

/// How often the list is looked at without being told of a change: for recordings that end, and for a database that
/// was away.
const LOOK: Duration = Duration::from_secs(2);
/// Who pauses a recording that was watched to its end, so that no restart plays it once more.
const ITS_END: &str = "end of the recording";

/// The list, and what watches its cameras.
pub(crate) struct KeptList {
    store: Arc<dyn Store>,
    cameras: Arc<Cameras>,
    laptop: Arc<Cameras>,
    leases: Option<Arc<CameraLeases>>,
    /// This server's name among several.
    server: Option<String>,
    gallery_start: GalleryStart,
    refusals: Refusals,
    /// How many cameras waited for room at the last look.
    waiting: Mutex<usize>,
    /// Held from a change of the list to what is done for it.
    turn: Mutex<()>,
    beat: BackgroundThreads,
}

/// The turn for the laptop's cameras.
pub(crate) struct LaptopTurn<'a> {
    list: &'a KeptList,
    _turn: MutexGuard<'a, ()>,
}

impl LaptopTurn<'_> {
    /// Keeps a camera, which runs already or is about to.
    pub(crate) fn keep(&self, wanted: Wanted<'_>, by: &str) -> Result<()> {
        let asked = self.list.asked(CameraGroup::Laptop, wanted, Starter::Admin, by);
        let asked = NewKeptCamera { only_at: self.list.server.clone(), ..asked };
        self.list.store.keep_started_camera(&asked).map(drop)
    }

    /// Keeps a camera as one that is paused.
    pub(crate) fn pause(&self, number: &str, by: &str) -> Result<()> {
        let key = CameraKey { name: number.to_owned(), only_at: self.list.server.clone() };
        self.list.store.pause_cameras(CameraGroup::Laptop, Some(&key), by, Timestamp::now()).map(drop)
    }
}

impl Starter {
    fn behind(reach: CameraReach) -> Self {
        match reach {
            CameraReach::Anywhere => Self::Admin,
            CameraReach::Permitted => Self::Operator,
        }
    }

    fn reach(self) -> CameraReach {
        match self {
            Self::Admin => CameraReach::Anywhere,
            Self::Operator => CameraReach::Permitted,
        }
    }
}

impl KeptList {
    /// Watches what is kept, from a thread of its own, once the gallery is whole.
    pub(super) fn start(
        store: Arc<dyn Store>,
        (cameras, laptop): (Arc<Cameras>, Arc<Cameras>),
        leases: Option<Arc<CameraLeases>>,
        (server, gallery_start): (Option<String>, GalleryStart),
        refusals: Refusals,
    ) -> Result<Arc<Self>> {
        let (waiting, turn, beat) = (Mutex::default(), Mutex::default(), BackgroundThreads::default());
        let beating = beat.clone();
        let list =
            Self { store, cameras, laptop, leases, server, gallery_start, refusals, waiting, turn, beat: beating };
        let list = Arc::new(list);
        let following = Arc::clone(&list);
        beat.thread("kept-cameras", move || {
            let (mut adopted, mut failing) = (false, false);
            loop {
                let done = following.adopt_once(&mut adopted).and_then(|()| following.follow());
                if let (Err(error), false) = (&done, failing) {
                    tracing::warn!("the cameras that are kept cannot be looked at: {error}");
                }
                failing = done.is_err();
                if !following.beat.wait(LOOK) {
                    return;
                }
            }
        })?;
        Ok(list)
    }

    /// Looks at the list at once, not only at the next beat.
    pub(super) fn look_now(&self) {
        self.beat.pull();
    }

    /// Stops following the list. What is watched goes on.
    pub(super) fn end(&self) {
        self.beat.cut();
        // Whoever follows it at this moment has done so.
        drop(self.turn());
    }

    /// Has a camera watched, and keeps it; whether its starter may open it. Blocks, for about a second at most.
    pub(super) fn start_camera(&self, wanted: Wanted<'_>, starter: Starter, by: &str) -> Result<bool> {
        if wanted.address.trim().is_empty() {
            return self.cameras.start(wanted, starter);
        }
        if !self.may_open(wanted.address, starter)? {
            return Ok(false);
        }
        let _turn = self.turn();
        if self.leases.is_none() {
            if self.cameras.goes_on(wanted) {
                return Ok(true);
            }
            // Before it is kept: whoever is told that there is no room has changed nothing.
            self.cameras.must_have_room_for(wanted.address)?;
        }
        let asked = self.asked(CameraGroup::Usual, wanted, starter, by);
        match &self.leases {
            Some(leases) => leases.start_camera(&asked, starter),
            None => self.cameras.start(Wanted::of(&self.store.keep_started_camera(&asked)?)?, starter),
        }
    }

    /// Has a camera watched no longer, and keeps it as one that is paused. Blocks like
    /// [`start_camera`](Self::start_camera).
    pub(super) fn stop_camera(&self, address: &str, by: &str) -> Result<()> {
        let _turn = self.turn();
        if let Some(leases) = &self.leases {
            return leases.unwatch(address, by);
        }
        self.cameras.stop(address);
        let key = self.key_of(&redacted(address));
        self.store.pause_cameras(CameraGroup::Usual, Some(&key), by, Timestamp::now()).map(drop)
    }

    /// Has no camera watched any longer.
    pub(super) fn stop_all(&self, by: &str) -> Result<()> {
        let _turn = self.turn();
        self.laptop.stop_all();
        self.store.pause_cameras(CameraGroup::Laptop, None, by, Timestamp::now())?;
        if let Some(leases) = &self.leases {
            return leases.unwatch_all(by);
        }
        self.cameras.stop_all();
        self.store.pause_cameras(CameraGroup::Usual, None, by, Timestamp::now()).map(drop)
    }

    /// Takes the turn for the laptop's cameras: until it is dropped, the list does not stop what it does not hold yet.
    pub(crate) fn laptop_turn(&self) -> LaptopTurn<'_> {
        LaptopTurn { list: self, _turn: self.turn() }
    }

    /// Every camera that is kept, and why it is not watched.
    pub(crate) fn cameras(&self) -> Result<Vec<(KeptCamera, Option<Refusal>)>> {
        let kept = self.store.kept_cameras()?;
        Ok(kept.into_iter().map(|camera| (self.problem(&camera), camera)).map(|(why, c)| (c, why)).collect())
    }

    /// Why the camera is not watched although it is not paused.
    pub(crate) fn problem(&self, camera: &KeptCamera) -> Option<Refusal> {
        let has_no_server = |leases: &CameraLeases| {
            let is_usual = camera.group == CameraGroup::Usual && !camera.paused;
            is_usual && leases.waits(&camera.key) && self.cameras.room() == 0
        };
        self.refusals.of(camera.id).or_else(|| {
            let waits = self.leases.as_deref().is_some_and(has_no_server);
            waits.then(|| Refusal::no_room(self.cameras.most()))
        })
    }

    /// The camera with this id.
    pub(crate) fn camera(&self, id: i64) -> Result<Option<KeptCamera>> {
        self.store.kept_camera(id)
    }

    /// Keeps a new camera and has it watched; `None` for one that its starter may not open.
    pub(crate) fn add(
        &self,
        settings: CameraSettings,
        paused: bool,
        from: (Starter, &str),
    ) -> Result<Option<KeptCamera>> {
        let (starter, by) = from;
        if !self.may_open(&settings.address, starter)? {
            return Ok(None);
        }
        let only_at = self.key_of(&redacted(&settings.address)).only_at;
        let (group, by, at) = (CameraGroup::Usual, by.to_owned(), Timestamp::now());
        let new = NewKeptCamera { group, only_at, settings, reach: starter.reach(), paused, by, at };
        let kept = self.store.keep_camera(&new)?;
        self.apply(&kept, &kept);
        Ok(Some(kept))
    }

    /// Changes a camera, which is started anew where that makes it another; `None` for an address that its starter may
    /// not open. Whoever leaves the address as it is need not be permitted to open it.
    pub(crate) fn change(
        &self,
        kept: &KeptCamera,
        settings: CameraSettings,
        from: (Starter, &str),
    ) -> Result<Option<KeptCamera>> {
        let (starter, by) = from;
        let is_same = kept.address.known() == Some(settings.address.as_str());
        if !is_same && !self.may_open(&settings.address, starter)? {
            return Ok(None);
        }
        let name = redacted(&settings.address);
        let only_at = if name == kept.key.name { kept.key.only_at.clone() } else { self.key_of(&name).only_at };
        let reach = if is_same { kept.reach } else { starter.reach() };
        let settings = Some((settings, only_at, reach));
        let change = KeptCameraChange { settings, paused: None, by: by.to_owned(), at: Timestamp::now() };
        let changed = self.store.change_kept_camera(kept.id, &change)?;
        self.apply(kept, &changed);
        Ok(Some(changed))
    }

    /// Pauses a camera or has it watched again.
    pub(crate) fn pause(&self, id: i64, paused: bool, by: &str) -> Result<KeptCamera> {
        let change = KeptCameraChange { settings: None, paused: Some(paused), by: by.to_owned(), at: Timestamp::now() };
        let changed = self.store.change_kept_camera(id, &change)?;
        self.apply(&changed, &changed);
        Ok(changed)
    }

    /// Removes a camera, which is watched no longer.
    pub(crate) fn remove(&self, id: i64) -> Result<KeptCamera> {
        let removed = self.store.remove_kept_camera(id)?;
        self.apply(&removed, &KeptCamera { paused: true, ..removed.clone() });
        Ok(removed)
    }

    /// Does at once what a change of a camera asks for: whatever cannot be done now is done at the next beat.
    fn apply(&self, before: &KeptCamera, kept: &KeptCamera) {
        let _turn = self.turn();
        let here = match kept.group {
            CameraGroup::Usual => &self.cameras,
            CameraGroup::Laptop => &self.laptop,
        };
        let is_here = before.key.only_at.as_ref().is_none_or(|server| Some(server) == self.server.as_ref());
        if is_here && (kept.paused || before.key.name != kept.key.name) {
            // Also what is over, which nobody else takes off the list.
            here.stop(&before.key.name);
        }
        let mut done = Ok(true);
        if !self.gallery_start.is_whole() {
            return;
        }
        if let (Some(leases), CameraGroup::Usual) = (&self.leases, kept.group) {
            if !kept.paused && kept.address.known().is_some() {
                done = leases.watch(kept, Starter::behind(kept.reach));
            }
            leases.look_now();
        }
        if let Err(error) = done.and_then(|_| self.follow_in_turn()) {
            tracing::warn!(camera = kept.name, "a change of a camera is followed later: {error}");
        }
    }

    fn follow(&self) -> Result<()> {
        let _turn = self.turn();
        self.follow_in_turn()
    }

    /// Watches what the list says, and nothing else.
    fn follow_in_turn(&self) -> Result<()> {
        if self.beat.is_cut() || !self.gallery_start.is_whole() {
            return Ok(());
        }
        let mut kept = self.store.kept_cameras()?;
        if self.leases.is_none() {
            let ended: BTreeSet<String> = self.cameras.ended().into_iter().collect();
            let is_usual = |camera: &KeptCamera| camera.group == CameraGroup::Usual;
            for camera in kept.iter_mut().filter(|camera| is_usual(camera) && !camera.paused) {
                if ended.contains(&camera.key.name) {
                    self.store.pause_cameras(camera.group, Some(&camera.key), ITS_END, Timestamp::now())?;
                    camera.paused = true;
                }
            }
            self.watch_only(&self.cameras, kept.iter().filter(|camera| is_usual(camera)));
        }
        self.watch_only(&self.laptop, kept.iter().filter(|camera| camera.group == CameraGroup::Laptop));
        let wanted: BTreeSet<i64> = kept.iter().filter(|camera| !camera.paused).map(|camera| camera.id).collect();
        self.refusals.keep_only(|id| wanted.contains(&id));
        self.tell_of_those_that_wait();
        Ok(())
    }

    fn tell_of_those_that_wait(&self) {
        let waiting = self.refusals.waiting();
        let before = std::mem::replace(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner), waiting);
        if waiting > before {
            tracing::warn!("{waiting} kept cameras wait: {}", no_room(self.cameras.most()));
        }
    }

    fn watch_only<'a>(&self, cameras: &Cameras, kept: impl Iterator<Item = &'a KeptCamera>) {
        let wanted: Vec<_> =
            kept.filter(|camera| !camera.paused && camera.key.only_at == self.server_of(camera)).collect();
        let names: BTreeSet<&str> = wanted.iter().map(|camera| camera.key.name.as_str()).collect();
        for stopped in cameras.stop_running_where(|name| !names.contains(name) && !name.trim().is_empty()) {
            tracing::info!(camera = stopped, "no longer watched: it is paused, changed or removed");
        }
        for camera in wanted {
            self.refusals.note(camera, cameras.take_up(camera), cameras.most());
        }
    }

    /// The server that a camera of this machine names: none on the one server of a database.
    fn server_of(&self, camera: &KeptCamera) -> Option<String> {
        camera.key.only_at.as_ref().and(self.server.clone())
    }

    /// A server that shares its cameras from now on: what is plugged in here was kept while it was alone.
    fn adopt_once(&self, adopted: &mut bool) -> Result<()> {
        let Some(server) = self.server.as_ref().filter(|_| !*adopted) else { return Ok(()) };
        for camera in self.store.kept_cameras()? {
            let of_all = camera.group == CameraGroup::Usual && reached_by_all(&camera.key.name);
            let (None, false, Some(address)) = (&camera.key.only_at, of_all, camera.address.known()) else { continue };
            let settings = CameraSettings {
                name: None,
                location: camera.location.clone(),
                turned: camera.turned,
                mirror: camera.mirror,
                gate: camera.gate,
                ..CameraSettings::at(address)
            };
            let settings = Some((settings, Some(server.clone()), camera.reach));
            let (by, at) = (camera.changed_by.clone(), Timestamp::now());
            self.store.change_kept_camera(camera.id, &KeptCameraChange { settings, paused: None, by, at })?;
        }
        *adopted = true;
        Ok(())
    }

    /// Whether somebody may have the camera at `address` watched. Other servers resolve names by themselves: an
    /// operator therefore names no host that another may take the place of.
    pub(crate) fn may_open(&self, address: &str, starter: Starter) -> Result<bool> {
        let Some(source) = self.cameras.source(address, starter)? else { return Ok(false) };
        Ok(self.leases.is_none() || starter == Starter::Admin || self.cameras.is_fixed(&source))
    }

    /// Opens the camera at `address` once, to see what it gives; `None` for one that its starter may not open. Whoever
    /// tries a kept camera as it is kept need not be permitted to open another. Blocks, for some ten seconds at most.
    ///
    /// # Errors
    /// Those of an address that is none of a camera's, and those of opening it.
    pub(crate) fn try_out(
        &self,
        address: &str,
        mounted: (Mounted, Option<&str>),
        kept: Option<&KeptCamera>,
        starter: Starter,
    ) -> Result<Option<Trial>> {
        let is_as_kept = kept.filter(|kept| kept.address.known() == Some(address));
        let starter = is_as_kept.map_or(starter, |kept| Starter::behind(kept.reach));
        let Some(source) = self.cameras.source(address, starter)? else { return Ok(None) };
        let orientation = self.cameras.orientation(mounted.0, mounted.1);
        try_camera(&source, orientation).map(Some)
    }

    fn asked(&self, group: CameraGroup, wanted: Wanted<'_>, starter: Starter, by: &str) -> NewKeptCamera {
        let settings = CameraSettings {
            location: wanted.location.map(str::to_owned),
            turned: wanted.mounted.turned,
            mirror: wanted.mounted.mirror,
            ..CameraSettings::at(wanted.address)
        };
        let only_at = self.key_of(&redacted(wanted.address)).only_at;
        let (by, at) = (by.to_owned(), Timestamp::now());
        NewKeptCamera { group, only_at, settings, reach: starter.reach(), paused: false, by, at }
    }

    fn key_of(&self, name: &str) -> CameraKey {
        let only_at = self.server.clone().filter(|_| !reached_by_all(name));
        CameraKey { name: name.to_owned(), only_at }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
