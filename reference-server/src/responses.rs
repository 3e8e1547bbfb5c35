//! The answers that several endpoints share. Their fields stand in the order of the recorded answers; new fields stand
//! last.

use faceattend_core::store::{AttendanceRecord, Listed, Page, SecondLook, Student};
use faceattend_core::types::ModelId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::request::kinds::Count;
pub(crate) use crate::wire_time::naive_utc;

/// The kinds of the files that tables are exported as.
pub(crate) const CSV: &str = "text/csv; charset=utf-8";
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// `{success, message, data}`, the common answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reply<T> {
    success: bool,
    message: String,
    #[schema(inline)]
    data: T,
}

/// Returns the common answer with data.
pub(crate) fn reply<T>(message: impl Into<String>, data: T) -> Reply<T> {
    Reply { success: true, message: message.into(), data }
}

/// The common answer without data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    success: bool,
    message: String,
    /// Always null.
    #[schema(schema_with = null)]
    data: (),
}

/// Returns the schema of null.
pub(crate) fn null() -> Object {
    ObjectBuilder::new().schema_type(Type::Null).build()
}

/// Returns the common answer without data.
pub(crate) fn done(message: impl Into<String>) -> Done {
    Done { success: true, message: message.into(), data: () }
}

/// The number of rows to skip in a list.
pub(crate) const SKIP: Count = Count { least: 0, default: 0 };
/// The largest number of rows to return. The original fails on 0, so 0 is refused.
pub(crate) const LIMIT: Count = Count { least: 1, default: 100 };

/// A slice of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    #[schema(inline)]
    items: Vec<T>,
    /// How many there are in all.
    total: u64,
    /// The number of this slice, from 1.
    page: u64,
    /// How many rows a slice has at most.
    size: u64,
    /// How many slices there are.
    pages: u64,
}

/// Returns the slice `page` of a list, whose rows `item` turns into answers.
pub(crate) fn page_of<T, A>(list: &Listed<T>, page: Page, item: impl Fn(&T) -> A) -> Listing<A> {
    let (size, skip) = (u64::from(page.limit), u64::from(page.skip));
    Listing {
        items: list.items.iter().map(item).collect(),
        total: list.total,
        page: skip / size + 1,
        size,
        pages: list.total.div_ceil(size),
    }
}

/// A student in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StudentItem {
    id: i64,
    name: String,
    roll_number: String,
    liveness_verified: bool,
    liveness_confidence_score: f64,
    created_at: String,
    #[schema(required)]
    updated_at: Option<String>,
    /// Whether a face is stored.
    has_face: bool,
    /// Whether a face is stored that this server's model cannot match.
    must_enrol_again: bool,
}

impl StudentItem {
    /// Returns `student` as lists show it. `model` is the one that this server recognizes faces with.
    pub(crate) fn of(student: &Student, model: &ModelId) -> Self {
        Self {
            id: student.id.0,
            name: student.name.clone(),
            roll_number: student.roll_number.clone(),
            liveness_verified: student.liveness_verified,
            liveness_confidence_score: student.liveness_confidence_score,
            created_at: naive_utc(student.created_at),
            updated_at: student.updated_at.map(naive_utc),
            has_face: student.has_face,
            must_enrol_again: student.must_enrol_again(model),
        }
    }
}

/// A student alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StudentDetails {
    id: i64,
    name: String,
    roll_number: String,
    /// The face's embedding, as a JSON array in a text. Null unless an admin asks, or the server shows embeddings to
    /// everybody.
    #[schema(required)]
    embedding_vector: Option<String>,
    liveness_verified: bool,
    #[schema(required)]
    liveness_verification_date: Option<String>,
    liveness_confidence_score: f64,
    created_at: String,
    #[schema(required)]
    updated_at: Option<String>,
    /// Whether a face is stored.
    has_face: bool,
    /// Whether a face is stored that this server's model cannot match.
    must_enrol_again: bool,
}

impl StudentDetails {
    /// Returns `student` with its embedding as the original shows it.
    pub(crate) fn of(student: &Student, model: &ModelId, embedding: Option<String>) -> Self {
        let item = StudentItem::of(student, model);
        Self {
            id: item.id,
            name: item.name,
            roll_number: item.roll_number,
            embedding_vector: embedding,
            liveness_verified: item.liveness_verified,
            liveness_verification_date: student.liveness_verification_date.map(naive_utc),
            liveness_confidence_score: item.liveness_confidence_score,
            created_at: item.created_at,
            updated_at: item.updated_at,
            has_face: item.has_face,
            must_enrol_again: item.must_enrol_again,
        }
    }
}

/// A sighting in the second-look list. There is no picture of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecondLookItem {
    id: i64,
    student_id: i64,
    student_name: String,
    student_roll_number: String,
    /// When the student was seen: the time of the row that a confirmation makes.
    timestamp: String,
    /// The day of the site.
    #[schema(format = Date)]
    day: String,
    /// The part of the day, such as a lesson.
    period: String,
    /// `Present` or `Late`.
    status: &'static str,
    #[schema(required)]
    confidence_score: Option<f64>,
    #[schema(required)]
    camera_location: Option<String>,
    /// `undecided`, or `spoof` where a photograph or a replay was suspected.
    verdict: &'static str,
    /// Why, as stable codes such as `few_views`.
    reasons: Vec<String>,
    /// `open`, `confirmed`, `refused`, or `settled` where the student was marked otherwise.
    state: &'static str,
    #[schema(required)]
    decided_by: Option<String>,
    #[schema(required)]
    decided_at: Option<String>,
}

impl SecondLookItem {
    /// Returns `look` as lists show it.
    pub(crate) fn of(look: &SecondLook) -> Self {
        let sighting = &look.sighting;
        Self {
            id: look.id,
            student_id: sighting.student.0,
            student_name: look.student_name.clone(),
            student_roll_number: look.student_roll_number.clone(),
            timestamp: naive_utc(sighting.at),
            day: sighting.day.date.to_string(),
            period: sighting.period.clone(),
            status: sighting.status.as_str(),
            confidence_score: sighting.confidence_score,
            camera_location: sighting.camera_location.clone(),
            verdict: look.verdict.as_str(),
            reasons: look.reasons.clone(),
            state: look.state.as_str(),
            decided_by: look.decided_by.clone(),
            decided_at: look.decided_at.map(naive_utc),
        }
    }
}

/// An attendance row in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttendanceItem {
    id: i64,
    student_id: i64,
    student_name: String,
    student_roll_number: String,
    timestamp: String,
    status: String,
    #[schema(required)]
    confidence_score: Option<f64>,
    #[schema(required)]
    camera_location: Option<String>,
    created_at: String,
}

impl AttendanceItem {
    /// Returns `record` as lists show it.
    pub(crate) fn of(record: &AttendanceRecord) -> Self {
        Self {
            id: record.id,
            student_id: record.student.0,
            student_name: record.student_name.clone(),
            student_roll_number: record.student_roll_number.clone(),
            timestamp: naive_utc(record.timestamp),
            status: record.status.clone(),
            confidence_score: record.confidence_score,
            camera_location: record.camera_location.clone(),
            created_at: naive_utc(record.created_at),
        }
    }
}
