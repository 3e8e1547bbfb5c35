//! What runs beside the requests: the gallery, the marker, and the cameras.

pub(crate) mod cameras;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::attendance::Marker;
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::FaceEngine;
use faceattend_core::gallery::Gallery;
use faceattend_core::store::{Store, StoredEmbedding, Student};
use faceattend_core::types::StudentId;

use crate::state::Settings;
use cameras::Cameras;
use watch::Watcher;

/// Everything that lives as long as the server does.
pub(crate) struct Live {
    gallery: Arc<Gallery>,
    marker: Arc<Marker>,
    cameras: Cameras,
}

impl Live {
    /// Loads the gallery from the store.
    pub(crate) fn new(store: Arc<dyn Store>, engine: &Arc<dyn FaceEngine>, settings: &Settings) -> Result<Self> {
        let gallery = Gallery::new(engine.embedder().clone());
        load(&gallery, &*store)?;
        let gallery = Arc::new(gallery);
        let marker = Arc::new(Marker::new(Arc::clone(&store), settings.policy.clone()));
        let cameras = Cameras::new(Watcher {
            engine: Arc::clone(engine),
            gallery: Arc::clone(&gallery),
            marker: Arc::clone(&marker),
            store,
            threshold: settings.threshold,
        });
        Ok(Self { gallery, marker, cameras })
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

    fn tell_size(&self) {
        tracing::info!("Reloaded {} known faces", self.gallery.people());
    }
}

/// Puts every stored template that this engine's model made into the gallery.
fn load(gallery: &Gallery, store: &dyn Store) -> Result<()> {
    let embedder = gallery.embedder();
    let mut people: HashMap<StudentId, Vec<Embedding>> = HashMap::new();
    let mut foreign = 0_usize;
    store.for_each_template(&mut |template| {
        match template.embedding {
            StoredEmbedding::Tagged(embedding)
                if *embedding.model() == embedder.model && embedding.values().len() == embedder.dimension =>
            {
                people.entry(template.student).or_default().push(embedding);
            }
            StoredEmbedding::Tagged(_) | StoredEmbedding::Legacy(_) => foreign += 1,
        }
        Ok(())
    })?;
    let count = gallery.load(people)?;
    tracing::info!("Reloaded {count} known faces");
    if foreign > 0 {
        tracing::warn!("{foreign} stored embeddings were not made by {} and are not matched", embedder.model);
    }
    Ok(())
}
