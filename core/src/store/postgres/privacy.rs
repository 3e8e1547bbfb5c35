//! Consent, erasure, and what is deleted with time.

use jiff::Timestamp;
use postgres::Transaction;

use super::super::model::{NAME_OF_ERASED, roll_number_of_erased};
use super::super::notices::text;
use super::super::outbox::guardians;
use super::super::rosters::people;
use super::super::rules::consent_fits;
use super::super::{
    Consent, Erasure, MarksOfErased, Privacy, Resealed, Retention, Retired, SessionSummary, TemplateForms,
};
use super::outbox::Shared;
use super::{Outcome, PostgresStore, certain_time, count, micros, notices, reseal, students, time};
use crate::error::Result;
use crate::types::StudentId;

impl Privacy for PostgresStore {
    fn consent(&self, student: StudentId) -> Result<Option<Consent>> {
        self.read("read the consent", |db| consent(db, student))
    }

    fn set_consent(&self, student: StudentId, consent: Option<&Consent>, now: Timestamp) -> Result<()> {
        consent.map_or(Ok(()), consent_fits)?;
        self.write("record the consent", |db| set_consent(db, student, consent, now))
    }

    fn erase_student(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure> {
        self.write("erase the student", |db| {
            notices::leave(db, text::ATTENDANCE)?;
            erase(db, student, marks, now)
        })
    }

    fn retire(&self, retention: &Retention) -> Result<Retired> {
        self.write("delete what is old", |db| retire(db, retention))
    }

    fn template_forms(&self) -> Result<TemplateForms> {
        self.read("count the encrypted templates", reseal::count)
    }

    fn reseal_templates(&self, progress: &mut dyn FnMut(u64)) -> Result<Resealed> {
        reseal::all(self, progress)
    }
}

pub(super) fn consent(db: &mut Transaction<'_>, id: StudentId) -> Outcome<Option<Consent>> {
    let row = db.query_opt(
        "SELECT consent_given_at, COALESCE(consent_given_by, ''), COALESCE(consent_notice, '') FROM students
         WHERE id = $1::bigint",
        &[&id.0],
    )?;
    let Some(row) = row else { return Ok(None) };
    let (given_by, notice) = (row.try_get(1)?, row.try_get(2)?);
    Ok(time(&row, 0)?.map(|given_at| Consent { given_at, given_by, notice }))
}

pub(super) fn set_consent(
    db: &mut Transaction<'_>,
    id: StudentId,
    consent: Option<&Consent>,
    now: Timestamp,
) -> Outcome<()> {
    students::lock(db, id)?;
    db.execute(
        "UPDATE students SET consent_given_at = $2, consent_given_by = $3, consent_notice = $4 WHERE id = $1::bigint",
        &[
            &id.0,
            &consent.map(|consent| micros(consent.given_at)),
            &consent.map(|consent| &*consent.given_by),
            &consent.map(|consent| &*consent.notice),
        ],
    )?;
    students::touch(db, id, now)
}

pub(super) fn erase(db: &mut Transaction<'_>, id: StudentId, marks: MarksOfErased, now: Timestamp) -> Outcome<Erasure> {
    let before = students::lock(db, id)?;
    let row = db.query_one(
        "SELECT (SELECT count(*) FROM student_templates WHERE student_id = s.id),
             face_embedding IS NOT NULL OR embedding_vector IS NOT NULL FROM students s WHERE id = $1::bigint",
        &[&id.0],
    )?;
    let templates = count(&row, 0)?.max(u64::from(row.try_get::<_, bool>(1)?));
    let sessions = forget_face(db, id)?;
    // That somebody was taken for a photograph is of no use to a statistic: no list keeps it.
    guardians::erase(&mut Shared::of(db), id)?;
    people::erase(&mut Shared::of(db), id)?;
    let second_looks = db.execute("DELETE FROM second_looks WHERE student_id = $1", &[&id.0])?;
    let (marks_deleted, marks_anonymised) = match marks {
        MarksOfErased::Delete => (delete_rows(db, id)?, 0),
        MarksOfErased::Anonymise => {
            // Why a mark was corrected may name the person.
            db.execute(
                "UPDATE attendance_corrections SET reason = '' WHERE attendance_id IN
                 (SELECT id FROM attendance_log WHERE student_id = $1::bigint)",
                &[&id.0],
            )?;
            // How sure the match was is a figure of the face.
            let stayed = db
                .execute("UPDATE attendance_log SET confidence_score = NULL WHERE student_id = $1::bigint", &[&id.0])?;
            db.execute(
                "UPDATE students SET name = $2, roll_number = $3, roll_no = NULL, face_embedding = NULL,
                     embedding_vector = NULL, model_version = NULL, liveness_verified = false,
                     liveness_verification_date = NULL, liveness_confidence_score = 0, consent_given_at = NULL,
                     consent_given_by = NULL, consent_notice = NULL WHERE id = $1::bigint",
                &[&id.0, &NAME_OF_ERASED, &roll_number_of_erased(id)],
            )?;
            students::touch(db, id, now)?;
            (0, stayed)
        }
    };
    Ok(Erasure { student: before, templates, sessions, marks_deleted, marks_anonymised, second_looks })
}

/// Deletes the templates and the sessions, whose state holds embeddings; returns how many sessions there were.
fn forget_face(db: &mut Transaction<'_>, id: StudentId) -> Outcome<u64> {
    db.execute("DELETE FROM student_templates WHERE student_id = $1::bigint", &[&id.0])?;
    Ok(db.execute("DELETE FROM liveness_detection_sessions WHERE student_id = $1::bigint", &[&id.0])?)
}

/// Deletes the student and its marks, with which their corrections go; returns how many marks there were. A table that
/// the existing service made has no cascade, so nothing is left to it.
fn delete_rows(db: &mut Transaction<'_>, id: StudentId) -> Outcome<u64> {
    let marks = db.execute("DELETE FROM attendance_log WHERE student_id = $1::bigint", &[&id.0])?;
    db.execute("DELETE FROM students WHERE id = $1::bigint", &[&id.0])?;
    Ok(marks)
}

pub(super) fn sessions_of(db: &mut Transaction<'_>, id: StudentId) -> Outcome<Vec<SessionSummary>> {
    let rows = db.query(
        "SELECT session_id, COALESCE(status, 'PENDING'), COALESCE(created_at, expires_at)::timestamp,
             completed_at::timestamp, COALESCE(attempts_count, 0)::bigint
         FROM liveness_detection_sessions WHERE student_id = $1::bigint ORDER BY id",
        &[&id.0],
    )?;
    rows.iter()
        .map(|row| {
            Ok(SessionSummary {
                id: row.try_get(0)?,
                status: row.try_get(1)?,
                created_at: certain_time(row, 2)?,
                completed_at: time(row, 3)?,
                attempts: u32::try_from(row.try_get::<_, i64>(4)?).unwrap_or(0),
            })
        })
        .collect()
}

pub(super) fn retire(db: &mut Transaction<'_>, retention: &Retention) -> Outcome<Retired> {
    let mut delete = |before: Option<Timestamp>, statement: &str| -> Outcome<u64> {
        let Some(before) = before else { return Ok(0) };
        Ok(db.execute(statement, &[&micros(before)])?)
    };
    Ok(Retired {
        sessions: delete(
            retention.sessions_before,
            "DELETE FROM liveness_detection_sessions WHERE expires_at < $1::timestamp",
        )?,
        detection_logs: delete(
            retention.detection_logs_before,
            "DELETE FROM detection_logs WHERE timestamp < $1::timestamp",
        )?,
        attendance: delete(retention.attendance_before, "DELETE FROM attendance_log WHERE timestamp < $1::timestamp")?,
        second_looks: delete(retention.attendance_before, "DELETE FROM second_looks WHERE seen_at < $1")?,
        excuses: delete(retention.attendance_before, "DELETE FROM excuses WHERE last_day < $1::timestamp::date")?,
        audit: delete(retention.audit_before, "DELETE FROM audit_log WHERE timestamp < $1")?,
        logins: delete(retention.logins_before, "DELETE FROM logins WHERE expires_at < $1 OR ended_at < $1")?,
    })
}
