//! Liveness sessions between the store and the state machine of the core.

use faceattend_core::engine::{Analysis, Embedder};
use faceattend_core::gallery::{Gallery, Match};
use faceattend_core::liveness::enrolment::already_enrolled;
use faceattend_core::liveness::{
    DuplicatePolicy, FrameHash, LivenessOptions, LivenessSession, Observation, Outcome, Position, Reason, Status,
    Verification, enrolled_as,
};
use faceattend_core::store::{Enrolment, NewSession, PositionColumns, SessionRecord, SessionUpdate, Store, Student};
use faceattend_core::types::{SessionId, StudentId};
use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};

/// How often a frame is applied again when other frames of its session were quicker. Every round some frame wins, so
/// this is how many frames of one session may overlap; the existing page was seen to have 19 in flight.
const ROUNDS: usize = 200;

/// A session as it is now, with what the store says of it.
pub(crate) struct Stored {
    pub(crate) record: SessionRecord,
    pub(crate) session: LivenessSession,
}

impl Stored {
    /// Where it stands. The database's end of it counts, and what is finished does not expire.
    pub(crate) fn status(&self, now: Timestamp) -> Status {
        match self.session.status_at(now) {
            Status::Pending | Status::InProgress if self.is_over(now) => Status::Expired,
            status => status,
        }
    }

    /// Whether its time is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.record.expires_at
    }
}

/// Begins a session. A student that is not there is remembered by the session but not by the row.
pub(crate) fn create(
    store: &dyn Store,
    student: Option<StudentId>,
    options: LivenessOptions,
    now: Timestamp,
) -> Result<Stored> {
    let session = LivenessSession::new(SessionId::random(), student, options, now);
    let mut new = NewSession {
        id: session.id(),
        student,
        state: text_of(&session)?,
        created_at: session.created_at(),
        expires_at: session.expires_at(),
    };
    let record = match store.create_session(&new) {
        Err(Error::NotFound { .. }) => {
            new.student = None;
            store.create_session(&new)?
        }
        other => other?,
    };
    Ok(Stored { record, session })
}

/// The session that `id` names, if there is one.
pub(crate) fn load(store: &dyn Store, id: SessionId, options: LivenessOptions) -> Result<Option<Stored>> {
    let Some(record) = store.session(id)? else { return Ok(None) };
    let session = match &record.state {
        Some(text) => {
            let state = serde_json::from_str(text)
                .map_err(|_| Error::Internal { reason: "a stored liveness session cannot be read".into() })?;
            LivenessSession::from_state(state)?
        }
        // The replaced service left it half-way: it begins anew, with the time it has left.
        None => LivenessSession::new(id, record.student, options, record.created_at),
    };
    Ok(Some(Stored { record, session }))
}

/// Applies a frame to the session: reads, judges, writes on condition that nobody wrote meanwhile, and again if somebody
/// did. `None` when there is no such session.
pub(crate) fn observe(
    store: &dyn Store,
    id: SessionId,
    options: LivenessOptions,
    frame: &FrameSeen<'_>,
    now: Timestamp,
) -> Result<Option<(Stored, Outcome)>> {
    let Some(stored) = load(store, id, options)? else { return Ok(None) };
    let session = &stored.session;
    let mut hash = *frame.hash;
    // Finished sessions answer frames without taking them in.
    let recent = session.options().recent_sessions.filter(|_| !session.is_completed());
    if let (Some(back), Some(looks)) = (recent, session.looks(frame.analysis, &hash)) {
        let since = now.saturating_sub(back).unwrap_or(Timestamp::MIN);
        hash = hash.with_seen_elsewhere(store.frame_seen_elsewhere(id, &looks, since)?);
        store.remember_frame(id, &looks, now)?;
    }
    // The client's clock need not be right: it tells how long the session has run there.
    let captured_at = frame.elapsed.and_then(|elapsed| session.created_at().saturating_add(elapsed).ok());
    change(store, id, options, now, |session| {
        let observation = Observation {
            requested: frame.position,
            analysis: frame.analysis,
            embedder: frame.embedder,
            frame_hash: hash,
            captured_at,
        };
        session.observe_answer(frame.nonce, &observation, now)
    })
}

/// Closes the session, as `verify` does.
pub(crate) fn verify(
    store: &dyn Store,
    id: SessionId,
    options: LivenessOptions,
    now: Timestamp,
) -> Result<Option<(Stored, Verification)>> {
    change(store, id, options, now, |session| session.verify(now))
}

/// A frame of a session, analyzed.
pub(crate) struct FrameSeen<'a> {
    pub(crate) position: Position,
    pub(crate) analysis: &'a Analysis,
    pub(crate) embedder: &'a Embedder,
    pub(crate) hash: &'a FrameHash,
    /// The word of the step that the client answers.
    pub(crate) nonce: Option<&'a str>,
    /// How long after the session's begin it was captured, on the client's clock.
    pub(crate) elapsed: Option<SignedDuration>,
}

fn change<T>(
    store: &dyn Store,
    id: SessionId,
    options: LivenessOptions,
    now: Timestamp,
    apply: impl Fn(&mut LivenessSession) -> T,
) -> Result<Option<(Stored, T)>> {
    for _ in 0..ROUNDS {
        let Some(mut stored) = load(store, id, options)? else { return Ok(None) };
        let before = stored.session.revision();
        let told = apply(&mut stored.session);
        if stored.session.revision() == before {
            return Ok(Some((stored, told)));
        }
        let update = update_of(&stored, now)?;
        if let Some(version) = store.update_session(id, stored.record.version, &update)? {
            stored.record.version = version;
            return Ok(Some((stored, told)));
        }
    }
    Err(Error::State { what: "liveness session", reason: "too many frames at once".into() })
}

fn update_of(stored: &Stored, now: Timestamp) -> Result<SessionUpdate> {
    let session = &stored.session;
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
        completed_at: stored.record.completed_at.or_else(|| session.is_completed().then_some(now)),
    })
}

/// What a completed session proves; `None` for one that is not completed.
pub(crate) fn enrolment_of(session: &LivenessSession) -> Option<Enrolment> {
    let templates: Vec<_> = session.templates().cloned().collect();
    let liveness_score = f64::from(session.liveness_score());
    session.is_completed().then_some(Enrolment { templates, liveness_score })
}

/// What came of giving a completed session's face to the student it was begun for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Saved {
    /// The session names nobody: the face waits in it.
    InSession,
    /// The student has the face: since just now, or since an earlier frame.
    Student(Option<Student>),
    /// The session names a student that is not there.
    NoSuchStudent,
    /// The face is somebody else's, and the policy refuses it.
    SomebodyElse,
}

/// Whose the completed session's face is already, as far as `policy` wants to know, apart from `student`, who is to get
/// it. Once the session has enrolled somebody, the face is known as theirs.
pub(crate) fn already_known(
    gallery: &Gallery,
    stored: &Stored,
    student: Option<StudentId>,
    policy: DuplicatePolicy,
) -> Result<Option<Match>> {
    if stored.record.consumed_at.is_some() {
        return Ok(None);
    }
    match policy {
        DuplicatePolicy::Allow => Ok(None),
        DuplicatePolicy::Warn | DuplicatePolicy::Refuse => {
            enrolled_as(gallery, &stored.session, student, already_enrolled())
        }
    }
}

/// What to tell of it.
pub(crate) fn known_as(found: &Match) -> Reason {
    Reason::AlreadyEnrolled { student: found.student, similarity: found.similarity }
}

/// Gives the completed session's face to the student it was begun for, once.
/// `known` says whose it is already.
pub(crate) fn save_face(
    store: &dyn Store,
    stored: &Stored,
    known: Option<&Match>,
    policy: DuplicatePolicy,
    now: Timestamp,
) -> Result<Saved> {
    let Some(student) = stored.session.student() else { return Ok(Saved::InSession) };
    let Some(enrolment) = enrolment_of(&stored.session) else { return Ok(Saved::InSession) };
    if stored.record.consumed_at.is_some() {
        return Ok(Saved::Student(None));
    }
    if known.is_some() && policy == DuplicatePolicy::Refuse {
        return Ok(Saved::SomebodyElse);
    }
    match store.enrol_student(stored.session.id(), student, &enrolment, now) {
        Ok(student) => Ok(Saved::Student(Some(student))),
        Err(Error::NotFound { .. }) => Ok(Saved::NoSuchStudent),
        // Another frame of the same session was first.
        Err(Error::State { .. }) => Ok(Saved::Student(None)),
        Err(error) => Err(error),
    }
}

fn text_of(session: &LivenessSession) -> Result<String> {
    serde_json::to_string(&session.to_state())
        .map_err(|_| Error::Internal { reason: "a liveness session cannot be written down".into() })
}
