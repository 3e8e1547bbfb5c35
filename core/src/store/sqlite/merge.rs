//! Makes one student of two records of one person.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, params};

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::merge_plan::{MarkRow, MergePlan, merge_entries, plan};
use super::super::naive_time::to_micros;
use super::super::outbox::guardians;
use super::super::rosters::people;
use super::super::rules::{NO_STUDENT, RegisteredFace, legacy_columns, must_be_two, registered_face};
use super::super::schema::ODD_TIME_OF_A;
use super::super::{Erasure, MarksOfErased, Merged, StudentMerge, TemplateMark};
use super::connection::{Outcome, Time, maybe_time, text};
use super::outbox::Shared;
use super::privacy::{consent, erase, set_consent};
use super::students::{student, touch};
use super::{audit, visit_written_since, write_templates};
use crate::types::StudentId;

pub(super) fn merge(
    db: &Connection,
    keys: &TemplateKeys,
    merge: StudentMerge<'_>,
    (actor, now): (&str, Timestamp),
) -> Outcome<Option<Merged>> {
    let StudentMerge { kept, other, face, day_of, admits } = merge;
    must_be_two(kept, other)?;
    let before = student(db, kept)?.ok_or(NO_STUDENT)?;
    let gone = student(db, other)?.ok_or(NO_STUDENT)?;
    let mut templates = Vec::new();
    visit_written_since(db, keys, TemplateMark::END, &[kept, other], &mut |template| {
        templates.push(template);
        Ok(())
    })?;
    if !admits(templates.clone())? {
        return Ok(None);
    }
    let registered = registered_face(templates, other);
    let took_face = face.takes_other(before.has_face, gone.has_face) && !registered.is_empty();
    if took_face {
        take_face(db, keys, &registered, (kept, other), now)?;
    }
    let given = if consent(db, kept)?.is_none() { consent(db, other)? } else { None };
    if let Some(given) = &given {
        set_consent(db, kept, Some(given), now)?;
    }
    // A row whose time nobody can read stands for no day: it goes along as it is.
    let unreadable = format!(
        "UPDATE attendance_log AS a SET student_id = ?1 WHERE student_id = ?2 AND local_day IS NULL AND {ODD_TIME_OF_A}"
    );
    db.execute(&unreadable, [kept.0, other.0])?;
    let rows = marks(db, kept, other, day_of)?;
    let (marks_moved, marks_joined, corrections_moved) = move_marks(db, kept, &plan(rows))?;
    let (second_looks_moved, second_looks) = move_looks(db, kept, other)?;
    guardians::merge(&mut Shared(db), kept, other)?;
    people::merge(&mut Shared(db), kept, other, (actor, now))?;
    touch(db, kept, now)?;
    let erased = erase(db, other, MarksOfErased::Delete, now)?;
    let erasure = Erasure { marks_deleted: marks_joined, second_looks, ..erased };
    let student = student(db, kept)?.ok_or(NO_STUDENT)?;
    let merged = Merged {
        student,
        erasure,
        marks_moved,
        corrections_moved,
        second_looks_moved,
        took_face,
        took_consent: given.is_some(),
    };
    for entry in merge_entries(&merged, kept, actor, now) {
        audit::add(db, &entry)?;
    }
    Ok(Some(merged))
}

/// Gives the face of the other record to the one that stays, with what proved it.
fn take_face(
    db: &Connection,
    keys: &TemplateKeys,
    face: &RegisteredFace,
    (kept, other): (StudentId, StudentId),
    now: Timestamp,
) -> Outcome<()> {
    if !face.templates.is_empty() {
        write_templates(db, keys, kept, &face.templates, None, now)?;
    } else if let Some(legacy) = &face.legacy {
        let (bytes, text) = legacy_columns(legacy);
        let context = |column| SealContext::new(column, kept).of_model(None::<&str>);
        // Emptied first, both columns are new to the trigger on a changed face.
        db.execute("UPDATE students SET face_embedding = NULL, embedding_vector = NULL WHERE id = ?1", [kept.0])?;
        db.execute("DELETE FROM student_templates WHERE student_id = ?1", [kept.0])?;
        db.execute(
            "UPDATE students SET face_embedding = ?2, embedding_vector = ?3 WHERE id = ?1",
            params![
                kept.0,
                keys.seal_bytes(&context(FaceColumn::StudentFaceEmbedding), &bytes)?,
                keys.seal_text(&context(FaceColumn::StudentEmbeddingVector), &text)?,
            ],
        )?;
    }
    db.execute(
        "UPDATE students SET (liveness_verified, liveness_verification_date, liveness_confidence_score) =
             (SELECT liveness_verified, liveness_verification_date, liveness_confidence_score FROM students
              WHERE id = ?2) WHERE id = ?1",
        [kept.0, other.0],
    )?;
    Ok(())
}

fn marks(
    db: &Connection,
    kept: StudentId,
    other: StudentId,
    day_of: &dyn Fn(Timestamp) -> Option<Date>,
) -> Outcome<Vec<MarkRow>> {
    let rows = db
        .prepare_cached(&format!(
            "SELECT id, student_id, timestamp, local_day, period, status, checked_out_at,
                 (SELECT max(c.id) FROM attendance_corrections c WHERE c.attendance_id = a.id)
             FROM attendance_log a WHERE student_id IN (?1, ?2) AND NOT {ODD_TIME_OF_A}"
        ))?
        .query_map([kept.0, other.0], |row| {
            let at = row.get::<_, Time>(2)?.0;
            let day = row.get::<_, Option<String>>(3)?.and_then(|text| text.parse::<Date>().ok());
            Ok(MarkRow {
                id: row.get(0)?,
                of_kept: row.get::<_, i64>(1)? == kept.0,
                at,
                period: day.and(row.get::<_, Option<String>>(4)?),
                day: day.or_else(|| day_of(at)),
                status: text(row, 5)?,
                checked_out_at: maybe_time(row, 6)?,
                corrected: row.get(7)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Returns how many marks were moved, how many were deleted for an earlier one, and how many corrections were moved.
fn move_marks(db: &Connection, kept: StudentId, plan: &MergePlan) -> Outcome<(u64, u64, u64)> {
    let (mut deleted, mut corrections) = (0, 0);
    for stays in &plan.joined {
        for gone in &stays.instead_of {
            corrections += db.execute(
                "UPDATE attendance_corrections SET attendance_id = ?1 WHERE attendance_id = ?2",
                [stays.id, *gone],
            )? as u64;
            deleted += db.execute("DELETE FROM attendance_log WHERE id = ?1", [gone])? as u64;
        }
        db.execute(
            "UPDATE attendance_log SET status = ?2, checked_out_at = ?3 WHERE id = ?1",
            params![stays.id, stays.status, stays.checked_out_at.map(to_micros)],
        )?;
    }
    for id in &plan.move_over {
        db.execute("UPDATE attendance_log SET student_id = ?2 WHERE id = ?1", [*id, kept.0])?;
    }
    Ok((plan.move_over.len() as u64, deleted, corrections))
}

/// Returns how many entries of the second-look list were moved, and how many were deleted for one that is open.
fn move_looks(db: &Connection, kept: StudentId, other: StudentId) -> Outcome<(u64, u64)> {
    let deleted = db.execute(
        "DELETE FROM second_looks WHERE student_id = ?2 AND state = 'open' AND EXISTS
             (SELECT 1 FROM second_looks l WHERE l.student_id = ?1 AND l.state = 'open'
              AND l.local_day = second_looks.local_day AND l.period = second_looks.period
              AND l.verdict = second_looks.verdict)",
        [kept.0, other.0],
    )? as u64;
    let moved = db.execute("UPDATE second_looks SET student_id = ?1 WHERE student_id = ?2", [kept.0, other.0])? as u64;
    // As the trigger on a new mark does it: a mark settles what is open.
    const MARK: &str = "FROM attendance_log a WHERE a.student_id = second_looks.student_id
        AND ((a.local_day = second_looks.local_day AND a.period = second_looks.period) OR (a.local_day IS NULL
            AND a.timestamp >= second_looks.day_starts_at AND a.timestamp < second_looks.day_ends_at))";
    db.execute(
        &format!(
            "UPDATE second_looks SET state = 'settled', decided_at = (SELECT min(a.timestamp) {MARK})
             WHERE student_id = ?1 AND state = 'open' AND EXISTS (SELECT 1 {MARK})"
        ),
        [kept.0],
    )?;
    Ok((moved, deleted))
}
