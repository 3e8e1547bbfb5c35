//! Where students, sessions and attendance are kept: one trait, one contract suite, an implementation a database.
//!
//! The tables are those of the existing service, so its databases open as they are and it can still read them
//! afterwards; what this library adds are columns and tables of its own (see [`schema`]).
//!
//! Everything is synchronous: a server calls it from its blocking threads, the bindings call it as it is. No call
//! reads the clock: `now` comes from the caller, so that a replay gives the same rows. The leases of cameras are the
//! exception: they are between servers whose clocks may differ, so the database's clock counts.

mod accounts;
mod attendance;
mod audit;
mod camera_table;
mod cluster;
pub(crate) mod codec;
mod deferred;
mod detection_logs;
mod given_ids;
mod kept_cameras;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod kept_rows;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod kiosk_rows;
mod kiosks;
pub mod limits;
mod location;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod lock_name;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod merge_plan;
mod model;
pub(crate) mod naive_time;
mod notices;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod order;
mod outbox;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod portable;
#[cfg(feature = "postgres")]
mod postgres;
mod privacy;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod roster_plan;
mod rosters;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod rules;
pub mod schema;
mod second_looks;
mod sessions;
#[cfg(feature = "sqlite")]
mod sqlite;
mod students;
mod templates;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod text_keys;
mod trouble;

use std::time::Duration;

use crate::error::Result;

pub use accounts::{Accounts, Logins};
pub use attendance::Attendance;
pub use audit::Audit;
pub use cluster::Cluster;
pub use codec::{FaceColumn, KeyId, Resealed, SealContext, TemplateForms, TemplateKey, TemplateKeys};
pub use deferred::DeferredWrites;
pub use detection_logs::DetectionLogs;
pub use kept_cameras::KeptCameras;
pub use kiosks::Kiosks;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use location::DatabaseLock;
pub use location::{StoreLocation, open, redacted};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use lock_name::LockName;
// Named one by one, so that the list of the public API sees them.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use model::is_erased;
pub(crate) use model::since;
pub use model::{
    AdminChange, AdminUser, Admission, AlertChannel, AlertChannelSettings, AlertEvent, AlertFacts, AlertMessage,
    AlertRule, AlertRuleSettings, AlertSecret, AttendanceFilter, AttendanceRecord, AttendanceStatus, AttendanceSummary,
    AuditEntry, CalendarEntry, CalendarKind, CameraGroup, CameraKey, CameraReach, CameraReport, CameraSettings,
    ClaimedCamera, Consent, CorrectedStatus, Correction, CorrectionRecord, DayWindow, DecidedSecondLook, Deferred,
    DeferredOutcome, DetectionLog, ENROLMENT_LOCK, Enrolee, Enrolment, Erasure, Excuse, ExcuseFilter, FaceCheck,
    FailedTry, Group, GroupChange, GroupKind, GroupRef, GroupSize, Guardian, JournalId, KeptAddress, KeptCamera,
    KeptCameraChange, KeptSeen, Kiosk, KioskChange, KioskSettings, LegacyVector, Letter, LetterRecipient, LetterState,
    Listed, LoginFailures, MailSecurity, Marking, MarksOfErased, Membership, MembershipFilter, Merged, MergedFace,
    NewAdmin, NewAlertChannel, NewAlertRule, NewAttendance, NewAuditEntry, NewCalendarEntry, NewDetectionLog,
    NewExcuse, NewGroup, NewKeptCamera, NewKiosk, NewLogin, NewSecondLook, NewSession, NewTimetable, OpenCode,
    OutboxFilter, OutboxRow, OutboxState, Page, Period, PositionColumns, RemovedGroup, Retention, Retired,
    RosterChange, RosterChanged, RosterMark, RosterOf, RosterOutcome, RosterQuery, RosterRows, RosterRun, RosterScope,
    RosterStudent, SecondLook, SecondLookAnswer, SecondLookDecision, SecondLookFilter, SecondLookState,
    SecondLookVerdict, SecondLooking, SecretHash, SeenLimits, ServerId, SessionRecord, SessionSummary, SessionUpdate,
    StoredEmbedding, StoredTemplate, Student, StudentChange, StudentMerge, StudentRef, TemplateMark, TemplateOrigin,
    TimetableVersion, WHOLE_DAY, WatchedCamera, Weekdays, Withdrawal, embedding_text,
};
// The order of lists.
pub use model::{AttendanceBy, Order, StudentFilter, StudentsBy};
// The import of a list of students.
pub use model::{
    ListedGroup, PlannedChange, PlannedMembership, PlannedStudent, ProblemCode, RosterImport, RosterOrder, RosterPlan,
    RosterProblem, RosterRow, Unlisted, UnlistedStudent,
};
pub use notices::{Follower, Notice};
pub use outbox::{Guardians, Outbox};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use portable::{BackedUp, Counts, Imported, Portable, Present, Survey};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use portable::{Skimmed, skim};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use privacy::Privacy;
pub use rosters::Rosters;
pub use second_looks::SecondLooks;
pub use sessions::Sessions;
#[cfg(feature = "sqlite")]
pub use sqlite::{Inspection, SqliteStore};
pub use students::Students;
pub use templates::Templates;
pub use trouble::StoreTrouble;

/// The traits of a store. Import them to call their methods on a [`SqliteStore`] or a `PostgresStore`; a `dyn Store`
/// needs no import.
///
/// ```
/// use faceattend_core::store::{SqliteStore, prelude::*};
///
/// # fn main() -> faceattend_core::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("faceattend-prelude-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let store = SqliteStore::open(folder.join("school.db"))?;
/// let student = store.create_student("Asha", "R1", jiff::Timestamp::now())?;
/// assert_eq!(store.student(student.id)?, Some(student));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(())
/// # }
/// ```
pub mod prelude {
    pub use super::{
        Accounts, Attendance, Audit, Cluster, DeferredWrites, DetectionLogs, Guardians, KeptCameras, Kiosks, Logins,
        Outbox, Privacy, Rosters, SecondLooks, Sessions, Store, Students, Templates,
    };
}

/// How many keys of failed logins are remembered: some 2 MB. Who invents keys pays for each with a password's hash.
pub const MAX_LOGIN_FAILURES: u32 = 10_000;

/// How many frames of liveness sessions are remembered by their hashes: those of about 1,000 registrations, in 6 MB.
pub const MAX_SEEN_FRAMES: u32 = 50_000;

/// How long other servers show a camera that only one server reaches once that server has stopped renewing its lease:
/// time for it to be started again. It is kept all the same.
pub const FORGET_BOUND_CAMERAS_AFTER: Duration = Duration::from_secs(60);

/// The database. Every method is one transaction: it happened as a whole and survives the death of the process once
/// the call has returned, or it did not happen.
///
/// A lookup that finds nothing is `None`; a change to something that is not there is
/// [`Error::NotFound`](crate::Error::NotFound). Everything else that a database can do wrong is
/// [`Error::Store`](crate::Error::Store), whose message holds no SQL, no path and no value.
pub trait Store:
    Students
    + Templates
    + Sessions
    + Attendance
    + SecondLooks
    + DetectionLogs
    + DeferredWrites
    + KeptCameras
    + Outbox
    + Guardians
    + Kiosks
    + Accounts
    + Logins
    + Audit
    + Privacy
    + Rosters
{
    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when it does not.
    fn check(&self) -> Result<()>;

    /// What hears of this database's changes from now on. Follow first and read afterwards: then nothing is missed
    /// between the two.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn follow(&self) -> Result<Box<dyn Follower>>;

    /// Returns what several servers on this database share; `None` where one server has the database to itself.
    fn cluster(&self) -> Option<&dyn Cluster>;
}
