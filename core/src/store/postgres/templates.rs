//! Templates.

use std::sync::mpsc::sync_channel;
use std::thread;

use jiff::Timestamp;
use postgres::types::ToSql;
use postgres::{Row, Transaction};

use super::super::codec::{FaceColumn, SealContext, TemplateKeys};
use super::super::rules::{NO_STUDENT, first_template, json};
use super::super::{
    KeptSeen, NewAuditEntry, SeenLimits, StoredEmbedding, StoredTemplate, Student, TemplateMark, TemplateOrigin,
    Templates,
};
use super::{Outcome, PostgresStore, enrol, micros, seen, students, time};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::{ModelId, StudentId};

impl Templates for PostgresStore {
    fn embedding_json(&self, id: StudentId) -> Result<Option<String>> {
        self.read("read the student's embedding", |db| embedding_json(db, &self.keys, id))
    }

    fn replace_templates(&self, id: StudentId, templates: &[Embedding], now: Timestamp) -> Result<Student> {
        self.write("replace the student's templates", |db| {
            enrol::lock(db)?;
            students::lock(db, id)?;
            write_templates(db, &self.keys, id, templates, None, now)?;
            students::touch(db, id, now)?;
            Ok(students::find(db, id)?.ok_or(NO_STUDENT)?)
        })
    }

    fn for_each_template(&self, each: &mut dyn FnMut(StoredTemplate) -> Result<()>) -> Result<()> {
        self.read("read the templates", |db| visit_templates(db, &self.keys, None, each))
    }

    fn template_count(&self) -> Result<u64> {
        self.read("count the templates", |db| {
            let count: i64 = db.query_one(COUNT, &[])?.try_get(0)?;
            Ok(count.cast_unsigned())
        })
    }

    fn newest_template(&self) -> Result<TemplateMark> {
        self.write("look for the newest template", enrol::newest_template)
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

pub(super) fn embedding_json(db: &mut Transaction<'_>, keys: &TemplateKeys, id: StudentId) -> Outcome<Option<String>> {
    let row = db.query_opt("SELECT embedding_vector, model_version FROM students WHERE id = $1::bigint", &[&id.0])?;
    let Some(row) = row else { return Ok(None) };
    let (Some(stored), model): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?) else {
        return Ok(None);
    };
    let context = SealContext::new(FaceColumn::StudentEmbeddingVector, id).of_model(model);
    Ok(Some(keys.text_at(&context, &stored)?))
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

/// Templates, and students who have a face and no template.
const COUNT: &str = "SELECT (SELECT count(*) FROM student_templates)
    + (SELECT count(*) FROM students s
        WHERE (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id))";

/// Rows that are fetched at a time: a whole school would not fit into memory twice.
const AT_ONCE: i32 = 2000;
type Fetched = std::result::Result<Vec<Row>, postgres::Error>;

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
        WHERE ($1::bigint = 0 OR id = ANY($2::bigint[])) AND (face_embedding IS NOT NULL OR embedding_vector IS NOT
        NULL)
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
    for_each_row(db, query, values, |row| {
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
        Ok(())
    })
}

/// Visits the rows of a query in order, [`AT_ONCE`] at a time.
pub(super) fn for_each_row(
    db: &mut Transaction<'_>,
    query: &str,
    values: &[&(dyn ToSql + Sync)],
    mut each: impl FnMut(&Row) -> Outcome<()>,
) -> Outcome<()> {
    let portal = db.bind(query, values)?;
    let first = db.query_portal(&portal, AT_ONCE)?;
    first.iter().try_for_each(&mut each)?;
    if i32::try_from(first.len()).is_ok_and(|rows| rows < AT_ONCE) {
        return Ok(());
    }
    // The database fetches the next rows while these are visited.
    thread::scope(|scope| {
        let (fetched, batches) = sync_channel(1);
        scope.spawn(move || {
            let more = |rows: &Fetched| rows.as_ref().is_ok_and(|rows| !rows.is_empty());
            loop {
                let rows: Fetched = db.query_portal(&portal, AT_ONCE);
                let goes_on = more(&rows);
                // Nobody takes rows any more after an error of the visitor.
                if fetched.send(rows).is_err() || !goes_on {
                    return;
                }
            }
        });
        batches.into_iter().try_for_each(|rows| rows?.iter().try_for_each(&mut each))
    })
}
