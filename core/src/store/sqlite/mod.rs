//! The store in one SQLite file. This file and its folder are the only place that knows `rusqlite`.
//!
//! One connection writes, behind a lock, so that writers queue here instead of failing with "busy"; a pool reads.
//! Write-ahead logging lets reads go on while a write runs. `synchronous=FULL` makes a commit return only after the
//! log is on the disk: a killed process would lose nothing with `NORMAL` either, because the log is already with the
//! kernel, but a power cut would take back attendance that a person saw acknowledged, and there are only a few writes
//! a person a day. Another process on the same file (the existing service, a second server) is waited for up to
//! [`BUSY_TIMEOUT`], and every write begins as `IMMEDIATE`, so that what a transaction read still holds when it writes.

mod accounts;
mod audit;
mod cameras;
mod enrol;
mod inspect;
mod notices;
mod portable;
mod privacy;
mod reseal;
mod seen;

pub use inspect::Inspection;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{Timestamp, civil::Date};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Value, ValueRef};
use rusqlite::{
    Connection, OptionalExtension as _, Row, ToSql, TransactionBehavior, named_params, params, params_from_iter,
};

use super::cameras::{CameraKey, CameraReport, CameraRequest, ClaimedCamera, ServerId, WatchedCamera};
use super::naive_time::{parse, to_bound, to_micros, to_seconds};
use super::notices::{Follower, text};
use super::rules::{
    NO_ADMIN, NO_ATTENDANCE, NO_SESSION, NO_STUDENT, STUDENT_HAS_FACE, STUDENT_MODEL, TAKEN, TAKEN_NAME,
    corrected_status, first_template, json, must_be_completed, must_be_free_for, session_status,
};
use super::schema::{MIGRATIONS, newest_version};
use super::sealing::{FaceColumn, SealContext, TemplateKeys};
use super::{
    AdminChange, AdminUser, AttendanceFilter, AttendanceRecord, AttendanceSummary, AuditEntry, Consent, Correction,
    CorrectionRecord, DetectionLog, Enrolee, Enrolment, Erasure, FaceCheck, KeptSeen, Listed, MAX_SEEN_FRAMES, Marking,
    MarksOfErased, NewAdmin, NewAttendance, NewAuditEntry, NewDetectionLog, NewLogin, NewSession, Page, Resealed,
    Retention, Retired, SeenLimits, SessionRecord, SessionSummary, SessionUpdate, Store, StoredEmbedding,
    StoredTemplate, Student, StudentChange, TemplateForms, TemplateMark, TemplateOrigin,
};
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::liveness::{PerceptualHash, SeenFrame, Status};
use crate::types::{Degrees, ModelId, SessionId, StudentId};

/// How long a write waits for another process's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections for reading: enough for the blocking threads of a server on a common machine, at 2 MB of cache each.
const READERS: u32 = 8;

const STUDENT: &str = "s.id, s.name, s.roll_number, COALESCE(s.liveness_verified, 0), s.liveness_verification_date,
    COALESCE(s.liveness_confidence_score, 0.0), COALESCE(s.created_at, '1970-01-01 00:00:00'), s.updated_at";

const ATTENDANCE: &str = "a.id, a.student_id, s.name, s.roll_number, a.timestamp, a.status, a.confidence_score,
    a.camera_location, a.local_day, COALESCE(a.created_at, a.timestamp), a.checked_out_at";

/// The store in one SQLite file.
pub struct SqliteStore {
    writer: Mutex<Connection>,
    readers: r2d2::Pool<SqliteConnectionManager>,
    keys: TemplateKeys,
    path: PathBuf,
    /// Tells this store's notices from others'.
    name: String,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStore")
    }
}

/// What can stop a transaction: the database, or an answer of ours.
enum Fault {
    Sql(rusqlite::Error),
    Ours(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Fault {
    fn while_doing(self, doing: &str) -> Error {
        match self {
            Self::Ours(error) => error,
            Self::Sql(error) => Error::Store { reason: format!("cannot {doing}"), source: Some(error.into()) },
        }
    }
}

type Outcome<T> = std::result::Result<T, Fault>;

impl SqliteStore {
    /// The store in the file at `path`, which is made when it is not there, readable by its owner alone. A database
    /// of the existing service, or of an earlier version of this library, is brought to the current schema first.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be made; [`Error::Store`] when it is no SQLite database, is not one of the
    /// service's, or was written by a newer version of this library.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with_keys(path, TemplateKeys::none())
    }

    /// As [`open`](Self::open), where faces are encrypted: what is written is sealed with the first of `keys`, and what
    /// is read may be plain or sealed with any of them. What none of them opens is [`Error::Store`] when it is read.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_keys(path: impl AsRef<Path>, keys: TemplateKeys) -> Result<Self> {
        let path = path.as_ref();
        make_private(path)?;
        let failed = |source: rusqlite::Error| Error::Store {
            reason: format!("cannot open the database {}", path.display()),
            source: Some(source.into()),
        };
        let mut writer = Connection::open(path).map_err(failed)?;
        prepare_writer(&writer).map_err(failed)?;
        migrate(&mut writer).map_err(|fault| fault.while_doing(&format!("migrate the database {}", path.display())))?;

        let manager = SqliteConnectionManager::file(path).with_init(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "query_only", true)
        });
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(BUSY_TIMEOUT)
            .build(manager)
            .map_err(|source| Error::Store {
                reason: "cannot make the pool of readers".into(),
                source: Some(source.into()),
            })?;
        let name = uuid::Uuid::new_v4().simple().to_string();
        Ok(Self { writer: Mutex::new(writer), readers, keys, path: path.into(), name })
    }

    /// Runs `change` as one transaction.
    fn write<T>(&self, doing: &str, change: impl FnOnce(&Connection) -> Outcome<T>) -> Result<T> {
        // A panic in a transaction rolls it back as it unwinds, so a poisoned lock guards a sound connection.
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let run = || -> Outcome<T> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|fault| fault.while_doing(doing))
    }

    /// Runs `query` on one snapshot of the database.
    fn read<T>(&self, doing: &str, query: impl FnOnce(&Connection) -> Outcome<T>) -> Result<T> {
        let mut connection = self
            .readers
            .get()
            .map_err(|source| Error::Store { reason: format!("cannot {doing}"), source: Some(source.into()) })?;
        let run = || -> Outcome<T> { query(&*connection.transaction()?) };
        run().map_err(|fault| fault.while_doing(doing))
    }
}

impl Store for SqliteStore {
    fn check(&self) -> Result<()> {
        self.read("reach the database", |db| Ok(db.query_row("SELECT 1 FROM schema_migrations", [], |_| Ok(()))?))
    }

    fn create_student(&self, name: &str, roll_number: &str, now: Timestamp) -> Result<Student> {
        self.write("create the student", |db| {
            let id = insert_student(db, name, roll_number, now)?;
            Ok(student(db, id)?.ok_or(NO_STUDENT)?)
        })
    }

    fn students(&self, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        self.read("list students", |db| list_students(db, search, None, page))
    }

    fn students_to_enrol_again(&self, model: &ModelId, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        self.read("list students", |db| list_students(db, search, Some(model), page))
    }

    fn student(&self, id: StudentId) -> Result<Option<Student>> {
        self.read("read the student", |db| Ok(student(db, id)?))
    }

    fn embedding_json(&self, id: StudentId) -> Result<Option<String>> {
        self.read("read the student's embedding", |db| {
            let query = "SELECT embedding_vector, model_version FROM students WHERE id = ?1";
            let found: Option<(Option<String>, Option<String>)> =
                db.query_row(query, [id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let Some((Some(stored), model)) = found else { return Ok(None) };
            let context = SealContext::new(FaceColumn::StudentEmbeddingVector, id).of_model(model);
            Ok(Some(opened(&self.keys, &context, &stored)?))
        })
    }

    fn update_student(&self, id: StudentId, change: &StudentChange, now: Timestamp) -> Result<Student> {
        self.write("update the student", |db| {
            let before = student(db, id)?.ok_or(NO_STUDENT)?;
            if change.name.is_none() && change.roll_number.is_none() {
                return Ok(before);
            }
            if let Some(roll_number) = &change.roll_number {
                refuse_taken_roll_number(db, roll_number, Some(id))?;
            }
            db.execute(
                "UPDATE students SET name = COALESCE(?2, name), roll_number = COALESCE(?3, roll_number), updated_at = ?4
                 WHERE id = ?1",
                params![id.0, change.name, change.roll_number, to_seconds(now)],
            )?;
            Ok(student(db, id)?.ok_or(NO_STUDENT)?)
        })
    }

    fn enrol(
        &self,
        session: SessionId,
        who: &Enrolee<'_>,
        enrolment: &Enrolment,
        check: Option<FaceCheck<'_>>,
        now: Timestamp,
    ) -> Result<Option<Student>> {
        self.write("enrol the student", |db| enrol::enrol(db, &self.keys, session, who, enrolment, check, now))
    }

    fn replace_templates(&self, id: StudentId, templates: &[Embedding], now: Timestamp) -> Result<Student> {
        self.write("replace the student's templates", |db| {
            student(db, id)?.ok_or(NO_STUDENT)?;
            write_templates(db, &self.keys, id, templates, None, now)?;
            touch(db, id, now)?;
            Ok(student(db, id)?.ok_or(NO_STUDENT)?)
        })
    }

    fn for_each_template(&self, each: &mut dyn FnMut(StoredTemplate) -> Result<()>) -> Result<()> {
        self.read("read the templates", |db| visit_templates(db, &self.keys, None, each))
    }

    fn templates_of(&self, student: StudentId) -> Result<Vec<StoredTemplate>> {
        let mut found = Vec::new();
        self.read("read the student's templates", |db| {
            visit_templates(db, &self.keys, Some(student), &mut |template| {
                found.push(template);
                Ok(())
            })
        })?;
        Ok(found)
    }

    fn newest_template(&self) -> Result<TemplateMark> {
        self.read("look for the newest template", enrol::newest_template)
    }

    fn keep_seen_template(
        &self,
        student: StudentId,
        view: &Embedding,
        limits: &SeenLimits,
        entry: &NewAuditEntry,
    ) -> Result<KeptSeen> {
        self.write("keep a view of the student", |db| seen::keep(db, &self.keys, student, view, limits, entry))
    }

    fn forget_seen_templates(&self, student: StudentId) -> Result<u64> {
        self.write("take back the views of the student", |db| seen::forget(db, student))
    }

    fn create_session(&self, new: &NewSession) -> Result<SessionRecord> {
        self.write("create the liveness session", |db| {
            if let Some(id) = new.student {
                student(db, id)?.ok_or(NO_STUDENT)?;
            }
            db.execute(
                "INSERT INTO liveness_detection_sessions (session_id, student_id, status, created_at, expires_at, state,
                     version, liveness_score, movement_verified, center_verified, left_verified, right_verified, attempts_count)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0.0, 0, 0, 0, 0, 0)",
                params![
                    new.id.to_string(),
                    new.student.map(|id| id.0),
                    Status::Pending.as_str(),
                    to_seconds(new.created_at),
                    to_micros(new.expires_at),
                    self.keys.seal_text(&SealContext::new(FaceColumn::SessionState, new.id), &new.state)?,
                ],
            )?;
            Ok(session(db, &self.keys, new.id)?.ok_or(NO_SESSION)?)
        })
    }

    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>> {
        self.read("read the liveness session", |db| session(db, &self.keys, id))
    }

    fn update_session(&self, id: SessionId, expected_version: i64, update: &SessionUpdate) -> Result<Option<i64>> {
        let seal = |column, plain: Option<String>| -> Result<Option<String>> {
            let context = SealContext::new(column, id);
            plain.map(|plain| Ok(self.keys.seal_text(&context, &plain)?.into_owned())).transpose()
        };
        let embedding = |column, embedding: Option<&Embedding>| seal(column, embedding.map(json));
        let state = self.keys.seal_text(&SealContext::new(FaceColumn::SessionState, id), &update.state)?;
        let center = embedding(FaceColumn::SessionCenterEmbedding, update.center.embedding.as_ref())?;
        let left = embedding(FaceColumn::SessionLeftEmbedding, update.left.embedding.as_ref())?;
        let right = embedding(FaceColumn::SessionRightEmbedding, update.right.embedding.as_ref())?;
        let final_embedding = embedding(FaceColumn::SessionFinalEmbedding, update.final_embedding.as_ref())?;
        let center_frame = seal(FaceColumn::SessionCenterFrame, update.center.frame_data.clone())?;
        let left_frame = seal(FaceColumn::SessionLeftFrame, update.left.frame_data.clone())?;
        let right_frame = seal(FaceColumn::SessionRightFrame, update.right.frame_data.clone())?;
        self.write("update the liveness session", |db| {
            let changed = db
                .prepare_cached(
                    "UPDATE liveness_detection_sessions SET version = version + 1, status = :status, state = :state,
                         liveness_score = :liveness_score, movement_verified = :movement_verified,
                         center_embedding = :center_embedding, center_verified = :center_verified, center_frame_data = :center_frame,
                         left_embedding = :left_embedding, left_verified = :left_verified, left_frame_data = :left_frame,
                         right_embedding = :right_embedding, right_verified = :right_verified, right_frame_data = :right_frame,
                         final_embedding = :final_embedding, error_message = :error_message, attempts_count = :attempts,
                         completed_at = :completed_at
                     WHERE session_id = :id AND version = :expected_version",
                )?
                .execute(named_params! {
                    ":id": id.to_string(),
                    ":expected_version": expected_version,
                    ":status": update.status.as_str(),
                    ":state": state,
                    ":liveness_score": update.liveness_score,
                    ":movement_verified": update.movement_verified,
                    ":center_embedding": center,
                    ":center_verified": update.center.verified,
                    ":center_frame": center_frame,
                    ":left_embedding": left,
                    ":left_verified": update.left.verified,
                    ":left_frame": left_frame,
                    ":right_embedding": right,
                    ":right_verified": update.right.verified,
                    ":right_frame": right_frame,
                    ":final_embedding": final_embedding,
                    ":error_message": update.error_message,
                    ":attempts": update.attempts,
                    ":completed_at": update.completed_at.map(to_micros),
                })?;
            if changed == 0 {
                session(db, &self.keys, id)?.ok_or(NO_SESSION)?;
                return Ok(None);
            }
            Ok(Some(expected_version + 1))
        })
    }

    fn remember_frame(&self, session: SessionId, frame: &SeenFrame, now: Timestamp) -> Result<()> {
        self.write("remember a frame", |db| {
            db.prepare_cached(
                "INSERT INTO liveness_seen_frames (session_id, yaw, looks, seen_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                session.to_string(),
                frame.yaw.0,
                frame.perceptual.to_bytes(),
                to_micros(now)
            ])?;
            db.prepare_cached("DELETE FROM liveness_seen_frames WHERE id <= ?1")?
                .execute([db.last_insert_rowid() - i64::from(MAX_SEEN_FRAMES)])?;
            Ok(())
        })
    }

    fn frame_seen_elsewhere(&self, session: SessionId, frame: &SeenFrame, since: Timestamp) -> Result<bool> {
        self.read("look for a frame", |db| {
            // The index narrows it to frames of about one yaw; like-ness is the domain's to say.
            let mut statement = db.prepare_cached(
                "SELECT yaw, looks FROM liveness_seen_frames
                 WHERE yaw BETWEEN ?1 AND ?2 AND seen_at >= ?3 AND session_id <> ?4",
            )?;
            let [from, to] = frame.like_yaws();
            let mut rows = statement.query(params![from.0, to.0, to_bound(since), session.to_string()])?;
            while let Some(row) = rows.next()? {
                let looks = row.get_ref(1)?.as_blob_or_null().unwrap_or(None);
                let seen = looks.and_then(PerceptualHash::from_bytes);
                if seen.is_some_and(|perceptual| {
                    row.get(0).is_ok_and(|yaw| frame.is_like(&SeenFrame { perceptual, yaw: Degrees(yaw) }))
                }) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    fn mark_attendance(&self, new: &NewAttendance) -> Result<Marking> {
        self.write("mark attendance", |db| {
            student(db, new.student)?.ok_or(NO_STUDENT)?;
            let day = new.day.date.to_string();
            let there = db
                .prepare_cached(&format!(
                    "SELECT {ATTENDANCE} FROM attendance_log a JOIN students s ON s.id = a.student_id
                     WHERE a.student_id = ?1 AND ((a.local_day = ?2 AND a.period = ?3)
                         OR (a.local_day IS NULL AND a.timestamp >= ?4 AND a.timestamp < ?5))
                     ORDER BY a.id LIMIT 1"
                ))?
                .query_row(
                    params![new.student.0, day, new.period, to_bound(new.day.starts_at), to_bound(new.day.ends_at)],
                    attendance_from_row,
                )
                .optional()?;
            if let Some(record) = there {
                return Ok(Marking::AlreadyMarked(record));
            }
            db.prepare_cached(
                "INSERT INTO attendance_log (student_id, timestamp, status, confidence_score, camera_location,
                     created_at, local_day, period) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                new.student.0,
                to_micros(new.at),
                new.status.as_str(),
                new.confidence_score,
                new.camera_location,
                to_seconds(new.at),
                day,
                new.period,
            ])?;
            let record = attendance_record(db, db.last_insert_rowid())?.ok_or(NO_ATTENDANCE)?;
            notices::leave(db, &text::marked(&self.name, record.id))?;
            Ok(Marking::Marked(record))
        })
    }

    fn attendance(&self, filter: &AttendanceFilter, page: Page) -> Result<Listed<AttendanceRecord>> {
        self.read("list attendance", |db| {
            let (from, mut values) = from_where(filter);
            let total =
                db.query_row(&format!("SELECT count(*) {from}"), params_from_iter(&values), |row| row.get(0))?;
            values.extend([Value::from(page.limit), Value::from(page.skip)]);
            let items = db
                .prepare_cached(&format!(
                    "SELECT {ATTENDANCE} {from} ORDER BY a.timestamp DESC, a.id DESC LIMIT ? OFFSET ?"
                ))?
                .query_map(params_from_iter(&values), attendance_from_row)?
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
            _ => Ok(notices::leave(db, text::ATTENDANCE)?),
        })
    }

    fn check_out(&self, id: i64, at: Timestamp) -> Result<AttendanceRecord> {
        self.write("check out", |db| {
            db.execute(
                "UPDATE attendance_log SET checked_out_at = max(COALESCE(checked_out_at, ?2), ?2) WHERE id = ?1",
                params![id, to_micros(at)],
            )?;
            Ok(attendance_record(db, id)?.ok_or(NO_ATTENDANCE)?)
        })
    }

    fn correct_attendance(&self, id: i64, correction: &Correction, now: Timestamp) -> Result<AttendanceRecord> {
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
            Ok(attendance_record(db, id)?.ok_or(NO_ATTENDANCE)?)
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
        self.read("count attendance", |db| {
            let (from, values) = from_where(filter);
            let sql = format!(
                "SELECT count(*), count(*) FILTER (WHERE a.status = 'Present'), count(*) FILTER (WHERE a.status = 'Absent'),
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
                    "SELECT id, timestamp, COALESCE(faces_detected, 0), COALESCE(students_recognized, 0), processing_time,
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

    fn create_admin(&self, new: &NewAdmin, now: Timestamp) -> Result<AdminUser> {
        self.write("create the admin user", |db| {
            let made = db.execute(
                "INSERT INTO admin_users (username, hashed_password, role, is_active, created_at)
                 VALUES (?1, ?2, ?3, 1, ?4) ON CONFLICT DO NOTHING",
                params![new.username, new.hashed_password, new.role, to_seconds(now)],
            )?;
            if made == 0 {
                return Err(TAKEN_NAME.into());
            }
            Ok(admins(db, Some(&new.username))?.pop().ok_or(NO_ADMIN)?)
        })
    }

    fn admin(&self, username: &str) -> Result<Option<AdminUser>> {
        self.read("read the admin user", |db| Ok(admins(db, Some(username))?.pop()))
    }

    fn admins(&self) -> Result<Vec<AdminUser>> {
        self.read("list admin users", |db| Ok(admins(db, None)?))
    }

    fn set_admin_password(&self, username: &str, hashed_password: &str, now: Timestamp) -> Result<()> {
        self.write("change the admin user's password", |db| {
            let changed = db.execute(
                "UPDATE admin_users SET hashed_password = ?2, updated_at = ?3 WHERE username = ?1",
                params![username, hashed_password, to_seconds(now)],
            )?;
            if changed == 0 { Err(NO_ADMIN.into()) } else { Ok(()) }
        })
    }

    fn update_admin(&self, username: &str, change: &AdminChange, now: Timestamp) -> Result<AdminUser> {
        self.write("change the admin user", |db| accounts::update_admin(db, username, change, now))
    }

    fn begin_login(&self, login: &NewLogin) -> Result<()> {
        self.write("keep the login", |db| accounts::begin_login(db, login))
    }

    fn login_holder(&self, username: &str, login: Option<&str>, now: Timestamp) -> Result<Option<AdminUser>> {
        self.read("read the login", |db| Ok(accounts::login_holder(db, username, login, now)?))
    }

    fn renew_login(
        &self,
        login: &str,
        old_hash: &str,
        fresh_hash: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<AdminUser>> {
        self.write("renew the login", |db| {
            Ok(accounts::renew_login(db, login, [old_hash, fresh_hash], expires_at, now)?)
        })
    }

    fn end_login(&self, login: &str, now: Timestamp) -> Result<()> {
        self.write("end the login", |db| Ok(accounts::end_login(db, login, now)?))
    }

    fn end_logins_of(&self, username: &str, now: Timestamp) -> Result<u64> {
        self.write("end the logins", |db| Ok(accounts::end_logins_of(db, username, now)?))
    }

    fn add_audit(&self, entry: &NewAuditEntry) -> Result<i64> {
        self.write("write the audit log", |db| Ok(audit::add(db, entry)?))
    }

    fn audit(&self, page: Page) -> Result<Listed<AuditEntry>> {
        self.read("read the audit log", |db| Ok(audit::list(db, page)?))
    }

    fn consent(&self, student: StudentId) -> Result<Option<Consent>> {
        self.read("read the consent", |db| Ok(privacy::consent(db, student)?))
    }

    fn set_consent(&self, student: StudentId, consent: Option<&Consent>, now: Timestamp) -> Result<()> {
        self.write("record the consent", |db| privacy::set_consent(db, student, consent, now))
    }

    fn erase_student(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure> {
        self.write("erase the student", |db| privacy::erase(db, student, marks, now))
    }

    fn sessions_of(&self, student: StudentId) -> Result<Vec<SessionSummary>> {
        self.read("list the student's sessions", |db| Ok(privacy::sessions_of(db, student)?))
    }

    fn retire(&self, retention: &Retention) -> Result<Retired> {
        self.write("delete what is old", |db| Ok(privacy::retire(db, retention)?))
    }

    fn follow(&self) -> Result<Box<dyn Follower>> {
        let following = notices::Following::begin(&self.path, &self.name);
        let following = following.map_err(|error| Fault::Sql(error).while_doing("follow the database"))?;
        Ok(Box::new(following))
    }

    fn announce(&self, announcement: &str) -> Result<()> {
        self.write("announce", |db| {
            for part in text::announced(&self.name, announcement) {
                notices::leave(db, &part)?;
            }
            Ok(())
        })
    }

    fn watch_camera(&self, camera: &CameraRequest, by: &ServerId, lease: Duration) -> Result<bool> {
        self.write("have the camera watched", |db| Ok(cameras::watch(db, camera, by, lease)?))
    }

    fn unwatch_camera(&self, camera: &CameraKey) -> Result<bool> {
        self.write("have the camera watched no longer", |db| Ok(cameras::unwatch(db, camera)?))
    }

    fn unwatch_all_cameras(&self) -> Result<u64> {
        self.write("have no camera watched", |db| Ok(cameras::unwatch_all(db)?))
    }

    fn claim_cameras(&self, by: &ServerId, reports: &[CameraReport], lease: Duration) -> Result<Vec<ClaimedCamera>> {
        self.write("claim cameras", |db| Ok(cameras::claim(db, by, reports, lease)?))
    }

    fn release_cameras(&self, by: &ServerId) -> Result<()> {
        self.write("release the cameras", |db| Ok(cameras::release(db, by)?))
    }

    fn watched_cameras(&self) -> Result<Vec<WatchedCamera>> {
        self.read("list the watched cameras", |db| Ok(cameras::list(db)?))
    }

    fn template_forms(&self) -> Result<TemplateForms> {
        self.read("count the encrypted templates", reseal::count)
    }

    fn reseal_templates(&self, progress: &mut dyn FnMut(u64)) -> Result<Resealed> {
        reseal::all(self, progress)
    }
}

/// Makes an absent file readable by its owner alone, before SQLite would make it readable by all: it will hold
/// embeddings and password hashes. SQLite gives its log the same permissions.
fn make_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(Error::Io { action: "create", path: path.into(), source }),
    }
}

fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        // Some network file systems cannot share the log's memory: right, but readers and writers wait for each other.
        tracing::warn!(mode, "the database cannot use write-ahead logging");
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten: an erased face does not linger in a free page of the file.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn migrate(connection: &mut Connection) -> Outcome<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations
             (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    )?;
    let found: i64 =
        transaction.query_row("SELECT COALESCE(max(version), 0) FROM schema_migrations", [], |row| row.get(0))?;
    let known = newest_version();
    if found > known {
        let reason = format!(
            "the database has schema {found}, this version knows schemas up to {known}: use the newer version that wrote it"
        );
        return Err(Error::Store { reason, source: None }.into());
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        transaction.execute_batch(migration.tables)?;
        for (table, column, definition) in migration.columns {
            let there: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)",
                [table, column],
                |row| row.get(0),
            )?;
            if !there {
                transaction.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {definition}"))?;
            }
        }
        transaction.execute_batch(migration.after)?;
        transaction.execute(
            "INSERT INTO schema_migrations (version, name) VALUES (?1, ?2)",
            params![migration.version, migration.name],
        )?;
    }
    Ok(transaction.commit()?)
}

/// A time column.
struct Time(Timestamp);

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        // The text itself stays out of the error: a message shows no values.
        parse(value.as_str()?).map(Time).ok_or_else(|| FromSqlError::Other("no time".into()))
    }
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Time>>(column)?.map(|time| time.0))
}

fn student_from_row(row: &Row<'_>) -> rusqlite::Result<Student> {
    Ok(Student {
        id: StudentId(row.get(0)?),
        name: row.get(1)?,
        roll_number: row.get(2)?,
        liveness_verified: row.get(3)?,
        liveness_verification_date: time(row, 4)?,
        liveness_confidence_score: row.get(5)?,
        created_at: row.get::<_, Time>(6)?.0,
        updated_at: time(row, 7)?,
        model: row.get::<_, Option<String>>(8)?.map(ModelId::new),
        has_face: row.get(9)?,
    })
}

/// One page of the students, or of those with a face that is not `foreign_to`'s.
fn list_students(
    db: &Connection,
    search: Option<&str>,
    foreign_to: Option<&ModelId>,
    page: Page,
) -> Outcome<Listed<Student>> {
    let pattern = search.map(|text| format!("%{text}%"));
    let model = foreign_to.map(ModelId::as_str);
    let condition = format!(
        "(?1 IS NULL OR s.name LIKE ?1 OR s.roll_number LIKE ?1)
         AND (?2 IS NULL OR ({STUDENT_HAS_FACE} AND {STUDENT_MODEL} IS NOT ?2))"
    );
    let count = format!("SELECT count(*) FROM students s WHERE {condition}");
    let total = db.query_row(&count, params![pattern, model], |row| row.get(0))?;
    let items = db
        .prepare_cached(&format!(
            "SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s WHERE {condition}
             ORDER BY s.id LIMIT ?3 OFFSET ?4"
        ))?
        .query_map(params![pattern, model, page.limit, page.skip], student_from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Listed { items, total })
}

fn student(db: &Connection, id: StudentId) -> rusqlite::Result<Option<Student>> {
    let query = format!("SELECT {STUDENT}, {STUDENT_MODEL}, {STUDENT_HAS_FACE} FROM students s WHERE s.id = ?1");
    db.prepare_cached(&query)?.query_row([id.0], student_from_row).optional()
}

fn refuse_taken_roll_number(db: &Connection, roll_number: &str, but_for: Option<StudentId>) -> Outcome<()> {
    let holder: Option<i64> =
        db.query_row("SELECT id FROM students WHERE roll_number = ?1", [roll_number], |row| row.get(0)).optional()?;
    match holder.map(StudentId) {
        Some(holder) if Some(holder) != but_for => Err(TAKEN.into()),
        _ => Ok(()),
    }
}

fn insert_student(db: &Connection, name: &str, roll_number: &str, now: Timestamp) -> Outcome<StudentId> {
    refuse_taken_roll_number(db, roll_number, None)?;
    db.execute(
        "INSERT INTO students (name, roll_number, created_at, liveness_verified, liveness_confidence_score)
         VALUES (?1, ?2, ?3, 0, 0.0)",
        params![name, roll_number, to_seconds(now)],
    )?;
    Ok(StudentId(db.last_insert_rowid()))
}

fn touch(db: &Connection, id: StudentId, now: Timestamp) -> rusqlite::Result<()> {
    db.execute("UPDATE students SET updated_at = ?2 WHERE id = ?1", params![id.0, to_seconds(now)])?;
    Ok(())
}

/// The text at `context`, opened if it is sealed.
fn opened(keys: &TemplateKeys, context: &SealContext, stored: &str) -> Result<String> {
    keys.open_text(context, stored).map(Cow::into_owned).map_err(|refused| refused.at(context))
}

/// Puts `templates` in place of the student's own; with a liveness score, as verified now.
fn write_templates(
    db: &Connection,
    keys: &TemplateKeys,
    id: StudentId,
    templates: &[Embedding],
    liveness_score: Option<f64>,
    now: Timestamp,
) -> Outcome<()> {
    let first = first_template(templates, liveness_score)?;
    let context = |column| SealContext::new(column, id).of_model(Some(first.model().as_str()));
    db.execute(
        "UPDATE students SET face_embedding = ?2, embedding_vector = ?3, liveness_verified = ?4,
             liveness_verification_date = ?5, liveness_confidence_score = ?6 WHERE id = ?1",
        params![
            id.0,
            keys.seal_bytes(&context(FaceColumn::StudentFaceEmbedding), &first.to_bytes())?,
            keys.seal_text(&context(FaceColumn::StudentEmbeddingVector), &json(first))?,
            liveness_score.is_some(),
            liveness_score.map(|_| to_micros(now)),
            liveness_score.unwrap_or(0.0),
        ],
    )?;
    // After the trigger on a changed face, which takes the model away.
    db.execute("UPDATE students SET model_version = ?2 WHERE id = ?1", params![id.0, first.model().as_str()])?;
    db.execute("DELETE FROM student_templates WHERE student_id = ?1", [id.0])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO student_templates (student_id, model_id, embedding, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for template in templates {
        let bytes = template.to_bytes();
        // All are of the first one's model, or there were no cosine between them.
        let bytes = keys.seal_bytes(&context(FaceColumn::TemplateEmbedding), &bytes)?;
        insert.execute(params![id.0, template.model().as_str(), bytes, to_micros(now)])?;
    }
    Ok(())
}

fn visit_templates(
    db: &Connection,
    keys: &TemplateKeys,
    of: Option<StudentId>,
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    const OURS: &str = "SELECT student_id, model_id, embedding, NULL, origin, created_at FROM student_templates
        WHERE ?1 IS NULL OR student_id = ?1 ORDER BY student_id, id";
    const SINGLE: &str = "SELECT id, model_version, face_embedding, embedding_vector, NULL, NULL FROM students s
        WHERE (?1 IS NULL OR id = ?1) AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id) ORDER BY id";
    let of = of.map(|id| id.0);
    visit_rows(db, keys, OURS, &[&of], FaceColumn::TemplateEmbedding, each)?;
    visit_rows(db, keys, SINGLE, &[&of], FaceColumn::StudentFaceEmbedding, each)
}

/// Visits every template of the students `of`, and of those who have had one written since the mark.
fn visit_written_since(
    db: &Connection,
    keys: &TemplateKeys,
    since: TemplateMark,
    of: &[StudentId],
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    const OURS: &str = "SELECT student_id, model_id, embedding, NULL, origin, created_at FROM student_templates
        WHERE student_id IN (SELECT student_id FROM student_templates WHERE id > ?1 UNION SELECT value FROM json_each(?2))
        ORDER BY student_id, id";
    // A face of one embedding has no template of ours, and so no mark: it is new to whoever knows nobody.
    const SINGLE: &str = "SELECT id, model_version, face_embedding, embedding_vector, NULL, NULL FROM students s
        WHERE (?1 = 0 OR id IN (SELECT value FROM json_each(?2)))
            AND (face_embedding IS NOT NULL OR embedding_vector IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM student_templates t WHERE t.student_id = s.id) ORDER BY id";
    let of = serde_json::json!(of).to_string();
    visit_rows(db, keys, OURS, &[&since.0, &of], FaceColumn::TemplateEmbedding, each)?;
    visit_rows(db, keys, SINGLE, &[&since.0, &of], FaceColumn::StudentFaceEmbedding, each)
}

fn visit_rows(
    db: &Connection,
    keys: &TemplateKeys,
    query: &str,
    values: &[&dyn ToSql],
    column: FaceColumn,
    each: &mut dyn FnMut(StoredTemplate) -> Result<()>,
) -> Outcome<()> {
    let mut statement = db.prepare_cached(query)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let student = StudentId(row.get(0)?);
        let model = row.get::<_, Option<String>>(1)?.map(ModelId::new);
        // A column of the wrong type is damage like any other.
        let bytes = row.get_ref(2)?.as_blob_or_null().unwrap_or(None);
        let text = row.get_ref(3)?.as_str_or_null().unwrap_or(None);
        let context = |column| SealContext::new(column, student).of_model(model.as_ref().map(ModelId::as_str));
        let bytes = bytes.map(|bytes| (context(column), bytes));
        let text = text.map(|text| (context(FaceColumn::StudentEmbeddingVector), text));
        match StoredEmbedding::unseal(keys, model.as_ref(), bytes, text)? {
            Some(embedding) => {
                let origin = TemplateOrigin::of_row(row.get::<_, Option<String>>(4)?.as_deref());
                // A time that cannot be read does not cost the face.
                let added_at = time(row, 5).unwrap_or(None);
                each(StoredTemplate { student, embedding, origin, added_at })?;
            }
            None => tracing::warn!(%student, "a stored template is damaged and is left out"),
        }
    }
    Ok(())
}

fn session(db: &Connection, keys: &TemplateKeys, id: SessionId) -> Outcome<Option<SessionRecord>> {
    let Some(mut record) = stored_session(db, id)? else { return Ok(None) };
    if let Some(stored) = &record.state {
        record.state = Some(opened(keys, &SealContext::new(FaceColumn::SessionState, id), stored)?);
    }
    Ok(Some(record))
}

/// The session with its state as it lies in the row.
fn stored_session(db: &Connection, id: SessionId) -> rusqlite::Result<Option<SessionRecord>> {
    db.prepare_cached(
        "SELECT student_id, status, COALESCE(liveness_score, 0.0), COALESCE(movement_verified, 0), state, version,
             COALESCE(created_at, '1970-01-01 00:00:00'), expires_at, completed_at, consumed_at
         FROM liveness_detection_sessions WHERE session_id = ?1",
    )?
    .query_row([id.to_string()], |row| {
        let status: Option<String> = row.get(1)?;
        Ok(SessionRecord {
            id,
            student: row.get::<_, Option<i64>>(0)?.map(StudentId),
            status: session_status(status.as_deref()),
            liveness_score: row.get(2)?,
            movement_verified: row.get(3)?,
            state: row.get(4)?,
            version: row.get(5)?,
            created_at: row.get::<_, Time>(6)?.0,
            expires_at: row.get::<_, Time>(7)?.0,
            completed_at: time(row, 8)?,
            consumed_at: time(row, 9)?,
        })
    })
    .optional()
}

fn completed_session(db: &Connection, keys: &TemplateKeys, id: SessionId) -> Outcome<SessionRecord> {
    let record = session(db, keys, id)?.ok_or(NO_SESSION)?;
    must_be_completed(&record)?;
    Ok(record)
}

/// Binds the session to the one student that it enrols.
fn use_up(db: &Connection, id: SessionId, record: &SessionRecord, student: StudentId, now: Timestamp) -> Outcome<()> {
    must_be_free_for(record, student)?;
    // The new version makes a frame that is still being judged read the session again.
    db.execute(
        "UPDATE liveness_detection_sessions SET consumed_at = ?2, student_id = ?3, version = version + 1
         WHERE session_id = ?1",
        params![id.to_string(), to_micros(now), student.0],
    )?;
    Ok(())
}

fn attendance_from_row(row: &Row<'_>) -> rusqlite::Result<AttendanceRecord> {
    Ok(AttendanceRecord {
        id: row.get(0)?,
        student: StudentId(row.get(1)?),
        student_name: row.get(2)?,
        student_roll_number: row.get(3)?,
        timestamp: row.get::<_, Time>(4)?.0,
        status: row.get(5)?,
        confidence_score: row.get(6)?,
        camera_location: row.get(7)?,
        local_day: row.get::<_, Option<String>>(8)?.and_then(|text| text.parse::<Date>().ok()),
        created_at: row.get::<_, Time>(9)?.0,
        checked_out_at: time(row, 10)?,
    })
}

fn attendance_record(db: &Connection, id: i64) -> rusqlite::Result<Option<AttendanceRecord>> {
    db.prepare_cached(&format!(
        "SELECT {ATTENDANCE} FROM attendance_log a JOIN students s ON s.id = a.student_id WHERE a.id = ?1"
    ))?
    .query_row([id], attendance_from_row)
    .optional()
}

fn insert_detection_log(db: &Connection, log: &NewDetectionLog) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "INSERT INTO detection_logs (timestamp, faces_detected, students_recognized, processing_time,
             camera_location, error_message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        to_micros(log.timestamp),
        log.faces_detected,
        log.students_recognized,
        log.processing_time,
        log.camera_location,
        log.error_message,
    ])?;
    Ok(db.last_insert_rowid())
}

/// The rows that pass the filter, as the FROM and WHERE of a query and the values of its parameters.
fn from_where(filter: &AttendanceFilter) -> (String, Vec<Value>) {
    let conditions = [
        ("a.timestamp >= ?", filter.from.map(|at| Value::from(to_bound(at)))),
        ("a.timestamp < ?", filter.until.map(|at| Value::from(to_bound(at)))),
        ("a.student_id = ?", filter.student.map(|id| Value::from(id.0))),
        ("a.status = ?", filter.status.clone().map(Value::from)),
    ];
    let (tests, values): (Vec<_>, Vec<_>) =
        conditions.into_iter().filter_map(|(test, value)| Some((test, value?))).unzip();
    let tests = if tests.is_empty() { "1".to_owned() } else { tests.join(" AND ") };
    (format!("FROM attendance_log a JOIN students s ON s.id = a.student_id WHERE {tests}"), values)
}

fn admins(db: &Connection, username: Option<&str>) -> rusqlite::Result<Vec<AdminUser>> {
    db.prepare_cached(
        "SELECT id, username, hashed_password, role, COALESCE(is_active, 1) FROM admin_users
         WHERE ?1 IS NULL OR username = ?1 ORDER BY id",
    )?
    .query_map([username], |row| {
        Ok(AdminUser {
            id: row.get(0)?,
            username: row.get(1)?,
            hashed_password: row.get(2)?,
            role: row.get(3)?,
            is_active: row.get(4)?,
        })
    })?
    .collect()
}
