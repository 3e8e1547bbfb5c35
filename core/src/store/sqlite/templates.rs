//! Templates.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::naive_time::to_micros;
use super::super::rules::{NO_STUDENT, first_template, json};
use super::super::{
    KeptSeen, NewAuditEntry, SeenLimits, StoredEmbedding, StoredTemplate, Student, TemplateMark, TemplateOrigin,
    Templates,
};
use super::connection::{Outcome, time};
use super::students::{student, touch};
use super::{SqliteStore, enrol, seen};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::{ModelId, StudentId};

impl Templates for SqliteStore {
    fn embedding_json(&self, id: StudentId) -> Result<Option<String>> {
        self.read("read the student's embedding", |db| {
            let query = "SELECT embedding_vector, model_version FROM students WHERE id = ?1";
            let found: Option<(Option<String>, Option<String>)> =
                db.query_row(query, [id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let Some((Some(stored), model)) = found else { return Ok(None) };
            let context = SealContext::new(FaceColumn::StudentEmbeddingVector, id).of_model(model);
            Ok(Some(self.keys.text_at(&context, &stored)?))
        })
    }

    fn replace_templates(&self, id: StudentId, templates: &[Embedding], now: Timestamp) -> Result<Student> {
        self.write("replace the student's templates", |db| {
            student(db, id)?.ok_or(NO_STUDENT)?;
            write_templates(db, &self.keys, id, templates, None, now)?;
            touch(db, id, now)?;
            Ok(student(db, id)?.ok_or(NO_STUDENT)?)
        })
    }

    fn for_each_template(&self, each: &mut dyn FnMut(StoredTemplate) -> Result<()>) -> Result<()> {
        self.read("read the templates", |db| visit_templates(db, &self.keys, None, each))
    }

    fn template_count(&self) -> Result<u64> {
        self.read("count the templates", |db| {
            let count: i64 = db.query_row(COUNT, [], |row| row.get(0))?;
            Ok(count.cast_unsigned())
        })
    }

    fn newest_template(&self) -> Result<TemplateMark> {
        self.read("look for the newest template", enrol::newest_template)
    }

    fn templates_of(&self, student: StudentId) -> Result<Vec<StoredTemplate>> {
        let mut found = Vec::new();
        self.read("read the student's templates", |db| {
            visit_templates(db, &self.keys, Some(student), &mut |template| {
                found.push(template);
                Ok(())
            })
        })?;
        Ok(found)
    }

    fn keep_seen_template(
        &self,
        student: StudentId,
        view: &Embedding,
        limits: &SeenLimits,
        entry: &NewAuditEntry,
    ) -> Result<KeptSeen> {
        self.write("keep a view of the student", |db| seen::keep(db, &self.keys, student, view, limits, entry))
    }

    fn forget_seen_templates(&self, student: StudentId) -> Result<u64> {
        self.write("take back the views of the student", |db| seen::forget(db, student))
    }
}

/// Puts `templates` in place of the student's own; with a liveness score, as verified now.
pub(super) fn write_templates(
    db: &Connection,
    keys: &TemplateKeys,
    id: StudentId,
    templates: &[Embedding],
    liveness_score: Option<f64>,
    now: Timestamp,
) -> Outcome<()> {
    let first = first_template(templates, liveness_score)?;
    let context = |column| SealContext::new(column, id).of_model(Some(first.model().as_str()));
    db.execute(
        "UPDATE students SET face_embedding = ?2, embedding_vector = ?3, liveness_verified = ?4,
             liveness_verification_date = ?5, liveness_confidence_score = ?6 WHERE id = ?1",
        params![
            id.0,
            keys.seal_bytes(&context(FaceColumn::StudentFaceEmbedding), &first.to_bytes())?,
            keys.seal_text(&context(FaceColumn::StudentEmbeddingVector), &json(first))?,
            liveness_score.is_some(),
            liveness_score.map(|_| to_micros(now)),
            liveness_score.unwrap_or(0.0),
        ],
    )?;
    // After the trigger on a changed face, which takes the model away.
    db.execute("UPDATE students SET model_version = ?2 WHERE id = ?1", params![id.0, first.model().as_str()])?;
    db.execute("DELETE FROM student_templates WHERE student_id = ?1", [id.0])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO student_templates (student_id, model_id, embedding, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for template in templates {
        let bytes = template.to_bytes();
        // All are of the first one's model, or there were no cosine between them.
        let bytes = keys.seal_bytes(&context(FaceColumn::TemplateEmbedding), &bytes)?;
        insert.execute(params![id.0, template.model().as_str(), bytes, to_micros(now)])?;
    }
    Ok(())
}

/// Templates, and students who have a face and no template.
const COUNT: &str = "SELECT (SELECT count(*) FROM student_templates)
    + (SELECT count(*) FROM students s
        WHERE (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id))";

pub(super) fn visit_templates(
    db: &Connection,
    keys: &TemplateKeys,
    of: Option<StudentId>,
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    const OURS: &str = "SELECT student_id, model_id, embedding, NULL, origin, created_at FROM student_templates
        WHERE ?1 IS NULL OR student_id = ?1 ORDER BY student_id, id";
    const SINGLE: &str = "SELECT id, model_version, face_embedding, embedding_vector, NULL, NULL FROM students s
        WHERE (?1 IS NULL OR id = ?1) AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id) ORDER BY id";
    let of = of.map(|id| id.0);
    visit_rows(db, keys, OURS, &[&of], FaceColumn::TemplateEmbedding, each)?;
    visit_rows(db, keys, SINGLE, &[&of], FaceColumn::StudentFaceEmbedding, each)
}

/// Visits every template of the students `of`, and of those who have had one written since the mark.
pub(super) fn visit_written_since(
    db: &Connection,
    keys: &TemplateKeys,
    since: TemplateMark,
    of: &[StudentId],
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    const OURS: &str = "SELECT student_id, model_id, embedding, NULL, origin, created_at FROM student_templates
        WHERE student_id IN (SELECT student_id FROM student_templates WHERE id > ?1 UNION SELECT value FROM
        json_each(?2))
        ORDER BY student_id, id";
    // A face of one embedding has no template of ours, and so no mark: it is new to whoever knows nobody.
    const SINGLE: &str = "SELECT id, model_version, face_embedding, embedding_vector, NULL, NULL FROM students s
        WHERE (?1 = 0 OR id IN (SELECT value FROM json_each(?2)))
            AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id) ORDER BY id";
    let of = serde_json::json!(of).to_string();
    visit_rows(db, keys, OURS, &[&since.0, &of], FaceColumn::TemplateEmbedding, each)?;
    visit_rows(db, keys, SINGLE, &[&since.0, &of], FaceColumn::StudentFaceEmbedding, each)
}

pub(super) fn visit_rows(
    db: &Connection,
    keys: &TemplateKeys,
    query: &str,
    values: &[&dyn ToSql],
    column: FaceColumn,
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    let mut statement = db.prepare_cached(query)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let student = StudentId(row.get(0)?);
        let model = row.get::<_, Option<String>>(1)?.map(ModelId::new);
        // A column of the wrong type is damage like any other.
        let bytes = row.get_ref(2)?.as_blob_or_null().unwrap_or(None);
        let text = row.get_ref(3)?.as_str_or_null().unwrap_or(None);
        let context = |column| SealContext::new(column, student).of_model(model.as_ref().map(ModelId::as_str));
        let bytes = bytes.map(|bytes| (context(column), bytes));
        let text = text.map(|text| (context(FaceColumn::StudentEmbeddingVector), text));
        match StoredEmbedding::unseal(keys, model.as_ref(), bytes, text)? {
            Some(embedding) => {
                let origin = TemplateOrigin::of_row(row.get::<_, Option<String>>(4)?.as_deref());
                // A time that cannot be read does not cost the face.
                let added_at = time(row, 5).unwrap_or(None);
                each(StoredTemplate { student, embedding, origin, added_at })?;
            }
            None => tracing::warn!(%student, "a stored template is damaged and is left out"),
        }
    }
    Ok(())
}
