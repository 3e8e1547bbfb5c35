//! What runs beside the requests: the gallery, the marker, the cameras and what they tell.

mod ambiguous;
mod background;
pub(crate) mod backup;
pub(crate) mod browser;
mod camera_leases;
pub(crate) mod camera_status;
pub(crate) mod cameras;
mod cluster;
mod db_listener;
mod event_relay;
pub(crate) mod events;
pub(crate) mod gallery_start;
mod gallery_sync;
mod housekeeping;
pub(crate) mod kept;
pub(crate) mod kiosks;
mod log;
pub(crate) mod notices;
pub(crate) mod preview;
pub(crate) mod problems;
pub(crate) mod refusals;
pub(crate) mod trial;
mod waiting_writes;
pub(crate) mod watch;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::attendance::{Marker, record_periods};
use faceattend_core::backlog::Backlog;
use faceattend_core::camera::{CameraState, Scheduler};
use faceattend_core::engine::FaceEngine;
use faceattend_core::enrolment::Registry;
use faceattend_core::gallery::Gallery;
use faceattend_core::recognition::{Ageing, AgeingOptions, UnknownFaces, UnknownOptions};
use faceattend_core::store::{CameraGroup, CameraKey, Store};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::live::events::Events;
use crate::settings::Settings;
use background::BackgroundThreads;
use backup::Backups;
use browser::Browsers;
use camera_leases::CameraLeases;
use cameras::{Cameras, Starter, Wanted};
use cluster::cluster;
use db_listener::DbListener;
use gallery_start::GalleryStart;
use gallery_sync::GallerySync;
use housekeeping::Housekeeping;
use kept::KeptList;
use kiosks::Kiosks;
use log::DetectionLog;
use notices::Notices;
use notices::watch::{CameraPicture, CameraPictures};
use refusals::Refusals;
use watch::{GateFigures, Watcher};

/// Everything that lives as long as the server does.
pub(crate) struct Live {
    gallery: Arc<Gallery>,
    registry: Arc<Registry>,
    gallery_sync: Arc<GallerySync>,
    gallery_start: GalleryStart,
    marker: Arc<Marker>,
    backlog: Arc<Backlog>,
    cameras: Arc<Cameras>,
    laptop: Arc<Cameras>,
    browsers: Browsers,
    kiosks: Kiosks,
    log: Arc<DetectionLog>,
    housekeeping: Housekeeping,
    events: Events,
    leases: Option<Arc<CameraLeases>>,
    kept: Arc<KeptList>,
    background: BackgroundThreads,
    gate_figures: Arc<GateFigures>,
    backups: Option<Arc<Backups>>,
    notices: Arc<Notices>,
    unknown_faces: Option<Arc<UnknownFaces>>,
}

impl Live {
    /// Loads the gallery from the store, and follows it from then on. The cameras are watched once it is whole.
    pub(crate) fn new(store: Arc<dyn Store>, engine: &Arc<dyn FaceEngine>, settings: &Settings) -> Result<Self> {
        let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
        let events = Events::default();
        let backlog = Backlog::open(Arc::clone(&store), settings.waiting_writes.as_deref(), Timestamp::now())?;
        let backlog = Arc::new(backlog);
        // A database that takes nothing now still serves: the settings are recorded at the next start.
        if let Err(error) = record_periods(&*store, &settings.policy, Timestamp::now()) {
            tracing::warn!("the periods of the settings are not recorded as the timetable of the site: {error}");
        }
        let marker = Marker::new(Arc::clone(&store), settings.policy.clone()).with_backlog(Arc::clone(&backlog));
        let marker = Arc::new(marker);
        let registry = Registry::new(Arc::clone(&store))
            .with_gallery(Arc::clone(&gallery), settings.duplicates)
            .with_marker(Arc::clone(&marker))
            .with_liveness(settings.liveness);
        let registry = Arc::new(registry);
        let gallery_sync = Arc::new(GallerySync::new(Arc::clone(&registry), Arc::clone(&gallery), events.clone()));
        // Followed before it is read: nothing is missed in between.
        let follower = store.follow()?;
        let background = BackgroundThreads::default();
        let gallery_start = GalleryStart::default();
        gallery_start.load(&gallery_sync, settings.gallery_within, &background)?;
        let log = Arc::new(DetectionLog::new(Arc::clone(&backlog)));
        let gate_figures = Arc::new(GateFigures::default());
        let unknown_faces = settings.live.unknown_faces.map(|kept_for| {
            let options = UnknownOptions::kept_for(kept_for);
            Arc::new(UnknownFaces::new(engine.embedder().clone(), options))
        });
        let watcher = Watcher {
            engine: Arc::clone(engine),
            gallery: Arc::clone(&gallery),
            marker: Arc::clone(&marker),
            store: Arc::clone(&store),
            backlog: Arc::clone(&backlog),
            log: Arc::clone(&log),
            threshold: settings.threshold,
            tracking: settings.live.tracking,
            gate: settings.live.gate.clone(),
            figures: Arc::clone(&gate_figures),
            events: events.clone(),
            ageing: settings.live.age_templates.then(|| {
                let options = AgeingOptions::default();
                Arc::new(Ageing::new(Arc::clone(&store), Arc::clone(&gallery), options))
            }),
            unknown_faces: unknown_faces.clone(),
        };
        let threads = NonZero::new(settings.threads).unwrap_or(NonZero::<usize>::MIN);
        let scheduler = match settings.live.max_cameras {
            Some(most) => Scheduler::with_max_cameras(threads, most)?,
            None => Scheduler::new(threads)?,
        };
        let cameras = || Arc::new(Cameras::new(watcher.clone(), scheduler.clone(), &settings.live));
        let (cameras, laptop) = (cameras(), cameras());
        let watched = vec![Arc::clone(&cameras), Arc::clone(&laptop)];
        let housekeeping = Housekeeping::start(watched, events.clone(), Arc::clone(&log))?;
        let browsers = Browsers::new(watcher.clone());
        let kiosks = Kiosks::new(watcher);
        waiting_writes::start(Arc::clone(&backlog), events.clone(), &background)?;
        let refusals = Refusals::default();
        let server = settings.live.server_name.clone();
        let leases = match &server {
            Some(name) => {
                cluster(&*store)?;
                event_relay::start(Arc::clone(&store), name.clone(), events.subscribe_to_own(), &background)?;
                let watching = (Arc::clone(&cameras), refusals.clone());
                Some(CameraLeases::start(Arc::clone(&store), name, watching, gallery_start.clone(), &background)?)
            }
            None => None,
        };
        let groups = (Arc::clone(&cameras), Arc::clone(&laptop));
        let kept =
            KeptList::start(Arc::clone(&store), groups, leases.clone(), (server, gallery_start.clone()), refusals)?;
        let backups = match &settings.backups {
            Some(settings) => Some(Backups::start(settings.clone(), Arc::clone(&store), &background)?),
            None => None,
        };
        let notices =
            Notices::start(Arc::clone(&store), (&settings.notices, settings.policy.time_zone().clone()), &background)?;
        let pictures = camera_pictures(&kept, (&cameras, &laptop), leases.as_ref());
        notices::watch::start(Arc::clone(&store), settings.policy.clone(), pictures, &background)?;
        let live = Self {
            gallery,
            registry,
            gallery_sync,
            gallery_start,
            marker,
            backlog,
            cameras,
            laptop,
            browsers,
            kiosks,
            log,
            housekeeping,
            events,
            leases,
            kept,
            background,
            gate_figures,
            backups,
            notices,
            unknown_faces,
        };
        let follow = DbListener {
            gallery_sync: Arc::clone(&live.gallery_sync),
            gallery_start: live.gallery_start.clone(),
            store,
            marker: Arc::clone(&live.marker),
            events: live.events.clone(),
            leases: live.leases.clone(),
            kept: Arc::clone(&live.kept),
        };
        follow.start(follower, &live.background)?;
        Ok(live)
    }

    pub(crate) fn gallery(&self) -> Arc<Gallery> {
        Arc::clone(&self.gallery)
    }

    /// How far the gallery is loaded.
    pub(crate) fn gallery_start(&self) -> &GalleryStart {
        &self.gallery_start
    }

    /// What the gates of all cameras counted.
    pub(crate) fn gate_figures(&self) -> &GateFigures {
        &self.gate_figures
    }

    /// The back-ups that are made every day, where some are.
    pub(crate) fn backups(&self) -> Option<&Backups> {
        self.backups.as_deref()
    }

    /// What sends notices.
    pub(crate) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Whom the cameras saw and nobody knows, where that is listed.
    pub(crate) fn unknown_faces(&self) -> Option<Arc<UnknownFaces>> {
        self.unknown_faces.clone()
    }

    pub(crate) fn marker(&self) -> Arc<Marker> {
        Arc::clone(&self.marker)
    }

    /// What waits for the database.
    pub(crate) fn backlog(&self) -> &Arc<Backlog> {
        &self.backlog
    }

    /// The only way in for enrolments and erasures.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Says how many people are known, after an enrolment.
    pub(crate) fn student_enrolled(&self) {
        self.gallery_sync.tell_size();
    }

    /// Says how many people are known, after an erasure, unless it is as many as before.
    pub(crate) fn student_erased(&self) {
        self.gallery_sync.tell_new_size();
    }

    /// Lets cameras recognize a student with the templates that the store has from now on. Blocks.
    pub(crate) fn templates_changed(&self, student: StudentId) {
        if let Err(error) = self.gallery_sync.refresh(student) {
            // Stored all the same; whoever follows the database hears of it once more.
            tracing::warn!(%student, "not in the gallery yet: {error}");
        }
    }

    /// Lets a mark be made again where one was deleted.
    pub(crate) fn attendance_removed(&self) {
        self.marker.forget();
    }

    /// Lets a refused student come onto the second-look list again, without waiting for the marker's memory to end.
    pub(crate) fn second_look_decided(&self) {
        self.marker.forget();
    }

    /// The cameras.
    pub(crate) fn cameras(&self) -> &Cameras {
        &self.cameras
    }

    /// The cameras that were started by their number, as the laptop's own.
    pub(crate) fn laptop(&self) -> &Cameras {
        &self.laptop
    }

    /// The cameras of browsers.
    pub(crate) fn browsers(&self) -> &Browsers {
        &self.browsers
    }

    /// The kiosks that send pictures.
    pub(crate) fn kiosks(&self) -> &Kiosks {
        &self.kiosks
    }

    /// What the cameras have logged.
    pub(crate) fn log(&self) -> &DetectionLog {
        &self.log
    }

    /// What happens, as it happens.
    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// The cameras that are kept.
    pub(crate) fn kept(&self) -> &Arc<KeptList> {
        &self.kept
    }

    /// Has a camera watched, and keeps it; whether its starter may open it. Blocks, for about a second at most.
    ///
    /// # Errors
    /// As [`Cameras::start`], and those of the store.
    pub(crate) fn start_camera(&self, wanted: Wanted<'_>, starter: Starter, by: &str) -> Result<bool> {
        self.kept.start_camera(wanted, starter, by)
    }

    /// Has the camera at `address` watched no longer, with or without its credentials, and keeps it as one that is
    /// paused. Blocks, for about a second at most.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn stop_camera(&self, address: &str, by: &str) -> Result<()> {
        self.kept.stop_camera(address, by)
    }

    /// Stops every camera, also those that other servers watch. Blocks, for about a second at most.
    ///
    /// # Errors
    /// As [`stop_camera`](Self::stop_camera).
    pub(crate) fn stop_cameras(&self, by: &str) -> Result<()> {
        self.kept.stop_all(by)
    }

    /// Every camera as the API shows it, by name; where servers share their cameras, those of all.
    pub(crate) fn camera_items(&self) -> Map<String, Value> {
        match &self.leases {
            Some(leases) => leases.items(),
            None => self.cameras.status().into_iter().map(|camera| (camera.name.clone(), camera.item())).collect(),
        }
    }

    /// Returns what this server calls a kept camera in [`camera_items`](Self::camera_items).
    pub(crate) fn name_of(&self, key: &CameraKey) -> String {
        self.leases.as_ref().map_or_else(|| key.name.clone(), |leases| leases.name_of(key))
    }

    /// Stops every camera of this server, leaves the shared ones to others, and writes what is still to be written. All
    /// of them stay kept. Blocks.
    pub(crate) fn shut_down(&self) {
        self.kept.end();
        self.laptop.stop_all();
        match &self.leases {
            Some(leases) => leases.end(),
            None => self.cameras.stop_all(),
        }
        self.background.cut();
        self.notices.finish();
        self.housekeeping.stop();
        self.log.write();
        // What the database does not take now waits in the file for the next start.
        waiting_writes::write(&self.backlog, &self.events);
    }
}

/// Returns which of the kept cameras give pictures. Of those that another server watches that one says it.
fn camera_pictures(
    kept: &Arc<KeptList>,
    (cameras, laptop): (&Arc<Cameras>, &Arc<Cameras>),
    leases: Option<&Arc<CameraLeases>>,
) -> CameraPictures {
    let (kept, cameras, laptop, leases) =
        (Arc::clone(kept), Arc::clone(cameras), Arc::clone(laptop), leases.map(Arc::clone));
    Box::new(move || {
        let running = |watched: &Cameras| -> BTreeSet<String> {
            let status = watched.status().into_iter();
            status.filter(|camera| camera.state() == CameraState::Running).map(|camera| camera.name).collect()
        };
        let (running, running_here) = (running(&cameras), running(&laptop));
        let mut pictures = Vec::new();
        for (camera, _) in kept.cameras()? {
            let name = &camera.key.name;
            let is_up = match (&leases, camera.group) {
                _ if camera.paused => Some(true),
                (_, CameraGroup::Laptop) => Some(running_here.contains(name)),
                (None, CameraGroup::Usual) => Some(running.contains(name)),
                // Another server answers for a camera that it watches.
                (Some(leases), CameraGroup::Usual) => {
                    (!leases.is_of_another(&camera.key)).then(|| running.contains(name))
                }
            };
            pictures.push(CameraPicture { id: camera.id, name: camera.name, location: camera.location, is_up });
        }
        Ok(pictures)
    })
}

impl Drop for Live {
    fn drop(&mut self) {
        self.kept.end();
        self.background.cut();
    }
}
