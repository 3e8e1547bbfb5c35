//! A liveness session between its object and a store's row.

use faceattend_core::liveness::{LivenessOptions, LivenessSession as CoreSession, Position};
use faceattend_core::store::{Enrolment, NewSession, PositionColumns, SessionRecord, SessionUpdate, Store};
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
        let session = match &record.state {
            Some(text) => {
                let state = serde_json::from_str(text)
                    .map_err(|_| Error::Internal { reason: "a stored liveness session cannot be read".into() })?;
                CoreSession::from_state(state)?
            }
            None => CoreSession::new(record.id, record.student, LivenessOptions::default(), record.created_at),
        };
        let saved = Saved { version: record.version, revision: session.revision(), completed_at: record.completed_at };
        Ok(Self { session, saved: Some(saved) })
    }

    /// The session as text.
    pub(crate) fn text(&self) -> Result<String> {
        serde_json::to_string(&self.session.to_state())
            .map_err(|_| Error::Internal { reason: "a liveness session cannot be written down".into() })
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
                let record = store.create_session(&NewSession {
                    id: session.id(),
                    student: session.student(),
                    state: self.text()?,
                    created_at: session.created_at(),
                    expires_at: session.expires_at(),
                })?;
                Saved { version: record.version, revision: 0, completed_at: None }
            }
        };
        let completed_at = saved.completed_at.or_else(|| session.is_completed().then_some(now));
        let version = if saved.revision == session.revision() {
            saved.version
        } else {
            let update = self.update(completed_at, now)?;
            store.update_session(session.id(), saved.version, &update)?.ok_or_else(|| Error::State {
                what: "liveness session",
                reason: "it was changed in the store meanwhile: read it again and repeat the frame".into(),
            })?
        };
        self.saved = Some(Saved { version, revision: session.revision(), completed_at });
        Ok(())
    }

    /// What a completed session proves.
    ///
    /// # Errors
    /// [`Error::State`] when it is not complete.
    pub(crate) fn enrolment(&self) -> Result<Enrolment> {
        if !self.session.is_completed() {
            return Err(Error::State { what: "liveness session", reason: "it is not complete".into() });
        }
        Ok(Enrolment {
            templates: self.session.templates().cloned().collect(),
            liveness_score: self.session.liveness_score().into(),
        })
    }

    fn update(&self, completed_at: Option<Timestamp>, now: Timestamp) -> Result<SessionUpdate> {
        let session = &self.session;
        let columns = |position| {
            let verified = session.position(position);
            PositionColumns {
                embedding: verified.map(|view| view.embedding.clone()),
                verified: verified.is_some(),
                // Frames are not stored.
                frame_data: None,
            }
        };
        Ok(SessionUpdate {
            status: session.status_at(now),
            state: self.text()?,
            liveness_score: session.liveness_score().into(),
            movement_verified: session.is_completed(),
            center: columns(Position::Center),
            left: columns(Position::Left),
            right: columns(Position::Right),
            final_embedding: session.final_template().cloned(),
            error_message: None,
            attempts: u32::try_from(session.revision()).unwrap_or(u32::MAX),
            completed_at,
        })
    }
}

impl Live {
    /// Takes over what `copy` knows of its row, after a write. The session itself may have gone on meanwhile.
    pub(crate) fn adopt(&mut self, copy: &Self) {
        self.saved = copy.saved;
    }
}
