//! A session that a program holds in memory and writes into a store now and then.

use std::fmt;

use jiff::Timestamp;

use super::session::{StoredSession, row_of_new, update_of};
use crate::error::{Error, Result};
use crate::liveness::{LivenessOptions, LivenessSession};
use crate::store::{SessionRecord, Store};

/// A session in memory, and what a store has of it: for programs that hold the session themselves between its frames,
/// as the bindings do. [`Registry::keep`](super::Registry::keep) writes it down.
///
/// ```
/// use faceattend_core::LivenessSession;
/// use faceattend_core::enrolment::KeptSession;
/// use faceattend_core::liveness::LivenessOptions;
/// use faceattend_core::types::SessionId;
/// use jiff::Timestamp;
///
/// let session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), Timestamp::now());
/// let kept = KeptSession::new(session);
/// assert!(!kept.session().is_completed());
/// ```
#[derive(Clone)]
pub struct KeptSession {
    session: LivenessSession,
    saved: Option<Saved>,
}

/// Shows no state: it holds embeddings.
impl fmt::Debug for KeptSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptSession({}, {:?})", self.session.id(), self.saved)
    }
}

/// The row as it was read or written last.
#[derive(Debug, Clone, Copy)]
struct Saved {
    version: i64,
    revision: u64,
    completed_at: Option<Timestamp>,
}

impl KeptSession {
    /// Returns a session that no store has.
    #[must_use]
    pub fn new(session: LivenessSession) -> Self {
        Self { session, saved: None }
    }

    /// Returns the session in a row. A session that an older service left half-way begins anew, in the time that it has
    /// left.
    ///
    /// # Errors
    /// Those of [`StoredSession::from_record`].
    pub fn from_record(record: SessionRecord) -> Result<Self> {
        let (version, completed_at) = (record.version, record.completed_at);
        let session = StoredSession::from_record(record, LivenessOptions::default())?.into_session();
        let saved = Saved { version, revision: session.revision(), completed_at };
        Ok(Self { session, saved: Some(saved) })
    }

    /// Returns the session.
    #[must_use]
    pub fn session(&self) -> &LivenessSession {
        &self.session
    }

    /// Returns the session, to take frames in.
    pub fn session_mut(&mut self) -> &mut LivenessSession {
        &mut self.session
    }

    /// Writes into `store` what has changed since it was read or written last.
    pub(super) fn save(&mut self, store: &dyn Store, now: Timestamp) -> Result<()> {
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

    /// Takes over what `copy` knows of its row, after a write. The session itself may have changed meanwhile.
    pub(super) fn adopt(&mut self, copy: &Self) {
        self.saved = copy.saved;
    }
}
