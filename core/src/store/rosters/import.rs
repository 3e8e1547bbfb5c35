//! The import of a list of students, in one transaction.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::super::model::{NAME_OF_ERASED, roll_number_of_erased};
use super::super::outbox::guardians;
use super::super::portable::{Kind, Value};
use super::super::roster_plan::{RosterNow, StudentNow, changes_of, plan};
use super::super::text_keys::roll_key;
use super::super::{
    Guardian, MembershipFilter, ProblemCode, RosterImport, RosterOrder, RosterOutcome, RosterPlan, RosterProblem,
    RosterRun, Withdrawal,
};
use super::database::RosterDatabase;
use super::{changes, groups, members, newcomers};
use crate::error::Result;
use crate::types::StudentId;

/// What is stored of everybody.
fn now<D: RosterDatabase>(db: &mut D) -> Result<RosterNow, D::Fault> {
    let query = "SELECT CAST(id AS bigint), CAST(name AS text), CAST(roll_number AS text) FROM students ORDER BY id";
    let mut students: Vec<StudentNow> = db
        .rows(query, &[], &[Kind::Int, Kind::Text, Kind::Text])?
        .iter()
        .map(|row| StudentNow {
            id: StudentId(row.int(0)),
            name: row.text(1),
            roll_number: row.text(2),
            withdrawn_on: None,
            memberships: Vec::new(),
            guardians: Vec::new(),
        })
        .collect();
    students
        .retain(|student| student.name != NAME_OF_ERASED || student.roll_number != roll_number_of_erased(student.id));
    let places: HashMap<StudentId, usize> = students.iter().enumerate().map(|(at, student)| (student.id, at)).collect();
    let mut each = |id: StudentId, change: &mut dyn FnMut(&mut StudentNow)| {
        if let Some(student) = places.get(&id).and_then(|at| students.get_mut(*at)) {
            change(student);
        }
    };
    for membership in members::list(db, &MembershipFilter::default())? {
        each(membership.student, &mut |student| student.memberships.push(membership));
    }
    for Withdrawal { student, from_day, until_day, .. } in members::withdrawals_of(db, None)? {
        // One that ends is no leaving.
        if until_day.is_none() {
            each(student, &mut |student| student.withdrawn_on = Some(from_day));
        }
    }
    let query = "SELECT student_id, email FROM guardians ORDER BY id";
    for row in db.rows(query, &[], &[Kind::Int, Kind::Text])? {
        each(StudentId(row.int(0)), &mut |student| student.guardians.push(row.text(1).to_lowercase()));
    }
    let groups = groups::all(db)?.into_iter().map(|group| (group.id, group)).collect();
    Ok(RosterNow { groups, students })
}

/// Returns what the import of the list would change.
pub(in crate::store) fn planned<D: RosterDatabase>(
    db: &mut D,
    order: &RosterOrder<'_>,
) -> Result<RosterPlan, D::Fault> {
    Ok(plan(order, &now(db)?))
}

/// Imports the list, if its plan is the one with this fingerprint. Returns what became of it, and whether the changes
/// are to stay.
pub(in crate::store) fn import<D: RosterDatabase>(
    db: &mut D,
    order: &RosterOrder<'_>,
    fingerprint: Option<&str>,
    by: &str,
    at: Timestamp,
) -> Result<(RosterImport, bool), D::Fault> {
    // Whoever changes the roster meanwhile comes before or after.
    db.hold_roster()?;
    db.complete_keys()?;
    let mut plan = planned(db, order)?;
    if !plan.problems.is_empty() {
        return Ok((RosterImport::Refused(plan), false));
    }
    if fingerprint.is_some_and(|wanted| wanted != plan.fingerprint) {
        return Ok((RosterImport::Outdated(plan), false));
    }
    let planned = changes_of(&plan, order.day);
    let (lines, changes): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
    let (outcome, _) = changes::make(db, &changes, RosterRun::Apply, by, at)?;
    if let RosterOutcome::Refused(refused) = outcome {
        for (place, error) in refused {
            let problem = RosterProblem::of_file(ProblemCode::Refused, "", error.to_string());
            plan.problems.push(RosterProblem { line: lines.get(place).copied().flatten(), ..problem });
        }
        return Ok((RosterImport::Refused(plan), false));
    }
    add_guardians(db, &plan, order.language, at)?;
    Ok((RosterImport::Done(plan), true))
}

fn add_guardians<D: RosterDatabase>(
    db: &mut D,
    plan: &RosterPlan,
    language: &str,
    at: Timestamp,
) -> Result<(), D::Fault> {
    // Who is new has none yet.
    let new: Vec<_> = plan.new.iter().filter(|new| !new.guardian_emails.is_empty()).collect();
    let numbers: Vec<&str> = new.iter().map(|new| new.roll_number.as_str()).collect();
    let ids = newcomers::ids_of(db, &numbers)?;
    let (mut rows, mut wanted, mut met) = (Vec::new(), Vec::new(), HashSet::new());
    for new in new {
        let Some(student) = ids.get(&roll_key(&new.roll_number)) else { continue };
        if !met.insert(*student) {
            // Another line of the same student.
            wanted.push((*student, new.guardian_emails.as_slice()));
            continue;
        }
        for Guardian { email, language } in guardians::guardians_fit(&all_of(&new.guardian_emails, language))? {
            rows.push(vec![Value::from(student.0), Value::from(email), Value::from(language), Value::from(at)]);
        }
    }
    newcomers::insert(db, "guardians (student_id, email, language, created_at)", &rows)?;
    let changed = plan.changed.iter().filter(|change| !change.guardian_emails.is_empty());
    wanted.extend(changed.map(|change| (change.student, change.guardian_emails.as_slice())));
    for (student, emails) in wanted {
        let mut all = guardians::list(db, student)?;
        all.extend(all_of(emails, language));
        let all = guardians::guardians_fit(&all)?;
        guardians::set(db, student, &all, at)?;
    }
    Ok(())
}

fn all_of(emails: &[String], language: &str) -> Vec<Guardian> {
    emails.iter().map(|email| Guardian { email: email.clone(), language: language.to_owned() }).collect()
}
