//! Attendance and its corrections.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::Ordering::Relaxed;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::super::naive_time::{to_bound, to_micros, to_seconds};
use super::super::notices::text;
use super::super::order;
use super::super::outbox::events;
use super::super::rules::{NO_ATTENDANCE, NO_STUDENT, corrected_status, correction_fits, mark_fits};
use super::super::schema::ODD_TIME_OF_A;
use super::super::{
    Attendance, AttendanceBy, AttendanceFilter, AttendanceRecord, AttendanceSummary, Correction, CorrectionRecord,
    Listed, Marking, NewAttendance, Order, Page,
};
use super::connection::{Outcome, Time, maybe_text, maybe_time, number, readable, text as text_of};
use super::old_rows::{mend_attendance, named};
use super::outbox::Shared;
use super::students::student;
use super::{AS_BYTES, SqliteStore, notices};
use crate::error::Result;
use crate::types::StudentId;

impl SqliteStore {
    /// Writes anew the times that another program has spelled otherwise since the database was opened: text order would
    /// not be time order. What is left cannot be read, and no list shows it.
    pub(super) fn mend_times(&self) {
        // Named, because the planner prefers to read every time in the table: 1.1 s with two years of marks.
        let query = format!(
            "SELECT COALESCE(group_concat(a.id || quote(a.timestamp)), '')
             FROM attendance_log a INDEXED BY ix_attendance_log_odd_time WHERE {ODD_TIME_OF_A}"
        );
        let odd = self.read("look at times", |db| {
            Ok(db
                .prepare_cached(&query)?
                .query_row([], |row| Ok(BuildHasherDefault::<DefaultHasher>::default().hash_one(text_of(row, 0)?)))?)
        });
        let none = BuildHasherDefault::<DefaultHasher>::default().hash_one("");
        // Those that were looked at before, and could not be read.
        let Ok(odd) = odd else { return };
        if odd == none || self.unreadable.swap(odd, Relaxed) == odd {
            return;
        }
        match self.write("mend times", |db| Ok(mend_attendance(db)?)) {
            Ok(left) if left.is_empty() => {}
            Ok(left) => {
                let rows = named(&left);
                tracing::warn!(rows, "attendance rows hold a time that cannot be read: no list shows them");
            }
            Err(error) => {
                self.unreadable.store(none, Relaxed);
                tracing::debug!("times that are spelled otherwise are not listed yet: {error}");
            }
        }
    }
}

impl Attendance for SqliteStore {
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
        self.mend_times();
        if order::needs_keys(order) {
            self.complete_keys();
        }
        let order = order::of_attendance(order, AS_BYTES);
        self.read("list attendance", |db| {
            let (from, mut values) = from_where(filter, every_time_is_spelled(db)?);
            let total = if lists_all(db, filter)? {
                db.query_row("SELECT count(*) FROM attendance_log", [], |row| row.get(0))?
            } else {
                db.query_row(&format!("SELECT count(*) {from}"), params_from_iter(&values), |row| row.get(0))?
            };
            values.extend([Value::from(page.limit), Value::from(page.skip)]);
            let items = db
                .prepare_cached(&format!("SELECT {ATTENDANCE} {from} ORDER BY {order} LIMIT ? OFFSET ?"))?
                .query_map(params_from_iter(&values), attendance_from_row)?
                .filter_map(|row| readable(row).transpose())
                .collect::<rusqlite::Result<_>>()?;
            Ok(Listed { items, total })
        })
    }

    fn attendance_record(&self, id: i64) -> Result<Option<AttendanceRecord>> {
        self.read("read attendance", |db| Ok(attendance_record(db, id)?))
    }

    fn delete_attendance(&self, id: i64) -> Result<()> {
        self.write("delete attendance", |db| match db.execute("DELETE FROM attendance_log WHERE id = ?1", [id])? {
            0 => Err(NO_ATTENDANCE.into()),
            _ => {
                events::mark_gone(&mut Shared(db), id)?;
                Ok(notices::leave(db, text::ATTENDANCE)?)
            }
        })
    }

    fn check_out(&self, id: i64, at: Timestamp) -> Result<AttendanceRecord> {
        self.write("check out", |db| check_out(db, id, at))
    }

    fn correct_attendance(&self, id: i64, correction: &Correction, now: Timestamp) -> Result<AttendanceRecord> {
        correction_fits(correction)?;
        self.write("correct attendance", |db| {
            let before = attendance_record(db, id)?.ok_or(NO_ATTENDANCE)?;
            let status = correction.status.as_str();
            db.execute("UPDATE attendance_log SET status = ?2 WHERE id = ?1", params![id, status])?;
            db.execute(
                "INSERT INTO attendance_corrections (attendance_id, status, status_before, corrected_by, reason,
                     created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![id, status, before.status, correction.by, correction.reason, to_micros(now)],
            )?;
            notices::leave(db, text::ATTENDANCE)?;
            let record = attendance_record(db, id)?.ok_or(NO_ATTENDANCE)?;
            events::corrected(&mut Shared(db), &record, now)?;
            Ok(record)
        })
    }

    fn corrections(&self, attendance: i64) -> Result<Vec<CorrectionRecord>> {
        self.read("list corrections", |db| {
            let found = db
                .prepare_cached(
                    "SELECT id, status, corrected_by, reason, status_before, created_at FROM attendance_corrections
                     WHERE attendance_id = ?1 ORDER BY id",
                )?
                .query_map([attendance], |row| {
                    let status: String = row.get(1)?;
                    Ok(CorrectionRecord {
                        id: row.get(0)?,
                        attendance,
                        correction: Correction {
                            status: corrected_status(&status),
                            by: row.get(2)?,
                            reason: row.get(3)?,
                        },
                        status_before: row.get(4)?,
                        at: row.get::<_, Time>(5)?.0,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(found)
        })
    }

    fn attendance_summary(&self, filter: &AttendanceFilter) -> Result<AttendanceSummary> {
        self.mend_times();
        self.read("count attendance", |db| {
            if lists_all(db, filter)? {
                return Ok(sums_of_all(db)?);
            }
            let (from, values) = from_where(filter, every_time_is_spelled(db)?);
            let sql = format!(
                "SELECT count(*), count(*) FILTER (WHERE a.status = 'Present'),
                     count(*) FILTER (WHERE a.status = 'Absent'),
                     count(*) FILTER (WHERE a.status = 'Late'), count(DISTINCT a.student_id) {from}"
            );
            Ok(db.query_row(&sql, params_from_iter(&values), |row| {
                Ok(AttendanceSummary {
                    total: row.get(0)?,
                    present: row.get(1)?,
                    absent: row.get(2)?,
                    late: row.get(3)?,
                    unique_students: row.get(4)?,
                })
            })?)
        })
    }
}

pub(super) const ATTENDANCE: &str =
    "a.id, a.student_id, s.name, s.roll_number, a.timestamp, a.status, a.confidence_score,
    a.camera_location, a.local_day, COALESCE(a.created_at, a.timestamp), a.checked_out_at";

pub(super) fn attendance_from_row(row: &Row<'_>) -> rusqlite::Result<AttendanceRecord> {
    Ok(AttendanceRecord {
        id: row.get(0)?,
        student: StudentId(row.get(1)?),
        student_name: text_of(row, 2)?,
        student_roll_number: text_of(row, 3)?,
        timestamp: row.get::<_, Time>(4)?.0,
        status: text_of(row, 5)?,
        confidence_score: number(row, 6)?,
        camera_location: maybe_text(row, 7)?,
        local_day: maybe_text(row, 8)?.and_then(|text| text.parse::<Date>().ok()),
        created_at: maybe_time(row, 9)?.map_or_else(|| row.get::<_, Time>(4).map(|time| time.0), Ok)?,
        checked_out_at: maybe_time(row, 10)?,
    })
}

pub(super) fn attendance_record(db: &Connection, id: i64) -> rusqlite::Result<Option<AttendanceRecord>> {
    db.prepare_cached(&format!(
        "SELECT {ATTENDANCE} FROM attendance_log a JOIN students s ON s.id = a.student_id WHERE a.id = ?1"
    ))?
    .query_row([id], |row| readable(attendance_from_row(row)))
    .optional()
    .map(Option::flatten)
}

/// The row that stands for this day and period: the one of the unique key, or one that the existing service wrote.
pub(super) fn standing(db: &Connection, new: &NewAttendance) -> rusqlite::Result<Option<AttendanceRecord>> {
    let (day, from, until) = (new.day.date.to_string(), to_bound(new.day.starts_at), to_bound(new.day.ends_at));
    db.prepare_cached(&format!(
        "SELECT {ATTENDANCE} FROM attendance_log a JOIN students s ON s.id = a.student_id
         WHERE a.student_id = ?1 AND ((a.local_day = ?2 AND a.period = ?3)
             OR (a.local_day IS NULL AND a.timestamp >= ?4 AND a.timestamp < ?5)) AND NOT {ODD_TIME_OF_A}
         ORDER BY a.id LIMIT 1"
    ))?
    .query_row(params![new.student.0, day, new.period, from, until], |row| readable(attendance_from_row(row)))
    .optional()
    .map(Option::flatten)
}

pub(super) fn mark(db: &Connection, new: &NewAttendance) -> Outcome<Marking> {
    student(db, new.student)?.ok_or(NO_STUDENT)?;
    if let Some(record) = standing(db, new)? {
        return Ok(Marking::AlreadyMarked(record));
    }
    db.prepare_cached(
        "INSERT INTO attendance_log (student_id, timestamp, status, confidence_score, camera_location, created_at,
             local_day, period) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        new.student.0,
        to_micros(new.at),
        new.status.as_str(),
        new.confidence_score,
        new.camera_location,
        to_seconds(new.at),
        new.day.date.to_string(),
        new.period,
    ])?;
    let record = attendance_record(db, db.last_insert_rowid())?.ok_or(NO_ATTENDANCE)?;
    events::marked(&mut Shared(db), new, &record)?;
    Ok(Marking::Marked(record))
}

pub(super) fn check_out(db: &Connection, id: i64, at: Timestamp) -> Outcome<AttendanceRecord> {
    db.execute(
        "UPDATE attendance_log SET checked_out_at = max(COALESCE(checked_out_at, ?2), ?2) WHERE id = ?1",
        params![id, to_micros(at)],
    )?;
    let record = attendance_record(db, id)?.ok_or(NO_ATTENDANCE)?;
    events::left(&mut Shared(db), &record, at)?;
    Ok(record)
}

/// Whether no time is spelled otherwise than the existing service spells it: then no row has to be looked at for that.
fn every_time_is_spelled(db: &Connection) -> rusqlite::Result<bool> {
    let query = format!(
        "SELECT NOT EXISTS (SELECT 1 FROM attendance_log a INDEXED BY ix_attendance_log_odd_time
             WHERE {ODD_TIME_OF_A})"
    );
    db.prepare_cached(&query)?.query_row([], |row| row.get(0))
}

/// Whether a list with this filter holds every row of the table, so that they are counted without looking at each: no
/// filter, no time that cannot be read, and no row of nobody. Those are found by one look for each student whom the
/// rows name.
fn lists_all(db: &Connection, filter: &AttendanceFilter) -> rusqlite::Result<bool> {
    const OF_NOBODY: &str = "
        WITH RECURSIVE named(id) AS (
            SELECT min(student_id) FROM attendance_log
            UNION ALL
            SELECT (SELECT min(a.student_id) FROM attendance_log a WHERE a.student_id > named.id) FROM named
            WHERE named.id IS NOT NULL)
        SELECT EXISTS (SELECT 1 FROM named WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM students))";
    Ok(*filter == AttendanceFilter::default()
        && every_time_is_spelled(db)?
        && !db.prepare_cached(OF_NOBODY)?.query_row([], |row| row.get::<_, bool>(0))?)
}

/// The sums of all rows. Most are present: the others have an index, and are subtracted.
fn sums_of_all(db: &Connection) -> rusqlite::Result<AttendanceSummary> {
    let total: u64 = db.query_row("SELECT count(*) FROM attendance_log", [], |row| row.get(0))?;
    let of_all = |absent: u64, late: u64, others: u64, unique_students: u64| AttendanceSummary {
        total,
        present: total.saturating_sub(others),
        absent,
        late,
        unique_students,
    };
    db.query_row(
        "SELECT count(*) FILTER (WHERE status = 'Absent'), count(*) FILTER (WHERE status = 'Late'), count(*),
             (SELECT count(*) FROM students s
              WHERE EXISTS (SELECT 1 FROM attendance_log a WHERE a.student_id = s.id))
         FROM attendance_log INDEXED BY ix_attendance_log_not_present WHERE status IS NOT 'Present'",
        [],
        |row| Ok(of_all(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )
}

/// The rows that pass the filter, as the FROM and WHERE of a query and the values of its parameters.
fn from_where(filter: &AttendanceFilter, every_time_is_spelled: bool) -> (String, Vec<Value>) {
    let conditions = [
        ("a.timestamp >= ?", filter.from.map(|at| Value::from(to_bound(at)))),
        ("a.timestamp < ?", filter.until.map(|at| Value::from(to_bound(at)))),
        ("a.student_id = ?", filter.student.map(|id| Value::from(id.0))),
        ("a.status = ?", filter.status.clone().map(Value::from)),
    ];
    let (tests, values): (Vec<_>, Vec<_>) =
        conditions.into_iter().filter_map(|(test, value)| Some((test, value?))).unzip();
    let mut tests = tests;
    let readable = format!("NOT {ODD_TIME_OF_A}");
    tests.push(if every_time_is_spelled { "1" } else { &readable });
    let tests = tests.join(" AND ");
    (format!("FROM attendance_log a JOIN students s ON s.id = a.student_id WHERE {tests}"), values)
}
