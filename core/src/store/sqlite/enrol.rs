//! Enrolment: a completed session's face is compared and written in one transaction. `BEGIN IMMEDIATE` lets one
//! transaction at a time write to the file, whichever process it belongs to, so nothing is written between the two.

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::codec::TemplateKeys;
use super::super::rules::NO_STUDENT;
use super::super::{Enrolee, Enrolment, FaceCheck, Student, TemplateMark};
use super::{Outcome, completed_session, insert_student, student, touch, use_up, visit_written_since, write_templates};
use crate::types::SessionId;

pub(super) fn enrol(
    db: &Connection,
    keys: &TemplateKeys,
    session: SessionId,
    who: &Enrolee<'_>,
    enrolment: &Enrolment,
    check: Option<FaceCheck<'_>>,
    now: Timestamp,
) -> Outcome<Option<Student>> {
    let proof = completed_session(db, keys, session)?;
    // A used session enrols nobody, whosever the face is.
    let check = check.filter(|_| proof.consumed_at.is_none());
    if let Some(FaceCheck { since, of, admits }) = check {
        let mut templates = Vec::new();
        visit_written_since(db, keys, since, of, &mut |template| {
            templates.push(template);
            Ok(())
        })?;
        if !admits(templates)? {
            return Ok(None);
        }
    }
    let id = match who {
        Enrolee::New { name, roll_number } => insert_student(db, name, roll_number, now)?,
        Enrolee::Student(id) => student(db, *id)?.ok_or(NO_STUDENT)?.id,
    };
    use_up(db, session, &proof, id, now)?;
    write_templates(db, keys, id, &enrolment.templates, Some(enrolment.liveness_score), now)?;
    if let Enrolee::Student(_) = who {
        touch(db, id, now)?;
    }
    Ok(Some(student(db, id)?.ok_or(NO_STUDENT)?))
}

/// The id of the newest template. No later one is given it or a smaller one.
pub(super) fn newest_template(db: &Connection) -> Outcome<TemplateMark> {
    let newest = db.query_row("SELECT COALESCE(max(id), 0) FROM student_templates", [], |row| row.get(0))?;
    Ok(TemplateMark(newest))
}
