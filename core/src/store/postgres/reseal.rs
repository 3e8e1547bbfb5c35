//! Bringing what is stored into the form in which it is written: encrypted, with another key, or plain.

use jiff::civil::DateTime;
use postgres::Transaction;

use super::super::codec::{
    AT_ONCE, FaceColumn, Form, HEAD_BYTES, NotOpened, OF_SESSION, Resealed, SealContext, TemplateForms, TemplateKeys,
    form_of_bytes, form_of_head, form_of_text,
};
use super::super::kept_rows::reseal;
use super::super::outbox::channels;
use super::cluster::lock;
use super::kept_cameras::Table;
use super::outbox::Shared;
use super::templates::for_each_row;
use super::{Outcome, PostgresStore};
use crate::error::Result;

pub(super) fn count(db: &mut Transaction<'_>) -> Outcome<TemplateForms> {
    let mut forms = TemplateForms::default();
    for (table, column) in [("students", "face_embedding"), ("student_templates", "embedding")] {
        let lengths = format!("SELECT substring({column} FROM 1 FOR {HEAD_BYTES}), octet_length({column})");
        for_each_row(db, &format!("{lengths} FROM {table} WHERE {column} IS NOT NULL"), &[], |row| {
            forms.add(form_of_head(row.try_get(0)?, usize::try_from(row.try_get::<_, i32>(1)?).unwrap_or_default()));
            Ok(())
        })?;
    }
    let of_session = OF_SESSION.iter().map(|(_, column)| ("liveness_detection_sessions", *column));
    for (table, column) in std::iter::once(("students", "embedding_vector")).chain(of_session) {
        let heads = format!("SELECT substring({column} FROM 1 FOR {HEAD_BYTES})");
        for_each_row(db, &format!("{heads} FROM {table} WHERE {column} IS NOT NULL"), &[], |row| {
            forms.add(form_of_text(row.try_get(0)?));
            Ok(())
        })?;
    }
    Ok(forms)
}

pub(super) fn all(store: &PostgresStore, progress: &mut dyn FnMut(u64)) -> Result<Resealed> {
    let mut done = Resealed::default();
    for table in ["students", "liveness_detection_sessions"] {
        let mut after = i64::MIN;
        loop {
            let (step, last) = store.write("convert the templates", |db| batch(db, &store.keys, table, after))?;
            let Some(last) = last else { break };
            after = last;
            done.changed += step.changed;
            done.unchanged += step.unchanged;
            done.damaged.extend(step.damaged);
            progress(done.changed + done.unchanged + done.damaged.len() as u64);
        }
    }
    let cameras = store.write("convert the passwords of cameras", |db| {
        lock(db)?;
        reseal(&mut Table { db, changed: false }, &store.keys)
    })?;
    let channels =
        store.write("convert the secrets of channels", |db| channels::reseal(&mut Shared::of(db), &store.keys))?;
    for others in [cameras, channels] {
        done.changed += others.changed;
        done.unchanged += others.unchanged;
        done.damaged.extend(others.damaged);
    }
    Ok(done)
}

enum Conversion {
    Changed,
    AsItShouldBe,
    Damaged,
}

/// Converts the next rows after `after`, held against other writers; also the key of the last of them.
fn batch(db: &mut Transaction<'_>, keys: &TemplateKeys, table: &str, after: i64) -> Outcome<(Resealed, Option<i64>)> {
    let rows = db.query(
        &format!("SELECT id::bigint FROM {table} WHERE id > $1::bigint ORDER BY id LIMIT $2 FOR UPDATE"),
        &[&after, &i64::from(AT_ONCE)],
    )?;
    let mut done = Resealed::default();
    let mut last = None;
    for row in rows {
        let id: i64 = row.try_get(0)?;
        last = Some(id);
        let conversion = if table == "students" { student(db, keys, id)? } else { session(db, keys, id)? };
        match conversion {
            Conversion::Changed => done.changed += 1,
            Conversion::AsItShouldBe => done.unchanged += 1,
            Conversion::Damaged => done.damaged.push(format!("{table} {id}")),
        }
    }
    Ok((done, last))
}

fn bytes(keys: &TemplateKeys, context: &SealContext, stored: &[u8]) -> Result<Option<Vec<u8>>> {
    let plain = NotOpened::unless_damaged(keys.open_bytes(context, stored), context)?;
    plain.map(|plain| Ok(keys.seal_bytes(context, &plain)?.into_owned())).transpose()
}

fn text(keys: &TemplateKeys, context: &SealContext, stored: &str) -> Result<Option<String>> {
    let plain = NotOpened::unless_damaged(keys.open_text(context, stored), context)?;
    plain.map(|plain| Ok(keys.seal_text(context, &plain)?.into_owned())).transpose()
}

/// What became of an optional value: `None` for damage.
fn each<S: ?Sized, T>(stored: Option<&S>, convert: impl FnOnce(&S) -> Result<Option<T>>) -> Result<Option<Option<T>>> {
    match stored {
        None => Ok(Some(None)),
        Some(stored) => Ok(convert(stored)?.map(Some)),
    }
}

/// A row of `student_templates`: id, model, when it was made, origin, embedding.
type StoredTemplate<'a> = (i64, String, DateTime, Option<String>, &'a [u8]);

fn student(db: &mut Transaction<'_>, keys: &TemplateKeys, id: i64) -> Outcome<Conversion> {
    let row = db.query_one(
        "SELECT face_embedding, embedding_vector, model_version FROM students WHERE id = $1::bigint",
        &[&id],
    )?;
    let (face, vector): (Option<&[u8]>, Option<&str>) = (row.try_get(0)?, row.try_get(1)?);
    let model: Option<String> = row.try_get(2)?;
    let templates = db.query(
        "SELECT id, model_id, created_at, origin, embedding FROM student_templates WHERE student_id = $1::bigint
         ORDER BY id
         FOR UPDATE",
        &[&id],
    )?;
    let mut stored: Vec<StoredTemplate<'_>> = Vec::with_capacity(templates.len());
    for row in &templates {
        stored.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?));
    }
    let forms = face.map(form_of_bytes).into_iter().chain(vector.map(form_of_text));
    if forms.chain(stored.iter().map(|(.., bytes)| form_of_bytes(bytes))).all(|form: Form| form == keys.form()) {
        return Ok(Conversion::AsItShouldBe);
    }
    let context = |column| SealContext::new(column, id).of_model(model.as_deref());
    let face = each(face, |stored| bytes(keys, &context(FaceColumn::StudentFaceEmbedding), stored))?;
    let vector = each(vector, |stored| text(keys, &context(FaceColumn::StudentEmbeddingVector), stored))?;
    let converted = stored
        .iter()
        .map(|(_, model, .., stored)| {
            bytes(keys, &SealContext::new(FaceColumn::TemplateEmbedding, id).of_model(Some(&**model)), stored)
        })
        .collect::<Result<Option<Vec<_>>>>()?;
    let (Some(face), Some(vector), Some(converted)) = (face, vector, converted) else {
        return Ok(Conversion::Damaged);
    };
    // To the trigger this is another face, and it would take model and templates along: they are put back behind it.
    db.execute("UPDATE students SET face_embedding = NULL, embedding_vector = NULL WHERE id = $1::bigint", &[&id])?;
    db.execute(
        "UPDATE students SET face_embedding = $2, embedding_vector = $3 WHERE id = $1::bigint",
        &[&id, &face, &vector],
    )?;
    db.execute("UPDATE students SET model_version = $2 WHERE id = $1::bigint", &[&id, &model])?;
    db.execute("DELETE FROM student_templates WHERE student_id = $1::bigint", &[&id])?;
    for ((key, model, created_at, origin, _), embedding) in stored.iter().zip(&converted) {
        db.execute(
            "INSERT INTO student_templates (id, student_id, model_id, embedding, created_at, origin)
             VALUES ($1, $2::bigint, $3, $4, $5, $6)",
            &[key, &id, model, embedding, created_at, origin],
        )?;
    }
    Ok(Conversion::Changed)
}

fn session(db: &mut Transaction<'_>, keys: &TemplateKeys, id: i64) -> Outcome<Conversion> {
    let names = OF_SESSION.map(|(_, name)| name).join(", ");
    let row = db.query_one(
        &format!("SELECT session_id, {names} FROM liveness_detection_sessions WHERE id = $1::bigint"),
        &[&id],
    )?;
    let owner: String = row.try_get(0)?;
    let mut values: Vec<Option<String>> = Vec::with_capacity(OF_SESSION.len());
    let mut as_it_should_be = true;
    for (at, (column, _)) in OF_SESSION.iter().enumerate() {
        let stored: Option<&str> = row.try_get(at + 1)?;
        as_it_should_be &= stored.is_none_or(|stored| form_of_text(stored) == keys.form());
        let Some(value) = each(stored, |stored| text(keys, &SealContext::new(*column, &owner), stored))? else {
            return Ok(Conversion::Damaged);
        };
        values.push(value);
    }
    if as_it_should_be {
        return Ok(Conversion::AsItShouldBe);
    }
    let sets: Vec<String> = OF_SESSION.iter().zip(2..).map(|((_, name), at)| format!("{name} = ${at}")).collect();
    let mut params: Vec<&(dyn postgres::types::ToSql + Sync)> = vec![&id];
    params.extend(values.iter().map(|value| value as &(dyn postgres::types::ToSql + Sync)));
    // The version stays: what the session says has not changed.
    db.execute(&format!("UPDATE liveness_detection_sessions SET {} WHERE id = $1::bigint", sets.join(", ")), &params)?;
    Ok(Conversion::Changed)
}
