//! Students and their templates.

use std::collections::HashMap;

use jiff::Timestamp;
use postgres::{Row, Transaction};

use super::super::order;
use super::super::rules::{
    NO_STUDENT, OF_ONE_NUMBER, STUDENT_HAS_FACE, STUDENT_MODEL, TAKEN, change_fits, enrolee_fits, of_one_number,
    student_fits,
};
use super::super::text_keys::{roll_key, search_key, search_text};
use super::super::{
    Enrolee, Enrolment, FaceCheck, Listed, Merged, Page, Student, StudentChange, StudentFilter, StudentMerge, Students,
};
use super::{AS_BYTES, Outcome, PostgresStore, certain_time, count, enrol, keys, merge, seconds, time};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::{ModelId, SessionId, StudentId};

impl Students for PostgresStore {
    fn create_student(&self, name: &str, roll_number: &str, now: Timestamp) -> Result<Student> {
        student_fits(Some(name), Some(roll_number))?;
        self.write("create the student", |db| create(db, name, roll_number, now))
    }

    fn students_listed(&self, filter: &StudentFilter, page: Page) -> Result<Listed<Student>> {
        self.complete_keys();
        self.read("list students", |db| list(db, filter, page))
    }

    fn students_of_one_roll_number(&self) -> Result<Vec<Vec<Student>>> {
        self.complete_keys();
        self.read("compare roll numbers", |db| {
            let rows = db.query(&format!("{} WHERE {OF_ONE_NUMBER}", select()), &[])?;
            Ok(of_one_number(rows.iter().map(from_row).collect::<Outcome<_>>()?))
        })
    }

    fn student(&self, id: StudentId) -> Result<Option<Student>> {
        self.read("read the student", |db| find(db, id))
    }

    fn update_student(&self, id: StudentId, change: &StudentChange, now: Timestamp) -> Result<Student> {
        change_fits(change)?;
        self.write("update the student", |db| update(db, id, change, now))
    }

    fn enrol(
        &self,
        session: SessionId,
        who: &Enrolee<'_>,
        enrolment: &Enrolment,
        check: Option<FaceCheck<'_>>,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<Student>> {
        enrolee_fits(who)?;
        self.write("enrol the student", |db| enrol::enrol(db, &self.keys, session, who, enrolment, check, (actor, now)))
    }

    fn enrol_unproven(
        &self,
        who: &Enrolee<'_>,
        templates: &[Embedding],
        check: Option<FaceCheck<'_>>,
        entry: (&str, &str),
        now: Timestamp,
    ) -> Result<Option<Student>> {
        enrolee_fits(who)?;
        self.write("enrol the student", |db| enrol::enrol_unproven(db, &self.keys, who, templates, check, (entry, now)))
    }

    fn merge_students(&self, merge: StudentMerge<'_>, actor: &str, now: Timestamp) -> Result<Option<Merged>> {
        self.write("merge the students", |db| merge::merge(db, &self.keys, merge, (actor, now)))
    }
}

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
    refuse_taken_roll_number(db, roll_number, None)?;
    let made = db.query_opt(
        "INSERT INTO students (name, roll_number, created_at, liveness_verified, liveness_confidence_score, roll_key,
             search_key) VALUES ($1, $2, $3::timestamp, false, 0, $4, $5) ON CONFLICT DO NOTHING RETURNING id::bigint",
        &[&name, &roll_number, &seconds(now), &roll_key(roll_number), &search_key(name, roll_number)],
    )?;
    let id = StudentId(made.ok_or(TAKEN)?.try_get(0)?);
    Ok(find(db, id)?.ok_or(NO_STUDENT)?)
}

/// Adds many students, and returns their ids in this order; `None` for one whose roll number somebody has. They have
/// different ones, and no key is missing.
pub(super) fn create_all(
    db: &mut Transaction<'_>,
    new: &[(&str, &str)],
    now: Timestamp,
) -> Outcome<Vec<Option<StudentId>>> {
    let (names, roll_numbers): (Vec<&str>, Vec<&str>) = new.iter().copied().unzip();
    let keys: Vec<String> = roll_numbers.iter().map(|number| roll_key(number)).collect();
    let searched: Vec<String> = new.iter().map(|(name, number)| search_key(name, number)).collect();
    let made = db.query(
        "INSERT INTO students (name, roll_number, created_at, liveness_verified, liveness_confidence_score, roll_key,
             search_key)
         SELECT n.name, n.roll_number, $5::timestamp, false, 0, n.roll_key, n.search_key
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
             AS n (name, roll_number, roll_key, search_key, place)
         ORDER BY n.place ON CONFLICT DO NOTHING RETURNING id::bigint, roll_key",
        &[&names, &roll_numbers, &keys, &searched, &seconds(now)],
    )?;
    let mut ids = HashMap::with_capacity(made.len());
    for row in &made {
        ids.insert(row.try_get::<_, String>(1)?, StudentId(row.try_get(0)?));
    }
    Ok(keys.iter().map(|key| ids.get(key).copied()).collect())
}

/// That nobody else has a roll number that is one with this.
fn refuse_taken_roll_number(db: &mut Transaction<'_>, roll_number: &str, but_for: Option<StudentId>) -> Outcome<()> {
    keys::complete(db)?;
    let query = "SELECT 1 FROM students WHERE roll_key = $1 AND id IS DISTINCT FROM $2::bigint LIMIT 1";
    match db.query_opt(query, &[&roll_key(roll_number), &but_for.map(|id| id.0)])? {
        Some(_) => Err(TAKEN.into()),
        None => Ok(()),
    }
}

/// One page of the students whom the filter lets pass.
pub(super) fn list(db: &mut Transaction<'_>, filter: &StudentFilter, page: Page) -> Outcome<Listed<Student>> {
    let wanted = search_text(filter.search.as_deref());
    let model = filter.must_enrol_again_for.as_ref().map(ModelId::as_str);
    let face = if filter.without_face { format!("AND NOT {STUDENT_HAS_FACE}") } else { String::new() };
    let order = order::of_students(filter.order, AS_BYTES);
    let condition = format!(
        "($1::text IS NULL OR strpos(s.search_key, $1) > 0)
         AND ($2::text IS NULL OR ({STUDENT_HAS_FACE} AND {STUDENT_MODEL} IS DISTINCT FROM $2)) {face}"
    );
    let counted = db.query_one(&format!("SELECT count(*) FROM students s WHERE {condition}"), &[&wanted, &model])?;
    let (limit, skip) = (i64::from(page.limit), i64::from(page.skip));
    let query = format!("{} WHERE {condition} ORDER BY {order} LIMIT $3 OFFSET $4", select());
    let rows = db.query(&query, &[&wanted, &model, &limit, &skip])?;
    Ok(Listed { items: rows.iter().map(from_row).collect::<Outcome<_>>()?, total: count(&counted, 0)? })
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
    // One who has the key of another since before there were keys may keep it.
    if let Some(roll_number) = change.roll_number.as_ref().filter(|new| **new != before.roll_number) {
        refuse_taken_roll_number(db, roll_number, Some(id))?;
    }
    // One that another server takes meanwhile breaks the unique key.
    db.execute(
        "UPDATE students SET name = COALESCE($2, name), roll_number = COALESCE($3, roll_number),
         updated_at = $4::timestamp
         WHERE id = $1::bigint",
        &[&id.0, &change.name, &change.roll_number, &seconds(now)],
    )?;
    keys::complete(db)?;
    Ok(find(db, id)?.ok_or(NO_STUDENT)?)
}

pub(super) fn touch(db: &mut Transaction<'_>, id: StudentId, now: Timestamp) -> Outcome<()> {
    db.execute("UPDATE students SET updated_at = $2::timestamp WHERE id = $1::bigint", &[&id.0, &seconds(now)])?;
    Ok(())
}
