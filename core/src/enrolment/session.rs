//! A liveness session and its row in the store.
//!
//! The row holds the session as text, and the columns that readers of the existing service's schema expect. Every
//! change of the session writes the whole row on condition that its version is still the one that was read: of two
//! frames that arrive at once one is written, and the other is applied again to what the first one left.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::embedding::Embedding;
use crate::engine::{Analysis, Embedder};
use crate::error::{Error, Result};
use crate::liveness::{FrameHash, LivenessOptions, LivenessSession, Observation, Outcome, Position, Status};
use crate::store::{Enrolment, NewSession, PositionColumns, SessionRecord, SessionUpdate, Store, embedding_text};
use crate::types::{SessionId, StudentId};

/// How many times a frame is applied when other frames of its session are faster. In every round some frame wins, so
/// this is the number of frames of one session that may overlap; the existing page was seen to have 19 in flight.
pub const ROUNDS: usize = 200;

/// A frame of a session, as a client at a distance sends it.
#[derive(Debug, Clone, Copy)]
pub struct ClientFrame<'a> {
    /// The position that the client asked the person for.
    pub position: Position,
    /// What the engine saw.
    pub analysis: &'a Analysis,
    /// What made the analysis's embeddings.
    pub embedder: &'a Embedder,
    /// What is kept of the frame: [`frame_hash`](crate::liveness::frame_hash).
    pub hash: FrameHash,
    /// The word of the step that the client answers.
    pub nonce: Option<&'a str>,
    /// How long after the session's begin the frame was captured, on the client's clock.
    pub elapsed: Option<SignedDuration>,
}

/// A session, and the row that it was read from.
#[derive(Clone, PartialEq)]
pub struct StoredSession {
    record: SessionRecord,
    session: LivenessSession,
}

/// Shows no state: it holds embeddings.
impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredSession({:?})", self.record)
    }
}

impl StoredSession {
    /// Writes a new session. A student that is not in the store is left out of the row.
    pub(super) fn begin(store: &dyn Store, session: LivenessSession) -> Result<Self> {
        let mut new = row_of_new(&session)?;
        let record = match store.create_session(&new) {
            Err(Error::NotFound { .. }) => {
                new.student = None;
                store.create_session(&new)?
            }
            other => other?,
        };
        Ok(Self { record, session })
    }

    pub(super) fn read(store: &dyn Store, id: SessionId, options: LivenessOptions) -> Result<Option<Self>> {
        store.session(id)?.map(|record| Self::from_record(record, options)).transpose()
    }

    /// Returns the session in a row. A session that the existing service left half-way begins anew with `options`, in
    /// the time that it has left.
    ///
    /// # Errors
    /// [`Error::Internal`] for a state that is damaged; [`Error::State`] for one that a newer version wrote.
    pub fn from_record(record: SessionRecord, options: LivenessOptions) -> Result<Self> {
        let session = match &record.state {
            Some(text) => session_of(text)?,
            None => LivenessSession::new(record.id, record.student, options, record.created_at),
        };
        Ok(Self { record, session })
    }

    /// Returns the session's key.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.record.id
    }

    /// Returns the row as it was read or written last.
    #[must_use]
    pub fn record(&self) -> &SessionRecord {
        &self.record
    }

    /// Returns the session.
    #[must_use]
    pub fn session(&self) -> &LivenessSession {
        &self.session
    }

    /// Returns the session alone.
    #[must_use]
    pub fn into_session(self) -> LivenessSession {
        self.session
    }

    /// Returns where the session stands. The database's end of it counts, and what is finished does not expire.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match self.session.status_at(now) {
            Status::Pending | Status::InProgress if self.is_over(now) => Status::Expired,
            status => status,
        }
    }

    /// Returns whether the session's time is over.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.record.expires_at
    }

    /// Returns whether the session was begun for a student who was not in the store. It enrols nobody, also when a
    /// student is given that id later.
    #[must_use]
    pub fn is_for_nobody(&self) -> bool {
        self.session.student().is_some() && self.record.student.is_none()
    }

    /// Applies a frame, which is compared with the frames of other sessions first.
    pub(super) fn observe(
        self,
        store: &dyn Store,
        frame: &ClientFrame<'_>,
        options: LivenessOptions,
        now: Timestamp,
    ) -> Result<Option<(Self, Outcome)>> {
        let session = &self.session;
        let mut frame_hash = frame.hash;
        // Finished sessions answer frames without taking them in.
        let recent = session.options().recent_sessions.filter(|_| !session.is_completed());
        if let (Some(back), Some(looks)) = (recent, session.looks(frame.analysis, &frame_hash)) {
            let since = now.saturating_sub(back).unwrap_or(Timestamp::MIN);
            frame_hash = frame_hash.with_seen_elsewhere(store.frame_seen_elsewhere(self.id(), &looks, since)?);
            store.remember_frame(self.id(), &looks, now)?;
        }
        // The client's clock need not be right: it tells how long the session has run there.
        let captured_at = frame.elapsed.and_then(|elapsed| session.created_at().saturating_add(elapsed).ok());
        let ClientFrame { position, analysis, embedder, nonce, .. } = *frame;
        let observation = Observation { requested: position, analysis, embedder, frame_hash, captured_at };
        self.change(store, options, now, |session| session.observe_answer(nonce, &observation, now))
    }

    /// Applies a change and writes it: to the session as it was read first, and to a newer one as long as somebody else
    /// is faster. `None` when the session is gone.
    pub(super) fn change<T>(
        self,
        store: &dyn Store,
        options: LivenessOptions,
        now: Timestamp,
        apply: impl Fn(&mut LivenessSession) -> T,
    ) -> Result<Option<(Self, T)>> {
        let id = self.id();
        let mut read_before = Some(self);
        for _ in 0..ROUNDS {
            let Some(mut stored) =
                read_before.take().map_or_else(|| Self::read(store, id, options), |s| Ok(Some(s)))?
            else {
                return Ok(None);
            };
            let before = stored.session.revision();
            let told = apply(&mut stored.session);
            if stored.session.revision() == before {
                return Ok(Some((stored, told)));
            }
            let update = update_of(&stored.session, stored.record.completed_at, now)?;
            match store.update_session(id, stored.record.version, &update) {
                Ok(Some(version)) => {
                    stored.record.version = version;
                    return Ok(Some((stored, told)));
                }
                Ok(None) => {}
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Err(Error::State { what: "liveness session", reason: "too many frames at once".into() })
    }
}

/// Returns the row of a session that no store has yet.
///
/// # Errors
/// [`Error::Internal`] when the session cannot be written down.
pub fn row_of_new(session: &LivenessSession) -> Result<NewSession> {
    Ok(NewSession {
        id: session.id(),
        student: session.student(),
        state: text_of(session)?,
        created_at: session.created_at(),
        expires_at: session.expires_at(),
    })
}

/// Returns every column of the row of a session that has changed. `completed_at` is what the row says so far.
///
/// # Errors
/// [`Error::Internal`] when the session cannot be written down.
pub fn update_of(session: &LivenessSession, completed_at: Option<Timestamp>, now: Timestamp) -> Result<SessionUpdate> {
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
        state: text_of(session)?,
        liveness_score: f64::from(session.liveness_score()),
        movement_verified: session.is_completed(),
        center: columns(Position::Center),
        left: columns(Position::Left),
        right: columns(Position::Right),
        final_embedding: session.final_template().cloned(),
        error_message: None,
        attempts: u32::try_from(session.revision()).unwrap_or(u32::MAX),
        completed_at: completed_at.or_else(|| session.is_completed().then_some(now)),
    })
}

/// Uses the session up for `student`, for a program that writes the rows itself; returns what the session proves.
/// `is_used` says whether its row has the time of an enrolment already. The program writes the faces and that time in
/// one transaction, on condition of the version that it read.
///
/// # Errors
/// [`Error::Conflict`] for a session that has enrolled somebody; [`Error::State`] for one that is not completed or was
/// begun for another student.
pub fn use_up(session: &mut LivenessSession, is_used: bool, student: StudentId) -> Result<Enrolment> {
    if is_used {
        return Err(Error::Conflict { what: "an enrolment from this liveness session" });
    }
    if session.student().is_some_and(|expected| expected != student) {
        return Err(Error::State { what: "liveness session", reason: "it is for another student".into() });
    }
    let templates = session.consume()?;
    Ok(Enrolment { templates, liveness_score: f64::from(session.liveness_score()) })
}

/// What a column of a session's row holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValue {
    /// A text, or null.
    Text(Option<String>),
    /// A number.
    Number(f64),
    /// A count.
    Count(u32),
    /// Yes or no.
    Flag(bool),
    /// A time, or null.
    Time(Option<Timestamp>),
}

/// Returns the columns of [`update_of`] by their names in the table, for a program that writes the row itself. The
/// program adds one to `version`.
#[must_use]
pub fn columns_of(update: &SessionUpdate) -> Vec<(&'static str, ColumnValue)> {
    let embedding = |embedding: &Option<Embedding>| ColumnValue::Text(embedding.as_ref().map(embedding_text));
    let frame = |columns: &PositionColumns| ColumnValue::Text(columns.frame_data.clone());
    let SessionUpdate { center, left, right, .. } = update;
    vec![
        ("status", ColumnValue::Text(Some(update.status.as_str().to_owned()))),
        ("state", ColumnValue::Text(Some(update.state.clone()))),
        ("liveness_score", ColumnValue::Number(update.liveness_score)),
        ("movement_verified", ColumnValue::Flag(update.movement_verified)),
        ("center_embedding", embedding(&center.embedding)),
        ("center_verified", ColumnValue::Flag(center.verified)),
        ("center_frame_data", frame(center)),
        ("left_embedding", embedding(&left.embedding)),
        ("left_verified", ColumnValue::Flag(left.verified)),
        ("left_frame_data", frame(left)),
        ("right_embedding", embedding(&right.embedding)),
        ("right_verified", ColumnValue::Flag(right.verified)),
        ("right_frame_data", frame(right)),
        ("final_embedding", embedding(&update.final_embedding)),
        ("error_message", ColumnValue::Text(update.error_message.clone())),
        ("attempts_count", ColumnValue::Count(update.attempts)),
        ("completed_at", ColumnValue::Time(update.completed_at)),
    ]
}

/// Returns the session as the text of the column `state`.
///
/// # Errors
/// [`Error::Internal`] when the session cannot be written down.
pub fn text_of(session: &LivenessSession) -> Result<String> {
    serde_json::to_string(&session.to_state())
        .map_err(|_| Error::Internal { reason: "a liveness session cannot be written down".into() })
}

/// Returns the session that [`text_of`] wrote.
///
/// # Errors
/// [`Error::Internal`] for a text that is damaged; [`Error::State`] for one that a newer version wrote.
pub fn session_of(text: &str) -> Result<LivenessSession> {
    let state = serde_json::from_str(text)
        .map_err(|_| Error::Internal { reason: "a stored liveness session cannot be read".into() })?;
    LivenessSession::from_state(state)
}
