//! The shapes of the answers.

use faceattend_core::store::{AttendanceRecord, Listed, Page, Student};
use faceattend_core::types::ModelId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::request::fields::Fields;

/// `{success, message, data}`, the common answer.
#[derive(Debug, Serialize)]
pub(crate) struct Reply<T> {
    success: bool,
    message: String,
    data: Option<T>,
}

/// The common answer with data.
pub(crate) fn reply<T>(message: impl Into<String>, data: T) -> Reply<T> {
    Reply { success: true, message: message.into(), data: Some(data) }
}

/// The common answer without data.
pub(crate) fn done(message: impl Into<String>) -> Reply<()> {
    Reply { success: true, message: message.into(), data: None }
}

/// A naive UTC time in ISO 8601, with microseconds when there are any.
pub(crate) fn naive_utc(at: Timestamp) -> String {
    let format = if at.subsec_nanosecond() / 1000 == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S.%6f" };
    at.strftime(format).to_string()
}

/// The `skip` and `limit` of a list, with the original's defaults. A limit of none is refused: the original fails on it.
pub(crate) fn read_page(query: &mut Fields<'_>) -> Option<Page> {
    let skip = query.integer_in("skip", 0, 0..=i64::from(u32::MAX));
    let limit = query.integer_in("limit", 100, 1..=i64::from(u32::MAX));
    Some(Page { skip: u32::try_from(skip?).ok()?, limit: u32::try_from(limit?).ok()? })
}

/// `{items, total, page, size, pages}`.
pub(crate) fn page_of<T>(list: &Listed<T>, page: Page, item: impl Fn(&T) -> Value) -> Value {
    let (size, skip) = (u64::from(page.limit), u64::from(page.skip));
    json!({
        "items": list.items.iter().map(item).collect::<Vec<_>>(),
        "total": list.total,
        "page": skip / size + 1,
        "size": size,
        "pages": list.total.div_ceil(size),
    })
}

/// A student in a list. `model` is the one that this server recognizes faces with.
pub(crate) fn student_item(student: &Student, model: &ModelId) -> Value {
    json!({
        "id": student.id,
        "name": student.name,
        "roll_number": student.roll_number,
        "liveness_verified": student.liveness_verified,
        "liveness_confidence_score": student.liveness_confidence_score,
        "created_at": naive_utc(student.created_at),
        "updated_at": student.updated_at.map(naive_utc),
        "has_face": student.has_face,
        "must_enrol_again": student.must_enrol_again(model),
    })
}

/// A student alone, with its embedding as the original shows it.
pub(crate) fn student_whole(student: &Student, model: &ModelId, embedding: Option<&str>) -> Value {
    let mut whole = student_item(student, model);
    whole["embedding_vector"] = json!(embedding);
    whole["liveness_verification_date"] = json!(student.liveness_verification_date.map(naive_utc));
    whole
}

/// An attendance row in a list.
pub(crate) fn attendance_item(record: &AttendanceRecord) -> Value {
    json!({
        "id": record.id,
        "student_id": record.student,
        "student_name": record.student_name,
        "student_roll_number": record.student_roll_number,
        "timestamp": naive_utc(record.timestamp),
        "status": record.status,
        "confidence_score": record.confidence_score,
        "camera_location": record.camera_location,
        "created_at": naive_utc(record.created_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_naive_and_show_microseconds_only_when_there_are_any() {
        let at = |nanos| naive_utc(Timestamp::new(1_700_000_000, nanos).unwrap());
        assert_eq!(at(0), "2023-11-14T22:13:20");
        assert_eq!(at(999), "2023-11-14T22:13:20");
        assert_eq!(at(1_000), "2023-11-14T22:13:20.000001");
    }
}
