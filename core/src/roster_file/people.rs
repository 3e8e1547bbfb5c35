//! Everybody who is on the roster, as a list.

use std::collections::{HashMap, HashSet};

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::error::Result;
use crate::store::{ListedGroup, Membership, MembershipFilter, Page, RosterRow, Store, is_erased};
use crate::types::StudentId;

/// Whether a list has the addresses of guardians, which are personal data of people who are not on it.
///
/// ```
/// use faceattend_core::roster_file::GuardianColumn;
///
/// assert_eq!(GuardianColumn::default(), GuardianColumn::Empty, "nobody gets them who does not ask");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuardianColumn {
    /// They are left out.
    #[default]
    Empty,
    /// They are in it.
    Written,
}

/// Returns everybody who is expected on the day or later, with the groups of that time, ordered by roll number: what
/// an import on that day takes back without a change.
///
/// # Errors
/// Those of the store.
pub fn people(store: &dyn Store, day: Date, guardians: GuardianColumn) -> Result<Vec<RosterRow>> {
    let groups: HashMap<i64, _> = store.groups(day)?.into_iter().map(|its| (its.group.id, its.group)).collect();
    let mut of: HashMap<StudentId, Vec<Membership>> = HashMap::new();
    for membership in store.memberships(&MembershipFilter::default())? {
        if membership.until_day.is_none_or(|until| until > day) {
            of.entry(membership.student).or_default().push(membership);
        }
    }
    let gone = store.withdrawals(None)?.into_iter().filter(|its| its.until_day.is_none() && its.from_day <= day);
    let gone: HashSet<StudentId> = gone.map(|its| its.student).collect();
    let last = |until: Option<Date>| until.and_then(|day| day.checked_sub(1.day()).ok());
    let listed = |its: &Membership| {
        let group = groups.get(&its.group)?;
        Some(ListedGroup {
            name: group.name.clone(),
            kind: group.kind,
            from: Some(its.from_day),
            last: last(its.until_day),
        })
    };
    let mut people = Vec::new();
    for student in store.students(None, Page::ALL)?.items {
        if gone.contains(&student.id) || is_erased(&student) {
            continue;
        }
        let emails = match guardians {
            GuardianColumn::Written => store.guardians(student.id)?,
            GuardianColumn::Empty => Vec::new(),
        };
        people.push(RosterRow {
            line: 0,
            groups: of.get(&student.id).map(|its| its.iter().filter_map(listed).collect()).unwrap_or_default(),
            roll_number: student.roll_number,
            name: student.name,
            from: None,
            last: None,
            guardian_emails: emails.into_iter().map(|guardian| guardian.email).collect(),
        });
    }
    people.sort_by(|a, b| a.roll_number.cmp(&b.roll_number));
    Ok(people)
}
