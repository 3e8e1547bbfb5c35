//! Makes one student of two records of one person.

use jiff::Timestamp;
use jiff::civil::Date;
use postgres::Transaction;

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::merge_plan::{MarkRow, MergePlan, merge_entries, plan};
use super::super::notices::text;
use super::super::outbox::guardians;
use super::super::rosters::people;
use super::super::rules::{NO_STUDENT, RegisteredFace, legacy_columns, must_be_two, registered_face};
use super::super::{Erasure, MarksOfErased, Merged, StudentMerge, TemplateMark};
use super::outbox::Shared;
use super::privacy::{consent, erase, set_consent};
use super::{Outcome, audit, certain_time, enrol, micros, notices, students, templates, time};
use crate::types::StudentId;

pub(super) fn merge(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    merge: StudentMerge<'_>,
    (actor, now): (&str, Timestamp),
) -> Outcome<Option<Merged>> {
    let StudentMerge { kept, other, face, day_of, admits } = merge;
    must_be_two(kept, other)?;
    notices::leave(db, text::ATTENDANCE)?;
    enrol::lock(db)?;
    // Two merges of one pair wait for each other, and no mark or sighting of either is added meanwhile.
    let [first, second] = if kept.0 < other.0 { [kept, other] } else { [other, kept] };
    let [first, second] = [students::find_locked(db, first)?, students::find_locked(db, second)?];
    let (before, gone) = if kept.0 < other.0 { (first, second) } else { (second, first) };
    let (before, gone) = (before.ok_or(NO_STUDENT)?, gone.ok_or(NO_STUDENT)?);
    let mut stored = Vec::new();
    templates::visit_written_since(db, keys, TemplateMark::END, &[kept, other], &mut |template| {
        stored.push(template);
        Ok(())
    })?;
    if !admits(stored.clone())? {
        return Ok(None);
    }
    let registered = registered_face(stored, other);
    let took_face = face.takes_other(before.has_face, gone.has_face) && !registered.is_empty();
    if took_face {
        take_face(db, keys, &registered, (kept, other), now)?;
    }
    let given = if consent(db, kept)?.is_none() { consent(db, other)? } else { None };
    if let Some(given) = &given {
        set_consent(db, kept, Some(given), now)?;
    }
    let rows = marks(db, kept, other, day_of)?;
    let (marks_moved, marks_joined, corrections_moved) = move_marks(db, kept, &plan(rows))?;
    let (second_looks_moved, second_looks) = move_looks(db, kept, other)?;
    guardians::merge(&mut Shared::of(db), kept, other)?;
    people::merge(&mut Shared::of(db), kept, other, (actor, now))?;
    students::touch(db, kept, now)?;
    let erased = erase(db, other, MarksOfErased::Delete, now)?;
    let merged = Merged {
        student: students::find(db, kept)?.ok_or(NO_STUDENT)?,
        erasure: Erasure { marks_deleted: marks_joined, second_looks, ..erased },
        marks_moved,
        corrections_moved,
        second_looks_moved,
        took_face,
        took_consent: given.is_some(),
    };
    for entry in merge_entries(&merged, kept, actor, now) {
        audit::add_audit(db, &entry)?;
    }
    Ok(Some(merged))
}

/// Gives the face of the other record to the one that stays, with what proved it.
fn take_face(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    face: &RegisteredFace,
    (kept, other): (StudentId, StudentId),
    now: Timestamp,
) -> Outcome<()> {
    if !face.templates.is_empty() {
        templates::write_templates(db, keys, kept, &face.templates, None, now)?;
    } else if let Some(legacy) = &face.legacy {
        let (bytes, text) = legacy_columns(legacy);
        let context = |column| SealContext::new(column, kept).of_model(None::<&str>);
        // Emptied first, both columns are new to the trigger on a changed face.
        db.execute(
            "UPDATE students SET face_embedding = NULL, embedding_vector = NULL WHERE id = $1::bigint",
            &[&kept.0],
        )?;
        db.execute("DELETE FROM student_templates WHERE student_id = $1::bigint", &[&kept.0])?;
        db.execute(
            "UPDATE students SET face_embedding = $2, embedding_vector = $3 WHERE id = $1::bigint",
            &[
                &kept.0,
                &&*keys.seal_bytes(&context(FaceColumn::StudentFaceEmbedding), &bytes)?,
                &&*keys.seal_text(&context(FaceColumn::StudentEmbeddingVector), &text)?,
            ],
        )?;
    }
    db.execute(
        "UPDATE students SET liveness_verified = o.liveness_verified,
             liveness_verification_date = o.liveness_verification_date,
             liveness_confidence_score = o.liveness_confidence_score
         FROM students o WHERE students.id = $1::bigint AND o.id = $2::bigint",
        &[&kept.0, &other.0],
    )?;
    Ok(())
}

fn marks(
    db: &mut Transaction<'_>,
    kept: StudentId,
    other: StudentId,
    day_of: &dyn Fn(Timestamp) -> Option<Date>,
) -> Outcome<Vec<MarkRow>> {
    let rows = db.query(
        "SELECT id::bigint, student_id::bigint, timestamp::timestamp, local_day, period, status, checked_out_at,
             (SELECT max(c.id)::bigint FROM attendance_corrections c WHERE c.attendance_id = a.id)
         FROM attendance_log a WHERE student_id IN ($1::bigint, $2::bigint)",
        &[&kept.0, &other.0],
    )?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let at = certain_time(row, 2)?;
        let day = row.try_get::<_, Option<Date>>(3)?;
        found.push(MarkRow {
            id: row.try_get(0)?,
            of_kept: row.try_get::<_, i64>(1)? == kept.0,
            at,
            period: day.and(row.try_get::<_, Option<String>>(4)?),
            day: day.or_else(|| day_of(at)),
            status: row.try_get(5)?,
            checked_out_at: time(row, 6)?,
            corrected: row.try_get(7)?,
        });
    }
    Ok(found)
}

/// Returns how many marks were moved, how many were deleted for an earlier one, and how many corrections were moved.
fn move_marks(db: &mut Transaction<'_>, kept: StudentId, plan: &MergePlan) -> Outcome<(u64, u64, u64)> {
    let (mut deleted, mut corrections) = (0, 0);
    for stays in &plan.joined {
        for gone in &stays.instead_of {
            corrections += db.execute(
                "UPDATE attendance_corrections SET attendance_id = $1 WHERE attendance_id = $2",
                &[&stays.id, gone],
            )?;
            deleted += db.execute("DELETE FROM attendance_log WHERE id = $1::bigint", &[gone])?;
        }
        db.execute(
            "UPDATE attendance_log SET status = $2, checked_out_at = $3 WHERE id = $1::bigint",
            &[&stays.id, &stays.status, &stays.checked_out_at.map(micros)],
        )?;
    }
    for id in &plan.move_over {
        // A database of the existing service may have narrower keys.
        db.execute(
            "UPDATE attendance_log a SET student_id = s.id FROM students s
             WHERE a.id = $1::bigint AND s.id = $2::bigint",
            &[id, &kept.0],
        )?;
    }
    Ok((plan.move_over.len() as u64, deleted, corrections))
}

/// As the trigger on a new mark does it: a mark settles what is open.
const MARK: &str = "FROM attendance_log a WHERE a.student_id = l.student_id
    AND ((a.local_day = l.local_day AND a.period = l.period) OR (a.local_day IS NULL
        AND a.timestamp::timestamp >= l.day_starts_at AND a.timestamp::timestamp < l.day_ends_at))";

/// Returns how many entries of the second-look list were moved, and how many were deleted for one that is open.
fn move_looks(db: &mut Transaction<'_>, kept: StudentId, other: StudentId) -> Outcome<(u64, u64)> {
    let deleted = db.execute(
        "DELETE FROM second_looks o WHERE o.student_id = $2 AND o.state = 'open' AND EXISTS
             (SELECT 1 FROM second_looks l WHERE l.student_id = $1 AND l.state = 'open'
              AND l.local_day = o.local_day AND l.period = o.period AND l.verdict = o.verdict)",
        &[&kept.0, &other.0],
    )?;
    let moved = db.execute("UPDATE second_looks SET student_id = $1 WHERE student_id = $2", &[&kept.0, &other.0])?;
    db.execute(
        &format!(
            "UPDATE second_looks l SET state = 'settled', decided_at = (SELECT min(a.timestamp)::timestamp {MARK})
             WHERE l.student_id = $1 AND l.state = 'open' AND EXISTS (SELECT 1 {MARK})"
        ),
        &[&kept.0],
    )?;
    Ok((moved, deleted))
}
