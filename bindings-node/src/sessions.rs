//! A liveness session between its object and a store's row.

use faceattend_core::enrolment::StoredSession;
use faceattend_core::enrolment::session::{row_of_new, text_of, update_of};
use faceattend_core::liveness::{LivenessOptions, LivenessSession as CoreSession};
use faceattend_core::store::{SessionRecord, Store};
use faceattend_core::{Error, Result};
use jiff::Timestamp;

/// A session, and what of it a store has.
#[derive(Clone)]
pub struct Live {
    pub(crate) session: CoreSession,
    saved: Option<Saved>,
}

/// The row as it was read or written last.
#[derive(Clone, Copy)]
struct Saved {
    version: i64,
    revision: u64,
    completed_at: Option<Timestamp>,
}

impl Live {
    /// A session that no store knows of.
    pub(crate) fn unsaved(session: CoreSession) -> Self {
        Self { session, saved: None }
    }

    /// The session in a row. One that an older service left half-way begins anew, with the time it has left.
    pub(crate) fn read(record: &SessionRecord) -> Result<Self> {
        let session = StoredSession::from_record(record.clone(), LivenessOptions::default())?.into_session();
        let saved = Saved { version: record.version, revision: session.revision(), completed_at: record.completed_at };
        Ok(Self { session, saved: Some(saved) })
    }

    /// The session as text.
    pub(crate) fn text(&self) -> Result<String> {
        text_of(&self.session)
    }

    /// Writes into `store` what has changed since it was read or written last.
    ///
    /// # Errors
    /// [`Error::State`] when somebody else has changed the row meanwhile; those of the store.
    pub(crate) fn save(&mut self, store: &dyn Store, now: Timestamp) -> Result<()> {
        let session = &self.session;
        let saved = match self.saved {
            Some(saved) if saved.revision == session.revision() => return Ok(()),
            Some(saved) => saved,
            None => {
                let record = store.create_session(&row_of_new(session)?)?;
                Saved { version: record.version, revision: 0, completed_at: None }
            }
        };
        let update = update_of(session, saved.completed_at, now)?;
        let version = if saved.revision == session.revision() {
            saved.version
        } else {
            store.update_session(session.id(), saved.version, &update)?.ok_or_else(|| Error::State {
                what: "liveness session",
                reason: "it was changed in the store meanwhile: read it again and repeat the frame".into(),
            })?
        };
        self.saved = Some(Saved { version, revision: session.revision(), completed_at: update.completed_at });
        Ok(())
    }
}

impl Live {
    /// Takes over what `copy` knows of its row, after a write. The session itself may have gone on meanwhile.
    pub(crate) fn adopt(&mut self, copy: &Self) {
        self.saved = copy.saved;
    }
}
