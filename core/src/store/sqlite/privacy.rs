//! Consent, erasure, and what is deleted with time.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::model::{NAME_OF_ERASED, roll_number_of_erased};
use super::super::naive_time::{to_bound, to_micros};
use super::super::notices::text;
use super::super::outbox::guardians;
use super::super::rosters::people;
use super::super::rules::{NO_STUDENT, consent_fits};
use super::super::{
    Consent, Erasure, MarksOfErased, Privacy, Resealed, Retention, Retired, SessionSummary, TemplateForms,
};
use super::connection::{Outcome, Time, time};
use super::notices::{forget_announcements, leave};
use super::outbox::Shared;
use super::students::{student, touch};
use super::{SqliteStore, reseal};
use crate::error::Result;
use crate::types::StudentId;

impl Privacy for SqliteStore {
    fn consent(&self, student: StudentId) -> Result<Option<Consent>> {
        self.read("read the consent", |db| Ok(consent(db, student)?))
    }

    fn set_consent(&self, student: StudentId, consent: Option<&Consent>, now: Timestamp) -> Result<()> {
        consent.map_or(Ok(()), consent_fits)?;
        self.write("record the consent", |db| set_consent(db, student, consent, now))
    }

    fn erase_student(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure> {
        let erasure = self.write("erase the student", |db| erase(db, student, marks, now))?;
        self.empty_log();
        Ok(erasure)
    }

    fn retire(&self, retention: &Retention) -> Result<Retired> {
        let retired = self.write("delete what is old", |db| Ok(retire(db, retention)?))?;
        if retired.total() > 0 {
            self.empty_log();
        }
        Ok(retired)
    }

    fn template_forms(&self) -> Result<TemplateForms> {
        self.read("count the encrypted templates", reseal::count)
    }

    fn reseal_templates(&self, progress: &mut dyn FnMut(u64)) -> Result<Resealed> {
        reseal::all(self, progress)
    }
}

pub(super) fn consent(db: &Connection, id: StudentId) -> rusqlite::Result<Option<Consent>> {
    let found = db
        .query_row(
            "SELECT consent_given_at, COALESCE(consent_given_by, ''), COALESCE(consent_notice, '') FROM students
             WHERE id = ?1",
            [id.0],
            |row| {
                let (given_by, notice) = (row.get(1)?, row.get(2)?);
                Ok(time(row, 0)?.map(|given_at| Consent { given_at, given_by, notice }))
            },
        )
        .optional()?;
    Ok(found.flatten())
}

pub(super) fn set_consent(db: &Connection, id: StudentId, consent: Option<&Consent>, now: Timestamp) -> Outcome<()> {
    student(db, id)?.ok_or(NO_STUDENT)?;
    db.execute(
        "UPDATE students SET consent_given_at = ?2, consent_given_by = ?3, consent_notice = ?4 WHERE id = ?1",
        params![
            id.0,
            consent.map(|consent| to_micros(consent.given_at)),
            consent.map(|consent| &consent.given_by),
            consent.map(|consent| &consent.notice),
        ],
    )?;
    Ok(touch(db, id, now)?)
}

pub(super) fn erase(db: &Connection, id: StudentId, marks: MarksOfErased, now: Timestamp) -> Outcome<Erasure> {
    let before = student(db, id)?.ok_or(NO_STUDENT)?;
    let kept: i64 =
        db.query_row("SELECT count(*) FROM student_templates WHERE student_id = ?1", [id.0], |row| row.get(0))?;
    let single: bool = db.query_row(
        "SELECT face_embedding IS NOT NULL OR embedding_vector IS NOT NULL FROM students WHERE id = ?1",
        [id.0],
        |row| row.get(0),
    )?;
    let templates = u64::try_from(kept).unwrap_or(0).max(u64::from(single));
    let sessions = forget_face(db, id)?;
    // That somebody was taken for a photograph is of no use to a statistic: no list keeps it.
    let second_looks = db.execute("DELETE FROM second_looks WHERE student_id = ?1", [id.0])? as u64;
    guardians::erase(&mut Shared(db), id)?;
    people::erase(&mut Shared(db), id)?;
    let (marks_deleted, marks_anonymised) = match marks {
        MarksOfErased::Delete => (delete_rows(db, id)?, 0),
        MarksOfErased::Anonymise => {
            // Why a mark was corrected may name the person.
            db.execute(
                "UPDATE attendance_corrections SET reason = '' WHERE attendance_id IN
                 (SELECT id FROM attendance_log WHERE student_id = ?1)",
                [id.0],
            )?;
            // How sure the match was is a figure of the face.
            let stayed =
                db.execute("UPDATE attendance_log SET confidence_score = NULL WHERE student_id = ?1", [id.0])? as u64;
            db.execute(
                "UPDATE students SET name = ?2, roll_number = ?3, roll_no = NULL, face_embedding = NULL,
                     embedding_vector = NULL, model_version = NULL, liveness_verified = 0,
                     liveness_verification_date = NULL, liveness_confidence_score = 0.0, consent_given_at = NULL,
                     consent_given_by = NULL, consent_notice = NULL WHERE id = ?1",
                params![id.0, NAME_OF_ERASED, roll_number_of_erased(id)],
            )?;
            touch(db, id, now)?;
            (0, stayed)
        }
    };
    Ok(Erasure { student: before, templates, sessions, marks_deleted, marks_anonymised, second_looks })
}

/// Deletes the templates and the sessions, whose state holds embeddings; returns how many sessions there were.
fn forget_face(db: &Connection, id: StudentId) -> rusqlite::Result<u64> {
    forget_announcements(db)?;
    leave(db, text::ATTENDANCE)?;
    db.execute("DELETE FROM student_templates WHERE student_id = ?1", [id.0])?;
    Ok(db.execute("DELETE FROM liveness_detection_sessions WHERE student_id = ?1", [id.0])? as u64)
}

/// Deletes the student and its marks, with which their corrections go; returns how many marks there were. A table that
/// the existing service made has no cascade, so nothing is left to it.
fn delete_rows(db: &Connection, id: StudentId) -> rusqlite::Result<u64> {
    let marks = db.execute("DELETE FROM attendance_log WHERE student_id = ?1", [id.0])? as u64;
    db.execute("DELETE FROM students WHERE id = ?1", [id.0])?;
    Ok(marks)
}

pub(super) fn sessions_of(db: &Connection, id: StudentId) -> rusqlite::Result<Vec<SessionSummary>> {
    db.prepare_cached(
        "SELECT session_id, COALESCE(status, 'PENDING'), COALESCE(created_at, expires_at), completed_at,
             COALESCE(attempts_count, 0) FROM liveness_detection_sessions WHERE student_id = ?1 ORDER BY id",
    )?
    .query_map([id.0], |row| {
        Ok(SessionSummary {
            id: row.get(0)?,
            status: row.get(1)?,
            created_at: row.get::<_, Time>(2)?.0,
            completed_at: time(row, 3)?,
            attempts: row.get(4)?,
        })
    })?
    .collect()
}

pub(super) fn retire(db: &Connection, retention: &Retention) -> rusqlite::Result<Retired> {
    let delete = |before: Option<Timestamp>, statement: &str| -> rusqlite::Result<u64> {
        let Some(before) = before else { return Ok(0) };
        Ok(db.execute(statement, [to_bound(before)])? as u64)
    };
    Ok(Retired {
        sessions: delete(retention.sessions_before, "DELETE FROM liveness_detection_sessions WHERE expires_at < ?1")?,
        detection_logs: delete(retention.detection_logs_before, "DELETE FROM detection_logs WHERE timestamp < ?1")?,
        attendance: delete(retention.attendance_before, "DELETE FROM attendance_log WHERE timestamp < ?1")?,
        second_looks: delete(retention.attendance_before, "DELETE FROM second_looks WHERE seen_at < ?1")?,
        excuses: delete(retention.attendance_before, "DELETE FROM excuses WHERE last_day < substr(?1, 1, 10)")?,
        audit: delete(retention.audit_before, "DELETE FROM audit_log WHERE timestamp < ?1")?,
        logins: delete(retention.logins_before, "DELETE FROM logins WHERE expires_at < ?1 OR ended_at < ?1")?,
    })
}
