//! What goes into the store and what comes out of it.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::sealing::{NotOpened, SealContext, TemplateKeys};
use super::seen::TemplateOrigin;
use crate::embedding::Embedding;
use crate::error::Result;
use crate::liveness::Status;
use crate::types::{ModelId, SessionId, StudentId};

/// A slice of a list. The caller has checked its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows to pass over.
    pub skip: u32,
    /// How many rows to return at most.
    pub limit: u32,
}

impl Page {
    /// Every row.
    pub const ALL: Self = Self { skip: 0, limit: u32::MAX };
}

/// A slice of a list, and how long the whole list is.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The rows of the slice.
    pub items: Vec<T>,
    /// How many rows there are without the slicing.
    pub total: u64,
}

/// A student, without the face.
#[derive(Debug, Clone, PartialEq)]
pub struct Student {
    /// Its key. A database may give the key of a deleted student to a new one.
    pub id: StudentId,
    /// Its name.
    pub name: String,
    /// Its roll number, unique.
    pub roll_number: String,
    /// Whether a liveness session proved the stored face.
    pub liveness_verified: bool,
    /// When it did.
    pub liveness_verification_date: Option<Timestamp>,
    /// The liveness score of that session, in [0, 1]; 0 without one.
    pub liveness_confidence_score: f64,
    /// The model of the stored templates; `None` without a face and for one that the existing service made.
    pub model: Option<ModelId>,
    /// Whether a face is stored, of whichever model.
    pub has_face: bool,
    /// When the row was made, in whole seconds; 1970 when the database does not say.
    pub created_at: Timestamp,
    /// When it was last changed, in whole seconds; `None` until then.
    pub updated_at: Option<Timestamp>,
}

impl Student {
    /// Whether a face is stored that an engine with this embedding model cannot match: the student is recognized again
    /// only after enrolling again. A face of the existing service, which names no model, is one of them.
    #[must_use]
    pub fn must_enrol_again(&self, model: &ModelId) -> bool {
        self.has_face && self.model.as_ref() != Some(model)
    }
}

/// What to change of a student; `None` leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StudentChange {
    /// The new name.
    pub name: Option<String>,
    /// The new roll number.
    pub roll_number: Option<String>,
}

/// What a completed liveness session proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolment {
    /// The templates, at least one and all of one model. The first goes into `face_embedding` and `embedding_vector`.
    pub templates: Vec<Embedding>,
    /// The score of the session, in [0, 1].
    pub liveness_score: f64,
}

/// A template of a student, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTemplate {
    /// Whose it is.
    pub student: StudentId,
    /// The embedding.
    pub embedding: StoredEmbedding,
    /// Where it comes from.
    pub origin: TemplateOrigin,
    /// When it was written; `None` for the existing service's, which says no time.
    pub added_at: Option<Timestamp>,
}

/// An embedding with or without the model that made it.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredEmbedding {
    /// Ours: it says which model made it.
    Tagged(Embedding),
    /// The existing service's: nobody knows the model until the operator says which.
    Legacy(LegacyVector),
}

impl StoredEmbedding {
    /// The embedding in a row whose columns may be sealed: as [`Self::read`], where what was changed counts as damaged.
    /// A value that needs another key is an error: to leave it out would leave out everybody.
    pub(super) fn unseal(
        keys: &TemplateKeys,
        model: Option<&ModelId>,
        bytes: Option<(SealContext, &[u8])>,
        json: Option<(SealContext, &str)>,
    ) -> Result<Option<Self>> {
        fn or_damaged<T>(opened: Result<T, NotOpened>, place: &SealContext) -> Result<Option<T>> {
            let value = NotOpened::unless_damaged(opened, place)?;
            if value.is_none() {
                tracing::error!("{}", NotOpened::Damaged.at(place));
            }
            Ok(value)
        }
        let bytes = bytes.map(|(place, stored)| or_damaged(keys.open_bytes(&place, stored), &place)).transpose()?;
        let json = json.map(|(place, stored)| or_damaged(keys.open_text(&place, stored), &place)).transpose()?;
        Ok(Self::read(model, bytes.flatten().as_deref(), json.flatten().as_deref()))
    }

    /// The embedding in a row: from `bytes` (little-endian `f32`), from `json` (an array of numbers) when there are no
    /// usable bytes, `None` when neither is a direction.
    pub(super) fn read(model: Option<&ModelId>, bytes: Option<&[u8]>, json: Option<&str>) -> Option<Self> {
        let from_bytes = bytes.map(<[u8]>::as_chunks::<4>).filter(|(_, rest)| rest.is_empty());
        let candidates = [
            from_bytes.map(|(chunks, _)| chunks.iter().map(|c| f32::from_le_bytes(*c)).collect::<Vec<_>>()),
            json.and_then(|text| serde_json::from_str(text).ok()),
        ];
        candidates.into_iter().flatten().find_map(|values| {
            let embedding = Embedding::from_raw(model.cloned().unwrap_or_else(|| ModelId::new("")), &values).ok()?;
            Some(if model.is_some() { Self::Tagged(embedding) } else { Self::Legacy(LegacyVector(values)) })
        })
    }
}

/// Returns the embedding as the existing service's columns hold it: a JSON array of numbers.
#[must_use]
pub fn embedding_text(embedding: &Embedding) -> String {
    serde_json::json!(embedding.values()).to_string()
}

/// An embedding that does not say which model made it, and is matched against nothing until the operator does.
#[derive(Clone, PartialEq)]
pub struct LegacyVector(Vec<f32>);

impl LegacyVector {
    /// How many values it has: a first check against a model.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.0.len()
    }

    /// The embedding, on the operator's word that `model` made it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) when the values are no direction.
    pub fn with_model(&self, model: ModelId) -> Result<Embedding> {
        Embedding::from_raw(model, &self.0)
    }
}

/// Says the dimension, never the values.
impl fmt::Debug for LegacyVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyVector({}-d)", self.0.len())
    }
}

/// A liveness session to be stored, pending.
#[derive(Clone, PartialEq)]
pub struct NewSession {
    /// Its key.
    pub id: SessionId,
    /// The student whose face it shall prove, if there is one already.
    pub student: Option<StudentId>,
    /// The session as text; the store does not read it.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A liveness session, as stored.
#[derive(Clone, PartialEq)]
pub struct SessionRecord {
    /// Its key.
    pub id: SessionId,
    /// The student it is for or has enrolled.
    pub student: Option<StudentId>,
    /// Where it stood at the last change; a session past `expires_at` may still say something else.
    pub status: Status,
    /// Its score so far, in [0, 1].
    pub liveness_score: f64,
    /// Whether the movement was verified.
    pub movement_verified: bool,
    /// The session as text; `None` for one that the existing service made.
    pub state: Option<String>,
    /// How often it has changed; goes into [`Store::update_session`](super::Store::update_session).
    pub version: i64,
    /// When it was made, in whole seconds.
    pub created_at: Timestamp,
    /// When it ends. The database's word counts, also where `state` holds another time.
    pub expires_at: Timestamp,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
    /// When it enrolled a student; from then on it enrols no other.
    pub consumed_at: Option<Timestamp>,
}

/// The new state of a liveness session, whole.
#[derive(Clone, PartialEq)]
pub struct SessionUpdate {
    /// Where it stands.
    pub status: Status,
    /// The session as text.
    pub state: String,
    /// Its score so far, in [0, 1].
    pub liveness_score: f64,
    /// Whether the movement is verified.
    pub movement_verified: bool,
    /// The columns of the three positions, for readers of the existing service's schema.
    pub center: PositionColumns,
    /// As `center`.
    pub left: PositionColumns,
    /// As `center`.
    pub right: PositionColumns,
    /// The embedding that a completed session enrols.
    pub final_embedding: Option<Embedding>,
    /// What went wrong last.
    pub error_message: Option<String>,
    /// How many frames it has judged.
    pub attempts: u32,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
}

/// What the existing service's schema keeps of one position.
#[derive(Clone, PartialEq, Default)]
pub struct PositionColumns {
    /// The embedding of the accepted frame.
    pub embedding: Option<Embedding>,
    /// Whether the position is verified.
    pub verified: bool,
    /// The accepted frame as base64, only where the operator turned retention on.
    pub frame_data: Option<String>,
}

// Sessions carry embeddings in their state, so their `Debug` shows none of it.
impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSession({:?}, expires_at: {})", self.student, self.expires_at)
    }
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SessionRecord({:?}, {:?}, version: {}, expires_at: {}, consumed: {})",
            self.status,
            self.student,
            self.version,
            self.expires_at,
            self.consumed_at.is_some()
        )
    }
}

impl fmt::Debug for SessionUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionUpdate({:?}, attempts: {})", self.status, self.attempts)
    }
}

impl fmt::Debug for PositionColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PositionColumns(verified: {})", self.verified)
    }
}

/// How a student attended, spelled in the database and the API as in the existing service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AttendanceStatus {
    /// In time.
    Present,
    /// After the time that counts as late.
    Late,
}

impl AttendanceStatus {
    /// Its spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
        }
    }
}

/// One day of the site, and the times between which it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayWindow {
    /// Its date in the site's time zone.
    pub date: Date,
    /// Its first moment.
    pub starts_at: Timestamp,
    /// The first moment of the next day.
    pub ends_at: Timestamp,
}

/// An attendance to be marked.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttendance {
    /// Whose.
    pub student: StudentId,
    /// When the student was seen.
    pub at: Timestamp,
    /// The site's day. A row that the existing service wrote between its times counts as this day's.
    pub day: DayWindow,
    /// The part of the day that is marked once, such as a lesson.
    pub period: String,
    /// How the student attended.
    pub status: AttendanceStatus,
    /// The similarity of the match, on the scale of the documented threshold 0.7.
    pub confidence_score: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
}

/// What came of a mark. The row is the same kind either way.
#[derive(Debug, Clone, PartialEq)]
pub enum Marking {
    /// The new row.
    Marked(AttendanceRecord),
    /// The row that was there.
    AlreadyMarked(AttendanceRecord),
}

impl Marking {
    /// The row that stands for this day and period.
    #[must_use]
    pub fn record(&self) -> &AttendanceRecord {
        match self {
            Self::Marked(record) | Self::AlreadyMarked(record) => record,
        }
    }
}

/// An attendance row with its student's name.
#[derive(Debug, Clone, PartialEq)]
pub struct AttendanceRecord {
    /// Its key.
    pub id: i64,
    /// Whose.
    pub student: StudentId,
    /// The student's name.
    pub student_name: String,
    /// The student's roll number.
    pub student_roll_number: String,
    /// When the student was seen.
    pub timestamp: Timestamp,
    /// `Present`, `Late`, or what else the existing service wrote.
    pub status: String,
    /// The similarity of the match.
    pub confidence_score: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
    /// The site's day, if the row has one.
    pub local_day: Option<Date>,
    /// When the row was made, in whole seconds.
    pub created_at: Timestamp,
    /// When the student was last seen in the time in which leaving is expected.
    pub checked_out_at: Option<Timestamp>,
}

/// What a person says that a row should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CorrectedStatus {
    /// There in time.
    Present,
    /// There late.
    Late,
    /// Not there: the row stays, so that no camera marks the same day and period again.
    Absent,
}

impl CorrectedStatus {
    /// Its spelling in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
            Self::Absent => "Absent",
        }
    }
}

/// A change to an attendance row by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// What it should say.
    pub status: CorrectedStatus,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Correction {
    /// A correction to `status`, by whom and why.
    #[must_use]
    pub fn new(status: CorrectedStatus, by: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { status, by: by.into(), reason: reason.into() }
    }

    /// That it says who and why.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput).
    pub fn check(&self) -> Result<()> {
        if self.by.trim().is_empty() || self.reason.trim().is_empty() {
            return Err(crate::Error::invalid_input("correction", "it must say who made it and why"));
        }
        Ok(())
    }
}

/// A correction that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRecord {
    /// Its key.
    pub id: i64,
    /// The attendance row.
    pub attendance: i64,
    /// What was changed.
    pub correction: Correction,
    /// What the row said before.
    pub status_before: String,
    /// When.
    pub at: Timestamp,
}

/// Which attendance rows to look at; `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AttendanceFilter {
    /// Not before this time: the start of the first day in the site's time zone.
    pub from: Option<Timestamp>,
    /// Before this time: the end of the last day in the site's time zone.
    pub until: Option<Timestamp>,
    /// Of this student.
    pub student: Option<StudentId>,
    /// With exactly this status.
    pub status: Option<String>,
}

/// Counts of attendance rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttendanceSummary {
    /// All of them.
    pub total: u64,
    /// With status `Present`.
    pub present: u64,
    /// With status `Absent`, which only the existing service wrote.
    pub absent: u64,
    /// With status `Late`.
    pub late: u64,
    /// How many students they are of.
    pub unique_students: u64,
}

/// A detection log row to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDetectionLog {
    /// When.
    pub timestamp: Timestamp,
    /// How many faces were found.
    pub faces_detected: u32,
    /// How many of them were recognized.
    pub students_recognized: u32,
    /// How long it took, in seconds.
    pub processing_time: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
}

/// A detection log row.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionLog {
    /// Its key.
    pub id: i64,
    /// What it says.
    pub entry: NewDetectionLog,
}

/// An admin user to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAdmin {
    /// The name to log in with.
    pub username: String,
    /// The hash of the password.
    pub hashed_password: String,
    /// What the user may do.
    pub role: String,
}

/// An admin user.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminUser {
    /// Its key.
    pub id: i64,
    /// The name to log in with.
    pub username: String,
    /// The hash of the password.
    pub hashed_password: String,
    /// What the user may do; `admin` for those that the existing service made.
    pub role: String,
    /// Whether the user may log in.
    pub is_active: bool,
}

// A password hash does not reach a log either.
impl fmt::Debug for NewAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewAdmin({}, {})", self.username, self.role)
    }
}

impl fmt::Debug for AdminUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdminUser({}, {}, active: {})", self.username, self.role, self.is_active)
    }
}
