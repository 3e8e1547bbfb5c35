//! Views that cameras saw, beside the registered templates.

use rusqlite::{Connection, params};

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::model::seen_template::{SEEN, SeenRow, plan};
use super::super::naive_time::to_micros;
use super::super::rules::NO_STUDENT;
use super::super::{KeptSeen, NewAuditEntry, SeenLimits, TemplateOrigin};
use super::{Outcome, Time, audit, student};
use crate::embedding::Embedding;
use crate::types::{ModelId, StudentId};

pub(super) fn keep(
    db: &Connection,
    keys: &TemplateKeys,
    id: StudentId,
    view: &Embedding,
    limits: &SeenLimits,
    entry: &NewAuditEntry,
) -> Outcome<KeptSeen> {
    student(db, id)?.ok_or(NO_STUDENT)?;
    let rows: Vec<SeenRow> = db
        .prepare_cached(
            "SELECT id, model_id, origin, created_at FROM student_templates WHERE student_id = ?1 ORDER BY id",
        )?
        .query_map([id.0], |row| {
            Ok(SeenRow {
                id: row.get(0)?,
                model: ModelId::new(row.get::<_, String>(1)?),
                origin: TemplateOrigin::of_row(row.get::<_, Option<String>>(2)?.as_deref()),
                added_at: row.get::<_, Time>(3)?.0,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let (kept, makes_room) = plan(&rows, view.model(), limits, entry.at);
    if !matches!(kept, KeptSeen::Kept { .. }) {
        return Ok(kept);
    }
    if let Some(row) = makes_room {
        db.execute("DELETE FROM student_templates WHERE id = ?1", [row])?;
    }
    let context = SealContext::new(FaceColumn::TemplateEmbedding, id).of_model(Some(view.model().as_str()));
    db.execute(
        "INSERT INTO student_templates (student_id, model_id, embedding, created_at, origin) VALUES (?1, ?2, ?3, ?4, \
         ?5)",
        params![id.0, view.model().as_str(), keys.seal_bytes(&context, &view.to_bytes())?, to_micros(entry.at), SEEN],
    )?;
    audit::add(db, entry)?;
    Ok(kept)
}

pub(super) fn forget(db: &Connection, id: StudentId) -> Outcome<u64> {
    student(db, id)?.ok_or(NO_STUDENT)?;
    let gone =
        db.execute("DELETE FROM student_templates WHERE student_id = ?1 AND origin = ?2", params![id.0, SEEN])?;
    Ok(gone as u64)
}
