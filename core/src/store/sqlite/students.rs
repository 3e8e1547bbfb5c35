//! Students.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::naive_time::to_seconds;
use super::super::order;
use super::super::rules::{
    NO_STUDENT, OF_ONE_NUMBER, STUDENT_HAS_FACE, STUDENT_MODEL, TAKEN, change_fits, enrolee_fits, of_one_number,
    student_fits,
};
use super::super::text_keys::{roll_key, search_key, search_text};
use super::super::{
    Enrolee, Enrolment, FaceCheck, Listed, Merged, Page, Student, StudentChange, StudentFilter, StudentMerge, Students,
};
use super::connection::{Outcome, maybe_text, maybe_time, number, text};
use super::{AS_BYTES, SqliteStore, enrol, keys, merge};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::{ModelId, SessionId, StudentId};

impl Students for SqliteStore {
    fn create_student(&self, name: &str, roll_number: &str, now: Timestamp) -> Result<Student> {
        student_fits(Some(name), Some(roll_number))?;
        self.write("create the student", |db| {
            let id = insert_student(db, name, roll_number, now)?;
            Ok(student(db, id)?.ok_or(NO_STUDENT)?)
        })
    }

    fn students_listed(&self, filter: &StudentFilter, page: Page) -> Result<Listed<Student>> {
        self.complete_keys();
        self.read("list students", |db| list_students(db, filter, page))
    }

    fn students_of_one_roll_number(&self) -> Result<Vec<Vec<Student>>> {
        self.complete_keys();
        self.read("compare roll numbers", |db| {
            let query =
                format!("SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s WHERE {OF_ONE_NUMBER}");
            let found = db.prepare(&query)?.query_map([], student_from_row)?.collect::<rusqlite::Result<_>>()?;
            Ok(of_one_number(found))
        })
    }

    fn student(&self, id: StudentId) -> Result<Option<Student>> {
        self.read("read the student", |db| Ok(student(db, id)?))
    }

    fn update_student(&self, id: StudentId, change: &StudentChange, now: Timestamp) -> Result<Student> {
        change_fits(change)?;
        self.write("update the student", |db| {
            let before = student(db, id)?.ok_or(NO_STUDENT)?;
            if change.name.is_none() && change.roll_number.is_none() {
                return Ok(before);
            }
            // One who has the key of another since before there were keys may keep it.
            if let Some(roll_number) = change.roll_number.as_ref().filter(|new| **new != before.roll_number) {
                refuse_taken_roll_number(db, roll_number, Some(id))?;
            }
            db.execute(
                "UPDATE students SET name = COALESCE(?2, name), roll_number = COALESCE(?3, roll_number), updated_at = ?4
                 WHERE id = ?1",
                params![id.0, change.name, change.roll_number, to_seconds(now)],
            )?;
            keys::complete(db)?;
            Ok(student(db, id)?.ok_or(NO_STUDENT)?)
        })
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
        let merged = self.write("merge the students", |db| merge::merge(db, &self.keys, merge, (actor, now)))?;
        if merged.is_some() {
            self.empty_log();
        }
        Ok(merged)
    }
}

pub(super) const STUDENT: &str =
    "s.id, s.name, s.roll_number, COALESCE(s.liveness_verified, 0), s.liveness_verification_date,
    COALESCE(s.liveness_confidence_score, 0.0), COALESCE(s.created_at, '1970-01-01 00:00:00'), s.updated_at";

pub(super) fn student_from_row(row: &Row<'_>) -> rusqlite::Result<Student> {
    Ok(Student {
        id: StudentId(row.get(0)?),
        name: text(row, 1)?,
        roll_number: text(row, 2)?,
        // Other programs write `true`, or what else they call so.
        liveness_verified: number(row, 3)?.map_or_else(
            || Ok(text(row, 3)?.eq_ignore_ascii_case("true")),
            |flag| Ok::<_, rusqlite::Error>(flag != 0.0),
        )?,
        liveness_verification_date: maybe_time(row, 4)?,
        liveness_confidence_score: number(row, 5)?.unwrap_or_default(),
        created_at: maybe_time(row, 6)?.unwrap_or(Timestamp::UNIX_EPOCH),
        updated_at: maybe_time(row, 7)?,
        model: maybe_text(row, 8)?.map(ModelId::new),
        has_face: row.get(9)?,
    })
}

/// One page of the students whom the filter lets pass.
pub(super) fn list_students(db: &Connection, filter: &StudentFilter, page: Page) -> Outcome<Listed<Student>> {
    let wanted = search_text(filter.search.as_deref());
    let model = filter.must_enrol_again_for.as_ref().map(ModelId::as_str);
    let face = if filter.without_face { format!("AND NOT {STUDENT_HAS_FACE}") } else { String::new() };
    let condition = format!(
        "(?1 IS NULL OR instr(s.search_key, ?1) > 0)
         AND (?2 IS NULL OR ({STUDENT_HAS_FACE} AND {STUDENT_MODEL} IS NOT ?2)) {face}"
    );
    let order = order::of_students(filter.order, AS_BYTES);
    let count = format!("SELECT count(*) FROM students s WHERE {condition}");
    let total = db.query_row(&count, params![wanted, model], |row| row.get(0))?;
    let items = db
        .prepare_cached(&format!(
            "SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s WHERE {condition}
             ORDER BY {order} LIMIT ?3 OFFSET ?4"
        ))?
        .query_map(params![wanted, model, page.limit, page.skip], student_from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Listed { items, total })
}

pub(super) fn student(db: &Connection, id: StudentId) -> rusqlite::Result<Option<Student>> {
    let query = format!("SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s WHERE s.id = ?1");
    db.prepare_cached(&query)?.query_row([id.0], student_from_row).optional()
}

pub(super) fn refuse_taken_roll_number(db: &Connection, roll_number: &str, but_for: Option<StudentId>) -> Outcome<()> {
    keys::complete(db)?;
    let query = "SELECT EXISTS (SELECT 1 FROM students WHERE roll_key = ?1 AND id IS NOT ?2)";
    let values = params![roll_key(roll_number), but_for.map(|id| id.0)];
    match db.prepare_cached(query)?.query_row(values, |row| row.get(0))? {
        true => Err(TAKEN.into()),
        false => Ok(()),
    }
}

pub(super) fn insert_student(db: &Connection, name: &str, roll_number: &str, now: Timestamp) -> Outcome<StudentId> {
    refuse_taken_roll_number(db, roll_number, None)?;
    db.prepare_cached(
        "INSERT INTO students (name, roll_number, created_at, liveness_verified, liveness_confidence_score, roll_key,
             search_key) VALUES (?1, ?2, ?3, 0, 0.0, ?4, ?5)",
    )?
    .execute(params![name, roll_number, to_seconds(now), roll_key(roll_number), search_key(name, roll_number)])?;
    Ok(StudentId(db.last_insert_rowid()))
}

pub(super) fn touch(db: &Connection, id: StudentId, now: Timestamp) -> rusqlite::Result<()> {
    db.execute("UPDATE students SET updated_at = ?2 WHERE id = ?1", params![id.0, to_seconds(now)])?;
    Ok(())
}
