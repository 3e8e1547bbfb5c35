//! A database of strangers: what an enrolment writes, in a few transactions for all.

use faceattend_benches::Crowd;
use faceattend_core::embedding::Embedding;
use faceattend_core::store::{TemplateKey, TemplateKeys, embedding_text};
use jiff::Timestamp;

use super::{Outcome, Place};

/// People in one statement of PostgreSQL.
const AT_ONCE: usize = 2_000;

pub(super) fn fill(place: &Place, people: usize, dimension: usize) -> Outcome<()> {
    if let Some(file) = &place.keys {
        TemplateKeys::new(vec![TemplateKey::generate()]).write_new(file)?;
    }
    let store = place.open()?;
    let crowd = Crowd::new(dimension);
    match (&place.keys, &place.sqlite, &place.postgres) {
        // A sealed value is bound to its row: the store alone writes it, one student after the other.
        (Some(_), _, _) => {
            let now = Timestamp::now();
            for i in 0..people {
                let student = store.create_student("Bench", &format!("B{i}"), now)?;
                store.replace_templates(student.id, &[crowd.person(i)], now)?;
            }
        }
        (None, Some(file), _) => {
            drop(store);
            sqlite(&mut rusqlite::Connection::open(file)?, &crowd, people)?;
        }
        (None, None, Some(url)) => {
            drop(store);
            postgres(&mut postgres::Client::connect(url, postgres::NoTls)?, &crowd, people)?;
        }
        (None, None, None) => {}
    }
    println!("{people} people");
    Ok(())
}

fn sqlite(db: &mut rusqlite::Connection, crowd: &Crowd, people: usize) -> Outcome<()> {
    let all = db.transaction()?;
    {
        let mut student = all.prepare(
            "INSERT INTO students (id, name, roll_number, face_embedding, embedding_vector, model_version, created_at,
                 liveness_verified, liveness_confidence_score, roll_key, search_key)
             VALUES (?1, 'Bench', ?2, ?3, ?4, ?5, '2026-01-01 08:00:00', 0, 0.0, ?2, 'bench')",
        )?;
        let mut template = all.prepare(
            "INSERT INTO student_templates (student_id, model_id, embedding, created_at)
             VALUES (?1, ?2, ?3, '2026-01-01 08:00:00.000000')",
        )?;
        for (i, id) in (0..people).zip(1_i64..) {
            let face = crowd.person(i);
            let (bytes, model) = (face.to_bytes(), face.model().as_str());
            student.execute((id, format!("b{i}"), &bytes, embedding_text(&face), model))?;
            template.execute((id, model, &bytes))?;
        }
    }
    Ok(all.commit()?)
}

fn postgres(db: &mut postgres::Client, crowd: &Crowd, people: usize) -> Outcome<()> {
    // A million notices are for nobody.
    db.batch_execute("SET session_replication_role = replica")?;
    let student = db.prepare(
        "INSERT INTO students (id, name, roll_number, face_embedding, embedding_vector, model_version, created_at,
             liveness_verified, liveness_confidence_score, roll_key, search_key)
         SELECT id, 'Bench', 'b' || id, face, text, $4, now(), false, 0.0, 'b' || id, 'bench'
         FROM unnest($1::bigint[], $2::bytea[], $3::text[]) AS n (id, face, text)",
    )?;
    let template = db.prepare(
        "INSERT INTO student_templates (student_id, model_id, embedding, created_at)
         SELECT id, $3, face, now() FROM unnest($1::bigint[], $2::bytea[]) AS n (id, face)",
    )?;
    for from in (0..people).step_by(AT_ONCE) {
        let faces: Vec<Embedding> = (from..people.min(from + AT_ONCE)).map(|i| crowd.person(i)).collect();
        let ids: Vec<i64> = (from.cast_signed() as i64 + 1..).take(faces.len()).collect();
        let bytes: Vec<Vec<u8>> = faces.iter().map(Embedding::to_bytes).collect();
        let texts: Vec<String> = faces.iter().map(embedding_text).collect();
        let model = crowd.embedder().model.as_str().to_owned();
        db.execute(&student, &[&ids, &bytes, &texts, &model])?;
        db.execute(&template, &[&ids, &bytes, &model])?;
    }
    // Each by itself: several statements at once would be a transaction.
    db.batch_execute("VACUUM ANALYZE students")?;
    Ok(db.batch_execute("VACUUM ANALYZE student_templates")?)
}
