//! The values that a store takes and returns, one file for each noun.

mod absence;
mod account;
mod alert;
mod attendance;
mod audit;
mod camera;
mod deferred;
mod detection_log;
mod exact;
mod face_check;
mod group;
mod kept_camera;
mod kiosk;
mod letter;
mod merge;
mod order;
mod page;
mod privacy;
mod roster_import;
mod roster_problem;
mod roster_rows;
mod second_look;
pub(super) mod seen_template;
mod session;
mod student;
mod template;
mod timetable;

pub use absence::{CalendarEntry, CalendarKind, Excuse, ExcuseFilter, NewCalendarEntry, NewExcuse};
pub use account::{AdminChange, AdminUser, LoginFailures, NewAdmin, NewLogin};
pub use alert::{
    AlertChannel, AlertChannelSettings, AlertEvent, AlertRule, AlertRuleSettings, AlertSecret, MailSecurity,
    NewAlertChannel, NewAlertRule,
};
pub use attendance::{
    AttendanceFilter, AttendanceRecord, AttendanceStatus, AttendanceSummary, CorrectedStatus, Correction,
    CorrectionRecord, DayWindow, Marking, NewAttendance,
};
pub use audit::{AuditEntry, NewAuditEntry};
pub use camera::{CameraReport, ClaimedCamera, ServerId, WatchedCamera};
pub use deferred::{Deferred, DeferredOutcome, JournalId};
pub use detection_log::{DetectionLog, NewDetectionLog};
pub use face_check::{Admission, ENROLMENT_LOCK, Enrolee, FaceCheck, TemplateMark};
pub use group::{
    Group, GroupChange, GroupKind, GroupRef, GroupSize, Membership, MembershipFilter, NewGroup, RemovedGroup,
    RosterChange, RosterChanged, RosterOutcome, RosterRun, StudentRef, Withdrawal,
};
pub use kept_camera::{
    CameraGroup, CameraKey, CameraReach, CameraSettings, KeptAddress, KeptCamera, KeptCameraChange, NewKeptCamera,
};
pub use kiosk::{Kiosk, KioskChange, KioskSettings, NewKiosk, OpenCode, SecretHash};
pub use letter::{
    AlertFacts, AlertMessage, FailedTry, Guardian, Letter, LetterRecipient, LetterState, OutboxFilter, OutboxRow,
    OutboxState,
};
pub use merge::{Merged, MergedFace, StudentMerge};
pub use order::{AttendanceBy, Order, StudentFilter, StudentsBy};
pub use page::{Listed, Page};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use privacy::is_erased;
pub use privacy::{Consent, Erasure, MarksOfErased, Retention, Retired, SessionSummary};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use privacy::{NAME_OF_ERASED, roll_number_of_erased};
pub use roster_import::{
    ListedGroup, PlannedChange, PlannedMembership, PlannedStudent, RosterImport, RosterOrder, RosterPlan, RosterRow,
    Unlisted, UnlistedStudent,
};
pub use roster_problem::{ProblemCode, RosterProblem};
pub use roster_rows::{RosterMark, RosterOf, RosterQuery, RosterRows, RosterStudent};
pub use second_look::{
    DecidedSecondLook, NewSecondLook, SecondLook, SecondLookAnswer, SecondLookDecision, SecondLookFilter,
    SecondLookState, SecondLookVerdict, SecondLooking,
};
pub use seen_template::{KeptSeen, SeenLimits, TemplateOrigin};
pub use session::{NewSession, PositionColumns, SessionRecord, SessionUpdate};
pub use student::{Student, StudentChange};
pub use template::{Enrolment, LegacyVector, StoredEmbedding, StoredTemplate, embedding_text};
pub(crate) use timetable::since;
pub use timetable::{NewTimetable, Period, RosterScope, TimetableVersion, WHOLE_DAY, Weekdays};
