//! Which marks of two records of one person stay, for both databases: one for a period of a day, the earlier.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Merged, NewAuditEntry};
use crate::types::StudentId;

/// A mark of one of the two records, as the plan needs it.
#[derive(Debug, Clone)]
pub(super) struct MarkRow {
    pub(super) id: i64,
    pub(super) of_kept: bool,
    pub(super) at: Timestamp,
    /// The day, with its period; without a period in a row of the existing service, which stands for the whole day.
    pub(super) day: Option<Date>,
    pub(super) period: Option<String>,
    pub(super) status: String,
    pub(super) checked_out_at: Option<Timestamp>,
    /// The newest correction of it.
    pub(super) corrected: Option<i64>,
}

impl MarkRow {
    /// Returns whether the two are marks of one person for one time.
    fn stands_for(&self, other: &Self) -> bool {
        let same_period = match (&self.period, &other.period) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        self.of_kept != other.of_kept && self.day.is_some() && self.day == other.day && same_period
    }
}

/// A mark that stays, with what it takes over from the later ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stays {
    pub(super) id: i64,
    /// The marks that it stands for, which go.
    pub(super) instead_of: Vec<i64>,
    /// What a person said last of any of them, or else what it said itself.
    pub(super) status: String,
    pub(super) checked_out_at: Option<Timestamp>,
}

/// What becomes of the marks.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct MergePlan {
    /// The other record's marks that become the kept one's, by id.
    pub(super) move_over: Vec<i64>,
    /// The marks that take something over.
    pub(super) joined: Vec<Stays>,
}

/// Returns what becomes of `rows`, the marks of both records.
pub(super) fn plan(mut rows: Vec<MarkRow>) -> MergePlan {
    rows.sort_by_key(|row| (row.at, !row.of_kept, row.id));
    let mut stay: Vec<(MarkRow, Vec<i64>)> = Vec::new();
    for row in rows {
        match stay.iter_mut().find(|(first, _)| first.stands_for(&row)) {
            Some((first, gone)) => {
                gone.push(row.id);
                first.checked_out_at = first.checked_out_at.max(row.checked_out_at);
                if row.corrected > first.corrected {
                    (first.corrected, first.status) = (row.corrected, row.status);
                }
            }
            None => stay.push((row, Vec::new())),
        }
    }
    let mut plan = MergePlan::default();
    for (row, instead_of) in stay {
        if !row.of_kept {
            plan.move_over.push(row.id);
        }
        if !instead_of.is_empty() {
            let MarkRow { id, status, checked_out_at, .. } = row;
            plan.joined.push(Stays { id, instead_of, status, checked_out_at });
        }
    }
    plan
}

/// Returns the two entries of the audit log: about who stayed and about who is gone. They name nobody, for they
/// outlive both.
pub(super) fn merge_entries(merged: &Merged, kept: StudentId, actor: &str, at: Timestamp) -> [NewAuditEntry; 2] {
    let Merged { erasure, .. } = merged;
    let gone = erasure.student.id;
    let face = if merged.took_face { "the face of the other" } else { "its own face" };
    let consent = if merged.took_consent { ", the consent of the other" } else { "" };
    let about_kept = format!(
        "student_id {gone} was merged into it: {} marks moved, {} joined, {} second looks moved; {face}{consent}",
        merged.marks_moved, erasure.marks_deleted, merged.second_looks_moved
    );
    let about_gone = format!(
        "merged into student_id {kept} and erased: {} templates, {} liveness sessions and {} marks deleted, {} marks \
         moved",
        erasure.templates, erasure.sessions, erasure.marks_deleted, merged.marks_moved
    );
    [(kept, about_kept), (gone, about_gone)].map(|(student, details)| NewAuditEntry {
        at,
        actor: actor.to_owned(),
        action: "student.merge".into(),
        subject: Some(NewAuditEntry::subject_of(student)),
        details: Some(details),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, of_kept: bool, at: &str, period: Option<&str>) -> MarkRow {
        MarkRow {
            id,
            of_kept,
            at: at.parse().unwrap(),
            day: Some(at[..10].parse().unwrap()),
            period: period.map(str::to_owned),
            status: "Present".into(),
            checked_out_at: None,
            corrected: None,
        }
    }

    #[test]
    fn the_earlier_mark_of_a_period_stays_whosever_it_is() {
        let morning = Some("morning");
        let first = row(1, true, "2026-03-02T09:00:00Z", morning);
        let earlier = row(2, false, "2026-03-02T08:00:00Z", morning);
        let alone = row(3, false, "2026-03-02T13:00:00Z", Some("noon"));
        let plan = plan(vec![first, earlier, alone]);
        assert_eq!(plan.move_over, [2, 3]);
        assert_eq!(plan.joined[0].instead_of, [1]);
    }

    #[test]
    fn of_two_marks_at_one_moment_that_of_the_record_that_stays_does() {
        let at = "2026-03-02T09:00:00Z";
        let plan = plan(vec![row(1, false, at, Some("day")), row(2, true, at, Some("day"))]);
        assert_eq!((plan.move_over, plan.joined[0].id), (vec![], 2));
    }

    #[test]
    fn a_mark_without_a_period_stands_for_its_day_and_one_without_a_day_for_itself() {
        let old = row(1, true, "2026-03-02T07:00:00Z", None);
        let ours = row(2, false, "2026-03-02T08:00:00Z", Some("day"));
        assert_eq!(plan(vec![old.clone(), ours.clone()]).joined[0].instead_of, [2]);
        let dayless = MarkRow { day: None, ..old };
        assert_eq!(plan(vec![dayless, ours]), MergePlan { move_over: vec![2], joined: vec![] });
    }

    #[test]
    fn two_marks_of_one_record_are_never_joined() {
        let old = |id, at| row(id, false, at, None);
        let plan = plan(vec![old(1, "2026-03-02T07:00:00Z"), old(2, "2026-03-02T08:00:00Z")]);
        assert_eq!(plan.move_over, [1, 2]);
    }

    #[test]
    fn what_a_person_said_last_counts_and_the_latest_check_out() {
        let mut first = row(1, true, "2026-03-02T08:00:00Z", Some("day"));
        let mut later = row(2, false, "2026-03-02T09:00:00Z", Some("day"));
        later.checked_out_at = Some("2026-03-02T17:00:00Z".parse().unwrap());
        (later.status, later.corrected) = ("Absent".into(), Some(7));
        let joined = plan(vec![first.clone(), later.clone()]).joined.remove(0);
        assert_eq!((joined.status.as_str(), joined.checked_out_at), ("Absent", later.checked_out_at));
        (first.status, first.corrected) = ("Late".into(), Some(9));
        assert_eq!(plan(vec![first, later]).joined[0].status, "Late");
    }
}
