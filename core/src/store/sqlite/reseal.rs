//! Bringing what is stored into the form in which it is written: encrypted, with another key, or plain.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::super::codec::{
    AT_ONCE, FaceColumn, Form, NotOpened, OF_SESSION, Resealed, SealContext, TemplateForms, TemplateKeys,
    form_of_bytes, form_of_text,
};
use super::super::kept_rows::reseal;
use super::super::outbox::channels;
use super::kept_cameras::Table;
use super::outbox::Shared;
use super::{Outcome, SqliteStore};
use crate::error::Result;

pub(super) fn count(db: &Connection) -> Outcome<TemplateForms> {
    let mut forms = TemplateForms::default();
    let sessions = OF_SESSION.map(|(_, name)| name).join(", ");
    for query in [
        "SELECT face_embedding, embedding_vector FROM students",
        "SELECT embedding FROM student_templates",
        &format!("SELECT {sessions} FROM liveness_detection_sessions"),
    ] {
        let mut statement = db.prepare(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                if let Some(form) = form_of(row.get_ref(column)?) {
                    forms.add(form);
                }
            }
        }
    }
    Ok(forms)
}

/// How a value lies in its column; none where there is nothing, or what no face can be.
fn form_of(value: ValueRef<'_>) -> Option<Form> {
    match value {
        ValueRef::Blob(bytes) => Some(form_of_bytes(bytes)),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().map(form_of_text),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    }
}

pub(super) fn all(store: &SqliteStore, progress: &mut dyn FnMut(u64)) -> Result<Resealed> {
    let mut done = Resealed::default();
    for table in [FaceTable::Students, FaceTable::Sessions] {
        let mut after = i64::MIN;
        loop {
            let step = store.write("convert the templates", |db| batch(db, &store.keys, table, after))?;
            let Some(last) = step.last else { break };
            after = last;
            done.changed += step.done.changed;
            done.unchanged += step.done.unchanged;
            done.damaged.extend(step.done.damaged);
            progress(done.changed + done.unchanged + done.damaged.len() as u64);
        }
    }
    let cameras =
        store.write("convert the passwords of cameras", |db| reseal(&mut Table { db, changed: false }, &store.keys))?;
    let channels =
        store.write("convert the secrets of channels", |db| channels::reseal(&mut Shared(db), &store.keys))?;
    for others in [cameras, channels] {
        done.changed += others.changed;
        done.unchanged += others.unchanged;
        done.damaged.extend(others.damaged);
    }
    if done.changed > 0 {
        compact(store);
    }
    Ok(done)
}

/// Rewrites the file, so that no page keeps what stood there before, and empties the log. Somebody else's open
/// transaction can stand in the way; then what is left lies in free space until it is overwritten.
fn compact(store: &SqliteStore) {
    let emptied = store.writer.when_free(|connection| {
        connection.execute_batch("VACUUM").and_then(|()| {
            let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
            emptied.map(|busy| busy == 0)
        })
    });
    if !matches!(emptied, Some(Ok(true))) {
        tracing::warn!(
            "the file could not be compacted while others use it: earlier values stay in its free space until it is \
             done again with no server running"
        );
    }
}

#[derive(Clone, Copy)]
enum FaceTable {
    Students,
    Sessions,
}

struct Step {
    done: Resealed,
    /// The key of the last row that was looked at; none when there was none.
    last: Option<i64>,
}

fn batch(db: &Connection, keys: &TemplateKeys, table: FaceTable, after: i64) -> Outcome<Step> {
    let ids: Vec<i64> = db
        .prepare_cached(match table {
            FaceTable::Students => "SELECT id FROM students WHERE id > ?1 ORDER BY id LIMIT ?2",
            FaceTable::Sessions => "SELECT id FROM liveness_detection_sessions WHERE id > ?1 ORDER BY id LIMIT ?2",
        })?
        .query_map(params![after, AT_ONCE], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut done = Resealed::default();
    for id in &ids {
        let (name, row) = match table {
            FaceTable::Students => ("students", student(db, keys, *id)?),
            FaceTable::Sessions => ("liveness_detection_sessions", session(db, keys, *id)?),
        };
        match row {
            Row::Changed => done.changed += 1,
            Row::AsItShouldBe => done.unchanged += 1,
            Row::Damaged => done.damaged.push(format!("{name} {id}")),
        }
    }
    Ok(Step { done, last: ids.last().copied() })
}

enum Row {
    Changed,
    AsItShouldBe,
    Damaged,
}

/// `value` sealed anew as `keys` write, or plain; `None` when it is damaged.
fn converted(keys: &TemplateKeys, context: &SealContext, value: &Value) -> Result<Option<Value>> {
    Ok(match value {
        Value::Null => Some(Value::Null),
        Value::Blob(stored) => match NotOpened::unless_damaged(keys.open_bytes(context, stored), context)? {
            Some(plain) => Some(Value::Blob(keys.seal_bytes(context, &plain)?.into_owned())),
            None => None,
        },
        Value::Text(stored) => match NotOpened::unless_damaged(keys.open_text(context, stored), context)? {
            Some(plain) => Some(Value::Text(keys.seal_text(context, &plain)?.into_owned())),
            None => None,
        },
        // No face is a number.
        Value::Integer(_) | Value::Real(_) => None,
    })
}

/// Whether every value has the form in which `keys` write.
fn as_written(keys: &TemplateKeys, values: &[Value]) -> bool {
    values.iter().filter_map(|value| form_of(value.into())).all(|form| form == keys.form())
}

fn student(db: &Connection, keys: &TemplateKeys, id: i64) -> Outcome<Row> {
    let found = db
        .prepare_cached("SELECT face_embedding, embedding_vector, model_version FROM students WHERE id = ?1")?
        .query_row([id], |row| Ok(([row.get(0)?, row.get(1)?], row.get::<_, Value>(2)?)))
        .optional()?;
    let Some((own, model)) = found else { return Ok(Row::AsItShouldBe) };
    let own: [Value; 2] = own;
    let templates: Vec<[Value; 5]> = db
        .prepare_cached(
            "SELECT id, model_id, created_at, origin, embedding FROM student_templates WHERE student_id = ?1 ORDER BY \
             id",
        )?
        .query_map([id], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))?
        .collect::<rusqlite::Result<_>>()?;
    let embeddings: Vec<Value> = templates.iter().map(|[.., embedding]| embedding.clone()).collect();
    if as_written(keys, &own) && as_written(keys, &embeddings) {
        return Ok(Row::AsItShouldBe);
    }
    let of_row = |column, model: &Value| {
        let model = match model {
            Value::Text(model) => Some(model.as_str()),
            _ => None,
        };
        SealContext::new(column, id).of_model(model)
    };
    let context = |column| of_row(column, &model);
    let bytes = converted(keys, &context(FaceColumn::StudentFaceEmbedding), &own[0])?;
    let text = converted(keys, &context(FaceColumn::StudentEmbeddingVector), &own[1])?;
    let embeddings = templates
        .iter()
        .map(|[_, model, .., embedding]| converted(keys, &of_row(FaceColumn::TemplateEmbedding, model), embedding))
        .collect::<Result<Option<Vec<_>>>>()?;
    let (Some(bytes), Some(text), Some(embeddings)) = (bytes, text, embeddings) else { return Ok(Row::Damaged) };

    // To the trigger this is another face: it takes model, templates and, of a change of one column, the other along.
    // Emptied first, both columns are new to it, and what it takes is put back behind it.
    let write = |bytes: &Value, text: &Value| {
        db.prepare_cached("UPDATE students SET face_embedding = ?2, embedding_vector = ?3 WHERE id = ?1")?
            .execute(params![id, bytes, text])
    };
    write(&Value::Null, &Value::Null)?;
    write(&bytes, &text)?;
    db.prepare_cached("UPDATE students SET model_version = ?2 WHERE id = ?1")?.execute(params![id, model])?;
    db.execute("DELETE FROM student_templates WHERE student_id = ?1", [id])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO student_templates (id, student_id, model_id, created_at, origin, embedding)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for ([key, model, created_at, origin, _], embedding) in templates.iter().zip(&embeddings) {
        insert.execute(params![key, id, model, created_at, origin, embedding])?;
    }
    Ok(Row::Changed)
}

fn session(db: &Connection, keys: &TemplateKeys, id: i64) -> Outcome<Row> {
    let names = OF_SESSION.map(|(_, name)| name).join(", ");
    let found = db
        .prepare_cached(&format!("SELECT session_id, {names} FROM liveness_detection_sessions WHERE id = ?1"))?
        .query_row([id], |row| {
            let values = (1..=OF_SESSION.len()).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>()?;
            Ok((row.get::<_, String>(0)?, values))
        })
        .optional()?;
    let Some((owner, values)) = found else { return Ok(Row::AsItShouldBe) };
    if as_written(keys, &values) {
        return Ok(Row::AsItShouldBe);
    }
    let converted = OF_SESSION
        .iter()
        .zip(&values)
        .map(|((column, _), value)| converted(keys, &SealContext::new(*column, &owner), value))
        .collect::<Result<Option<Vec<_>>>>()?;
    let Some(converted) = converted else { return Ok(Row::Damaged) };
    let sets: Vec<String> = OF_SESSION.iter().zip(2..).map(|((_, name), at)| format!("{name} = ?{at}")).collect();
    // The version stays: what the session says has not changed.
    db.prepare_cached(&format!("UPDATE liveness_detection_sessions SET {} WHERE id = ?1", sets.join(", ")))?
        .execute(params_from_iter(std::iter::once(Value::Integer(id)).chain(converted)))?;
    Ok(Row::Changed)
}
