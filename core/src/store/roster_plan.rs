//! What the import of a list changes: decided here for both databases, from the list and what is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::ToSpan as _;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::text_keys::{camera_key, roll_key};
use super::{
    GroupKind, ListedGroup, PlannedChange, PlannedMembership, PlannedStudent, ProblemCode, RosterOrder, RosterPlan,
    RosterProblem, RosterRow, Unlisted, UnlistedStudent,
};
use crate::types::StudentId;

/// A group as it is stored.
#[derive(Debug, Clone)]
pub(super) struct GroupNow {
    pub(super) name: String,
    pub(super) kind: GroupKind,
}

/// A student as stored.
#[derive(Debug, Clone)]
pub(super) struct StudentNow {
    pub(super) id: StudentId,
    pub(super) name: String,
    pub(super) roll_number: String,
    /// The first day on which the student is no longer expected.
    pub(super) withdrawn_on: Option<Date>,
    pub(super) memberships: Vec<MembershipNow>,
}

/// A membership as it is stored.
#[derive(Debug, Clone)]
pub(super) struct MembershipNow {
    pub(super) group: i64,
    pub(super) from: Date,
    pub(super) until: Option<Date>,
}

impl MembershipNow {
    fn is_over(&self, day: Date) -> bool {
        self.until.is_some_and(|until| until <= day)
    }
}

/// What is stored of everybody, as one moment has it.
#[derive(Debug, Clone, Default)]
pub(super) struct RosterNow {
    pub(super) groups: BTreeMap<i64, GroupNow>,
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
    groups: HashMap<String, (i64, &'a GroupNow)>,
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
            returns: false,
            withdrawn_on: None,
        };
        for group in &row.groups {
            let stored = self.groups.get(&camera_key(&group.name)).copied();
            let until = day_after(group.last);
            let known = stored.and_then(|(id, _)| {
                let of = || student.memberships.iter().filter(move |its| its.group == id);
                // The one that is not over, else one that has ended just then.
                of().find(|its| !its.is_over(day)).or_else(|| of().find(|its| until.is_some() && its.until == until))
            });
            let (Some((_, stored)), Some(known)) = (stored, known) else {
                let joining = self.joining(group);
                change.joins.push(joining);
                continue;
            };
            let dates = (group.from.unwrap_or(known.from), until.or(known.until));
            if dates != (known.from, known.until) {
                change.redated.push(PlannedMembership { group: stored.name.clone(), from: dates.0, until: dates.1 });
            }
        }
        change.leaves = self.leaving(row, student);
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
        let current = student.memberships.iter().filter(|its| !its.is_over(self.day));
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
            Some((_, stored)) => stored.name.clone(),
            None => self.new_groups.entry(key).or_insert_with(|| group.clone()).name.clone(),
        };
        // One that is over before the import begins on its own last day, where nothing else is said.
        let from = group.from.unwrap_or_else(|| group.last.map_or(self.day, |last| last.min(self.day)));
        PlannedMembership { group: name, from, until: day_after(group.last) }
    }
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
            guardian_email: None,
            guardian_phone: None,
        }
    }

    fn student(id: i64, roll_number: &str, name: &str, groups: &[(i64, Date, Option<Date>)]) -> StudentNow {
        let memberships =
            groups.iter().map(|(group, from, until)| MembershipNow { group: *group, from: *from, until: *until });
        StudentNow {
            id: StudentId(id),
            name: name.into(),
            roll_number: roll_number.into(),
            withdrawn_on: None,
            memberships: memberships.collect(),
        }
    }

    fn school() -> RosterNow {
        let group = |name: &str, kind| GroupNow { name: name.into(), kind };
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
        plan(&RosterOrder { rows, unlisted: Unlisted::Keep, day: DAY }, now)
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
        assert_eq!(change.joins, [PlannedMembership { group: "5B".into(), from: DAY, until: None }]);
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
        let redated = PlannedMembership { group: "5B".into(), from: date(2026, 2, 1), until: Some(date(2026, 7, 1)) };
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
        let withdraw =
            |now: &RosterNow| plan(&RosterOrder { rows: &rows, unlisted: Unlisted::Withdraw, day: DAY }, now);
        assert_ne!(withdraw(&now).fingerprint, withdraw(&school()).fingerprint, "who would be withdrawn");
        now.students[0].name = "Asha R".into();
        assert_ne!(planned(&rows, &now).fingerprint, first.fingerprint);
    }
}
