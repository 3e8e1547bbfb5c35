//! Writes the face that a session or photographs proved, compared with everybody else's in the same transaction.

use jiff::Timestamp;

use super::duplicates::{Candidate, Compared};
use super::{Actor, Enrolled, EnrolmentOutcome, FaceOfSession, Registry, StoredSession, enrolment_of};
use crate::error::{Error, Result};
use crate::liveness::LivenessSession;
use crate::store::{Enrolee, Enrolment, FaceCheck, Student};

impl Registry {
    /// Gives the face of a completed session to the student it was begun for; returns what the comparison told, too.
    pub(super) fn save(
        &self,
        stored: &StoredSession,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<(FaceOfSession, Compared)> {
        let session = stored.session();
        let alone = |face| Ok((face, Compared::default()));
        let Some(enrolment) = enrolment_of(session) else { return alone(FaceOfSession::Kept) };
        if stored.record().consumed_at.is_some() {
            return alone(if session.student().is_some() { FaceOfSession::SavedBefore } else { FaceOfSession::Kept });
        }
        if stored.is_for_nobody() {
            return alone(FaceOfSession::NoSuchStudent);
        }
        let Some(student) = session.student() else {
            // Nothing is written, so the gallery's word is enough.
            let resembles = self.faces.as_ref().map(|faces| faces.resembling(session)).transpose()?.flatten();
            return Ok((FaceOfSession::Kept, Compared { resembles, is_unlike: false }));
        };
        match self.write_proven(session, &Enrolee::Student(student), &enrolment, actor, now) {
            Ok((Some(student), compared)) => Ok((FaceOfSession::Saved(Box::new(student)), compared)),
            Ok((None, compared)) => {
                Ok((compared.refusal().map_or(FaceOfSession::Unlike, FaceOfSession::Refused), compared))
            }
            // Another frame of the same session was first.
            Err(Error::State { .. }) => alone(FaceOfSession::SavedBefore),
            Err(Error::NotFound { .. }) => alone(FaceOfSession::NoSuchStudent),
            Err(error) => Err(error),
        }
    }

    pub(super) fn write(
        &self,
        stored: StoredSession,
        who: &Enrolee<'_>,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<EnrolmentOutcome> {
        let Some(enrolment) = enrolment_of(stored.session()) else { return Ok(EnrolmentOutcome::NotCompleted) };
        match self.write_proven(stored.session(), who, &enrolment, actor, now) {
            Ok((Some(student), Compared { resembles, is_unlike })) => {
                let session = stored.into_session();
                let enrolled = Enrolled { student, session, resembles, is_unlike, is_new: true };
                Ok(EnrolmentOutcome::Enrolled(Box::new(enrolled)))
            }
            Ok((None, compared)) => Ok(compared.refusal().map_or(EnrolmentOutcome::Unlike, EnrolmentOutcome::Refused)),
            Err(Error::State { .. }) => Ok(EnrolmentOutcome::UsedUp),
            // Erased or deleted since it was read.
            Err(Error::NotFound { what: "student" }) => Ok(EnrolmentOutcome::UnknownStudent),
            Err(Error::NotFound { .. }) => Ok(EnrolmentOutcome::UnknownSession),
            Err(error) => Err(error),
        }
    }

    pub(super) fn write_proven(
        &self,
        session: &LivenessSession,
        who: &Enrolee<'_>,
        enrolment: &Enrolment,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<(Option<Student>, Compared)> {
        self.write_face(Candidate::of(session).as_ref(), who, actor, |check| {
            self.store.enrol(session.id(), who, enrolment, check, actor.name(), now)
        })
    }

    /// Writes the face and lets the gallery know it; returns the student, unless the comparison refuses the face.
    pub(super) fn write_face(
        &self,
        face: Option<&Candidate<'_>>,
        who: &Enrolee<'_>,
        actor: Actor<'_>,
        write: impl FnOnce(Option<FaceCheck<'_>>) -> Result<Option<Student>>,
    ) -> Result<(Option<Student>, Compared)> {
        let Some(faces) = &self.faces else { return Ok((write(None)?, Compared::default())) };
        let student = if let Enrolee::Student(student) = who { Some(*student) } else { None };
        let (written, compared) = faces.guard(face, student, actor, write)?;
        if let Some(student) = &written
            && let Err(error) = faces.refresh(&*self.store, student.id)
        {
            // Stored all the same; whoever follows the database hears of it once more.
            tracing::warn!(student = %student.id, "not in the gallery yet: {error}");
        }
        Ok((written, compared))
    }
}
