//! The store in PostgreSQL, for when one machine is not enough. This file and its folder are the only place that knows
//! the crate `postgres`.
//!
//! Servers share the database and write at the same time, so nothing here relies on being alone: rows that a decision
//! depends on are locked before it is made, and what must happen once is a unique key. A write is one transaction in READ
//! COMMITTED; a read is one snapshot. `synchronous_commit` is on, whatever the database's default: what was acknowledged
//! survives a power cut, as it does in the file of [`SqliteStore`](super::SqliteStore).
//!
//! The tables are those of SQLite with PostgreSQL's types (see [`schema`]); times are naive UTC. Text is text: the widths
//! that the existing service declares are not enforced there either, and a camera's place that is too long must not cost
//! a mark.

mod accounts;
mod attendance;
mod cameras;
mod connection;
mod enrol;
mod notices;
mod portable;
mod privacy;
mod reseal;
mod schema;
mod seen;
mod sessions;
mod students;

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, civil::DateTime};
use postgres::error::SqlState;
use postgres::{Row, Transaction};

use super::cameras::{CameraKey, CameraReport, CameraRequest, ClaimedCamera, ServerId, WatchedCamera};
use super::notices::{Follower, text};
use super::rules::{NO_STUDENT, TAKEN, TAKEN_NAME};
use super::sealing::TemplateKeys;
use super::{
    AdminChange, AdminUser, AttendanceFilter, AttendanceRecord, AttendanceSummary, AuditEntry, Consent, Correction,
    CorrectionRecord, DetectionLog, Enrolee, Enrolment, Erasure, FaceCheck, KeptSeen, Listed, Marking, MarksOfErased,
    NewAdmin, NewAttendance, NewAuditEntry, NewDetectionLog, NewLogin, NewSession, Page, Resealed, Retention, Retired,
    SeenLimits, SessionRecord, SessionSummary, SessionUpdate, Store, StoredTemplate, Student, StudentChange,
    TemplateForms, TemplateMark,
};
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::liveness::SeenFrame;
use crate::types::{ModelId, SessionId, StudentId};
use connection::Pool;

/// The store in a PostgreSQL database.
///
/// Every call waits for the database, with a client that runs its own executor: from asynchronous code, call it on a thread
/// that may block. That client also tells the log, at the level `debug` and under the name `tokio_postgres`, the values of
/// its statements: keep that name at `warn`, as the server does, or faces and password hashes are in the log.
pub struct PostgresStore {
    pool: Pool,
    keys: TemplateKeys,
    /// Tells this store's notices from others'.
    name: String,
}

/// Names no address: it may hold a password.
impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresStore")
    }
}

/// What can stop a transaction: the database, or an answer of ours.
enum Fault {
    Sql(postgres::Error),
    Ours(Error),
}

impl From<postgres::Error> for Fault {
    fn from(error: postgres::Error) -> Self {
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
        let error = match self {
            Self::Ours(error) => return error,
            Self::Sql(error) => error,
        };
        // Two servers at once: the unique key decides, and the one that lost is told what it would have been told before.
        if let Some(database) = error.as_db_error() {
            let constraint = database.constraint().unwrap_or_default();
            match *database.code() {
                SqlState::UNIQUE_VIOLATION if constraint.contains("roll_number") => return TAKEN,
                SqlState::UNIQUE_VIOLATION if constraint.contains("username") => return TAKEN_NAME,
                SqlState::CHARACTER_NOT_IN_REPERTOIRE | SqlState::UNTRANSLATABLE_CHARACTER => {
                    return Error::invalid_input("text", "PostgreSQL keeps no NUL character");
                }
                SqlState::STRING_DATA_RIGHT_TRUNCATION => {
                    return Error::invalid_input("text", "it is longer than its column in this database");
                }
                _ => {}
            }
        }
        Error::Store { reason: format!("cannot {doing}"), source: Some(without_values(error)) }
    }
}

/// The database's error without its details, which quote the values of a row.
fn without_values(error: postgres::Error) -> crate::error::Cause {
    match error.as_db_error() {
        Some(database) => format!("{}: {}", database.code().code(), database.message()).into(),
        None => error.into(),
    }
}

type Outcome<T> = std::result::Result<T, Fault>;

impl PostgresStore {
    /// The store in the database at `url`, such as `postgres://user:password@host/database?sslmode=require`. A database of
    /// the existing service, or of an earlier version of this library, is brought to the current schema first; of several
    /// servers that start at once one does it.
    ///
    /// With `sslmode=prefer` (the default) or `require` the connection is encrypted, and the server's certificate checked
    /// against the web's authorities, or against those in the PEM file that `sslrootcert=FILE` names.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a URL that is none; [`Error::Store`] when the database does not answer, refuses the
    /// user, or was written by a newer version of this library. No message holds the password.
    pub fn open(url: &str) -> Result<Self> {
        Self::open_with_keys(url, TemplateKeys::none())
    }

    /// As [`open`](Self::open), where faces are encrypted: what is written is sealed with the first of `keys`, and what is
    /// read may be plain or sealed with any of them.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_keys(url: &str, keys: TemplateKeys) -> Result<Self> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let store = Self { pool: Pool::open(url)?, keys, name };
        store.write("migrate the database", schema::migrate)?;
        Ok(store)
    }

    /// Runs `change` as one transaction.
    fn write<T>(&self, doing: &str, change: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>) -> Result<T> {
        self.pool.run(doing, false, change)
    }

    /// Runs `query` on one snapshot of the database.
    fn read<T>(&self, doing: &str, query: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>) -> Result<T> {
        self.pool.run(doing, true, query)
    }
}

impl Store for PostgresStore {
    fn check(&self) -> Result<()> {
        self.read("reach the database", |db| {
            db.query_one("SELECT max(version) FROM schema_migrations", &[])?;
            Ok(())
        })
    }

    fn create_student(&self, name: &str, roll_number: &str, now: Timestamp) -> Result<Student> {
        self.write("create the student", |db| students::create(db, name, roll_number, now))
    }

    fn students(&self, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        self.read("list students", |db| students::list(db, search, None, page))
    }

    fn students_to_enrol_again(&self, model: &ModelId, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        self.read("list students", |db| students::list(db, search, Some(model), page))
    }

    fn student(&self, id: StudentId) -> Result<Option<Student>> {
        self.read("read the student", |db| students::find(db, id))
    }

    fn embedding_json(&self, id: StudentId) -> Result<Option<String>> {
        self.read("read the student's embedding", |db| students::embedding_json(db, &self.keys, id))
    }

    fn update_student(&self, id: StudentId, change: &StudentChange, now: Timestamp) -> Result<Student> {
        self.write("update the student", |db| students::update(db, id, change, now))
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
            enrol::lock(db)?;
            students::lock(db, id)?;
            students::write_templates(db, &self.keys, id, templates, None, now)?;
            students::touch(db, id, now)?;
            Ok(students::find(db, id)?.ok_or(NO_STUDENT)?)
        })
    }

    fn for_each_template(&self, each: &mut dyn FnMut(StoredTemplate) -> Result<()>) -> Result<()> {
        self.read("read the templates", |db| students::visit_templates(db, &self.keys, None, each))
    }

    fn templates_of(&self, student: StudentId) -> Result<Vec<StoredTemplate>> {
        let mut found = Vec::new();
        self.read("read the student's templates", |db| {
            students::visit_templates(db, &self.keys, Some(student), &mut |template| {
                found.push(template);
                Ok(())
            })
        })?;
        Ok(found)
    }

    fn newest_template(&self) -> Result<TemplateMark> {
        self.write("look for the newest template", enrol::newest_template)
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
        self.write("create the liveness session", |db| sessions::create(db, &self.keys, new))
    }

    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>> {
        self.read("read the liveness session", |db| sessions::find(db, &self.keys, id))
    }

    fn update_session(&self, id: SessionId, expected_version: i64, update: &SessionUpdate) -> Result<Option<i64>> {
        self.write("update the liveness session", |db| sessions::update(db, &self.keys, id, expected_version, update))
    }

    fn remember_frame(&self, session: SessionId, frame: &SeenFrame, now: Timestamp) -> Result<()> {
        self.write("remember a frame", |db| sessions::remember_frame(db, session, frame, now))
    }

    fn frame_seen_elsewhere(&self, session: SessionId, frame: &SeenFrame, since: Timestamp) -> Result<bool> {
        self.read("look for a frame", |db| sessions::frame_seen_elsewhere(db, session, frame, since))
    }

    fn mark_attendance(&self, new: &NewAttendance) -> Result<Marking> {
        self.write("mark attendance", |db| {
            let marking = attendance::mark(db, new)?;
            if let Marking::Marked(record) = &marking {
                notices::leave(db, &text::marked(&self.name, record.id))?;
            }
            Ok(marking)
        })
    }

    fn attendance(&self, filter: &AttendanceFilter, page: Page) -> Result<Listed<AttendanceRecord>> {
        self.read("list attendance", |db| attendance::list(db, filter, page))
    }

    fn attendance_record(&self, id: i64) -> Result<Option<AttendanceRecord>> {
        self.read("read attendance", |db| attendance::find(db, id))
    }

    fn delete_attendance(&self, id: i64) -> Result<()> {
        self.write("delete attendance", |db| {
            attendance::delete(db, id)?;
            notices::leave(db, text::ATTENDANCE)
        })
    }

    fn check_out(&self, id: i64, at: Timestamp) -> Result<AttendanceRecord> {
        self.write("check out", |db| attendance::check_out(db, id, at))
    }

    fn correct_attendance(&self, id: i64, correction: &Correction, now: Timestamp) -> Result<AttendanceRecord> {
        self.write("correct attendance", |db| {
            notices::leave(db, text::ATTENDANCE)?;
            attendance::correct(db, id, correction, now)
        })
    }

    fn corrections(&self, attendance: i64) -> Result<Vec<CorrectionRecord>> {
        self.read("list corrections", |db| attendance::corrections(db, attendance))
    }

    fn attendance_summary(&self, filter: &AttendanceFilter) -> Result<AttendanceSummary> {
        self.read("count attendance", |db| attendance::summary(db, filter))
    }

    fn add_detection_log(&self, log: &NewDetectionLog) -> Result<i64> {
        self.write("write a detection log", |db| attendance::add_detection_log(db, log))
    }

    fn add_detection_logs(&self, logs: &[NewDetectionLog]) -> Result<()> {
        self.write("write detection logs", |db| {
            for log in logs {
                attendance::add_detection_log(db, log)?;
            }
            Ok(())
        })
    }

    fn detection_logs(&self, limit: u32) -> Result<Vec<DetectionLog>> {
        self.read("list detection logs", |db| attendance::detection_logs(db, limit))
    }

    fn create_admin(&self, new: &NewAdmin, now: Timestamp) -> Result<AdminUser> {
        self.write("create the admin user", |db| accounts::create(db, new, now))
    }

    fn admin(&self, username: &str) -> Result<Option<AdminUser>> {
        self.read("read the admin user", |db| accounts::find(db, username))
    }

    fn admins(&self) -> Result<Vec<AdminUser>> {
        self.read("list admin users", |db| accounts::list(db, None))
    }

    fn set_admin_password(&self, username: &str, hashed_password: &str, now: Timestamp) -> Result<()> {
        self.write("change the admin user's password", |db| accounts::set_password(db, username, hashed_password, now))
    }

    fn update_admin(&self, username: &str, change: &AdminChange, now: Timestamp) -> Result<AdminUser> {
        self.write("change the admin user", |db| accounts::update(db, username, change, now))
    }

    fn begin_login(&self, login: &NewLogin) -> Result<()> {
        self.write("keep the login", |db| accounts::begin_login(db, login))
    }

    fn login_holder(&self, username: &str, login: Option<&str>, now: Timestamp) -> Result<Option<AdminUser>> {
        self.read("read the login", |db| accounts::login_holder(db, username, login, now))
    }

    fn renew_login(
        &self,
        login: &str,
        old_hash: &str,
        fresh_hash: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<AdminUser>> {
        self.write("renew the login", |db| accounts::renew_login(db, login, [old_hash, fresh_hash], expires_at, now))
    }

    fn end_login(&self, login: &str, now: Timestamp) -> Result<()> {
        self.write("end the login", |db| accounts::end_login(db, login, now))
    }

    fn end_logins_of(&self, username: &str, now: Timestamp) -> Result<u64> {
        self.write("end the logins", |db| accounts::end_logins_of(db, username, now))
    }

    fn add_audit(&self, entry: &NewAuditEntry) -> Result<i64> {
        self.write("write the audit log", |db| accounts::add_audit(db, entry))
    }

    fn audit(&self, page: Page) -> Result<Listed<AuditEntry>> {
        self.read("read the audit log", |db| accounts::audit(db, page))
    }

    fn consent(&self, student: StudentId) -> Result<Option<Consent>> {
        self.read("read the consent", |db| privacy::consent(db, student))
    }

    fn set_consent(&self, student: StudentId, consent: Option<&Consent>, now: Timestamp) -> Result<()> {
        self.write("record the consent", |db| privacy::set_consent(db, student, consent, now))
    }

    fn erase_student(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure> {
        self.write("erase the student", |db| {
            notices::leave(db, text::ATTENDANCE)?;
            privacy::erase(db, student, marks, now)
        })
    }

    fn sessions_of(&self, student: StudentId) -> Result<Vec<SessionSummary>> {
        self.read("list the student's sessions", |db| privacy::sessions_of(db, student))
    }

    fn retire(&self, retention: &Retention) -> Result<Retired> {
        self.write("delete what is old", |db| privacy::retire(db, retention))
    }

    fn follow(&self) -> Result<Box<dyn Follower>> {
        Ok(Box::new(notices::Following::begin(self.pool.connector(), &self.name)?))
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
        self.write("have the camera watched", |db| cameras::watch(db, camera, by, lease))
    }

    fn unwatch_camera(&self, camera: &CameraKey) -> Result<bool> {
        self.write("have the camera watched no longer", |db| cameras::unwatch(db, camera))
    }

    fn unwatch_all_cameras(&self) -> Result<u64> {
        self.write("have no camera watched", cameras::unwatch_all)
    }

    fn claim_cameras(&self, by: &ServerId, reports: &[CameraReport], lease: Duration) -> Result<Vec<ClaimedCamera>> {
        self.write("claim cameras", |db| cameras::claim(db, by, reports, lease))
    }

    fn release_cameras(&self, by: &ServerId) -> Result<()> {
        self.write("release the cameras", |db| cameras::release(db, by))
    }

    fn watched_cameras(&self) -> Result<Vec<WatchedCamera>> {
        self.read("list the watched cameras", cameras::list)
    }

    fn template_forms(&self) -> Result<TemplateForms> {
        self.read("count the encrypted templates", reseal::count)
    }

    fn reseal_templates(&self, progress: &mut dyn FnMut(u64)) -> Result<Resealed> {
        reseal::all(self, progress)
    }
}

/// A time as a column holds it: naive UTC, to the microsecond.
fn micros(at: Timestamp) -> DateTime {
    cut(at, Unit::Microsecond)
}

/// The same in whole seconds, as the existing service's database writes `created_at` and `updated_at`.
fn seconds(at: Timestamp) -> DateTime {
    cut(at, Unit::Second)
}

fn cut(at: Timestamp, unit: Unit) -> DateTime {
    let naive = TimeZone::UTC.to_datetime(at);
    let cut = jiff::civil::DateTimeRound::new().smallest(unit).mode(jiff::RoundMode::Trunc);
    // Cutting off cannot leave the range of times.
    naive.round(cut).unwrap_or(naive)
}

/// The time in a column of naive UTC.
fn time(row: &Row, column: usize) -> Outcome<Option<Timestamp>> {
    let naive: Option<DateTime> = row.try_get(column)?;
    Ok(naive.and_then(|naive| TimeZone::UTC.to_timestamp(naive).ok()))
}

/// The same where a query leaves no null.
fn certain_time(row: &Row, column: usize) -> Outcome<Timestamp> {
    Ok(time(row, column)?.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A count, which is never negative.
fn count(row: &Row, column: usize) -> Outcome<u64> {
    Ok(u64::try_from(row.try_get::<_, i64>(column)?).unwrap_or(0))
}
