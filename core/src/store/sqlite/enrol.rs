//! Enrolment: a completed session's face is compared and written in one transaction. `BEGIN IMMEDIATE` lets one
//! transaction at a time write to the file, whichever process it belongs to, so nothing is written between the two.

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::codec::TemplateKeys;
use super::super::rules::{NO_STUDENT, enrolment_entry};
use super::super::{Admission, Enrolee, Enrolment, FaceCheck, Student, TemplateMark};
use super::{
    Outcome, audit, completed_session, insert_student, student, touch, use_up, visit_written_since, write_templates,
};
use crate::types::SessionId;

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
    let mut admission = Admission::Admitted;
    if let Some(FaceCheck { since, of, admits }) = check {
        let mut templates = Vec::new();
        visit_written_since(db, keys, since, of, &mut |template| {
            templates.push(template);
            Ok(())
        })?;
        admission = admits(templates)?;
        if admission == Admission::Refused {
            return Ok(None);
        }
    }
    let (id, had_face) = match who {
        Enrolee::New { name, roll_number } => (insert_student(db, name, roll_number, now)?, false),
        Enrolee::Student(id) => {
            let student = student(db, *id)?.ok_or(NO_STUDENT)?;
            (student.id, student.has_face)
        }
    };
    use_up(db, session, &proof, id, now)?;
    write_templates(db, keys, id, &enrolment.templates, Some(enrolment.liveness_score), now)?;
    if let Enrolee::Student(_) = who {
        touch(db, id, now)?;
    }
    audit::add(db, &enrolment_entry(actor, id, session, had_face, admission, now))?;
    Ok(Some(student(db, id)?.ok_or(NO_STUDENT)?))
}

/// The id of the newest template. No later one is given it or a smaller one.
pub(super) fn newest_template(db: &Connection) -> Outcome<TemplateMark> {
    let newest = db.query_row("SELECT COALESCE(max(id), 0) FROM student_templates", [], |row| row.get(0))?;
    Ok(TemplateMark(newest))
}
