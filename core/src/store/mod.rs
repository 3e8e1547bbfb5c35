//! Where students, sessions and attendance are kept: one trait, one contract suite, an implementation a database.
//!
//! The tables are those of the existing service, so its databases open as they are and it can still read them
//! afterwards; what this library adds are columns and tables of its own (see [`schema`]).
//!
//! Everything is synchronous: a server calls it from its blocking threads, the bindings call it as it is. No call
//! reads the clock: `now` comes from the caller, so that a replay gives the same rows. The leases of cameras are the
//! exception: they are between servers whose clocks may differ, so the database's clock counts.

mod accounts;
mod cameras;
mod face_check;
mod given_ids;
mod naive_time;
mod notices;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod portable;
#[cfg(feature = "postgres")]
mod postgres;
mod records;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod rules;
pub mod schema;
mod sealing;
mod seen;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use jiff::Timestamp;

use crate::embedding::Embedding;
use crate::error::Result;
use crate::liveness::SeenFrame;
use crate::types::{ModelId, SessionId, StudentId};

pub use accounts::{
    AdminChange, AuditEntry, Consent, Erasure, MarksOfErased, NewAuditEntry, NewLogin, Retention, Retired,
    SessionSummary,
};
pub use cameras::{CameraKey, CameraReport, CameraRequest, ClaimedCamera, ServerId, WatchedCamera};
pub use face_check::{ENROLMENT_LOCK, Enrolee, FaceCheck, TemplateMark};
pub use notices::{Follower, Notice};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use portable::{Counts, Imported, Portable, Present, Survey};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use records::{
    AdminUser, AttendanceFilter, AttendanceRecord, AttendanceStatus, AttendanceSummary, CorrectedStatus, Correction,
    CorrectionRecord, DayWindow, DetectionLog, Enrolment, LegacyVector, Listed, Marking, NewAdmin, NewAttendance,
    NewDetectionLog, NewSession, Page, PositionColumns, SessionRecord, SessionUpdate, StoredEmbedding, StoredTemplate,
    Student, StudentChange, embedding_text,
};
pub use sealing::{FaceColumn, KeyId, Resealed, SealContext, TemplateForms, TemplateKey, TemplateKeys};
pub use seen::{KeptSeen, SeenLimits, TemplateOrigin};
#[cfg(feature = "sqlite")]
pub use sqlite::{Inspection, SqliteStore};

/// How many frames of liveness sessions are remembered by their hashes: those of about 1,000 registrations, in 6 MB.
pub const MAX_SEEN_FRAMES: u32 = 50_000;

/// How long a camera that only one server reaches stays in the list once that server has stopped renewing its lease:
/// time for it to be started again.
pub const FORGET_BOUND_CAMERAS_AFTER: Duration = Duration::from_secs(60);

/// The database. Every method is one transaction: it happened as a whole and survives the death of the process once
/// the call has returned, or it did not happen.
///
/// A lookup that finds nothing is `None`; a change to something that is not there is
/// [`Error::NotFound`](crate::Error::NotFound). Everything else that a database can do wrong is
/// [`Error::Store`](crate::Error::Store), whose message holds no SQL, no path and no value.
pub trait Store: Send + Sync {
    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when it does not.
    fn check(&self) -> Result<()>;

    // Students

    /// A new student without a face.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the roll number is taken.
    fn create_student(&self, name: &str, roll_number: &str, now: Timestamp) -> Result<Student>;

    /// One page of the students by id, and how many there are in all. `search` keeps those whose name or roll number
    /// contains it, without regard to ASCII case; `%` and `_` in it stand for anything, as in the existing service.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn students(&self, search: Option<&str>, page: Page) -> Result<Listed<Student>>;

    /// The same list of only those who have to enrol again to be recognized by `model`
    /// ([`Student::must_enrol_again`]). Reads no embedding, and so needs no key.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn students_to_enrol_again(&self, model: &ModelId, search: Option<&str>, page: Page) -> Result<Listed<Student>>;

    /// The student with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn student(&self, id: StudentId) -> Result<Option<Student>>;

    /// The student's embedding as the JSON text of `embedding_vector`, as the existing API shows it.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn embedding_json(&self, id: StudentId) -> Result<Option<String>>;

    /// Changes name and roll number where given; returns the student as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::Conflict`](crate::Error::Conflict) when the roll number
    /// is another student's.
    fn update_student(&self, id: StudentId, change: &StudentChange, now: Timestamp) -> Result<Student>;

    /// Gives `who` the face that a completed liveness session proved, and uses up the session in the same transaction: of
    /// two calls that race one wins and the other sees the session used. [`Registry`](crate::enrolment::Registry) calls
    /// it with the check that its policy asks for.
    ///
    /// `check` is answered first, by the templates that the transaction itself sees; of two enrolments that race, also
    /// from two processes, the later one sees the templates of the earlier one. `None` when it does not admit the face;
    /// nothing has changed then.
    ///
    /// # Errors
    /// In this order: [`Error::NotFound`](crate::Error::NotFound) for an unknown session,
    /// [`Error::State`](crate::Error::State) for one that is not completed,
    /// [`Error::Conflict`](crate::Error::Conflict) for a taken roll number and
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student,
    /// [`Error::State`](crate::Error::State) for a session already used or begun for another student. After any of them
    /// nothing has changed: a duplicate roll number does not cost the session.
    fn enrol(
        &self,
        session: SessionId,
        who: &Enrolee<'_>,
        enrolment: &Enrolment,
        check: Option<FaceCheck<'_>>,
        now: Timestamp,
    ) -> Result<Option<Student>>;

    /// Gives an existing student these templates in place of those it had, with no session: for an operator's own
    /// import. Liveness counts as not verified.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn replace_templates(&self, student: StudentId, templates: &[Embedding], now: Timestamp) -> Result<Student>;

    // Templates

    /// Hands every stored template to `each`, those of one student one after the other, without holding them all in
    /// memory. A damaged one is left out, with a warning that names the student. `each` must not call the store.
    ///
    /// # Errors
    /// The first error that `each` returns; [`Error::Store`](crate::Error::Store).
    fn for_each_template(&self, each: &mut dyn FnMut(StoredTemplate) -> Result<()>) -> Result<()>;

    /// The mark after the newest template: what an enrolment writes from now on was written since.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn newest_template(&self) -> Result<TemplateMark>;

    /// Keeps a view of a student that a camera saw beside the registered templates, if `limits` allow it, and writes
    /// `entry` into the audit log with it. The registered templates stay as they are; when there are as many seen ones
    /// as may be, the oldest of those goes.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student.
    fn keep_seen_template(
        &self,
        student: StudentId,
        view: &Embedding,
        limits: &SeenLimits,
        entry: &NewAuditEntry,
    ) -> Result<KeptSeen>;

    /// Takes back every view that a camera saw of the student, so that the registered templates stand alone again;
    /// returns how many there were.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student.
    fn forget_seen_templates(&self, student: StudentId) -> Result<u64>;

    /// The templates of one student, the one in `face_embedding` first; none for an unknown student.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn templates_of(&self, student: StudentId) -> Result<Vec<StoredTemplate>>;

    // Liveness sessions

    /// A new session.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when it names a student that is not there.
    fn create_session(&self, new: &NewSession) -> Result<SessionRecord>;

    /// The session with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>>;

    /// Writes the session's new state if its version still is `expected_version`; returns the new version, or `None`
    /// when another call was first and the caller has to read and apply its frame again.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown session.
    fn update_session(&self, id: SessionId, expected_version: i64, update: &SessionUpdate) -> Result<Option<i64>>;

    /// Remembers that `session` has had a frame that looks like `frame`, so that another session can be told. The newest
    /// [`MAX_SEEN_FRAMES`] are kept; of a frame only its hash and yaw are written.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn remember_frame(&self, session: SessionId, frame: &SeenFrame, now: Timestamp) -> Result<()>;

    /// Whether another session than `session` has had a frame like `frame` ([`SeenFrame::is_like`]) at `since` or later.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn frame_seen_elsewhere(&self, session: SessionId, frame: &SeenFrame, since: Timestamp) -> Result<bool>;

    // Attendance

    /// Marks the student present for the day and period of `new`, or returns the row that already does. The database
    /// decides, so two cameras, threads or servers cannot mark twice.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student.
    fn mark_attendance(&self, new: &NewAttendance) -> Result<Marking>;

    /// One page of attendance, newest first, and how many rows pass the filter in all.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn attendance(&self, filter: &AttendanceFilter, page: Page) -> Result<Listed<AttendanceRecord>>;

    /// The attendance row with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn attendance_record(&self, id: i64) -> Result<Option<AttendanceRecord>>;

    /// Deletes the attendance row with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn delete_attendance(&self, id: i64) -> Result<()>;

    /// Notes that the student of a row was seen leaving at `at`, and returns the row. The latest time stays.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn check_out(&self, id: i64, at: Timestamp) -> Result<AttendanceRecord>;

    /// Gives a row the status of the correction, keeps who, why and what it was before, and returns the row.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn correct_attendance(&self, id: i64, correction: &Correction, now: Timestamp) -> Result<AttendanceRecord>;

    /// The corrections of a row, oldest first. They stay when the row is deleted, and go with its student.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn corrections(&self, attendance: i64) -> Result<Vec<CorrectionRecord>>;

    /// Counts of the rows that pass the filter.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn attendance_summary(&self, filter: &AttendanceFilter) -> Result<AttendanceSummary>;

    // Detection logs

    /// Writes a detection log row; returns its id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_detection_log(&self, log: &NewDetectionLog) -> Result<i64>;

    /// Writes detection log rows, all or none: one transaction for what many cameras have to tell.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_detection_logs(&self, logs: &[NewDetectionLog]) -> Result<()>;

    /// The newest `limit` detection logs, newest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn detection_logs(&self, limit: u32) -> Result<Vec<DetectionLog>>;

    // Admin users

    /// A new admin user.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the name is taken.
    fn create_admin(&self, new: &NewAdmin, now: Timestamp) -> Result<AdminUser>;

    /// The admin user of this name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn admin(&self, username: &str) -> Result<Option<AdminUser>>;

    /// Every admin user, by id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn admins(&self) -> Result<Vec<AdminUser>>;

    /// Gives the admin user of this name another password hash.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn set_admin_password(&self, username: &str, hashed_password: &str, now: Timestamp) -> Result<()>;

    /// Changes role and activity where given; returns the user as it is now. A user that becomes inactive loses every
    /// login in the same transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::State`](crate::Error::State) when no active user of the
    /// role `admin` would be left.
    fn update_admin(&self, username: &str, change: &AdminChange, now: Timestamp) -> Result<AdminUser>;

    // Logins

    /// Keeps a login.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when it names a user that is not there.
    fn begin_login(&self, login: &NewLogin) -> Result<()>;

    /// The active user of this name, if the login that its token names has neither ended nor expired. A token that
    /// names none was made by whoever holds the secret, as the existing service makes them: only the user counts.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn login_holder(&self, username: &str, login: Option<&str>, now: Timestamp) -> Result<Option<AdminUser>>;

    /// Puts the refresh token `fresh_hash` in place of `old_hash` and moves the end of the login; returns its active
    /// user. `None` when the login has ended or expired, or when its refresh token is another: then somebody uses an
    /// old one, perhaps a thief, and the login ends in the same transaction.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn renew_login(
        &self,
        login: &str,
        old_hash: &str,
        fresh_hash: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<AdminUser>>;

    /// Ends the login, if it has not ended.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn end_login(&self, login: &str, now: Timestamp) -> Result<()>;

    /// Ends every login of the user; returns how many had not ended.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn end_logins_of(&self, username: &str, now: Timestamp) -> Result<u64>;

    // Audit

    /// Writes an entry of the audit log; returns its id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn add_audit(&self, entry: &NewAuditEntry) -> Result<i64>;

    /// One page of the audit log, newest first, and how many entries there are in all.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn audit(&self, page: Page) -> Result<Listed<AuditEntry>>;

    // Privacy

    /// The consent that the student gave.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn consent(&self, student: StudentId) -> Result<Option<Consent>>;

    /// Records the student's consent, or that it is withdrawn.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn set_consent(&self, student: StudentId, consent: Option<&Consent>, now: Timestamp) -> Result<()>;

    /// Erases what identifies the student: the face, the templates, the liveness sessions with the embeddings in them,
    /// and the marks as `marks` says.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn erase_student(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure>;

    /// The liveness sessions of the student, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn sessions_of(&self, student: StudentId) -> Result<Vec<SessionSummary>>;

    /// Deletes what is older than `retention` keeps.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn retire(&self, retention: &Retention) -> Result<Retired>;

    // Several servers

    /// What hears of this database's changes from now on. Follow first and read afterwards: then nothing is missed
    /// between the two.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn follow(&self) -> Result<Box<dyn Follower>>;

    /// Tells everybody who follows the database through another store, word for word and once. `text` is of any length
    /// and kept no longer than it takes; a database without notices of its own keeps the newest for a while.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn announce(&self, text: &str) -> Result<()>;

    /// Has a camera watched, by `by` for as long as the lease lasts unless another server watches it already; says
    /// whether `by` holds it. A camera that is watched goes on in its place, with the address of `camera`.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn watch_camera(&self, camera: &CameraRequest, by: &ServerId, lease: Duration) -> Result<bool>;

    /// Has a camera watched no longer; whether it was to be watched.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn unwatch_camera(&self, camera: &CameraKey) -> Result<bool>;

    /// Has no camera watched any longer; returns how many were to be.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn unwatch_all_cameras(&self) -> Result<u64>;

    /// Renews the leases of the cameras that `reports` are of, takes over some of those that nobody holds, and returns
    /// what `by` holds now: what is not among it, it must stop watching.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn claim_cameras(&self, by: &ServerId, reports: &[CameraReport], lease: Duration) -> Result<Vec<ClaimedCamera>>;

    /// Lets go of every camera that `by` holds, so that others take them over at once. Those that only it reaches are
    /// to be watched no longer.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn release_cameras(&self, by: &ServerId) -> Result<()>;

    /// Every camera that is to be watched, by name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn watched_cameras(&self) -> Result<Vec<WatchedCamera>>;

    // Encryption at rest

    /// How many values that hold a face are plain, and how many are sealed with which key.
    ///
    /// # Errors
    /// [`Error::State`](crate::Error::State) from a store that cannot seal; [`Error::Store`](crate::Error::Store).
    fn template_forms(&self) -> Result<TemplateForms> {
        Err(sealing::not_here())
    }

    /// Brings every value that holds a face into the form in which this store writes: sealed with its first key, or
    /// plain without keys to seal with ([`TemplateKeys::opening_only`]). Row by row in transactions of their own, so it
    /// may be stopped at any moment and begun again, and others may work meanwhile. `progress` is told how many rows were
    /// looked at.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when a value needs a key that is not there: what came before it is done;
    /// [`Error::State`](crate::Error::State) from a store that cannot seal.
    fn reseal_templates(&self, progress: &mut dyn FnMut(u64)) -> Result<Resealed> {
        let _ = progress;
        Err(sealing::not_here())
    }
}
