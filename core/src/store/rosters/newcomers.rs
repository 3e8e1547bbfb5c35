//! New students of a list, with the groups that they join, written many at a time: a school has thousands, and each
//! would take a dozen statements.
//!
//! Only what cannot depend on stored rows is gathered: a student whose roll number nobody has, a first day, and
//! memberships of groups that are at work. Everything else is made the usual way, after what was gathered before it.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::super::portable::{Kind, Value};
use super::super::rules::{TAKEN, student_fits};
use super::super::text_keys::{camera_key, roll_key};
use super::super::{GroupRef, RosterChange, RosterChanged, StudentRef, Withdrawal, limits};
use super::database::RosterDatabase;
use super::groups;
use super::members::{Writer, days_fit};
use crate::error::Error;
use crate::types::StudentId;

/// How many new students make it worth the while.
const MANY: usize = 16;
/// How many rows, or keys, one statement takes: 3,000 values are far below what either database takes.
const AT_ONCE: usize = 500;

/// What has been gathered and not yet written.
pub(super) struct Newcomers<'a> {
    /// The keys of roll numbers that somebody has.
    stored: HashSet<String>,
    /// The groups that are at work, by the keys of their names.
    groups: HashMap<String, i64>,
    waiting: Vec<Newcomer<'a>>,
    /// The places of those who wait, by the keys of their roll numbers.
    places: HashMap<String, usize>,
}

struct Newcomer<'a> {
    /// The place of the change that makes the student.
    change: usize,
    name: &'a str,
    roll_number: &'a str,
    first_day: Option<Date>,
    joins: Vec<(i64, Date, Option<Date>)>,
}

impl<'a> Newcomers<'a> {
    /// Looks which students are there; `None` where the changes make too few new ones.
    pub(super) fn of<D: RosterDatabase>(db: &mut D, changes: &[RosterChange]) -> Result<Option<Self>, D::Fault> {
        let keys: HashSet<String> = changes
            .iter()
            .filter_map(|change| match change {
                RosterChange::Student { roll_number, .. } => Some(roll_key(roll_number)),
                _ => None,
            })
            .collect();
        if keys.len() < MANY {
            return Ok(None);
        }
        let keys: Vec<String> = keys.into_iter().collect();
        let mut stored = HashSet::new();
        for part in keys.chunks(AT_ONCE) {
            let query = format!("SELECT roll_key FROM students WHERE roll_key IN ({})", places(0, part.len()));
            let values: Vec<Value> = part.iter().map(|key| Value::from(key.as_str())).collect();
            stored.extend(db.rows(&query, &values, &[Kind::Text])?.iter().map(|row| row.text(0)));
        }
        if keys.len() - stored.len() < MANY {
            return Ok(None);
        }
        Ok(Some(Self { stored, groups: HashMap::new(), waiting: Vec::new(), places: HashMap::new() }))
    }

    /// Gathers a change; `None` for one that has to be made the usual way, which also says what is wrong with it.
    pub(super) fn take<D: RosterDatabase>(
        &mut self,
        db: &mut D,
        place: usize,
        change: &'a RosterChange,
    ) -> Result<Option<RosterChanged>, D::Fault> {
        let taken = match change {
            RosterChange::Student { roll_number, name } => self.take_student(place, roll_number, name),
            RosterChange::FirstDay { student, day } => match self.waiting(student) {
                Some(student) if student.first_day.is_none() => {
                    student.first_day = Some(*day);
                    true
                }
                _ => false,
            },
            RosterChange::Join { student, group, from_day, until_day } => {
                let fits = self.waiting(student).is_some() && days_fit(*from_day, *until_day).is_ok();
                let group = if fits { self.group(db, group)? } else { None };
                group.is_some_and(|group| self.take_join(student, (group, *from_day, *until_day)))
            }
            _ => false,
        };
        Ok(taken.then_some(RosterChanged::Created))
    }

    fn take_join(&mut self, student: &StudentRef, join: (i64, Date, Option<Date>)) -> bool {
        let Some(student) = self.waiting(student) else { return false };
        // A second membership of one group may go on where the first one ends.
        if student.joins.iter().any(|(group, ..)| *group == join.0) {
            return false;
        }
        student.joins.push(join);
        true
    }

    fn take_student(&mut self, change: usize, roll_number: &'a str, name: &'a str) -> bool {
        let is_blank = limits::is_blank(name) || limits::is_blank(roll_number);
        if is_blank || student_fits(Some(name), Some(roll_number)).is_err() {
            return false;
        }
        let key = roll_key(roll_number);
        if self.stored.contains(&key) || self.places.contains_key(&key) {
            return false;
        }
        self.places.insert(key, self.waiting.len());
        self.waiting.push(Newcomer { change, name, roll_number, first_day: None, joins: Vec::new() });
        true
    }

    fn waiting(&mut self, student: &StudentRef) -> Option<&mut Newcomer<'a>> {
        let StudentRef::RollNumber(number) = student else { return None };
        let place = *self.places.get(&roll_key(number))?;
        self.waiting.get_mut(place)
    }

    /// A group that takes members.
    fn group<D: RosterDatabase>(&mut self, db: &mut D, group: &GroupRef) -> Result<Option<i64>, D::Fault> {
        let GroupRef::Name(name) = group else { return Ok(None) };
        let key = camera_key(name);
        if let Some(id) = self.groups.get(&key) {
            return Ok(Some(*id));
        }
        let found = groups::named(db, name)?.filter(|group| group.archived_at.is_none());
        if let Some(group) = &found {
            self.groups.insert(key, group.id);
        }
        Ok(found.map(|group| group.id))
    }

    /// Writes what was gathered. Returns the changes that make a student whose roll number somebody else has taken
    /// since.
    pub(super) fn write<D: RosterDatabase>(
        &mut self,
        db: &mut D,
        writer: Writer<'_>,
    ) -> Result<Vec<(usize, Error)>, D::Fault> {
        let (waiting, places) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.places));
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let mut ids = Vec::with_capacity(waiting.len());
        for part in waiting.chunks(AT_ONCE) {
            let part: Vec<(&str, &str)> = part.iter().map(|new| (new.name, new.roll_number)).collect();
            ids.extend(db.insert_students(&part, writer.now)?);
        }
        self.stored.extend(places.into_keys());
        let (mut withdrawals, mut members, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (new, id) in waiting.iter().zip(ids) {
            let Some(StudentId(id)) = id else {
                refused.push((new.change, TAKEN));
                continue;
            };
            let end = |from: Date, until: Option<Date>| {
                [Value::from(from), Value::from(until), Value::from(writer.now), Value::from(writer.by)]
            };
            if let Some(day) = new.first_day {
                withdrawals.push([Value::from(id)].into_iter().chain(end(Withdrawal::BEGINNING, Some(day))).collect());
            }
            for (group, from, until) in &new.joins {
                let ids = [Value::from(*group), Value::from(id)];
                members.push(ids.into_iter().chain(end(*from, *until)).collect());
            }
        }
        insert(db, "withdrawals (student_id, from_day, until_day, created_at, created_by)", &withdrawals)?;
        insert(db, "group_members (group_id, student_id, from_day, until_day, created_at, created_by)", &members)?;
        Ok(refused)
    }
}

/// Inserts rows, each with a value for every column that `into` names.
pub(super) fn insert<D: RosterDatabase>(db: &mut D, into: &str, rows: &[Vec<Value>]) -> Result<(), D::Fault> {
    for part in rows.chunks(AT_ONCE) {
        let mut values = Vec::new();
        let mut tuples = Vec::with_capacity(part.len());
        for row in part {
            tuples.push(format!("({})", places(values.len(), row.len())));
            values.extend_from_slice(row);
        }
        db.run(&format!("INSERT INTO {into} VALUES {}", tuples.join(", ")), &values)?;
    }
    Ok(())
}

/// `$1, $2, $3`: the places of `count` values after the first `before`.
fn places(before: usize, count: usize) -> String {
    (before + 1..=before + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

/// The ids of students by the keys of their roll numbers.
pub(super) fn ids_of<D: RosterDatabase>(
    db: &mut D,
    roll_numbers: &[&str],
) -> Result<HashMap<String, StudentId>, D::Fault> {
    let mut ids = HashMap::with_capacity(roll_numbers.len());
    for part in roll_numbers.chunks(AT_ONCE) {
        let query =
            format!("SELECT CAST(id AS bigint), roll_key FROM students WHERE roll_key IN ({})", places(0, part.len()));
        let values: Vec<Value> = part.iter().map(|number| Value::from(roll_key(number))).collect();
        let found = db.rows(&query, &values, &[Kind::Int, Kind::Text])?;
        ids.extend(found.iter().map(|row| (row.text(1), StudentId(row.int(0)))));
    }
    Ok(ids)
}
