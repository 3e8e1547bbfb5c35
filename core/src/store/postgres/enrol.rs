//! Enrolment: a completed session's face is compared and written in one transaction. Whoever writes registered
//! templates holds [`ENROLMENT_LOCK`] until the transaction is over, so nothing is written between the two, and their
//! ids grow in the order in which they become visible.

use jiff::Timestamp;
use postgres::Transaction;

use super::super::codec::TemplateKeys;
use super::super::rules::{NO_STUDENT, by_session, enrolment_entry};
use super::super::{Admission, ENROLMENT_LOCK, Enrolee, Enrolment, FaceCheck, NewAuditEntry, Student, TemplateMark};
use super::{Outcome, audit, sessions, students, templates};
use crate::embedding::Embedding;
use crate::types::{SessionId, StudentId};

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
    let found = locked(db, who)?;
    let proof = sessions::completed(db, keys, session)?;
    // A used session enrols nobody, whosever the face is.
    let check = check.filter(|_| proof.consumed_at.is_none());
    let Some(admission) = admitted(db, keys, check)? else { return Ok(None) };
    let (id, had_face) = enrolee(db, who, found, now)?;
    sessions::use_up(db, session, &proof, id, now)?;
    templates::write_templates(db, keys, id, &enrolment.templates, Some(enrolment.liveness_score), now)?;
    let entry = enrolment_entry((actor, &by_session(session)), id, had_face, admission, now);
    finish(db, who, id, &entry).map(Some)
}

pub(super) fn enrol_unproven(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    who: &Enrolee<'_>,
    templates: &[Embedding],
    check: Option<FaceCheck<'_>>,
    (entry, now): ((&str, &str), Timestamp),
) -> Outcome<Option<Student>> {
    let found = locked(db, who)?;
    let Some(admission) = admitted(db, keys, check)? else { return Ok(None) };
    let (id, had_face) = enrolee(db, who, found, now)?;
    templates::write_templates(db, keys, id, templates, None, now)?;
    finish(db, who, id, &enrolment_entry(entry, id, had_face, admission, now)).map(Some)
}

/// The student who gets the face, locked: before the session, as an erasure locks them.
fn locked(db: &mut Transaction<'_>, who: &Enrolee<'_>) -> Outcome<Option<Student>> {
    lock(db)?;
    if let Enrolee::Student(id) = who { students::find_locked(db, *id) } else { Ok(None) }
}

/// What the check says of the face; `None` when it refuses it.
fn admitted(db: &mut Transaction<'_>, keys: &TemplateKeys, check: Option<FaceCheck<'_>>) -> Outcome<Option<Admission>> {
    let Some(FaceCheck { since, of, admits }) = check else { return Ok(Some(Admission::Admitted)) };
    let mut templates = Vec::new();
    templates::visit_written_since(db, keys, since, of, &mut |template| {
        templates.push(template);
        Ok(())
    })?;
    Ok(Some(admits(templates)?).filter(|admission| *admission != Admission::Refused))
}

/// The student who gets the face, and whether there was one before.
fn enrolee(
    db: &mut Transaction<'_>,
    who: &Enrolee<'_>,
    found: Option<Student>,
    now: Timestamp,
) -> Outcome<(StudentId, bool)> {
    Ok(match who {
        Enrolee::New { name, roll_number } => (students::create(db, name, roll_number, now)?.id, false),
        Enrolee::Student(_) => {
            let student = found.ok_or(NO_STUDENT)?;
            (student.id, student.has_face)
        }
    })
}

fn finish(db: &mut Transaction<'_>, who: &Enrolee<'_>, id: StudentId, entry: &NewAuditEntry) -> Outcome<Student> {
    if let Enrolee::Student(_) = who {
        students::touch(db, id, entry.at)?;
    }
    audit::add_audit(db, entry)?;
    Ok(students::find(db, id)?.ok_or(NO_STUDENT)?)
}

/// The id of the newest template, once every enrolment that is being written is over.
pub(super) fn newest_template(db: &mut Transaction<'_>) -> Outcome<TemplateMark> {
    lock(db)?;
    let row = db.query_one("SELECT COALESCE(max(id), 0)::bigint FROM student_templates", &[])?;
    Ok(TemplateMark(row.try_get(0)?))
}
