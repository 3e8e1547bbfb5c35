//! Cameras that several servers on one database share: each is watched by one of them, and taken over when that one
//! dies.
//!
//! A server renews its leases every [`BEAT`]. When it cannot, it stops watching [`MARGIN`] before they lapse, by its
//! own clock from the moment before it last asked: so it has stopped by the time another may begin.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use faceattend_core::Result;
use faceattend_core::camera::redacted;
use faceattend_core::store::{
    CameraGroup, CameraKey, CameraReport, Cluster, KeptCamera, NewKeptCamera, ServerId, Store, WatchedCamera,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::background::BackgroundThreads;
use super::cameras::{Cameras, Starter, Wanted, reached_by_all};
use super::event_relay::seen_from_afar;
use super::gallery_start::GalleryStart;
use super::refusals::Refusals;

/// How often leases are renewed and lapsed ones are looked for.
const BEAT: Duration = Duration::from_secs(2);
/// How long a camera stays with a server that no longer says anything: two beats may be late.
const LEASE: Duration = Duration::from_secs(6);
/// What stopping a camera may take.
const MARGIN: Duration = Duration::from_secs(1);
/// How often the lease is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// This server's part in the cameras of all.
pub(crate) struct CameraLeases {
    store: Arc<dyn Store>,
    server: ServerId,
    cameras: Arc<Cameras>,
    refusals: Refusals,
    gallery_start: GalleryStart,
    /// What all servers together watch, as of the last look.
    all: Mutex<Vec<WatchedCamera>>,
    /// Held from what is asked of the store to what is done with the cameras: whoever asks first acts first.
    turn: Mutex<()>,
    /// Until when this server holds what it holds.
    holds_until: Mutex<Instant>,
    beat: BackgroundThreads,
}

impl CameraLeases {
    /// Takes part as `name` from when the gallery is whole, until the background threads are to end.
    pub(super) fn start(
        store: Arc<dyn Store>,
        name: &str,
        (cameras, refusals): (Arc<Cameras>, Refusals),
        gallery_start: GalleryStart,
        background: &BackgroundThreads,
    ) -> Result<Arc<Self>> {
        let leases = Arc::new(Self {
            store,
            server: ServerId::new(name),
            cameras,
            refusals,
            gallery_start,
            all: Mutex::default(),
            turn: Mutex::default(),
            holds_until: Mutex::new(Instant::now()),
            beat: background.clone(),
        });
        let beating = Arc::clone(&leases);
        background.thread("camera-sharing", move || {
            let mut failing = false;
            loop {
                match beating.look() {
                    Ok(()) => failing = false,
                    Err(error) if !failing => {
                        tracing::warn!("the cameras of all servers cannot be looked at: {error}");
                        failing = true;
                    }
                    Err(_) => {}
                }
                if !beating.beat.wait(BEAT) {
                    return;
                }
            }
        })?;
        let (watching, held) = (Arc::clone(&leases), background.clone());
        background.thread("camera-lease", move || {
            while !held.is_cut() {
                watching.give_up_what_has_lapsed();
                std::thread::sleep(LOOK);
            }
        })?;
        Ok(leases)
    }

    fn cluster(&self) -> Result<&dyn Cluster> {
        super::cluster::cluster(&*self.store)
    }

    /// Looks at once, not only at the next beat.
    pub(super) fn look_now(&self) {
        self.beat.pull();
    }

    /// Renews what this server holds, takes over what nobody does, and watches just that.
    fn look(&self) -> Result<()> {
        let _turn = self.turn();
        if self.beat.is_cut() {
            return Ok(());
        }
        if !self.gallery_start.is_whole() {
            // Another server knows whom its cameras see.
            return self.read_all();
        }
        let asked = Instant::now();
        let reports: Vec<CameraReport> = self
            .cameras
            .status()
            .into_iter()
            .map(|camera| CameraReport {
                is_over: !camera.is_running,
                text: camera.item().to_string(),
                key: self.key_of(&camera.name),
            })
            .collect();
        // Its own cameras count for themselves; others, such as a laptop's, take room from them.
        let most = self.cameras.count() + self.cameras.room();
        let held = self.cluster()?.claim_cameras(&self.server, &reports, LEASE, most)?;
        *self.holds_until.lock().unwrap_or_else(PoisonError::into_inner) = asked + LEASE - MARGIN;
        let names: BTreeSet<&str> = held.iter().map(|claimed| claimed.camera.key.name.as_str()).collect();
        for lost in self.cameras.stop_where(|name| !names.contains(name)) {
            tracing::info!(camera = lost, "no longer watched by this server");
        }
        for claimed in held.iter().filter(|claimed| !claimed.is_over) {
            self.refusals.note(&claimed.camera, self.cameras.take_up(&claimed.camera), self.cameras.most());
        }
        self.read_all()
    }

    fn give_up_what_has_lapsed(&self) {
        let lapsed = || Instant::now() >= *self.holds_until.lock().unwrap_or_else(PoisonError::into_inner);
        if lapsed() {
            for camera in self.cameras.stop_where(|_| lapsed()) {
                tracing::warn!(camera, "no longer watched: the database does not answer, and others may take it over");
            }
        }
    }

    /// Keeps a camera that is started and has it watched, by this server unless another does so already; whether it may
    /// be opened. A server without room leaves it to the others, who look for it within a beat.
    pub(super) fn start_camera(&self, new: &NewKeptCamera, starter: Starter) -> Result<bool> {
        let _turn = self.turn();
        if self.cameras.must_have_room_for(&new.settings.address).is_err() {
            self.store.keep_started_camera(new)?;
            self.read_all()?;
            return Ok(true);
        }
        let asked = Instant::now();
        let (kept, is_leased) = self.cluster()?.keep_watched_camera(new, &self.server, LEASE)?;
        if is_leased {
            self.begin(&kept, starter, asked)?;
        }
        self.read_all()?;
        Ok(true)
    }

    /// Has a kept camera watched, by this server unless another does so already; whether it may be opened.
    pub(super) fn watch(&self, kept: &KeptCamera, starter: Starter) -> Result<bool> {
        let _turn = self.turn();
        let asked = Instant::now();
        let is_here = kept.key.only_at.as_ref().is_none_or(|server| *server == self.server.name);
        let has_room = kept.address.known().is_some_and(|address| self.cameras.must_have_room_for(address).is_ok());
        if is_here && has_room && self.cluster()?.watch_camera(&kept.key, &self.server, LEASE)? {
            self.begin(kept, starter, asked)?;
        }
        self.read_all()?;
        Ok(true)
    }

    /// Watches a camera whose lease was asked for at `asked`.
    fn begin(&self, kept: &KeptCamera, starter: Starter, asked: Instant) -> Result<()> {
        // What was held before is still to be renewed; a server that holds nothing has just begun to.
        if self.cameras.status().is_empty() {
            *self.holds_until.lock().unwrap_or_else(PoisonError::into_inner) = asked + LEASE - MARGIN;
        }
        self.cameras.start(Wanted::of(kept)?, starter).map(drop)
    }

    /// Has the camera at `address` watched no longer, by whichever server; with or without its credentials.
    pub(super) fn unwatch(&self, address: &str, by: &str) -> Result<()> {
        let _turn = self.turn();
        let name = redacted(address);
        self.read_all()?;
        // The name of another server's own camera, such as `0@b`, is no address.
        let is_meant = |camera: &&WatchedCamera| [address, &name].contains(&self.name_of(&camera.key).as_str());
        let of_another = self.all().iter().find(is_meant).map(|c| c.key.clone());
        let key = of_another.unwrap_or_else(|| self.key_of(&name));
        self.store.pause_cameras(CameraGroup::Usual, Some(&key), by, Timestamp::now())?;
        self.cameras.stop(address);
        self.read_all()
    }

    /// Has no camera watched any longer.
    pub(super) fn unwatch_all(&self, by: &str) -> Result<()> {
        let _turn = self.turn();
        self.store.pause_cameras(CameraGroup::Usual, None, by, Timestamp::now())?;
        self.cameras.stop_all();
        self.read_all()
    }

    /// Stops watching, and leaves the cameras to the others.
    pub(super) fn end(&self) {
        let _turn = self.turn();
        self.beat.cut();
        self.cameras.stop_all();
        if let Err(error) = self.cluster().and_then(|cluster| cluster.release_cameras(&self.server)) {
            tracing::warn!("the cameras could not be released: others take them over in {LEASE:?}: {error}");
        }
    }

    /// Whether another server watches the camera, as of the last look.
    pub(super) fn is_of_another(&self, key: &CameraKey) -> bool {
        let all = self.all();
        let holder = all.iter().find(|camera| camera.key == *key).and_then(|camera| camera.server.as_ref());
        holder.is_some_and(|server| *server != self.server.name)
    }

    /// Whether no server watches the camera, as of the last look.
    pub(super) fn waits(&self, key: &CameraKey) -> bool {
        self.all().iter().any(|camera| camera.key == *key && camera.server.is_none())
    }

    /// Every server's cameras, as the API shows them, by name.
    pub(super) fn items(&self) -> Map<String, Value> {
        let mut items: Map<String, Value> =
            self.all().iter().map(|camera| (self.name_of(&camera.key), item_of(camera))).collect();
        for camera in self.cameras.status() {
            let mut item = camera.item();
            item["server"] = json!(self.server.name);
            items.insert(camera.name, item);
        }
        items
    }

    fn read_all(&self) -> Result<()> {
        let all = self.cluster()?.watched_cameras()?;
        *self.all.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    }

    fn key_of(&self, name: &str) -> CameraKey {
        let only_at = (!reached_by_all(name)).then(|| self.server.name.clone());
        CameraKey { name: name.to_owned(), only_at }
    }

    /// What this server calls a camera.
    pub(super) fn name_of(&self, key: &CameraKey) -> String {
        match &key.only_at {
            Some(server) if *server != self.server.name => seen_from_afar(&key.name, server),
            _ => key.name.clone(),
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<WatchedCamera>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another server's camera as the API shows it: what that server reported, but for what only it can show.
fn item_of(camera: &WatchedCamera) -> Value {
    let reported = camera.report.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut item = reported.filter(Value::is_object).unwrap_or_else(|| {
        json!({
            "is_running": true,
            "camera_location": camera.location.as_deref().unwrap_or("Unknown"),
            "frame_count": 0,
            "id": null,
            "state": "connecting",
            "frames_analysed": 0,
            "frames_dropped": 0,
            "captured_per_second": 0.0,
            "analysed_per_second": 0.0,
            "last_frame_age": null,
            "reconnects": 0,
            "last_error": null,
            "ambiguous": [],
            "orientation": 0,
            "mirror": false,
            "problems": [],
        })
    });
    if camera.server.is_none() && item["is_running"] == true {
        item["is_running"] = json!(false);
        item["state"] = json!("waiting");
    }
    item["preview"] = json!(false);
    item["server"] = json!(camera.server);
    item
}
