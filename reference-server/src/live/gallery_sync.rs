//! Tells what the gallery holds: after an enrolment or an erasure here, and after a change that was made elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use faceattend_core::Result;
use faceattend_core::enrolment::Registry;
use faceattend_core::gallery::Gallery;
use faceattend_core::types::StudentId;

use crate::live::events::{Events, LiveEvent};

/// The registry, which keeps the gallery as the store has it, and who is told of its size.
pub(super) struct GallerySync {
    registry: Arc<Registry>,
    gallery: Arc<Gallery>,
    events: Events,
    /// The number of people that was told last.
    told: AtomicUsize,
}

impl GallerySync {
    pub(super) fn new(registry: Arc<Registry>, gallery: Arc<Gallery>, events: Events) -> Self {
        Self { registry, gallery, events, told: AtomicUsize::new(0) }
    }

    /// Puts every stored template that this engine's model made into the gallery, and says what was left out.
    pub(super) fn load(&self) -> Result<()> {
        self.load_telling(&mut |_, _| Ok(()))
    }

    /// The same, and tells how far it is.
    pub(super) fn load_telling(&self, told: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<()> {
        let loaded = self.registry.load_gallery_telling(told)?;
        self.told.store(loaded.people, Ordering::Relaxed);
        tracing::info!("Reloaded {} known faces", loaded.people);
        let left_out = loaded.of_other_models + loaded.legacy;
        if left_out > 0 {
            let model = &self.gallery.embedder().model;
            tracing::warn!("{left_out} stored embeddings are not known to be made by {model} and are not matched");
        }
        Ok(())
    }

    /// Reads one student's templates again, and says how many people are known now.
    pub(super) fn refresh(&self, student: StudentId) -> Result<()> {
        self.registry.refresh_gallery(student)?;
        self.tell_size();
        Ok(())
    }

    /// The same for what somebody has changed, perhaps this server a moment ago: then there is nothing to say.
    pub(super) fn follow(&self, student: StudentId) -> Result<()> {
        self.registry.refresh_gallery(student)?;
        self.tell_new_size();
        Ok(())
    }

    /// Says how many people are known.
    pub(super) fn tell_size(&self) {
        let people = self.gallery.people();
        self.told.store(people, Ordering::Relaxed);
        self.tell(people);
    }

    /// Says how many people are known, unless that many were told last.
    pub(super) fn tell_new_size(&self) {
        let people = self.gallery.people();
        if self.told.swap(people, Ordering::Relaxed) != people {
            self.tell(people);
        }
    }

    fn tell(&self, people: usize) {
        let line = format!("Reloaded {people} known faces");
        tracing::info!("{line}");
        self.events.publish(LiveEvent::info(line));
    }
}
