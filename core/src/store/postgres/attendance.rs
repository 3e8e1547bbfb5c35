//! Attendance, its corrections, and the detection log.

use jiff::Timestamp;
use jiff::civil::Date;
use postgres::types::ToSql;
use postgres::{Row, Transaction};

use super::super::notices::text;
use super::super::order;
use super::super::outbox::events;
use super::super::rules::{NO_ATTENDANCE, NO_STUDENT, corrected_status, correction_fits, mark_fits};
use super::super::{
    Attendance, AttendanceBy, AttendanceFilter, AttendanceRecord, AttendanceSummary, Correction, CorrectionRecord,
    Listed, Marking, NewAttendance, Order, Page,
};
use super::outbox::Shared;
use super::{AS_BYTES, Outcome, PostgresStore, certain_time, count, micros, notices, seconds, time};
use crate::error::Result;
use crate::types::StudentId;

impl Attendance for PostgresStore {
    fn mark_attendance(&self, new: &NewAttendance) -> Result<Marking> {
        mark_fits(new)?;
        self.write("mark attendance", |db| {
            let marking = mark(db, new)?;
            if let Marking::Marked(record) = &marking {
                notices::leave(db, &text::marked(&self.name, record.id))?;
            }
            Ok(marking)
        })
    }

    fn attendance_in_order(
        &self,
        filter: &AttendanceFilter,
        order: Order<AttendanceBy>,
        page: Page,
    ) -> Result<Listed<AttendanceRecord>> {
        if order::needs_keys(order) {
            self.complete_keys();
        }
        self.read("list attendance", |db| list(db, filter, order, page))
    }

    fn attendance_record(&self, id: i64) -> Result<Option<AttendanceRecord>> {
        self.read("read attendance", |db| find(db, id))
    }

    fn delete_attendance(&self, id: i64) -> Result<()> {
        self.write("delete attendance", |db| {
            delete(db, id)?;
            events::mark_gone(&mut Shared::of(db), id)?;
            notices::leave(db, text::ATTENDANCE)
        })
    }

    fn check_out(&self, id: i64, at: Timestamp) -> Result<AttendanceRecord> {
        self.write("check out", |db| check_out(db, id, at))
    }

    fn correct_attendance(&self, id: i64, correction: &Correction, now: Timestamp) -> Result<AttendanceRecord> {
        correction_fits(correction)?;
        self.write("correct attendance", |db| {
            notices::leave(db, text::ATTENDANCE)?;
            correct(db, id, correction, now)
        })
    }

    fn corrections(&self, attendance: i64) -> Result<Vec<CorrectionRecord>> {
        self.read("list corrections", |db| corrections(db, attendance))
    }

    fn attendance_summary(&self, filter: &AttendanceFilter) -> Result<AttendanceSummary> {
        self.read("count attendance", |db| summary(db, filter))
    }
}

const ATTENDANCE: &str = "a.id::bigint, a.student_id::bigint, s.name, s.roll_number, a.timestamp::timestamp, a.status,
    a.confidence_score::float8, a.camera_location, a.local_day, COALESCE(a.created_at, a.timestamp)::timestamp,
    a.checked_out_at";

fn from_row(row: &Row) -> Outcome<AttendanceRecord> {
    Ok(AttendanceRecord {
        id: row.try_get(0)?,
        student: StudentId(row.try_get(1)?),
        student_name: row.try_get(2)?,
        student_roll_number: row.try_get(3)?,
        timestamp: certain_time(row, 4)?,
        status: row.try_get(5)?,
        confidence_score: row.try_get(6)?,
        camera_location: row.try_get(7)?,
        local_day: row.try_get::<_, Option<Date>>(8)?,
        created_at: certain_time(row, 9)?,
        checked_out_at: time(row, 10)?,
    })
}

pub(super) fn find(db: &mut Transaction<'_>, id: i64) -> Outcome<Option<AttendanceRecord>> {
    let row = db.query_opt(
        &format!(
            "SELECT {ATTENDANCE} FROM attendance_log a JOIN students s ON s.id = a.student_id WHERE a.id = $1::bigint"
        ),
        &[&id],
    )?;
    row.as_ref().map(from_row).transpose()
}

/// The row that stands for this day and period: the one of the unique key, or one that the existing service wrote.
pub(super) fn standing(db: &mut Transaction<'_>, new: &NewAttendance) -> Outcome<Option<AttendanceRecord>> {
    let row = db.query_opt(
        &format!(
            "SELECT {ATTENDANCE} FROM attendance_log a JOIN students s ON s.id = a.student_id
             WHERE a.student_id = $1::bigint AND ((a.local_day = $2 AND a.period = $3)
                 OR (a.local_day IS NULL AND a.timestamp >= $4::timestamp AND a.timestamp < $5::timestamp))
             ORDER BY a.id LIMIT 1"
        ),
        &[&new.student.0, &new.day.date, &new.period, &micros(new.day.starts_at), &micros(new.day.ends_at)],
    )?;
    row.as_ref().map(from_row).transpose()
}

/// How often a mark is tried against another server that makes and deletes the same one: twice is a coincidence
/// already.
const MARK_ATTEMPTS: u32 = 3;

pub(super) fn mark(db: &mut Transaction<'_>, new: &NewAttendance) -> Outcome<Marking> {
    // Held against deletion, not against other marks: those meet at the unique key.
    db.query_opt("SELECT 1 FROM students WHERE id = $1::bigint FOR KEY SHARE", &[&new.student.0])?.ok_or(NO_STUDENT)?;
    // A row that another server made meanwhile, and deleted meanwhile, stands for nothing: then it is tried again.
    for _ in 0..MARK_ATTEMPTS {
        if let Some(record) = standing(db, new)? {
            return Ok(Marking::AlreadyMarked(record));
        }
        let made = db.query_opt(
            "INSERT INTO attendance_log (student_id, timestamp, status, confidence_score, camera_location, created_at,
                 local_day, period) VALUES ($1::bigint, $2::timestamp, $3, $4, $5, $6::timestamp, $7, $8)
             ON CONFLICT DO NOTHING RETURNING id::bigint",
            &[
                &new.student.0,
                &micros(new.at),
                &new.status.as_str(),
                &new.confidence_score,
                &new.camera_location,
                &seconds(new.at),
                &new.day.date,
                &new.period,
            ],
        )?;
        if let Some(row) = made {
            let record = find(db, row.try_get(0)?)?.ok_or(NO_ATTENDANCE)?;
            events::marked(&mut Shared::of(db), new, &record)?;
            return Ok(Marking::Marked(record));
        }
        // Another server was faster by less than this transaction; its row is there now.
    }
    Err(NO_ATTENDANCE.into())
}

/// The rows that pass the filter, as the FROM and WHERE of a query and the values of its parameters.
fn from_where(filter: &AttendanceFilter) -> (String, Vec<Box<dyn ToSql + Sync>>) {
    // `infinity`, and years that nothing here can tell, are no time of a mark.
    let mut tests = vec!["a.timestamp >= '0001-01-01' AND a.timestamp < '10000-01-01'".to_owned()];
    let mut values: Vec<Box<dyn ToSql + Sync>> = Vec::new();
    let mut add = |test: &str, cast: &str, value: Option<Box<dyn ToSql + Sync>>| {
        if let Some(value) = value {
            values.push(value);
            tests.push(format!("{test} ${}::{cast}", values.len()));
        }
    };
    add("a.timestamp >=", "timestamp", filter.from.map(|at| Box::new(micros(at)) as _));
    add("a.timestamp <", "timestamp", filter.until.map(|at| Box::new(micros(at)) as _));
    add("a.student_id =", "bigint", filter.student.map(|id| Box::new(id.0) as _));
    // No row has a status with a NUL, which the database does not take as a value.
    let has_nul = filter.status.as_ref().is_some_and(|status| status.contains('\0'));
    add("a.status =", "text", filter.status.clone().filter(|_| !has_nul).map(|status| Box::new(status) as _));
    if has_nul {
        tests.push("false".to_owned());
    }
    let sql = format!("FROM attendance_log a JOIN students s ON s.id = a.student_id WHERE {}", tests.join(" AND "));
    (sql, values)
}

pub(super) fn as_params(values: &[Box<dyn ToSql + Sync>]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as _).collect()
}

pub(super) fn list(
    db: &mut Transaction<'_>,
    filter: &AttendanceFilter,
    order: Order<AttendanceBy>,
    page: Page,
) -> Outcome<Listed<AttendanceRecord>> {
    let order = order::of_attendance(order, AS_BYTES);
    let (from, values) = from_where(filter);
    let total = if lists_all(db, filter)? {
        count(&db.query_one("SELECT count(*) FROM attendance_log", &[])?, 0)?
    } else {
        count(&db.query_one(&format!("SELECT count(*) {from}"), &as_params(&values))?, 0)?
    };
    let rows = db.query(
        &format!("SELECT {ATTENDANCE} {from} ORDER BY {order} LIMIT {} OFFSET {}", page.limit, page.skip),
        &as_params(&values),
    )?;
    Ok(Listed { items: rows.iter().map(from_row).collect::<Outcome<_>>()?, total })
}

/// Whether a list with this filter holds every row of the table, so that they are counted without looking at each: no
/// filter, no time that nothing here can tell, and no row of nobody, which the foreign key sees to where there is one.
fn lists_all(db: &mut Transaction<'_>, filter: &AttendanceFilter) -> Outcome<bool> {
    if *filter != AttendanceFilter::default() {
        return Ok(false);
    }
    let row = db.query_one(
        "SELECT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'f' AND convalidated
                 AND conrelid = 'attendance_log'::regclass AND confrelid = 'students'::regclass)
             AND NOT EXISTS (SELECT 1 FROM attendance_log WHERE timestamp < '0001-01-01')
             AND NOT EXISTS (SELECT 1 FROM attendance_log WHERE timestamp >= '10000-01-01')",
        &[],
    )?;
    Ok(row.try_get(0)?)
}

/// The sums of all rows. Most are present: the others have an index, and are subtracted.
fn sums_of_all(db: &mut Transaction<'_>) -> Outcome<AttendanceSummary> {
    let row = db.query_one(
        "SELECT (SELECT count(*) FROM attendance_log), count(*), count(*) FILTER (WHERE status = 'Absent'),
             count(*) FILTER (WHERE status = 'Late'), (SELECT count(*) FROM students s CROSS JOIN LATERAL
                 (SELECT 1 FROM attendance_log a WHERE a.student_id = s.id LIMIT 1) marked)
         FROM attendance_log WHERE status IS DISTINCT FROM 'Present'",
        &[],
    )?;
    let total = count(&row, 0)?;
    Ok(AttendanceSummary {
        total,
        present: total.saturating_sub(count(&row, 1)?),
        absent: count(&row, 2)?,
        late: count(&row, 3)?,
        unique_students: count(&row, 4)?,
    })
}

pub(super) fn summary(db: &mut Transaction<'_>, filter: &AttendanceFilter) -> Outcome<AttendanceSummary> {
    if lists_all(db, filter)? {
        return sums_of_all(db);
    }
    let (from, values) = from_where(filter);
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE a.status = 'Present'), count(*) FILTER (WHERE a.status = 'Absent'),
             count(*) FILTER (WHERE a.status = 'Late'), count(DISTINCT a.student_id) {from}"
    );
    let row = db.query_one(&sql, &as_params(&values))?;
    Ok(AttendanceSummary {
        total: count(&row, 0)?,
        present: count(&row, 1)?,
        absent: count(&row, 2)?,
        late: count(&row, 3)?,
        unique_students: count(&row, 4)?,
    })
}

pub(super) fn delete(db: &mut Transaction<'_>, id: i64) -> Outcome<()> {
    match db.execute("DELETE FROM attendance_log WHERE id = $1::bigint", &[&id])? {
        0 => Err(NO_ATTENDANCE.into()),
        _ => Ok(()),
    }
}

pub(super) fn check_out(db: &mut Transaction<'_>, id: i64, at: Timestamp) -> Outcome<AttendanceRecord> {
    db.execute(
        "UPDATE attendance_log SET checked_out_at = greatest(checked_out_at, $2) WHERE id = $1::bigint",
        &[&id, &micros(at)],
    )?;
    let record = find(db, id)?.ok_or(NO_ATTENDANCE)?;
    events::left(&mut Shared::of(db), &record, at)?;
    Ok(record)
}

pub(super) fn correct(
    db: &mut Transaction<'_>,
    id: i64,
    correction: &Correction,
    now: Timestamp,
) -> Outcome<AttendanceRecord> {
    // What it was before is what nobody changes any more until this is written.
    let row = db.query_opt("SELECT status FROM attendance_log WHERE id = $1::bigint FOR UPDATE", &[&id])?;
    let before: String = row.ok_or(NO_ATTENDANCE)?.try_get(0)?;
    let status = correction.status.as_str();
    db.execute("UPDATE attendance_log SET status = $2 WHERE id = $1::bigint", &[&id, &status])?;
    db.execute(
        "INSERT INTO attendance_corrections (attendance_id, status, status_before, corrected_by, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[&id, &status, &before, &correction.by, &correction.reason, &micros(now)],
    )?;
    let record = find(db, id)?.ok_or(NO_ATTENDANCE)?;
    events::corrected(&mut Shared::of(db), &record, now)?;
    Ok(record)
}

pub(super) fn corrections(db: &mut Transaction<'_>, attendance: i64) -> Outcome<Vec<CorrectionRecord>> {
    let rows = db.query(
        "SELECT id, status, corrected_by, reason, status_before, created_at FROM attendance_corrections
         WHERE attendance_id = $1 ORDER BY id",
        &[&attendance],
    )?;
    rows.iter()
        .map(|row| {
            let status: String = row.try_get(1)?;
            let status = corrected_status(&status);
            Ok(CorrectionRecord {
                id: row.try_get(0)?,
                attendance,
                correction: Correction { status, by: row.try_get(2)?, reason: row.try_get(3)? },
                status_before: row.try_get(4)?,
                at: certain_time(row, 5)?,
            })
        })
        .collect()
}
