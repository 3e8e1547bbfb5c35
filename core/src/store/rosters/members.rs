//! Memberships and withdrawals: how each is read, begun and ended.

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::outbox::statements::{Cells, values};
use super::super::portable::{Kind, Value};
use super::super::{Membership, MembershipFilter, RosterChanged, Withdrawal};
use super::database::RosterDatabase;
use crate::error::{Error, Result};
use crate::types::StudentId;

const MEMBER: &str = "id, group_id, student_id, from_day, until_day";
const MEMBER_KINDS: [Kind; 5] = [Kind::Int, Kind::Int, Kind::Int, Kind::Date, Kind::Date];

fn membership_of(row: &Cells) -> Membership {
    Membership {
        id: row.int(0),
        group: row.int(1),
        student: StudentId(row.int(2)),
        from_day: row.date(3),
        until_day: row.maybe_date(4),
    }
}

/// The memberships that pass a test in SQL.
pub(in crate::store) fn which<D: RosterDatabase>(
    db: &mut D,
    test: &str,
    values: &[Value],
) -> Result<Vec<Membership>, D::Fault> {
    let query = format!("SELECT {MEMBER} FROM group_members WHERE {test} ORDER BY student_id, from_day, group_id");
    Ok(db.rows(&query, values, &MEMBER_KINDS)?.iter().map(membership_of).collect())
}

pub(in crate::store) fn list<D: RosterDatabase>(
    db: &mut D,
    filter: &MembershipFilter,
) -> Result<Vec<Membership>, D::Fault> {
    let mut tests = vec!["1 = 1".to_owned()];
    let mut values = Vec::new();
    let asked = [("group_id", filter.group), ("student_id", filter.student.map(|student| student.0))];
    for (column, id) in asked {
        if let Some(id) = id {
            values.push(Value::from(id));
            tests.push(format!("{column} = ${}", values.len()));
        }
    }
    if let Some(day) = filter.on {
        values.push(Value::from(day));
        let at = values.len();
        tests.push(format!("from_day <= ${at} AND (until_day IS NULL OR until_day > ${at})"));
    }
    which(db, &tests.join(" AND "), &values)
}

const WITHDRAWAL: &str = "id, student_id, from_day, until_day, created_by, created_at";
const WITHDRAWAL_KINDS: [Kind; 6] = [Kind::Int, Kind::Int, Kind::Date, Kind::Date, Kind::Text, Kind::Micros];

/// The withdrawals that pass a test in SQL.
pub(in crate::store) fn withdrawals<D: RosterDatabase>(
    db: &mut D,
    test: &str,
    values: &[Value],
) -> Result<Vec<Withdrawal>, D::Fault> {
    let query = format!("SELECT {WITHDRAWAL} FROM withdrawals WHERE {test} ORDER BY student_id, from_day");
    let rows = db.rows(&query, values, &WITHDRAWAL_KINDS)?;
    let of = |row: &Cells| Withdrawal {
        id: row.int(0),
        student: StudentId(row.int(1)),
        from_day: row.date(2),
        until_day: row.maybe_date(3),
        by: row.text(4),
        at: row.time(5),
    };
    Ok(rows.iter().map(of).collect())
}

pub(in crate::store) fn withdrawals_of<D: RosterDatabase>(
    db: &mut D,
    student: Option<StudentId>,
) -> Result<Vec<Withdrawal>, D::Fault> {
    match student {
        Some(student) => withdrawals(db, "student_id = $1", values![student.0]),
        None => withdrawals(db, "1 = 1", &[]),
    }
}

/// Who writes, and when.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) by: &'a str,
    pub(super) now: Timestamp,
}

fn refused(what: &'static str, reason: impl Into<String>) -> Error {
    Error::State { what, reason: reason.into() }
}

/// Checks that a span of days has at least one.
pub(super) fn days_fit(from_day: Date, until_day: Option<Date>) -> Result<()> {
    match until_day {
        Some(until) if until <= from_day => {
            let reason = format!("it would be over on {until}, before it has begun on {from_day}");
            Err(Error::invalid_input("membership", reason))
        }
        _ => Ok(()),
    }
}

fn of_pair<D: RosterDatabase>(db: &mut D, student: StudentId, group: i64) -> Result<Vec<Membership>, D::Fault> {
    which(db, "student_id = $1 AND group_id = $2", values![student.0, group])
}

fn set_days<D: RosterDatabase>(db: &mut D, id: i64, from_day: Date, until_day: Option<Date>) -> Result<(), D::Fault> {
    let change = "UPDATE group_members SET from_day = $2, until_day = $3 WHERE id = $1";
    db.run(change, values![id, from_day, until_day]).map(drop)
}

pub(super) fn join<D: RosterDatabase>(
    db: &mut D,
    (student, group): (StudentId, i64),
    (from_day, until_day): (Date, Option<Date>),
    writer: Writer<'_>,
) -> Result<RosterChanged, D::Fault> {
    days_fit(from_day, until_day)?;
    for withdrawal in withdrawals_of(db, Some(student))? {
        if withdrawal.holds_on(from_day) && withdrawal.from_day != Withdrawal::BEGINNING {
            let reason = format!("withdrawn since {}: readmit the student first", withdrawal.from_day);
            return Err(refused("student", reason).into());
        }
    }
    let there = of_pair(db, student, group)?;
    if there.iter().any(|membership| membership.holds_on(from_day)) {
        return Ok(RosterChanged::Unchanged);
    }
    let next = there.iter().find(|membership| membership.from_day > from_day);
    if let Some(before) = there.iter().find(|membership| membership.until_day == Some(from_day)) {
        // It goes on, up to the next one.
        match next {
            Some(next) if until_day.is_none_or(|until| until >= next.from_day) => {
                db.run("DELETE FROM group_members WHERE id = $1", values![next.id])?;
                set_days(db, before.id, before.from_day, next.until_day)?;
            }
            _ => set_days(db, before.id, before.from_day, until_day)?,
        }
        return Ok(RosterChanged::Changed);
    }
    if let Some(next) = next.filter(|next| until_day.is_none_or(|until| until >= next.from_day)) {
        set_days(db, next.id, from_day, next.until_day)?;
        return Ok(RosterChanged::Changed);
    }
    add(db, (student, group), (from_day, until_day), writer)?;
    Ok(RosterChanged::Created)
}

/// Adds a membership, whose days are those of no other one of the pair.
pub(super) fn add<D: RosterDatabase>(
    db: &mut D,
    (student, group): (StudentId, i64),
    (from_day, until_day): (Date, Option<Date>),
    writer: Writer<'_>,
) -> Result<(), D::Fault> {
    db.run(
        "INSERT INTO group_members (group_id, student_id, from_day, until_day, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6)",
        values![group, student.0, from_day, until_day, writer.now, writer.by],
    )
    .map(drop)
}

/// Ends a membership on that day; deletes one that would not have begun.
fn end<D: RosterDatabase>(db: &mut D, membership: &Membership, until: Date) -> Result<(), D::Fault> {
    if membership.from_day >= until {
        db.run("DELETE FROM group_members WHERE id = $1", values![membership.id]).map(drop)
    } else {
        set_days(db, membership.id, membership.from_day, Some(until))
    }
}

pub(super) fn leave<D: RosterDatabase>(
    db: &mut D,
    student: StudentId,
    group: i64,
    until: Date,
) -> Result<RosterChanged, D::Fault> {
    let there = of_pair(db, student, group)?;
    if there.is_empty() {
        return Err(Error::NotFound { what: "membership" }.into());
    }
    let mut changed = RosterChanged::Unchanged;
    for membership in there.iter().filter(|membership| membership.until_day.is_none_or(|own| own > until)) {
        end(db, membership, until)?;
        changed = RosterChanged::Changed;
    }
    Ok(changed)
}

pub(super) fn redate<D: RosterDatabase>(
    db: &mut D,
    id: i64,
    from_day: Date,
    until_day: Option<Date>,
) -> Result<RosterChanged, D::Fault> {
    days_fit(from_day, until_day)?;
    let found = which(db, "id = $1", values![id])?;
    let before = *found.first().ok_or(Error::NotFound { what: "membership" })?;
    if (before.from_day, before.until_day) == (from_day, until_day) {
        return Ok(RosterChanged::Unchanged);
    }
    let touches = |other: &Membership| {
        until_day.is_none_or(|until| other.from_day < until) && other.until_day.is_none_or(|until| from_day < until)
    };
    let others = of_pair(db, before.student, before.group)?;
    if let Some(other) = others.iter().find(|other| other.id != id && touches(other)) {
        let reason = format!("the student is a member of this group from {} on already", other.from_day);
        return Err(refused("membership", reason).into());
    }
    set_days(db, id, from_day, until_day)?;
    Ok(RosterChanged::Changed)
}

pub(super) fn withdraw<D: RosterDatabase>(
    db: &mut D,
    student: StudentId,
    from_day: Date,
    writer: Writer<'_>,
) -> Result<RosterChanged, D::Fault> {
    let mut changed = RosterChanged::Unchanged;
    let ongoing = "student_id = $1 AND (until_day IS NULL OR until_day > $2)";
    for membership in which(db, ongoing, values![student.0, from_day])? {
        end(db, &membership, from_day)?;
        changed = RosterChanged::Changed;
    }
    let there = withdrawals(db, ongoing, values![student.0, from_day])?;
    if there.iter().any(|one| one.from_day <= from_day && one.until_day.is_none()) {
        return Ok(changed);
    }
    // What would have begun, or ended, later is part of this one.
    for later in &there {
        if later.from_day >= from_day {
            db.run("DELETE FROM withdrawals WHERE id = $1", values![later.id])?;
        } else {
            db.run("UPDATE withdrawals SET until_day = NULL WHERE id = $1", values![later.id])?;
            return Ok(RosterChanged::Changed);
        }
    }
    add_withdrawal(db, student, (from_day, None), writer)?;
    Ok(if there.is_empty() { RosterChanged::Created } else { RosterChanged::Changed })
}

fn add_withdrawal<D: RosterDatabase>(
    db: &mut D,
    student: StudentId,
    (from_day, until_day): (Date, Option<Date>),
    writer: Writer<'_>,
) -> Result<(), D::Fault> {
    db.run(
        "INSERT INTO withdrawals (student_id, from_day, until_day, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5)",
        values![student.0, from_day, until_day, writer.now, writer.by],
    )
    .map(drop)
}

pub(super) fn readmit<D: RosterDatabase>(
    db: &mut D,
    student: StudentId,
    from_day: Date,
) -> Result<RosterChanged, D::Fault> {
    let test = "student_id = $1 AND until_day IS NULL";
    let Some(open) = withdrawals(db, test, values![student.0])?.pop() else {
        return Ok(RosterChanged::Unchanged);
    };
    if open.from_day >= from_day {
        db.run("DELETE FROM withdrawals WHERE id = $1", values![open.id])?;
    } else {
        db.run("UPDATE withdrawals SET until_day = $2 WHERE id = $1", values![open.id, from_day])?;
    }
    Ok(RosterChanged::Changed)
}

pub(super) fn first_day<D: RosterDatabase>(
    db: &mut D,
    student: StudentId,
    day: Date,
    writer: Writer<'_>,
) -> Result<RosterChanged, D::Fault> {
    let test = "student_id = $1 AND from_day = $2";
    let there = withdrawals(db, test, values![student.0, Withdrawal::BEGINNING])?;
    match there.first() {
        Some(before) if before.until_day == Some(day) => Ok(RosterChanged::Unchanged),
        Some(before) => {
            db.run("UPDATE withdrawals SET until_day = $2 WHERE id = $1", values![before.id, day])?;
            Ok(RosterChanged::Changed)
        }
        None => {
            add_withdrawal(db, student, (Withdrawal::BEGINNING, Some(day)), writer)?;
            Ok(RosterChanged::Created)
        }
    }
}
