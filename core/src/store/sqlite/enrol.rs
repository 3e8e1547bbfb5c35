//! Enrolment: a completed session's face is compared and written in one transaction. `BEGIN IMMEDIATE` lets one
//! transaction at a time write to the file, whichever process it belongs to, so nothing is written between the two.

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::codec::TemplateKeys;
use super::super::rules::{NO_STUDENT, by_session, enrolment_entry};
use super::super::{Admission, Enrolee, Enrolment, FaceCheck, NewAuditEntry, Student, TemplateMark};
use super::{
    Outcome, audit, completed_session, insert_student, student, touch, use_up, visit_written_since, write_templates,
};
use crate::embedding::Embedding;
use crate::types::{SessionId, StudentId};

pub(super) fn enrol(
    db: &Connection,
    keys: &TemplateKeys,
    session: SessionId,
    who: &Enrolee<'_>,
    enrolment: &Enrolment,
    check: Option<FaceCheck<'_>>,
    (actor, now): (&str, Timestamp),
) -> Outcome<Option<Student>> {
    let proof = completed_session(db, keys, session)?;
    // A used session enrols nobody, whosever the face is.
    let check = check.filter(|_| proof.consumed_at.is_none());
    let Some(admission) = admitted(db, keys, check)? else { return Ok(None) };
    let (id, had_face) = enrolee(db, who, now)?;
    use_up(db, session, &proof, id, now)?;
    write_templates(db, keys, id, &enrolment.templates, Some(enrolment.liveness_score), now)?;
    let entry = enrolment_entry((actor, &by_session(session)), id, had_face, admission, now);
    finish(db, who, id, &entry).map(Some)
}

pub(super) fn enrol_unproven(
    db: &Connection,
    keys: &TemplateKeys,
    who: &Enrolee<'_>,
    templates: &[Embedding],
    check: Option<FaceCheck<'_>>,
    (entry, now): ((&str, &str), Timestamp),
) -> Outcome<Option<Student>> {
    let Some(admission) = admitted(db, keys, check)? else { return Ok(None) };
    let (id, had_face) = enrolee(db, who, now)?;
    write_templates(db, keys, id, templates, None, now)?;
    finish(db, who, id, &enrolment_entry(entry, id, had_face, admission, now)).map(Some)
}

/// What the check says of the face; `None` when it refuses it.
fn admitted(db: &Connection, keys: &TemplateKeys, check: Option<FaceCheck<'_>>) -> Outcome<Option<Admission>> {
    let Some(FaceCheck { since, of, admits }) = check else { return Ok(Some(Admission::Admitted)) };
    let mut templates = Vec::new();
    visit_written_since(db, keys, since, of, &mut |template| {
        templates.push(template);
        Ok(())
    })?;
    Ok(Some(admits(templates)?).filter(|admission| *admission != Admission::Refused))
}

/// The student who gets the face, and whether there was one before.
fn enrolee(db: &Connection, who: &Enrolee<'_>, now: Timestamp) -> Outcome<(StudentId, bool)> {
    Ok(match who {
        Enrolee::New { name, roll_number } => (insert_student(db, name, roll_number, now)?, false),
        Enrolee::Student(id) => {
            let student = student(db, *id)?.ok_or(NO_STUDENT)?;
            (student.id, student.has_face)
        }
    })
}

fn finish(db: &Connection, who: &Enrolee<'_>, id: StudentId, entry: &NewAuditEntry) -> Outcome<Student> {
    if let Enrolee::Student(_) = who {
        touch(db, id, entry.at)?;
    }
    audit::add(db, entry)?;
    Ok(student(db, id)?.ok_or(NO_STUDENT)?)
}

/// The id of the newest template. No later one is given it or a smaller one.
pub(super) fn newest_template(db: &Connection) -> Outcome<TemplateMark> {
    let newest = db.query_row("SELECT COALESCE(max(id), 0) FROM student_templates", [], |row| row.get(0))?;
    Ok(TemplateMark(newest))
}
