//! The marks of a span of days, from which statuses are derived.

use jiff::civil::Date;
use postgres::types::ToSql;
use postgres::{Row, Transaction};

use super::super::rosters::rows::MEMBERS;
use super::super::rosters::words::Words;
use super::super::{RosterMark, RosterOf, RosterQuery};
use super::{Outcome, certain_time, micros, time};
use crate::types::StudentId;

const MARK: &str = "a.id::bigint, a.student_id::bigint, a.timestamp::timestamp, a.status::text, a.local_day,
    a.period::text, a.checked_out_at, a.checked_out_at IS NOT NULL AND EXISTS
        (SELECT 1 FROM attendance_corrections c WHERE c.attendance_id = a.id)";

pub(super) fn marks(db: &mut Transaction<'_>, query: &RosterQuery) -> Outcome<Vec<RosterMark>> {
    let (about, values) = about("a.student_id", query);
    let mut words = Words::default();
    let mut found = Vec::new();
    // Two queries, so that each has its index: days are in rows of this library, times in those of others.
    let days = "a.local_day >= $1::date AND a.local_day <= $2::date".to_owned();
    let times = format!(
        "a.local_day IS NULL AND a.timestamp >= ${0}::timestamp AND a.timestamp < ${1}::timestamp",
        values.len() + 1,
        values.len() + 2
    );
    let bounds: [Box<dyn ToSql + Sync>; 2] = [Box::new(micros(query.starts_at)), Box::new(micros(query.ends_at))];
    for (test, bounds) in [(days, &bounds[..0]), (times, &bounds[..])] {
        let mut given = params(&values);
        given.extend(params(bounds));
        let sql = format!("SELECT {MARK} FROM attendance_log a WHERE {test} {about}");
        for row in db.query(&sql, &given)? {
            found.push(mark_of(&row, &mut words)?);
        }
    }
    Ok(found)
}

fn mark_of(row: &Row, words: &mut Words) -> Outcome<RosterMark> {
    let day = row.try_get::<_, Option<Date>>(4)?;
    let period = if day.is_some() { row.try_get::<_, Option<&str>>(5)? } else { None };
    Ok(RosterMark {
        id: row.try_get(0)?,
        student: StudentId(row.try_get(1)?),
        at: certain_time(row, 2)?,
        status: words.of(row.try_get(3)?),
        period: period.map(|period| words.of(period)),
        day,
        checked_out_at: time(row, 6)?,
        is_corrected: row.try_get(7)?,
    })
}

pub(super) fn params(values: &[Box<dyn ToSql + Sync>]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as _).collect()
}

/// The test that a column names a student of the query, and the values of `$1` to `$3`: the days, and who it is.
pub(super) fn about(column: &str, query: &RosterQuery) -> (String, Vec<Box<dyn ToSql + Sync>>) {
    const DAYS: &str = "AND $1::date IS NOT NULL AND $2::date IS NOT NULL";
    let mut values: Vec<Box<dyn ToSql + Sync>> = vec![Box::new(query.first_day), Box::new(query.last_day)];
    let test = match query.of {
        RosterOf::Everybody => DAYS.to_owned(),
        RosterOf::Group(id) => {
            values.push(Box::new(id));
            format!("{DAYS} AND {column} IN {MEMBERS}")
        }
        RosterOf::Student(id) => {
            values.push(Box::new(id.0));
            format!("{DAYS} AND {column} = $3::bigint")
        }
    };
    (test, values)
}
