//! The detection log.

use rusqlite::{Connection, params};

use super::super::naive_time::to_micros;
use super::super::rules::logged_texts;
use super::super::{DetectionLog, DetectionLogs, NewDetectionLog};
use super::SqliteStore;
use super::connection::Time;
use crate::error::Result;

impl DetectionLogs for SqliteStore {
    fn add_detection_log(&self, log: &NewDetectionLog) -> Result<i64> {
        self.write("write a detection log", |db| Ok(insert_detection_log(db, log)?))
    }

    fn add_detection_logs(&self, logs: &[NewDetectionLog]) -> Result<()> {
        self.write("write detection logs", |db| {
            for log in logs {
                insert_detection_log(db, log)?;
            }
            Ok(())
        })
    }

    fn detection_logs(&self, limit: u32) -> Result<Vec<DetectionLog>> {
        self.read("list detection logs", |db| {
            let logs = db
                .prepare_cached(
                    "SELECT id, timestamp, COALESCE(faces_detected, 0), COALESCE(students_recognized, 0),
                         processing_time,
                         camera_location, error_message FROM detection_logs ORDER BY timestamp DESC, id DESC LIMIT ?1",
                )?
                .query_map([limit], |row| {
                    Ok(DetectionLog {
                        id: row.get(0)?,
                        entry: NewDetectionLog {
                            timestamp: row.get::<_, Time>(1)?.0,
                            faces_detected: row.get(2)?,
                            students_recognized: row.get(3)?,
                            processing_time: row.get(4)?,
                            camera_location: row.get(5)?,
                            error_message: row.get(6)?,
                        },
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(logs)
        })
    }
}

pub(super) fn insert_detection_log(db: &Connection, log: &NewDetectionLog) -> rusqlite::Result<i64> {
    let [camera_location, error_message] = logged_texts(log);
    db.prepare_cached(
        "INSERT INTO detection_logs (timestamp, faces_detected, students_recognized, processing_time,
             camera_location, error_message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        to_micros(log.timestamp),
        log.faces_detected,
        log.students_recognized,
        log.processing_time,
        camera_location,
        error_message,
    ])?;
    Ok(db.last_insert_rowid())
}
