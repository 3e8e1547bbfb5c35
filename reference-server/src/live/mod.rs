//! What runs beside the requests: the gallery, the marker, the cameras and what they tell.

pub(crate) mod browser;
pub(crate) mod cameras;
pub(crate) mod events;
mod keeper;
mod log;
pub(crate) mod preview;
pub(crate) mod watch;

use std::num::NonZero;
use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::attendance::Marker;
use faceattend_core::camera::Scheduler;
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::FaceEngine;
use faceattend_core::gallery::Gallery;
use faceattend_core::recognition::load_gallery;
use faceattend_core::store::{Store, Student};
use faceattend_core::types::StudentId;

use crate::state::Settings;
use browser::Browsers;
use cameras::Cameras;
use events::{Events, LiveEvent};
use keeper::Keeper;
use log::DetectionLog;
use watch::Watcher;

/// How cameras are watched.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LiveSettings {
    /// How many pictures of each camera are analysed in a second. Default 5: a face that walks through a door is seen
    /// several times.
    pub rate: f32,
    /// Whether a logged-in user may look through the cameras. Default off: attendance needs no spectators.
    pub preview: bool,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self { rate: 5.0, preview: false }
    }
}

impl LiveSettings {
    /// The same settings, analysing so many pictures of each camera in a second.
    #[must_use]
    pub fn with_rate(mut self, rate: f32) -> Self {
        self.rate = rate;
        self
    }

    /// The same settings, with or without `GET /detection/preview/{camera}.mjpeg`.
    #[must_use]
    pub fn with_preview(mut self, preview: bool) -> Self {
        self.preview = preview;
        self
    }
}

/// Everything that lives as long as the server does.
pub(crate) struct Live {
    gallery: Arc<Gallery>,
    marker: Arc<Marker>,
    cameras: Arc<Cameras>,
    laptop: Arc<Cameras>,
    browsers: Browsers,
    log: Arc<DetectionLog>,
    keeper: Keeper,
    events: Events,
}

impl Live {
    /// Loads the gallery from the store.
    pub(crate) fn new(store: Arc<dyn Store>, engine: &Arc<dyn FaceEngine>, settings: &Settings) -> Result<Self> {
        let gallery = Gallery::new(engine.embedder().clone());
        load(&gallery, &*store)?;
        let gallery = Arc::new(gallery);
        let marker = Arc::new(Marker::new(Arc::clone(&store), settings.policy.clone()));
        let events = Events::default();
        let log = Arc::new(DetectionLog::new(Arc::clone(&store)));
        let watcher = Watcher {
            engine: Arc::clone(engine),
            gallery: Arc::clone(&gallery),
            marker: Arc::clone(&marker),
            store,
            log: Arc::clone(&log),
            threshold: settings.threshold,
            events: events.clone(),
        };
        let scheduler = Scheduler::new(NonZero::new(settings.threads).unwrap_or(NonZero::<usize>::MIN))?;
        let cameras = || Arc::new(Cameras::new(watcher.clone(), scheduler.clone(), &settings.live));
        let (cameras, laptop) = (cameras(), cameras());
        let watched = vec![Arc::clone(&cameras), Arc::clone(&laptop)];
        let keeper = Keeper::start(watched, events.clone(), Arc::clone(&log))?;
        let browsers = Browsers::new(watcher);
        Ok(Self { gallery, marker, cameras, laptop, browsers, log, keeper, events })
    }

    pub(crate) fn gallery(&self) -> Arc<Gallery> {
        Arc::clone(&self.gallery)
    }

    pub(crate) fn marker(&self) -> Arc<Marker> {
        Arc::clone(&self.marker)
    }

    /// Lets cameras recognise a student from now on.
    pub(crate) fn student_enrolled(&self, student: &Student, templates: &[Embedding]) {
        match self.gallery.replace(student.id, templates) {
            Ok(()) => self.tell_size(),
            // Only when the engine was changed while a session ran; the student is stored, for the engine it was made with.
            Err(error) => tracing::warn!(student = %student.id, "not in the gallery: {error}"),
        }
    }

    /// Lets cameras forget a student.
    pub(crate) fn student_removed(&self, student: StudentId) {
        self.marker.forget();
        if self.gallery.remove(student) {
            self.tell_size();
        }
    }

    /// Lets a mark be made again where one was deleted.
    pub(crate) fn attendance_removed(&self) {
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

    /// What the cameras have logged.
    pub(crate) fn log(&self) -> &DetectionLog {
        &self.log
    }

    /// What happens, as it happens.
    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// Stops every camera. Blocks, for about a second at most.
    pub(crate) fn stop_cameras(&self) {
        self.cameras.stop_all();
        self.laptop.stop_all();
    }

    /// Stops every camera and writes what is still to be written. Blocks.
    pub(crate) fn shut_down(&self) {
        self.stop_cameras();
        self.keeper.stop();
        self.log.write();
    }

    fn tell_size(&self) {
        let line = format!("Reloaded {} known faces", self.gallery.people());
        tracing::info!("{line}");
        self.events.publish(LiveEvent::info(line));
    }
}

/// Puts every stored template that this engine's model made into the gallery, and says what was left out.
fn load(gallery: &Gallery, store: &dyn Store) -> Result<()> {
    let loaded = load_gallery(gallery, store, None)?;
    tracing::info!("Reloaded {} known faces", loaded.people);
    let left_out = loaded.of_other_models + loaded.legacy;
    if left_out > 0 {
        let model = &gallery.embedder().model;
        tracing::warn!("{left_out} stored embeddings are not known to be made by {model} and are not matched");
    }
    Ok(())
}
