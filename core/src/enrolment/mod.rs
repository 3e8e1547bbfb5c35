//! Enrolment and erasure: from the frames of a liveness session to a stored face, and from a stored face to none.
//!
//! A [`Registry`] holds a store, the gallery that cameras match against, and the marker of attendance. It is the only
//! way in: [`Registry::observe`] takes a frame into a session, [`Registry::register`] and [`Registry::enrol`] give the
//! face of a completed session to a student, [`Registry::erase`] removes a student everywhere. Several threads, and
//! several processes on one database, may each have one.
//!
//! | rule | where |
//! |---|---|
//! | a frame is applied to the newest state of its session, and again when another frame was first | [`session`] |
//! | a session enrols one student, once | [`Students::enrol`](crate::store::Students::enrol) |
//! | a face is not enrolled as two students | [`duplicates`], decided inside the transaction that writes the face |
//! | a face takes the place of one that it is unlike only by an [`Actor`] who may do that | [`duplicates`], as above |
//! | an enrolment is in the audit log: who, whom, by which session | [`Students::enrol`](crate::store::Students::enrol) |
//! | two records of one person become one in one transaction | [`Registry::merge`] |
//! | after an erasure no template, session, gallery entry or remembered mark of the student is left | [`Registry::erase`] |
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # fn main() -> faceattend_core::Result<()> {
//! use std::sync::Arc;
//!
//! use faceattend_core::enrolment::{Actor, EnrolmentOutcome, Registry};
//! use faceattend_core::liveness::LivenessOptions;
//! use faceattend_core::store::{MarksOfErased, SqliteStore, Store};
//! use jiff::Timestamp;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("attendance.db");
//! let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path)?);
//! let registry = Registry::new(Arc::clone(&store));
//! let now = Timestamp::now();
//!
//! let session = registry.begin(None, LivenessOptions::default(), now)?;
//! // Frames go in with `registry.observe`; until they complete the session, it enrols nobody.
//! let refused = registry.register(session.id(), "Eileen Collins", "R1", Actor::named("office"), now)?;
//! assert!(matches!(refused, EnrolmentOutcome::NotCompleted));
//!
//! let student = store.create_student("Eileen Collins", "R1", now)?;
//! registry.erase(student.id, MarksOfErased::Delete, now)?;
//! assert_eq!(store.student(student.id)?, None);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```

mod actor;
pub mod duplicates;
mod kept;
mod merge;
mod outcome;
mod photographs;
pub mod session;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
mod writing;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::attendance::Marker;
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::gallery::{Gallery, LookAlike};
use crate::liveness::{LivenessOptions, LivenessSession, Reason, Verification};
use crate::recognition::GalleryLoad;
use crate::store::{Enrolee, Enrolment, Erasure, MarksOfErased, Store, StudentMerge};
use crate::types::{SessionId, StudentId};

pub use actor::Actor;
pub use duplicates::{ALREADY_ENROLLED, DuplicatePolicy, already_enrolled, known_as};
use duplicates::{Candidate, Compared, Faces};
pub use kept::KeptSession;
use merge::FoundAlike;
pub use merge::{Merge, MergeOutcome};
pub use outcome::{Enrolled, EnrolmentOutcome, FaceOfSession, Observed, UnprovenOutcome};
pub use photographs::{
    FaceThatIsThere, MOST_PHOTOGRAPHS, OF_ONE_PHOTOGRAPH, OfPhotographs, Photograph, UnusedPhotograph,
};
pub use session::{ClientFrame, StoredSession};

/// Enrols students by liveness sessions and erases them: see [the module](self). `Send + Sync`; share one between all
/// threads.
pub struct Registry {
    store: Arc<dyn Store>,
    faces: Option<Faces>,
    marker: Option<Arc<Marker>>,
    options: LivenessOptions,
    found_alike: FoundAlike,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({:?})", self.faces)
    }
}

impl Registry {
    /// A registry over `store` that compares faces with nobody and keeps no gallery up to date.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            faces: None,
            marker: None,
            options: LivenessOptions::default(),
            found_alike: FoundAlike::default(),
        }
    }

    /// Keeps `gallery` up to date with every enrolment and erasure, and treats a face that resembles another student as
    /// `policy` says. The gallery's embedder gives the scale of the comparison.
    #[must_use]
    pub fn with_gallery(mut self, gallery: Arc<Gallery>, policy: DuplicatePolicy) -> Self {
        self.faces = Some(Faces::new(gallery, policy));
        self
    }

    /// Lets `marker` forget what it remembers of a student who is erased.
    #[must_use]
    pub fn with_marker(mut self, marker: Arc<Marker>) -> Self {
        self.marker = Some(marker);
        self
    }

    /// Continues sessions that another service left in the database with `options`. Default:
    /// [`LivenessOptions::default`].
    #[must_use]
    pub fn with_liveness(mut self, options: LivenessOptions) -> Self {
        self.options = options;
        self
    }

    /// Begins a session. A `student` that is not in the store is remembered by the session but not by its row.
    ///
    /// # Errors
    /// Those of the store.
    pub fn begin(&self, student: Option<StudentId>, options: LivenessOptions, now: Timestamp) -> Result<StoredSession> {
        StoredSession::begin(&*self.store, LivenessSession::new(SessionId::random(), student, options, now))
    }

    /// Reads the session with this id, if there is one.
    ///
    /// # Errors
    /// [`Error::State`] for a session that a newer version wrote; those of the store.
    pub fn session(&self, id: SessionId) -> Result<Option<StoredSession>> {
        StoredSession::read(&*self.store, id, self.options)
    }

    /// Applies a frame to the session, writes it, and gives the face of a session that it completes to the student whom
    /// the session was begun for. `None` when the session is gone.
    ///
    /// `session` is the session as it was read last, perhaps before the frame was analyzed: its row is read again only
    /// when another frame has changed it meanwhile.
    ///
    /// # Errors
    /// [`Error::State`] when too many frames arrive at once; those of the store.
    pub fn observe(
        &self,
        session: StoredSession,
        frame: &ClientFrame<'_>,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<Option<Observed>> {
        let Some((session, mut outcome)) = session.observe(&*self.store, frame, self.options, now)? else {
            return Ok(None);
        };
        let (face, compared) = self.save(&session, actor, now)?;
        outcome.reasons.extend(compared.resembles.as_ref().map(known_as));
        outcome.reasons.extend(compared.is_unlike.then_some(Reason::UnlikeFace));
        Ok(Some(Observed { session, outcome, face }))
    }

    /// Closes the session: a completed one is proven, any other has failed. `None` when the session is gone.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub fn verify(&self, session: StoredSession, now: Timestamp) -> Result<Option<(StoredSession, Verification)>> {
        session.change(&*self.store, self.options, now, |session| session.verify(now))
    }

    /// Creates a student with the face of a completed session, and uses the session up.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the roll number is taken: the session is not used up then;
    /// those of the store.
    pub fn register(
        &self,
        id: SessionId,
        name: &str,
        roll_number: &str,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<EnrolmentOutcome> {
        let Some(stored) = self.session(id)? else { return Ok(EnrolmentOutcome::UnknownSession) };
        self.write(stored, &Enrolee::New { name, roll_number }, actor, now)
    }

    /// Gives the face of a completed session to `student`, or without one to the student whom the session was begun
    /// for, and uses the session up. The same call again changes nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub fn enrol(
        &self,
        id: SessionId,
        student: Option<StudentId>,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<EnrolmentOutcome> {
        let Some(stored) = self.session(id)? else { return Ok(EnrolmentOutcome::UnknownSession) };
        if !stored.session().is_completed() {
            return Ok(EnrolmentOutcome::NotCompleted);
        }
        if stored.is_for_nobody() {
            return Ok(EnrolmentOutcome::UnknownStudent);
        }
        let named = student.or(stored.record().student);
        let student = named.map(|id| self.store.student(id)).transpose()?.flatten();
        let Some(student) = student else { return Ok(EnrolmentOutcome::UnknownStudent) };
        if stored.record().consumed_at.is_some() && stored.record().student == Some(student.id) {
            let session = stored.into_session();
            let enrolled = Enrolled { student, session, resembles: None, is_unlike: false, is_new: false };
            return Ok(EnrolmentOutcome::Enrolled(Box::new(enrolled)));
        }
        self.write(stored, &Enrolee::Student(student.id), actor, now)
    }

    /// Gives `who` a face that no liveness session proved: of photographs, or of a camera. It is not marked as verified
    /// ([`liveness_verified`](crate::store::Student::liveness_verified)). The first of `views` is compared with
    /// everybody, as a session's center view is. `origin` says in the audit log where the face is from.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] without a view; [`Error::ModelMismatch`] for views of another model than the gallery's;
    /// [`Error::Conflict`] when the roll number of a new student is taken; those of the store.
    pub fn enrol_unproven(
        &self,
        who: &Enrolee<'_>,
        views: &[Embedding],
        origin: &str,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<UnprovenOutcome> {
        let student = if let Enrolee::Student(student) = who { Some(*student) } else { None };
        let face = views.first().map(|center| Candidate { center, views: views.iter().collect(), student });
        let entry = (actor.name(), origin);
        let written = self
            .write_face(face.as_ref(), who, actor, |check| self.store.enrol_unproven(who, views, check, entry, now));
        match written {
            Ok((Some(student), Compared { resembles, is_unlike })) => {
                Ok(UnprovenOutcome::Enrolled { student: Box::new(student), resembles, is_unlike })
            }
            Ok((None, compared)) => Ok(compared.refusal().map_or(UnprovenOutcome::Unlike, UnprovenOutcome::Refused)),
            Err(Error::NotFound { what: "student" }) => Ok(UnprovenOutcome::UnknownStudent),
            Err(error) => Err(error),
        }
    }

    /// Writes a session that the caller holds in memory into the store, or what has changed of it. The lock is not held
    /// while the database writes, so that others can read the session.
    ///
    /// # Errors
    /// [`Error::State`] when another program has changed the row meanwhile: read the session again and repeat the
    /// frame; those of the store.
    pub fn keep(&self, kept: &Mutex<KeptSession>, now: Timestamp) -> Result<()> {
        let mut copy = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        copy.save(&*self.store, now)?;
        kept.lock().unwrap_or_else(PoisonError::into_inner).adopt(&copy);
        Ok(())
    }

    /// Returns the session with this id for a caller who holds it in memory.
    ///
    /// # Errors
    /// [`Error::State`] for a session that a newer version wrote; those of the store.
    pub fn kept(&self, id: SessionId) -> Result<Option<KeptSession>> {
        self.store.session(id)?.map(KeptSession::from_record).transpose()
    }

    /// As [`register`](Self::register), for a session that the caller holds in memory: it is written down first, and
    /// used up afterwards.
    ///
    /// # Errors
    /// As [`keep`](Self::keep) and [`register`](Self::register).
    pub fn register_kept(
        &self,
        kept: &Mutex<KeptSession>,
        name: &str,
        roll_number: &str,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<EnrolmentOutcome> {
        self.enrol_with(kept, now, |id| self.register(id, name, roll_number, actor, now))
    }

    /// As [`enrol`](Self::enrol), for a session that the caller holds in memory: it is written down first, and used up
    /// afterwards.
    ///
    /// # Errors
    /// As [`keep`](Self::keep) and [`enrol`](Self::enrol).
    pub fn enrol_kept(
        &self,
        kept: &Mutex<KeptSession>,
        student: Option<StudentId>,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<EnrolmentOutcome> {
        self.enrol_with(kept, now, |id| self.enrol(id, student, actor, now))
    }

    fn enrol_with(
        &self,
        kept: &Mutex<KeptSession>,
        now: Timestamp,
        enrol: impl FnOnce(SessionId) -> Result<EnrolmentOutcome>,
    ) -> Result<EnrolmentOutcome> {
        let (id, is_completed) = {
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            (kept.session().id(), kept.session().is_completed())
        };
        if !is_completed {
            return Ok(EnrolmentOutcome::NotCompleted);
        }
        self.keep(kept, now)?;
        let outcome = enrol(id)?;
        if let EnrolmentOutcome::Enrolled(_) = outcome {
            // The store has used it up, and the object says so too. One that was used up here before is no error now.
            let _ = kept.lock().unwrap_or_else(PoisonError::into_inner).session_mut().consume();
        }
        Ok(outcome)
    }

    /// Erases the student: templates, liveness sessions with the embeddings in them, the gallery entry, what the marker
    /// remembers, and the attendance as `marks` says. Tracks of cameras forget who is no longer in the gallery with
    /// their next frame.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown student; those of the store.
    pub fn erase(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure> {
        let erasure = self.store.erase_student(student, marks, now)?;
        if let Some(marker) = &self.marker {
            marker.forget();
            if let Some(backlog) = marker.backlog() {
                backlog.forget(student);
            }
        }
        if let Some(faces) = &self.faces {
            faces.remove(student);
        }
        Ok(erasure)
    }

    /// Makes one student of two records of one person: see
    /// [`Students::merge_students`](crate::store::Students::merge_students). The gallery forgets the record that is
    /// erased, and the marker what it remembers. A registry with a gallery merges records whose faces are unlike, or
    /// cannot be compared, only for an actor who may replace a face by an unlike one: it would be a way to erase
    /// anybody.
    ///
    /// # Errors
    /// [`Error::NotFound`] where one of the two is not there; [`Error::InvalidInput`] for the same record twice; those
    /// of the store.
    pub fn merge(&self, merge: Merge, actor: Actor<'_>, now: Timestamp) -> Result<MergeOutcome> {
        let policy = self.marker.as_ref().map(|marker| marker.policy());
        let day_of = |at| policy.and_then(|policy| policy.day(at).ok()).map(|day| day.date);
        let mut admits = |stored| match &self.faces {
            Some(faces) => merge::may_merge(faces, merge, stored, actor),
            None => Ok(true),
        };
        let (kept, other, face) = (merge.kept(), merge.other(), merge.face());
        let order = StudentMerge { kept, other, face, day_of: &day_of, admits: &mut admits };
        // What a camera saw of the record that goes, and waits for the database, is of the one that stays.
        let merged = match self.marker.as_ref().and_then(|marker| marker.backlog()) {
            None => self.store.merge_students(order, actor.name(), now)?,
            Some(backlog) => backlog.hold(|| -> Result<_> {
                let merged = self.store.merge_students(order, actor.name(), now)?;
                if merged.is_some() {
                    backlog.reassign(other, kept);
                }
                Ok(merged)
            })?,
        };
        let Some(merged) = merged else {
            return Ok(MergeOutcome::Unlike);
        };
        if let Some(marker) = &self.marker {
            marker.forget();
        }
        if let Some(faces) = &self.faces {
            faces.remove(other);
            if let Err(error) = faces.refresh(&*self.store, kept) {
                // Stored all the same; whoever follows the database hears of it once more.
                tracing::warn!(student = %kept, "not in the gallery yet: {error}");
            }
        }
        Ok(MergeOutcome::Merged(Box::new(merged)))
    }

    /// Returns the pairs of students whose faces are as alike as those of one person, the most alike first: people who
    /// are enrolled twice, and twins. Cameras may name neither of a pair. `None` without a gallery, and where it is too
    /// large for everybody to be compared with everybody.
    #[must_use]
    pub fn look_alikes(&self) -> Option<Arc<[LookAlike]>> {
        self.found_alike.of(&self.faces.as_ref()?.gallery)
    }

    /// Loads every stored template that the gallery's model made; returns what was left out. A registry without a
    /// gallery loads nothing.
    ///
    /// # Errors
    /// Those of the store; the gallery is then as it was.
    pub fn load_gallery(&self) -> Result<GalleryLoad> {
        self.load_gallery_telling(&mut |_, _| Ok(()))
    }

    /// As [`load_gallery`](Self::load_gallery), and says how far it is: see
    /// [`load_gallery_telling`](crate::recognition::load_gallery_telling).
    ///
    /// # Errors
    /// Those of the store, and the first error that `told` returns; the gallery is then as it was.
    pub fn load_gallery_telling(&self, told: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<GalleryLoad> {
        self.faces.as_ref().map_or_else(|| Ok(GalleryLoad::default()), |faces| faces.load(&*self.store, told))
    }

    /// Reads one student's templates again into the gallery. Call this after a change notice of the database.
    ///
    /// # Errors
    /// Those of the store; the gallery is then as it was.
    pub fn refresh_gallery(&self, student: StudentId) -> Result<GalleryLoad> {
        self.faces.as_ref().map_or_else(|| Ok(GalleryLoad::default()), |faces| faces.refresh(&*self.store, student))
    }
}

/// Returns what a completed session proves; `None` for one that is not completed.
#[must_use]
pub fn enrolment_of(session: &LivenessSession) -> Option<Enrolment> {
    let templates: Vec<_> = session.templates().cloned().collect();
    let liveness_score = f64::from(session.liveness_score());
    session.is_completed().then_some(Enrolment { templates, liveness_score })
}
