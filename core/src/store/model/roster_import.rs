//! A list of students, and what its import would change.

use jiff::civil::Date;

use super::{GroupKind, RosterProblem};
use crate::types::StudentId;

/// A person of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// The line of the file, from 1.
    pub line: u32,
    /// The roll number, by which the person is known.
    pub roll_number: String,
    /// The name.
    pub name: String,
    /// The groups; none keeps those that the person is in.
    pub groups: Vec<ListedGroup>,
    /// The first day in these groups; `None` for the day of the import, or to keep the day that is stored.
    pub from: Option<Date>,
    /// The last day in these groups, or, without groups, of the person.
    pub last: Option<Date>,
    /// The e-mail addresses of guardians. Those who are stored and not listed stay.
    pub guardian_emails: Vec<String>,
}

/// A group that a list names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its name, which is one in any letter case.
    pub name: String,
    /// What it is, where it is made: told by the heading of its column.
    pub kind: GroupKind,
    /// The first day in it, as the line says.
    pub from: Option<Date>,
    /// The last day in it, as the line says.
    pub last: Option<Date>,
}

/// What happens to the students whom a list does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlisted {
    /// They stay as they are.
    #[default]
    Keep,
    /// They are withdrawn on the day of the import. Nobody is erased.
    Withdraw,
}

/// A list that is to be imported.
#[derive(Debug, Clone, Copy)]
pub struct RosterOrder<'a> {
    /// The people, each roll number once.
    pub rows: &'a [RosterRow],
    /// What happens to everybody else.
    pub unlisted: Unlisted,
    /// The day of the site on which memberships begin and end, unless the list says another.
    pub day: Date,
    /// The language of letters to guardians who are new, as the pages call it, such as `en`.
    pub language: &'a str,
}

/// What an import would change. Nothing of it has happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RosterPlan {
    /// Groups that are made.
    pub new_groups: Vec<ListedGroup>,
    /// Students who are made.
    pub new: Vec<PlannedStudent>,
    /// Students who change.
    pub changed: Vec<PlannedChange>,
    /// How many students the list names who stay as they are.
    pub unchanged: usize,
    /// The students whom the list does not name, without those who are withdrawn.
    pub unlisted: Vec<UnlistedStudent>,
    /// Whether they are withdrawn.
    pub withdraws: bool,
    /// What stands in the way. Such a plan is not carried out.
    pub problems: Vec<RosterProblem>,
    /// What tells this plan from every other: an import that is held to it changes nothing when the database has
    /// changed so that another plan would come out.
    pub fingerprint: String,
}

impl RosterPlan {
    /// Returns whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let withdraws = self.withdraws && !self.unlisted.is_empty();
        self.new_groups.is_empty() && self.new.is_empty() && self.changed.is_empty() && !withdraws
    }
}

/// A membership that a plan makes or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMembership {
    /// The key of the membership, where it is there already.
    pub membership: Option<i64>,
    /// The name of the group.
    pub group: String,
    /// The first day in it.
    pub from: Date,
    /// The first day after it; `None` for no end.
    pub until: Option<Date>,
}

/// A student whom a plan makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStudent {
    /// The line of the list.
    pub line: u32,
    /// The roll number.
    pub roll_number: String,
    /// The name.
    pub name: String,
    /// The groups that the student joins.
    pub joins: Vec<PlannedMembership>,
    /// The e-mail addresses of guardians.
    pub guardian_emails: Vec<String>,
}

/// A student whom a plan changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// The line of the list.
    pub line: u32,
    /// The student.
    pub student: StudentId,
    /// The roll number.
    pub roll_number: String,
    /// The name as it is.
    pub name: String,
    /// The name that takes its place.
    pub new_name: Option<String>,
    /// The groups that the student joins.
    pub joins: Vec<PlannedMembership>,
    /// The groups that the student is in, from another day or until another day than before.
    pub redated: Vec<PlannedMembership>,
    /// The groups that the student leaves on the day of the import.
    pub leaves: Vec<String>,
    /// The e-mail addresses of guardians that are added.
    pub guardian_emails: Vec<String>,
    /// Whether the student had been withdrawn and comes back.
    pub returns: bool,
    /// The first day on which the student is no longer expected, where the list gives a last day and no group.
    pub withdrawn_on: Option<Date>,
}

/// A student whom a list does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlistedStudent {
    /// The student.
    pub student: StudentId,
    /// The roll number.
    pub roll_number: String,
    /// The name.
    pub name: String,
}

/// How an import ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RosterImport {
    /// The plan was carried out, all of it.
    Done(RosterPlan),
    /// Nothing has changed: the database has since the plan was made, and this is the plan now.
    Outdated(RosterPlan),
    /// Nothing has changed: the plan has problems.
    Refused(RosterPlan),
}
