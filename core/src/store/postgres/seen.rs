//! Views that cameras saw, beside the registered templates.

use postgres::Transaction;

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::model::seen_template::{SEEN, SeenRow, plan};
use super::super::{KeptSeen, NewAuditEntry, SeenLimits, TemplateOrigin};
use super::{Outcome, audit, certain_time, micros, students};
use crate::embedding::Embedding;
use crate::types::{ModelId, StudentId};

pub(super) fn keep(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    id: StudentId,
    view: &Embedding,
    limits: &SeenLimits,
    entry: &NewAuditEntry,
) -> Outcome<KeptSeen> {
    // Held: of two servers that saw the student at once one writes, and the other then finds the template too young.
    students::lock(db, id)?;
    let found = db.query(
        "SELECT id::bigint, model_id, origin, created_at::timestamp FROM student_templates WHERE student_id = $1::bigint
         ORDER BY id",
        &[&id.0],
    )?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        rows.push(SeenRow {
            id: row.try_get(0)?,
            model: ModelId::new(row.try_get::<_, String>(1)?),
            origin: TemplateOrigin::of_row(row.try_get(2)?),
            added_at: certain_time(row, 3)?,
        });
    }
    let (kept, makes_room) = plan(&rows, view.model(), limits, entry.at);
    if !matches!(kept, KeptSeen::Kept { .. }) {
        return Ok(kept);
    }
    if let Some(row) = makes_room {
        db.execute("DELETE FROM student_templates WHERE id = $1::bigint", &[&row])?;
    }
    let model = view.model().as_str();
    let context = SealContext::new(FaceColumn::TemplateEmbedding, id).of_model(Some(model));
    let bytes = view.to_bytes();
    db.execute(
        "INSERT INTO student_templates (student_id, model_id, embedding, created_at, origin)
         VALUES ($1::bigint, $2, $3, $4, $5)",
        &[&id.0, &model, &&*keys.seal_bytes(&context, &bytes)?, &micros(entry.at), &SEEN],
    )?;
    audit::add_audit(db, entry)?;
    Ok(kept)
}

pub(super) fn forget(db: &mut Transaction<'_>, id: StudentId) -> Outcome<u64> {
    students::lock(db, id)?;
    Ok(db.execute("DELETE FROM student_templates WHERE student_id = $1::bigint AND origin = $2", &[&id.0, &SEEN])?)
}
