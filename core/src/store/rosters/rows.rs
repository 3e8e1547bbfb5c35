//! What is stored of a span of days.

use super::super::model::{NAME_OF_ERASED, roll_number_of_erased};
use super::super::portable::Value;
use super::super::{RosterOf, RosterQuery, RosterRows};
use super::database::RosterDatabase;
use super::{calendar, excuses, groups, members, timetables};

/// The members of group `$3` between the days `$1` and `$2`, for a test of their ids.
pub(in crate::store) const MEMBERS: &str = "(SELECT m.student_id FROM group_members m WHERE m.group_id = $3
    AND m.from_day <= $2 AND (m.until_day IS NULL OR m.until_day > $1))";

pub(in crate::store) fn read<D: RosterDatabase>(db: &mut D, query: &RosterQuery) -> Result<RosterRows, D::Fault> {
    let (first, last) = (query.first_day, query.last_day);
    let mut values = vec![Value::from(first), Value::from(last)];
    let about = match query.of {
        RosterOf::Everybody => String::new(),
        RosterOf::Group(id) => {
            values.push(Value::from(id));
            format!(" AND student_id IN {MEMBERS}")
        }
        RosterOf::Student(id) => {
            values.push(Value::from(id.0));
            " AND student_id = $3".to_owned()
        }
    };
    let spans = format!("from_day <= $2 AND (until_day IS NULL OR until_day > $1){about}");
    let excused = format!("last_day >= $1 AND first_day <= $2 AND withdrawn_at IS NULL{about}");
    let mut students = db.students(query)?;
    students
        .retain(|student| student.name != NAME_OF_ERASED || student.roll_number != roll_number_of_erased(student.id));
    students.sort_by_cached_key(|student| (student.name.to_lowercase(), student.id));
    let mut timetables = timetables::all(db)?;
    timetables.retain(|version| version.valid_from <= last);
    Ok(RosterRows {
        students,
        groups: groups::all(db)?,
        memberships: members::which(db, &spans, &values)?,
        withdrawals: members::withdrawals(db, &spans, &values)?,
        timetables,
        calendar: calendar::between(db, first, last)?,
        excuses: excuses::which(db, &excused, &values)?,
        marks: db.marks(query)?,
    })
}
