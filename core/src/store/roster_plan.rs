//! What the import of a list changes: decided here for both databases, from the list and what is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::ToSpan as _;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::text_keys::{camera_key, roll_key};
use super::{
    Group, GroupKind, GroupRef, ListedGroup, Membership, PlannedChange, PlannedMembership, PlannedStudent, ProblemCode,
    RosterChange, RosterOrder, RosterPlan, RosterProblem, RosterRow, StudentRef, Unlisted, UnlistedStudent,
};
use crate::types::StudentId;

/// A student as stored.
#[derive(Debug, Clone)]
pub(super) struct StudentNow {
    pub(super) id: StudentId,
    pub(super) name: String,
    pub(super) roll_number: String,
    /// The first day on which the student is no longer expected.
    pub(super) withdrawn_on: Option<Date>,
    pub(super) memberships: Vec<Membership>,
    /// The addresses of the guardians, in lower case.
    pub(super) guardians: Vec<String>,
}

/// What is stored of everybody, as one moment has it.
#[derive(Debug, Clone, Default)]
pub(super) struct RosterNow {
    pub(super) groups: BTreeMap<i64, Group>,
    pub(super) students: Vec<StudentNow>,
}

/// Returns what the import of the list changes.
pub(super) fn plan(order: &RosterOrder<'_>, now: &RosterNow) -> RosterPlan {
    let mut by_key: HashMap<String, Vec<&StudentNow>> = HashMap::new();
    for student in &now.students {
        by_key.entry(roll_key(&student.roll_number)).or_default().push(student);
    }
    let groups = now.groups.iter().map(|(id, group)| (camera_key(&group.name), (*id, group))).collect();
    let mut planning =
        Planning { day: order.day, groups, now, new_groups: BTreeMap::new(), plan: RosterPlan::default() };
    let mut listed = BTreeSet::new();
    for row in order.rows {
        let key = roll_key(&row.roll_number);
        match by_key.get(&key).map_or(&[][..], Vec::as_slice) {
            [] => planning.add(row),
            [student] => planning.change(row, student),
            several => planning.refuse(row, several),
        }
        listed.insert(key);
    }
    let mut plan = planning.plan;
    plan.new_groups = planning.new_groups.into_values().collect();
    plan.withdraws = order.unlisted == Unlisted::Withdraw;
    plan.unlisted = now
        .students
        .iter()
        .filter(|student| student.withdrawn_on.is_none_or(|day| day > order.day))
        .filter(|student| !listed.contains(&roll_key(&student.roll_number)))
        .map(|student| UnlistedStudent {
            student: student.id,
            roll_number: student.roll_number.clone(),
            name: student.name.clone(),
        })
        .collect();
    plan.fingerprint = fingerprint(order.day, &plan);
    plan
}

struct Planning<'a> {
    day: Date,
    /// The stored groups by the key of their names.
    groups: HashMap<String, (i64, &'a Group)>,
    now: &'a RosterNow,
    new_groups: BTreeMap<String, ListedGroup>,
    plan: RosterPlan,
}

impl Planning<'_> {
    fn add(&mut self, row: &RosterRow) {
        let joins = row.groups.iter().map(|group| self.joining(group)).collect();
        self.plan.new.push(PlannedStudent {
            line: row.line,
            roll_number: row.roll_number.clone(),
            name: row.name.clone(),
            joins,
            guardian_emails: row.guardian_emails.clone(),
        });
    }

    fn refuse(&mut self, row: &RosterRow, several: &[&StudentNow]) {
        let names: Vec<&str> = several.iter().map(|student| student.name.as_str()).collect();
        let message = format!(
            "several students have roll number {}: {}. Give all but one of them another number first",
            row.roll_number,
            names.join(", ")
        );
        let problem = RosterProblem::at(row.line, ProblemCode::SeveralStudents, row.roll_number.clone(), message);
        self.plan.problems.push(problem);
    }

    fn change(&mut self, row: &RosterRow, student: &StudentNow) {
        let day = self.day;
        let mut change = PlannedChange {
            line: row.line,
            student: student.id,
            roll_number: student.roll_number.clone(),
            name: student.name.clone(),
            new_name: (roll_key(&student.name) != roll_key(&row.name)).then(|| row.name.clone()),
            joins: Vec::new(),
            redated: Vec::new(),
            leaves: Vec::new(),
            guardian_emails: Vec::new(),
            returns: false,
            withdrawn_on: None,
        };
        for group in &row.groups {
            let stored = self.groups.get(&camera_key(&group.name)).copied();
            let until = day_after(group.last);
            let known = stored.and_then(|(id, _)| {
                let of = || student.memberships.iter().filter(move |its| its.group == id);
                // The one that is not over, else one that has ended just then.
                of().find(|its| !is_over(its, day))
                    .or_else(|| of().find(|its| until.is_some() && its.until_day == until))
            });
            let (Some((_, stored)), Some(known)) = (stored, known) else {
                let joining = self.joining(group);
                change.joins.push(joining);
                continue;
            };
            let dates = (group.from.unwrap_or(known.from_day), until.or(known.until_day));
            if dates != (known.from_day, known.until_day) {
                change.redated.push(PlannedMembership {
                    membership: Some(known.id),
                    group: stored.name.clone(),
                    from: dates.0,
                    until: dates.1,
                });
            }
        }
        change.leaves = self.leaving(row, student);
        let is_new = |email: &&String| !student.guardians.contains(&email.to_lowercase());
        change.guardian_emails = row.guardian_emails.iter().filter(is_new).cloned().collect();
        let is_withdrawn = student.withdrawn_on.is_some();
        match (row.groups.is_empty(), day_after(row.last)) {
            // Without a group, the last day is that of the student.
            (true, Some(until)) => {
                change.withdrawn_on = Some(until).filter(|_| student.withdrawn_on != Some(until));
            }
            _ => change.returns = is_withdrawn && row.last.is_none_or(|last| last >= day),
        }
        let is_same = change.new_name.is_none()
            && change.joins.is_empty()
            && change.redated.is_empty()
            && change.leaves.is_empty()
            && change.guardian_emails.is_empty()
            && !change.returns
            && change.withdrawn_on.is_none();
        if is_same {
            self.plan.unchanged += 1;
        } else {
            self.plan.changed.push(change);
        }
    }

    /// The groups that the student leaves: those of the kinds that the line names, so that a list of classes moves
    /// nobody out of the choir.
    fn leaving(&self, row: &RosterRow, student: &StudentNow) -> Vec<String> {
        let named: BTreeSet<String> = row.groups.iter().map(|group| camera_key(&group.name)).collect();
        let kind = |group: &ListedGroup| {
            self.groups.get(&camera_key(&group.name)).map_or(group.kind, |(_, stored)| stored.kind)
        };
        let kinds: BTreeSet<GroupKind> = row.groups.iter().map(kind).collect();
        let current = student.memberships.iter().filter(|its| !is_over(its, self.day));
        let left: BTreeSet<String> = current
            .filter_map(|its| self.now.groups.get(&its.group))
            .filter(|group| kinds.contains(&group.kind) && !named.contains(&camera_key(&group.name)))
            .map(|group| group.name.clone())
            .collect();
        left.into_iter().collect()
    }

    /// The membership in a group that may have to be made first.
    fn joining(&mut self, group: &ListedGroup) -> PlannedMembership {
        let key = camera_key(&group.name);
        let name = match self.groups.get(&key) {
            Some((_, stored)) if stored.archived_at.is_none() => stored.name.clone(),
            // One that is archived is taken out of the archive.
            _ => self.new_groups.entry(key).or_insert_with(|| group.clone()).name.clone(),
        };
        // One that is over before the import begins on its own last day, where nothing else is said.
        let from = group.from.unwrap_or_else(|| group.last.map_or(self.day, |last| last.min(self.day)));
        PlannedMembership { membership: None, group: name, from, until: day_after(group.last) }
    }
}

/// Whether a membership has no day left.
fn is_over(membership: &Membership, day: Date) -> bool {
    membership.until_day.is_some_and(|until| until <= day)
}

/// Returns the changes that carry out a plan, each with its line of the list, in the order in which they are made.
pub(super) fn changes_of(plan: &RosterPlan, day: Date) -> Vec<(Option<u32>, RosterChange)> {
    let mut changes = Vec::new();
    for ListedGroup { name, kind, .. } in &plan.new_groups {
        changes.push((None, RosterChange::Group { name: name.clone(), kind: *kind }));
    }
    let join = |student: StudentRef, its: &PlannedMembership| RosterChange::Join {
        student,
        group: GroupRef::Name(its.group.clone()),
        from_day: its.from,
        until_day: its.until,
    };
    for new in &plan.new {
        let student = StudentRef::RollNumber(new.roll_number.clone());
        let mut add = |change| changes.push((Some(new.line), change));
        add(RosterChange::Student { roll_number: new.roll_number.clone(), name: new.name.clone() });
        // One who is in a group later is not expected before.
        if let Some(first) = new.joins.iter().map(|its| its.from).min().filter(|first| *first > day) {
            add(RosterChange::FirstDay { student: student.clone(), day: first });
        }
        new.joins.iter().for_each(|its| add(join(student.clone(), its)));
    }
    for change in &plan.changed {
        let student = StudentRef::Id(change.student);
        let mut add = |one| changes.push((Some(change.line), one));
        if let Some(name) = &change.new_name {
            add(RosterChange::Student { roll_number: change.roll_number.clone(), name: name.clone() });
        }
        // Who is withdrawn joins nothing.
        if change.returns {
            add(RosterChange::Readmit { student: student.clone(), from_day: day });
        }
        for group in &change.leaves {
            let group = GroupRef::Name(group.clone());
            add(RosterChange::Leave { student: student.clone(), group, until_day: day });
        }
        for its in &change.redated {
            if let Some(membership) = its.membership {
                add(RosterChange::Redate { membership, from_day: its.from, until_day: its.until });
            }
        }
        change.joins.iter().for_each(|its| add(join(student.clone(), its)));
        if let Some(from_day) = change.withdrawn_on {
            add(RosterChange::Withdraw { student, from_day });
        }
    }
    if plan.withdraws {
        for UnlistedStudent { student, .. } in &plan.unlisted {
            changes.push((None, RosterChange::Withdraw { student: StudentRef::Id(*student), from_day: day }));
        }
    }
    changes
}

/// A membership lasts until the day after its last one.
fn day_after(last: Option<Date>) -> Option<Date> {
    last.map(|last| last.checked_add(1.day()).unwrap_or(last))
}

/// What tells a plan from every other, in 32 signs.
fn fingerprint(day: Date, plan: &RosterPlan) -> String {
    use std::fmt::Write as _;
    /// Of the 32 bytes of the hash: nobody tries to find two plans with one fingerprint.
    const BYTES: usize = 16;
    let told =
        (day, &plan.new_groups, &plan.new, &plan.changed, plan.withdraws.then_some(&plan.unlisted), &plan.problems);
    let hash = Sha256::digest(format!("{told:?}"));
    hash.iter().take(BYTES).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const DAY: Date = date(2026, 8, 31);

    fn row(line: u32, roll_number: &str, name: &str, groups: &[&str]) -> RosterRow {
        let group = |name: &&str| ListedGroup { name: (*name).into(), kind: GroupKind::Class, from: None, last: None };
        RosterRow {
            line,
            roll_number: roll_number.into(),
            name: name.into(),
            groups: groups.iter().map(group).collect(),
            from: None,
            last: None,
            guardian_emails: Vec::new(),
        }
    }

    fn student(id: i64, roll_number: &str, name: &str, groups: &[(i64, Date, Option<Date>)]) -> StudentNow {
        let memberships = (1..).zip(groups).map(|(place, (group, from_day, until_day))| Membership {
            id: 10 * id + place,
            group: *group,
            student: StudentId(id),
            from_day: *from_day,
            until_day: *until_day,
        });
        StudentNow {
            id: StudentId(id),
            name: name.into(),
            roll_number: roll_number.into(),
            withdrawn_on: None,
            memberships: memberships.collect(),
            guardians: Vec::new(),
        }
    }

    fn school() -> RosterNow {
        let group = |name: &str, kind| Group {
            id: 0,
            name: name.into(),
            kind,
            archived_at: None,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            created_by: String::new(),
        };
        RosterNow {
            groups: [
                (1, group("5A", GroupKind::Class)),
                (2, group("5B", GroupKind::Class)),
                (3, group("Choir", GroupKind::Other)),
            ]
            .into(),
            students: vec![
                student(1, "1", "Asha Rao", &[(1, date(2026, 1, 1), None), (3, date(2026, 1, 1), None)]),
                student(2, "2", "Ben Ito", &[(2, date(2026, 1, 1), None)]),
            ],
        }
    }

    fn planned(rows: &[RosterRow], now: &RosterNow) -> RosterPlan {
        plan(&RosterOrder { rows, unlisted: Unlisted::Keep, day: DAY, language: "en" }, now)
    }

    #[test]
    fn a_list_that_is_stored_changes_nothing() {
        let plan = planned(&[row(2, " 1 ", "Asha  Rao", &["5a", "CHOIR"]), row(3, "2", "Ben Ito", &[])], &school());
        assert!(plan.is_empty() && plan.unlisted.is_empty(), "{plan:?}");
        assert_eq!(plan.unchanged, 2);
    }

    #[test]
    fn a_student_moves_between_classes_and_stays_in_the_choir() {
        let plan = planned(&[row(2, "1", "Asha Rao-Iyer", &["5b"])], &school());
        let [change] = plan.changed.as_slice() else { panic!("{plan:?}") };
        assert_eq!(change.new_name.as_deref(), Some("Asha Rao-Iyer"));
        assert_eq!(change.joins, [PlannedMembership { membership: None, group: "5B".into(), from: DAY, until: None }]);
        assert_eq!(change.leaves, ["5A"]);
        assert_eq!(plan.unlisted.iter().map(|its| its.roll_number.as_str()).collect::<Vec<_>>(), ["2"]);
        assert!(!plan.withdraws);
    }

    #[test]
    fn a_new_group_is_made_once_whatever_its_letter_case() {
        let plan = planned(&[row(2, "7", "Carla", &["6C"]), row(3, "8", "Dev", &["6c"])], &school());
        assert_eq!(plan.new_groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["6C"]);
        assert_eq!((plan.new.len(), plan.new[1].joins[0].group.as_str()), (2, "6C"));
    }

    #[test]
    fn dates_of_a_membership_change_and_the_same_list_again_changes_nothing() {
        let mut listed = row(2, "2", "Ben Ito", &["5B"]);
        listed.groups[0].from = Some(date(2026, 2, 1));
        listed.groups[0].last = Some(date(2026, 6, 30));
        let mut now = school();
        let plan = planned(&[listed.clone()], &now);
        let redated = PlannedMembership {
            membership: Some(21),
            group: "5B".into(),
            from: date(2026, 2, 1),
            until: Some(date(2026, 7, 1)),
        };
        assert_eq!(plan.changed[0].redated, [redated]);
        now.students[1] = student(2, "2", "Ben Ito", &[(2, date(2026, 2, 1), Some(date(2026, 7, 1)))]);
        assert!(planned(&[listed], &now).is_empty());
        // One who comes back joins again.
        let again = planned(&[row(2, "2", "Ben Ito", &["5B"])], &now);
        assert_eq!(again.changed[0].joins[0].from, DAY);
    }

    #[test]
    fn who_was_withdrawn_comes_back_by_the_list_and_a_last_day_without_a_group_withdraws() {
        let mut now = school();
        now.students[1].withdrawn_on = Some(date(2026, 3, 1));
        let plan = planned(&[row(2, "2", "Ben Ito", &[])], &now);
        assert!(plan.changed[0].returns);
        let mut leaver = row(2, "1", "Asha Rao", &[]);
        leaver.last = Some(date(2026, 9, 30));
        let plan = planned(&[leaver], &now);
        assert_eq!(plan.changed[0].withdrawn_on, Some(date(2026, 10, 1)));
        assert!(plan.unlisted.is_empty(), "who is withdrawn is missed by no list");
    }

    #[test]
    fn a_roll_number_of_several_students_is_a_problem_of_its_line() {
        let mut now = school();
        now.students.push(student(3, "2\u{a0}", "Another Ben", &[]));
        let plan = planned(&[row(5, "2", "Ben Ito", &[])], &now);
        assert_eq!((plan.problems[0].line, plan.problems[0].code), (Some(5), ProblemCode::SeveralStudents));
    }

    #[test]
    fn a_fingerprint_is_that_of_what_would_happen() {
        let rows = [row(2, "1", "Asha Rao", &["5B"])];
        let first = planned(&rows, &school());
        let mut now = school();
        now.students.push(student(9, "9", "Zoe", &[]));
        assert_eq!(planned(&rows, &now).fingerprint, first.fingerprint, "somebody else was added");
        let withdraw = |now: &RosterNow| {
            plan(&RosterOrder { rows: &rows, unlisted: Unlisted::Withdraw, day: DAY, language: "en" }, now)
        };
        assert_ne!(withdraw(&now).fingerprint, withdraw(&school()).fingerprint, "who would be withdrawn");
        now.students[0].name = "Asha R".into();
        assert_ne!(planned(&rows, &now).fingerprint, first.fingerprint);
    }
}
