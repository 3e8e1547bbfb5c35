//! What becomes of a student's rows when the student is erased, or is one with another record.

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::Withdrawal;
use super::super::outbox::statements::values;
use super::database::RosterDatabase;
use super::members::{self, Writer};
use crate::types::StudentId;

/// Deletes everything of the student.
pub(in crate::store) fn erase<D: RosterDatabase>(db: &mut D, student: StudentId) -> Result<(), D::Fault> {
    for table in ["group_members", "withdrawals", "excuses"] {
        db.run(&format!("DELETE FROM {table} WHERE student_id = $1"), values![student.0])?;
    }
    Ok(())
}

/// Gives the student who stays the memberships and the excuses of the other record. When the student is expected is
/// what the record that stays says.
pub(in crate::store) fn merge<D: RosterDatabase>(
    db: &mut D,
    kept: StudentId,
    other: StudentId,
    (by, now): (&str, Timestamp),
) -> Result<(), D::Fault> {
    db.hold_roster()?;
    let mut changed = db.run("UPDATE excuses SET student_id = $2 WHERE student_id = $1", values![other.0, kept.0])? > 0;
    let away = members::withdrawals_of(db, Some(kept))?;
    for theirs in members::which(db, "student_id = $1", values![other.0])? {
        // The days of one group are told once: what touches is one span.
        let (mut from, mut until) = (theirs.from_day, theirs.until_day);
        for own in members::which(db, "student_id = $1 AND group_id = $2", values![kept.0, theirs.group])? {
            if own.until_day.is_none_or(|end| from <= end) && until.is_none_or(|end| own.from_day <= end) {
                from = from.min(own.from_day);
                until = own.until_day.zip(until).map(|(one, two)| one.max(two));
                db.run("DELETE FROM group_members WHERE id = $1", values![own.id])?;
            }
        }
        if let Some(until) = before_leaving(&away, from, until) {
            members::add(db, (kept, theirs.group), (from, until), Writer { by, now })?;
            changed = true;
        }
    }
    if changed {
        db.tell_roster()?;
    }
    Ok(())
}

/// The end of a membership of somebody who leaves: not after that. None where it would not have begun.
fn before_leaving(away: &[Withdrawal], from: Date, until: Option<Date>) -> Option<Option<Date>> {
    let left = away.iter().find(|one| one.until_day.is_none()).map(|one| one.from_day);
    let end = match (left, until) {
        (Some(left), Some(until)) => Some(left.min(until)),
        (left, until) => left.or(until),
    };
    end.is_none_or(|end| from < end).then_some(end)
}
