//! Changes of a roster, several in one transaction.

use jiff::Timestamp;

use super::super::limits;
use super::super::outbox::statements::values;
use super::super::portable::Kind;
use super::super::rules::{NO_STUDENT, student_fits};
use super::super::text_keys::roll_key;
use super::super::{Group, GroupRef, NewGroup, RosterChange, RosterChanged, RosterOutcome, RosterRun, StudentRef};
use super::database::RosterDatabase;
use super::groups::{self, NO_GROUP, must_be_at_work, person_fits};
use super::members::{self, Writer};
use super::newcomers::Newcomers;
use crate::error::{Error, ErrorKind, Result};
use crate::types::StudentId;

/// Makes the changes one after the other. Returns what became of them, and whether they are to stay.
pub(in crate::store) fn make<D: RosterDatabase>(
    db: &mut D,
    changes: &[RosterChange],
    run: RosterRun,
    by: &str,
    now: Timestamp,
) -> Result<(RosterOutcome, bool), D::Fault> {
    person_fits(by)?;
    db.hold_roster()?;
    db.complete_keys()?;
    let writer = Writer { by, now };
    let (mut done, mut refused) = (Vec::with_capacity(changes.len()), Vec::new());
    let mut newcomers = Newcomers::of(db, changes)?;
    for (at, change) in changes.iter().enumerate() {
        if let Some(newcomers) = &mut newcomers {
            if let Some(changed) = newcomers.take(db, at, change)? {
                done.push(changed);
                continue;
            }
            // This change may be about those who have been gathered.
            refused.extend(newcomers.write(db, writer)?);
        }
        match one(db, change, writer) {
            Ok(changed) => done.push(changed),
            Err(fault) => {
                let error = D::refusal(fault)?;
                match error.kind() {
                    ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::State => {
                        refused.push((at, error));
                    }
                    _ => return Err(error.into()),
                }
            }
        }
    }
    if let Some(mut newcomers) = newcomers {
        refused.extend(newcomers.write(db, writer)?);
    }
    if !refused.is_empty() {
        refused.sort_by_key(|(at, _)| *at);
        return Ok((RosterOutcome::Refused(refused), false));
    }
    if done.iter().any(|changed| *changed != RosterChanged::Unchanged) {
        db.tell_roster()?;
    }
    Ok((RosterOutcome::Done(done), run == RosterRun::Apply))
}

fn one<D: RosterDatabase>(db: &mut D, change: &RosterChange, writer: Writer<'_>) -> Result<RosterChanged, D::Fault> {
    match change {
        RosterChange::Student { roll_number, name } => student(db, roll_number, name, writer.now),
        RosterChange::Group { name, kind } => match groups::named(db, name)? {
            Some(Group { archived_at: None, .. }) => Ok(RosterChanged::Unchanged),
            Some(archived) => groups::restore(db, archived.id).map(|_| RosterChanged::Changed),
            None => {
                let new = NewGroup { name: name.clone(), kind: *kind, by: writer.by.to_owned(), at: writer.now };
                groups::create(db, &new).map(|_| RosterChanged::Created)
            }
        },
        RosterChange::Join { student, group, from_day, until_day } => {
            let pair = (find_student(db, student)?, find_group(db, group)?.id);
            must_be_at_work(db, pair.1)?;
            members::join(db, pair, (*from_day, *until_day), writer)
        }
        RosterChange::Leave { student, group, until_day } => {
            let (student, group) = (find_student(db, student)?, find_group(db, group)?.id);
            members::leave(db, student, group, *until_day)
        }
        RosterChange::Redate { membership, from_day, until_day } => {
            members::redate(db, *membership, *from_day, *until_day)
        }
        RosterChange::Withdraw { student, from_day } => {
            let student = find_student(db, student)?;
            members::withdraw(db, student, *from_day, writer)
        }
        RosterChange::Readmit { student, from_day } => {
            let student = find_student(db, student)?;
            members::readmit(db, student, *from_day)
        }
        RosterChange::FirstDay { student, day } => {
            let student = find_student(db, student)?;
            members::first_day(db, student, *day, writer)
        }
    }
}

fn student<D: RosterDatabase>(
    db: &mut D,
    roll_number: &str,
    name: &str,
    now: Timestamp,
) -> Result<RosterChanged, D::Fault> {
    student_fits(Some(name), Some(roll_number))?;
    for (what, text) in [("name", name), ("roll number", roll_number)] {
        if limits::is_blank(text) {
            return Err(Error::invalid_input(what, "it is blank").into());
        }
    }
    match by_roll_number(db, roll_number)? {
        None => db.insert_student(name, roll_number, now).map(|_| RosterChanged::Created),
        Some((_, known)) if known == name => Ok(RosterChanged::Unchanged),
        Some((student, _)) => db.rename_student(student, name, now).map(|()| RosterChanged::Changed),
    }
}

/// The one student with this roll number, with the name.
fn by_roll_number<D: RosterDatabase>(db: &mut D, number: &str) -> Result<Option<(StudentId, String)>, D::Fault> {
    let query = "SELECT CAST(id AS bigint), CAST(name AS text) FROM students WHERE roll_key = $1 ORDER BY id";
    let found = db.rows(query, values![roll_key(number)], &[Kind::Int, Kind::Text])?;
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((StudentId(one.int(0)), one.text(1)))),
        several => {
            let reason = format!("{} students have this one: give all but one another number", several.len());
            Err(Error::State { what: "roll number", reason }.into())
        }
    }
}

pub(super) fn find_student<D: RosterDatabase>(db: &mut D, student: &StudentRef) -> Result<StudentId, D::Fault> {
    match student {
        StudentRef::Id(id) => must_be_there(db, *id).map(|()| *id),
        StudentRef::RollNumber(number) => Ok(by_roll_number(db, number)?.ok_or(NO_STUDENT)?.0),
    }
}

/// Checks that there is such a student.
pub(super) fn must_be_there<D: RosterDatabase>(db: &mut D, student: StudentId) -> Result<(), D::Fault> {
    let query = "SELECT 1 FROM students WHERE id = CAST($1 AS bigint)";
    match db.rows(query, values![student.0], &[])?.is_empty() {
        true => Err(NO_STUDENT.into()),
        false => Ok(()),
    }
}

fn find_group<D: RosterDatabase>(db: &mut D, group: &GroupRef) -> Result<Group, D::Fault> {
    let found = match group {
        GroupRef::Id(id) => groups::find(db, *id)?,
        GroupRef::Name(name) => groups::named(db, name)?,
    };
    Ok(found.ok_or(NO_GROUP)?)
}
