//! Students and their templates.

use jiff::Timestamp;
use postgres::types::ToSql;
use postgres::{Row, Transaction};

use super::super::rules::{NO_STUDENT, STUDENT_HAS_FACE, STUDENT_MODEL, TAKEN, first_template, json};
use super::super::sealing::{FaceColumn, SealContext, TemplateKeys};
use super::super::{
    Listed, Page, StoredEmbedding, StoredTemplate, Student, StudentChange, TemplateMark, TemplateOrigin,
};
use super::{Outcome, certain_time, count, micros, seconds, time};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::{ModelId, StudentId};

const STUDENT: &str = "s.id::bigint, s.name, s.roll_number, COALESCE(s.liveness_verified, false),
    s.liveness_verification_date::timestamp, COALESCE(s.liveness_confidence_score, 0)::float8, s.created_at::timestamp,
    s.updated_at::timestamp";

fn select() -> String {
    format!("SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s")
}

fn from_row(row: &Row) -> Outcome<Student> {
    Ok(Student {
        id: StudentId(row.try_get(0)?),
        name: row.try_get(1)?,
        roll_number: row.try_get(2)?,
        liveness_verified: row.try_get(3)?,
        liveness_verification_date: time(row, 4)?,
        liveness_confidence_score: row.try_get(5)?,
        created_at: certain_time(row, 6)?,
        updated_at: time(row, 7)?,
        model: row.try_get::<_, Option<String>>(8)?.map(ModelId::new),
        has_face: row.try_get(9)?,
    })
}

pub(super) fn find(db: &mut Transaction<'_>, id: StudentId) -> Outcome<Option<Student>> {
    let row = db.query_opt(&format!("{} WHERE s.id = $1::bigint", select()), &[&id.0])?;
    row.as_ref().map(from_row).transpose()
}

/// The student, held until the transaction is over: nobody else changes or deletes it meanwhile.
pub(super) fn lock(db: &mut Transaction<'_>, id: StudentId) -> Outcome<Student> {
    Ok(find_locked(db, id)?.ok_or(NO_STUDENT)?)
}

/// The same, if there is one.
pub(super) fn find_locked(db: &mut Transaction<'_>, id: StudentId) -> Outcome<Option<Student>> {
    let row = db.query_opt(&format!("{} WHERE s.id = $1::bigint FOR UPDATE OF s", select()), &[&id.0])?;
    row.as_ref().map(from_row).transpose()
}

pub(super) fn create(db: &mut Transaction<'_>, name: &str, roll_number: &str, now: Timestamp) -> Outcome<Student> {
    let made = db.query_opt(
        "INSERT INTO students (name, roll_number, created_at, liveness_verified, liveness_confidence_score)
         VALUES ($1, $2, $3::timestamp, false, 0) ON CONFLICT DO NOTHING RETURNING id::bigint",
        &[&name, &roll_number, &seconds(now)],
    )?;
    let id = StudentId(made.ok_or(TAKEN)?.try_get(0)?);
    Ok(find(db, id)?.ok_or(NO_STUDENT)?)
}

/// One page of the students, or of those with a face that is not `foreign_to`'s.
pub(super) fn list(
    db: &mut Transaction<'_>,
    search: Option<&str>,
    foreign_to: Option<&ModelId>,
    page: Page,
) -> Outcome<Listed<Student>> {
    let pattern = search.map(|text| format!("%{text}%"));
    let model = foreign_to.map(ModelId::as_str);
    // SQLite's LIKE: no letter case, no escape.
    let condition = format!(
        "($1::text IS NULL OR s.name ILIKE $1 ESCAPE '' OR s.roll_number ILIKE $1 ESCAPE '')
         AND ($2::text IS NULL OR ({STUDENT_HAS_FACE} AND {STUDENT_MODEL} IS DISTINCT FROM $2))"
    );
    let counted = db.query_one(&format!("SELECT count(*) FROM students s WHERE {condition}"), &[&pattern, &model])?;
    let (limit, skip) = (i64::from(page.limit), i64::from(page.skip));
    let query = format!("{} WHERE {condition} ORDER BY s.id LIMIT $3 OFFSET $4", select());
    let rows = db.query(&query, &[&pattern, &model, &limit, &skip])?;
    Ok(Listed { items: rows.iter().map(from_row).collect::<Outcome<_>>()?, total: count(&counted, 0)? })
}

pub(super) fn embedding_json(db: &mut Transaction<'_>, keys: &TemplateKeys, id: StudentId) -> Outcome<Option<String>> {
    let row = db.query_opt("SELECT embedding_vector, model_version FROM students WHERE id = $1::bigint", &[&id.0])?;
    let Some(row) = row else { return Ok(None) };
    let (Some(stored), model): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?) else {
        return Ok(None);
    };
    let context = SealContext::new(FaceColumn::StudentEmbeddingVector, id).of_model(model);
    Ok(Some(keys.open_text(&context, &stored).map_err(|refused| refused.at(&context))?.into_owned()))
}

pub(super) fn update(
    db: &mut Transaction<'_>,
    id: StudentId,
    change: &StudentChange,
    now: Timestamp,
) -> Outcome<Student> {
    let before = lock(db, id)?;
    if change.name.is_none() && change.roll_number.is_none() {
        return Ok(before);
    }
    // A roll number that is taken breaks the unique key, whoever took it when.
    db.execute(
        "UPDATE students SET name = COALESCE($2, name), roll_number = COALESCE($3, roll_number), updated_at = $4::timestamp
         WHERE id = $1::bigint",
        &[&id.0, &change.name, &change.roll_number, &seconds(now)],
    )?;
    Ok(find(db, id)?.ok_or(NO_STUDENT)?)
}

pub(super) fn touch(db: &mut Transaction<'_>, id: StudentId, now: Timestamp) -> Outcome<()> {
    db.execute("UPDATE students SET updated_at = $2::timestamp WHERE id = $1::bigint", &[&id.0, &seconds(now)])?;
    Ok(())
}

/// Puts `templates` in place of the student's own; with a liveness score, as verified now.
pub(super) fn write_templates(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    id: StudentId,
    templates: &[Embedding],
    liveness_score: Option<f64>,
    now: Timestamp,
) -> Outcome<()> {
    let first = first_template(templates, liveness_score)?;
    let model = first.model().as_str();
    let context = |column| SealContext::new(column, id).of_model(Some(model));
    let (bytes, text) = (first.to_bytes(), json(first));
    db.execute(
        "UPDATE students SET face_embedding = $2, embedding_vector = $3, liveness_verified = $4,
             liveness_verification_date = $5::timestamp, liveness_confidence_score = $6 WHERE id = $1::bigint",
        &[
            &id.0,
            &&*keys.seal_bytes(&context(FaceColumn::StudentFaceEmbedding), &bytes)?,
            &&*keys.seal_text(&context(FaceColumn::StudentEmbeddingVector), &text)?,
            &liveness_score.is_some(),
            &liveness_score.map(|_| micros(now)),
            &liveness_score.unwrap_or(0.0),
        ],
    )?;
    // After the trigger on a changed face, which takes the model away.
    db.execute("UPDATE students SET model_version = $2 WHERE id = $1::bigint", &[&id.0, &model])?;
    db.execute("DELETE FROM student_templates WHERE student_id = $1::bigint", &[&id.0])?;
    let insert = db.prepare(
        "INSERT INTO student_templates (student_id, model_id, embedding, created_at) VALUES ($1::bigint, $2, $3, $4)",
    )?;
    for template in templates {
        let bytes = template.to_bytes();
        // All are of the first one's model, or there were no cosine between them.
        let bytes = keys.seal_bytes(&context(FaceColumn::TemplateEmbedding), &bytes)?;
        db.execute(&insert, &[&id.0, &template.model().as_str(), &&*bytes, &micros(now)])?;
    }
    Ok(())
}

/// Rows that are fetched at a time: a whole school would not fit into memory twice.
const AT_ONCE: i32 = 2000;

pub(super) fn visit_templates(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    of: Option<StudentId>,
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    const OURS: &str = "SELECT student_id::bigint, model_id, embedding, NULL::text, origin, created_at::timestamp
        FROM student_templates
        WHERE $1::bigint IS NULL OR student_id = $1 ORDER BY student_id, id";
    const SINGLE: &str =
        "SELECT id::bigint, model_version, face_embedding, embedding_vector, NULL::text, NULL::timestamp
        FROM students s
        WHERE ($1::bigint IS NULL OR id = $1) AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id) ORDER BY id";
    let of = of.map(|id| id.0);
    visit_rows(db, keys, OURS, &[&of], FaceColumn::TemplateEmbedding, each)?;
    visit_rows(db, keys, SINGLE, &[&of], FaceColumn::StudentFaceEmbedding, each)
}

/// Visits every template of the students `of`, and of those who have had one written since the mark.
pub(super) fn visit_written_since(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    since: TemplateMark,
    of: &[StudentId],
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    const OURS: &str = "SELECT student_id::bigint, model_id, embedding, NULL::text, origin, created_at::timestamp
        FROM student_templates
        WHERE student_id IN (SELECT student_id FROM student_templates WHERE id > $1::bigint
            UNION SELECT unnest($2::bigint[])) ORDER BY student_id, id";
    // A face of one embedding has no template of ours, and so no mark: it is new to whoever knows nobody.
    const SINGLE: &str =
        "SELECT id::bigint, model_version, face_embedding, embedding_vector, NULL::text, NULL::timestamp
        FROM students s
        WHERE ($1::bigint = 0 OR id = ANY($2::bigint[])) AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id) ORDER BY id";
    let of: Vec<i64> = of.iter().map(|id| id.0).collect();
    visit_rows(db, keys, OURS, &[&since.0, &of], FaceColumn::TemplateEmbedding, each)?;
    visit_rows(db, keys, SINGLE, &[&since.0, &of], FaceColumn::StudentFaceEmbedding, each)
}

fn visit_rows(
    db: &mut Transaction<'_>,
    keys: &TemplateKeys,
    query: &str,
    values: &[&(dyn ToSql + Sync)],
    column: FaceColumn,
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    let portal = db.bind(query, values)?;
    loop {
        let rows = db.query_portal(&portal, AT_ONCE)?;
        for row in &rows {
            let student = StudentId(row.try_get(0)?);
            let model = row.try_get::<_, Option<String>>(1)?.map(ModelId::new);
            let (bytes, text): (Option<&[u8]>, Option<&str>) = (row.try_get(2)?, row.try_get(3)?);
            let context = |column| SealContext::new(column, student).of_model(model.as_ref().map(ModelId::as_str));
            let bytes = bytes.map(|bytes| (context(column), bytes));
            let text = text.map(|text| (context(FaceColumn::StudentEmbeddingVector), text));
            match StoredEmbedding::unseal(keys, model.as_ref(), bytes, text)? {
                Some(embedding) => {
                    let origin = TemplateOrigin::of_row(row.try_get(4)?);
                    each(StoredTemplate { student, embedding, origin, added_at: time(row, 5)? })?;
                }
                None => tracing::warn!(%student, "a stored template is damaged and is left out"),
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}
