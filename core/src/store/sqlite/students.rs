//! Students.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::naive_time::to_seconds;
use super::super::rules::{
    NO_STUDENT, STUDENT_HAS_FACE, STUDENT_MODEL, TAKEN, change_fits, enrolee_fits, student_fits,
};
use super::super::{
    Enrolee, Enrolment, FaceCheck, Listed, Merged, Page, Student, StudentChange, StudentMerge, Students,
};
use super::connection::{Outcome, Time, time};
use super::{SqliteStore, enrol, merge};
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

    fn students(&self, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        self.read("list students", |db| list_students(db, search, None, page))
    }

    fn students_to_enrol_again(&self, model: &ModelId, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        self.read("list students", |db| list_students(db, search, Some(model), page))
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
            if let Some(roll_number) = &change.roll_number {
                refuse_taken_roll_number(db, roll_number, Some(id))?;
            }
            db.execute(
                "UPDATE students SET name = COALESCE(?2, name), roll_number = COALESCE(?3, roll_number), updated_at = ?4
                 WHERE id = ?1",
                params![id.0, change.name, change.roll_number, to_seconds(now)],
            )?;
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
        name: row.get(1)?,
        roll_number: row.get(2)?,
        liveness_verified: row.get(3)?,
        liveness_verification_date: time(row, 4)?,
        liveness_confidence_score: row.get(5)?,
        created_at: row.get::<_, Time>(6)?.0,
        updated_at: time(row, 7)?,
        model: row.get::<_, Option<String>>(8)?.map(ModelId::new),
        has_face: row.get(9)?,
    })
}

/// One page of the students, or of those with a face that is not `foreign_to`'s.
pub(super) fn list_students(
    db: &Connection,
    search: Option<&str>,
    foreign_to: Option<&ModelId>,
    page: Page,
) -> Outcome<Listed<Student>> {
    let pattern = search.map(|text| format!("%{text}%"));
    let model = foreign_to.map(ModelId::as_str);
    let condition = format!(
        "(?1 IS NULL OR s.name LIKE ?1 OR s.roll_number LIKE ?1)
         AND (?2 IS NULL OR ({STUDENT_HAS_FACE} AND {STUDENT_MODEL} IS NOT ?2))"
    );
    let count = format!("SELECT count(*) FROM students s WHERE {condition}");
    let total = db.query_row(&count, params![pattern, model], |row| row.get(0))?;
    let items = db
        .prepare_cached(&format!(
            "SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s WHERE {condition}
             ORDER BY s.id LIMIT ?3 OFFSET ?4"
        ))?
        .query_map(params![pattern, model, page.limit, page.skip], student_from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Listed { items, total })
}

pub(super) fn student(db: &Connection, id: StudentId) -> rusqlite::Result<Option<Student>> {
    let query = format!("SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s WHERE s.id = ?1");
    db.prepare_cached(&query)?.query_row([id.0], student_from_row).optional()
}

pub(super) fn refuse_taken_roll_number(db: &Connection, roll_number: &str, but_for: Option<StudentId>) -> Outcome<()> {
    let holder: Option<i64> =
        db.query_row("SELECT id FROM students WHERE roll_number = ?1", [roll_number], |row| row.get(0)).optional()?;
    match holder.map(StudentId) {
        Some(holder) if Some(holder) != but_for => Err(TAKEN.into()),
        _ => Ok(()),
    }
}

pub(super) fn insert_student(db: &Connection, name: &str, roll_number: &str, now: Timestamp) -> Outcome<StudentId> {
    refuse_taken_roll_number(db, roll_number, None)?;
    db.execute(
        "INSERT INTO students (name, roll_number, created_at, liveness_verified, liveness_confidence_score)
         VALUES (?1, ?2, ?3, 0, 0.0)",
        params![name, roll_number, to_seconds(now)],
    )?;
    Ok(StudentId(db.last_insert_rowid()))
}

pub(super) fn touch(db: &Connection, id: StudentId, now: Timestamp) -> rusqlite::Result<()> {
    db.execute("UPDATE students SET updated_at = ?2 WHERE id = ?1", params![id.0, to_seconds(now)])?;
    Ok(())
}
