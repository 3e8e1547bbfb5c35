//! The gallery, kept as the store has it: by whoever changes the store here, and by whoever hears of a change elsewhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faceattend_core::Result;
use faceattend_core::gallery::Gallery;
use faceattend_core::recognition::{load_gallery, refresh_gallery};
use faceattend_core::store::Store;
use faceattend_core::types::StudentId;

use crate::live::events::{Events, LiveEvent};

/// The gallery and the store that it follows.
pub(super) struct GallerySync {
    gallery: Arc<Gallery>,
    store: Arc<dyn Store>,
    events: Events,
    /// Held from the reading of the store to the change of the gallery: what is read first is not written last.
    turn: Mutex<()>,
}

impl GallerySync {
    pub(super) fn new(gallery: Arc<Gallery>, store: Arc<dyn Store>, events: Events) -> Self {
        Self { gallery, store, events, turn: Mutex::default() }
    }

    /// Puts every stored template that this engine's model made into the gallery, and says what was left out.
    pub(super) fn load(&self) -> Result<()> {
        let _turn = self.turn();
        let loaded = load_gallery(&self.gallery, &*self.store, None)?;
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
        let _turn = self.turn();
        refresh_gallery(&self.gallery, &*self.store, student, None)?;
        self.tell_size();
        Ok(())
    }

    /// The same for what somebody has changed, perhaps this server a moment ago: then there is nothing to say.
    pub(super) fn follow(&self, student: StudentId) -> Result<()> {
        let _turn = self.turn();
        let before = self.gallery.people();
        refresh_gallery(&self.gallery, &*self.store, student, None)?;
        if self.gallery.people() != before {
            self.tell_size();
        }
        Ok(())
    }

    /// Takes a student out who is no longer in the store.
    pub(super) fn forget(&self, student: StudentId) {
        let _turn = self.turn();
        if self.gallery.remove(student) {
            self.tell_size();
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_size(&self) {
        let line = format!("Reloaded {} known faces", self.gallery.people());
        tracing::info!("{line}");
        self.events.publish(LiveEvent::info(line));
    }
}
