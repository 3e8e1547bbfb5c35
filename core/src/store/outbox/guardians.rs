//! Addresses of the guardians of students.

use jiff::Timestamp;

use super::super::limits;
use super::super::portable::Kind;
use super::super::{Guardian, rules::NO_STUDENT};
use super::channels::{email_fits, language_fits};
use super::statements::{Statements, values};
use crate::error::{Error, Result};
use crate::types::StudentId;

pub(in crate::store) fn list<S: Statements>(db: &mut S, student: StudentId) -> Result<Vec<Guardian>, S::Fault> {
    let query = "SELECT email, language FROM guardians WHERE student_id = $1 ORDER BY id";
    let rows = db.rows(query, values![student.0], &[Kind::Text, Kind::Text])?;
    Ok(rows.iter().map(|row| Guardian { email: row.text(0), language: row.text(1) }).collect())
}

/// Checks the guardians of one student, and returns them as they are kept.
pub(in crate::store) fn guardians_fit(guardians: &[Guardian]) -> Result<Vec<Guardian>> {
    if guardians.len() > limits::GUARDIANS {
        return Err(Error::invalid_input("guardians", format!("a student has at most {}", limits::GUARDIANS)));
    }
    let mut kept: Vec<Guardian> = Vec::with_capacity(guardians.len());
    for guardian in guardians {
        let email = guardian.email.trim();
        email_fits("address of a guardian", email)?;
        language_fits(&guardian.language)?;
        if kept.iter().any(|other| is_same(&other.email, email)) {
            return Err(Error::invalid_input("guardians", "an address is there twice"));
        }
        kept.push(Guardian { email: email.to_owned(), language: guardian.language.clone() });
    }
    Ok(kept)
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Gives the student these guardians and no others. One who stays keeps what is to be sent.
pub(in crate::store) fn set<S: Statements>(
    db: &mut S,
    student: StudentId,
    guardians: &[Guardian],
    now: Timestamp,
) -> Result<(), S::Fault> {
    let found =
        db.rows("SELECT count(*) FROM students WHERE id = CAST($1 AS bigint)", values![student.0], &[Kind::Int])?;
    if found.first().is_none_or(|row| row.count(0) == 0) {
        return Err(NO_STUDENT.into());
    }
    let query = "SELECT id, email FROM guardians WHERE student_id = $1 ORDER BY id";
    let there = db.rows(query, values![student.0], &[Kind::Int, Kind::Text])?;
    for row in &there {
        if !guardians.iter().any(|guardian| is_same(&guardian.email, &row.text(1))) {
            db.run("DELETE FROM guardians WHERE id = $1", values![row.int(0)])?;
        }
    }
    for guardian in guardians {
        let (email, language) = (guardian.email.as_str(), guardian.language.as_str());
        match there.iter().find(|row| is_same(email, &row.text(1))) {
            Some(row) => {
                let change = "UPDATE guardians SET email = $2, language = $3 WHERE id = $1";
                db.run(change, values![row.int(0), email, language])?;
            }
            None => {
                db.run(
                    "INSERT INTO guardians (student_id, email, language, created_at) VALUES ($1, $2, $3, $4)",
                    values![student.0, email, language, now],
                )?;
            }
        }
    }
    Ok(())
}

/// Deletes the guardians of a student, and what was or is to be told about it.
pub(in crate::store) fn erase<S: Statements>(db: &mut S, student: StudentId) -> Result<(), S::Fault> {
    db.run("DELETE FROM outbox WHERE student_id = $1", values![student.0])?;
    db.run("DELETE FROM guardians WHERE student_id = $1", values![student.0])?;
    Ok(())
}

/// Gives the student who stays what the other one has: guardians whom it does not have, and what is to be told. Its
/// list may be longer then than one that somebody types.
pub(in crate::store) fn merge<S: Statements>(db: &mut S, kept: StudentId, other: StudentId) -> Result<(), S::Fault> {
    let there = list(db, kept)?;
    let query = "SELECT id, email FROM guardians WHERE student_id = $1 ORDER BY id";
    for row in db.rows(query, values![other.0], &[Kind::Int, Kind::Text])? {
        if !there.iter().any(|guardian| is_same(&guardian.email, &row.text(1))) {
            db.run("UPDATE guardians SET student_id = $2 WHERE id = $1", values![row.int(0), kept.0])?;
        }
    }
    db.run("UPDATE outbox SET student_id = $2 WHERE student_id = $1", values![other.0, kept.0])?;
    Ok(())
}
