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

/// The templates of ours, and the faces of students who have none of them: what another service wrote. A query for one
/// student is apart from that for all: SQLite looks through every row for an `OR`. Students without a template are
/// looked for by indexes alone, whose pages are few; the rows are large. A `UNION` without `ALL` would be made by
/// reading a whole index in order.
macro_rules! ours {
    ($which:literal) => {
        concat!(
            "SELECT student_id, model_id, embedding, NULL, origin, created_at FROM student_templates ",
            $which,
            " ORDER BY student_id, id"
        )
    };
}
macro_rules! single {
    ($which:literal) => {
        concat!(
            "SELECT id, model_version, face_embedding, embedding_vector, NULL, NULL FROM students s WHERE ",
            $which,
            " AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id) ORDER BY id"
        )
    };
}
const OURS_OF_ALL: &str = ours!("");
const OURS_OF_ONE: &str = ours!("WHERE student_id = ?1");
const OURS_SINCE: &str = ours!(
    "WHERE student_id IN (SELECT student_id FROM student_templates WHERE id > ?1
        UNION ALL SELECT value FROM json_each(?2))"
);
const SINGLE_OF_ONE: &str = single!("id = ?1");
const SINGLE_OF_SOME: &str = single!("id IN (SELECT value FROM json_each(?1))");
const SINGLE_OF_ALL: &str = single!(
    "id IN (SELECT o.id FROM students o
        WHERE NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = o.id))"
);
const COUNT: &str = "SELECT (SELECT count(*) FROM student_templates) + (SELECT count(*) FROM students s
    WHERE id IN (SELECT o.id FROM students o
            WHERE NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = o.id))
        AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL))";

pub(super) fn visit_templates(
    db: &Connection,
    keys: &TemplateKeys,
    of: Option<StudentId>,
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    let Some(StudentId(of)) = of else {
        visit_rows(db, keys, OURS_OF_ALL, &[], FaceColumn::TemplateEmbedding, each)?;
        return visit_rows(db, keys, SINGLE_OF_ALL, &[], FaceColumn::StudentFaceEmbedding, each);
    };
    visit_rows(db, keys, OURS_OF_ONE, &[&of], FaceColumn::TemplateEmbedding, each)?;
    visit_rows(db, keys, SINGLE_OF_ONE, &[&of], FaceColumn::StudentFaceEmbedding, each)
}

/// Visits every template of the students `of`, and of those who have had one written since the mark.
pub(super) fn visit_written_since(
    db: &Connection,
    keys: &TemplateKeys,
    since: TemplateMark,
    of: &[StudentId],
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    let of = serde_json::json!(of).to_string();
    visit_rows(db, keys, OURS_SINCE, &[&since.0, &of], FaceColumn::TemplateEmbedding, each)?;
    // A face of one embedding has no template of ours, and so no mark: it is new to whoever knows nobody.
    if since == TemplateMark::BEGINNING {
        return visit_rows(db, keys, SINGLE_OF_ALL, &[], FaceColumn::StudentFaceEmbedding, each);
    }
    visit_rows(db, keys, SINGLE_OF_SOME, &[&of], FaceColumn::StudentFaceEmbedding, each)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(db: &Connection, query: &str) -> Vec<String> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        for at in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(at, 1).unwrap();
        }
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get(3).unwrap());
        }
        steps
    }

    #[test]
    fn one_students_templates_are_found_and_not_searched_for_among_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        drop(SqliteStore::open(&file).unwrap());
        let db = Connection::open(file).unwrap();
        let rows =
            |step: &String| step.starts_with("SCAN") && !step.contains("COVERING INDEX") && step != "SCAN CONSTANT ROW";
        for query in [OURS_OF_ONE, SINGLE_OF_ONE, OURS_SINCE, SINGLE_OF_SOME] {
            let plan = plan(&db, query);
            let scans: Vec<_> = plan.iter().filter(|step| step.starts_with("SCAN")).collect();
            assert!(scans.iter().all(|step| step.contains("json_each")), "{query}: {plan:?}");
        }
        // All templates are read, and of the students those alone who have none.
        for query in [SINGLE_OF_ALL, COUNT] {
            let plan = plan(&db, query);
            assert!(!plan.iter().any(rows), "{query}: {plan:?}");
        }
    }
}
