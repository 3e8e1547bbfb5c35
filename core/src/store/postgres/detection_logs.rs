//! The detection log.

use postgres::{Row, Transaction};

use super::super::rules::logged_texts;
use super::super::{DetectionLog, DetectionLogs, NewDetectionLog};
use super::{Outcome, PostgresStore, certain_time, micros};
use crate::error::Result;

impl DetectionLogs for PostgresStore {
    fn add_detection_log(&self, log: &NewDetectionLog) -> Result<i64> {
        self.write("write a detection log", |db| add_detection_log(db, log))
    }

    fn add_detection_logs(&self, logs: &[NewDetectionLog]) -> Result<()> {
        self.write("write detection logs", |db| {
            for log in logs {
                add_detection_log(db, log)?;
            }
            Ok(())
        })
    }

    fn detection_logs(&self, limit: u32) -> Result<Vec<DetectionLog>> {
        self.read("list detection logs", |db| detection_logs(db, limit))
    }
}

pub(super) fn add_detection_log(db: &mut Transaction<'_>, log: &NewDetectionLog) -> Outcome<i64> {
    let whole = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let [camera_location, error_message] = logged_texts(log);
    let row = db.query_one(
        "INSERT INTO detection_logs (timestamp, faces_detected, students_recognized, processing_time, camera_location,
             error_message) VALUES ($1::timestamp, $2::int, $3::int, $4, $5, $6) RETURNING id::bigint",
        &[
            &micros(log.timestamp),
            &whole(log.faces_detected),
            &whole(log.students_recognized),
            &log.processing_time,
            &camera_location,
            &error_message,
        ],
    )?;
    Ok(row.try_get(0)?)
}

pub(super) fn detection_logs(db: &mut Transaction<'_>, limit: u32) -> Outcome<Vec<DetectionLog>> {
    let rows = db.query(
        "SELECT id::bigint, timestamp::timestamp, COALESCE(faces_detected, 0)::bigint,
             COALESCE(students_recognized, 0)::bigint, processing_time::float8, camera_location, error_message
         FROM detection_logs ORDER BY timestamp DESC, id DESC LIMIT $1",
        &[&i64::from(limit)],
    )?;
    let whole = |row: &Row, column| -> Outcome<u32> { Ok(u32::try_from(row.try_get::<_, i64>(column)?).unwrap_or(0)) };
    rows.iter()
        .map(|row| {
            Ok(DetectionLog {
                id: row.try_get(0)?,
                entry: NewDetectionLog {
                    timestamp: certain_time(row, 1)?,
                    faces_detected: whole(row, 2)?,
                    students_recognized: whole(row, 3)?,
                    processing_time: row.try_get(4)?,
                    camera_location: row.try_get(5)?,
                    error_message: row.try_get(6)?,
                },
            })
        })
        .collect::<Outcome<_>>()
}
