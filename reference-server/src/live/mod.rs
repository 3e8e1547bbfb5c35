//! What runs beside the requests: the gallery, the marker, and the cameras.

pub(crate) mod cameras;
pub(crate) mod events;
mod watch;

use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::attendance::Marker;
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::FaceEngine;
use faceattend_core::gallery::Gallery;
use faceattend_core::recognition::load_gallery;
use faceattend_core::store::{Store, Student};
use faceattend_core::types::StudentId;

use crate::state::Settings;
use cameras::Cameras;
use events::{Events, LiveEvent};
use watch::Watcher;

/// Everything that lives as long as the server does.
pub(crate) struct Live {
    gallery: Arc<Gallery>,
    marker: Arc<Marker>,
    cameras: Cameras,
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
        let cameras = Cameras::new(Watcher {
            engine: Arc::clone(engine),
            gallery: Arc::clone(&gallery),
            marker: Arc::clone(&marker),
            store,
            threshold: settings.threshold,
            events: events.clone(),
        });
        Ok(Self { gallery, marker, cameras, events })
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

    /// What happens, as it happens.
    pub(crate) fn events(&self) -> &Events {
        &self.events
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
