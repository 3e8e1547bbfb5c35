//! Enrolment: a completed session's face is compared and written in one transaction. Whoever writes registered
//! templates holds [`ENROLMENT_LOCK`] until the transaction is over, so nothing is written between the two, and their
//! ids grow in the order in which they become visible.

use jiff::Timestamp;
use postgres::Transaction;

use super::super::codec::TemplateKeys;
use super::super::rules::{NO_STUDENT, enrolment_entry};
use super::super::{Admission, ENROLMENT_LOCK, Enrolee, Enrolment, FaceCheck, Student, TemplateMark};
use super::{Outcome, audit, sessions, students, templates};
use crate::types::SessionId;

/// Waits for the lock. Before any row is locked: whoever waits for it holds nothing that its holder may want.
pub(super) fn lock(db: &mut Transaction<'_>) -> Outcome<()> {
    db.execute("SELECT pg_advisory_xact_lock($1)", &[&ENROLMENT_LOCK])?;
    Ok(())
}

pub(super) fn enrol(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    session: SessionId,
    who: &Enrolee<'_>,
    enrolment: &Enrolment,
    check: Option<FaceCheck<'_>>,
    (actor, now): (&str, Timestamp),
) -> Outcome<Option<Student>> {
    lock(db)?;
    // The student before the session, as an erasure locks them.
    let found = if let Enrolee::Student(id) = who { students::find_locked(db, *id)? } else { None };
    let proof = sessions::completed(db, keys, session)?;
    // A used session enrols nobody, whosever the face is.
    let check = check.filter(|_| proof.consumed_at.is_none());
    let mut admission = Admission::Admitted;
    if let Some(FaceCheck { since, of, admits }) = check {
        let mut templates = Vec::new();
        templates::visit_written_since(db, keys, since, of, &mut |template| {
            templates.push(template);
            Ok(())
        })?;
        admission = admits(templates)?;
        if admission == Admission::Refused {
            return Ok(None);
        }
    }
    let (id, had_face) = match who {
        Enrolee::New { name, roll_number } => (students::create(db, name, roll_number, now)?.id, false),
        Enrolee::Student(_) => {
            let student = found.ok_or(NO_STUDENT)?;
            (student.id, student.has_face)
        }
    };
    sessions::use_up(db, session, &proof, id, now)?;
    templates::write_templates(db, keys, id, &enrolment.templates, Some(enrolment.liveness_score), now)?;
    if let Enrolee::Student(_) = who {
        students::touch(db, id, now)?;
    }
    audit::add_audit(db, &enrolment_entry(actor, id, session, had_face, admission, now))?;
    Ok(Some(students::find(db, id)?.ok_or(NO_STUDENT)?))
}

/// The id of the newest template, once every enrolment that is being written is over.
pub(super) fn newest_template(db: &mut Transaction<'_>) -> Outcome<TemplateMark> {
    lock(db)?;
    let row = db.query_one("SELECT COALESCE(max(id), 0)::bigint FROM student_templates", &[])?;
    Ok(TemplateMark(row.try_get(0)?))
}
