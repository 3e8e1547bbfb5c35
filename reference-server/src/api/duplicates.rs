//! People who may be enrolled twice: lists them, and makes one student of two records.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use faceattend_core::enrolment::{Merge, MergeOutcome};
use faceattend_core::store::{Merged, MergedFace};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::privacy::{ErasureReceipt, receipt};
use super::students::{NO_STUDENT, student_error};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{Optional, Student, Word};
use crate::responses::{Reply, StudentItem, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// Students whose faces are as alike as those of one person.
#[derive(Serialize, ToSchema)]
pub(crate) struct LookAlikes {
    /// The most alike first.
    pairs: Vec<LookAlikePair>,
    /// Whether everybody was compared with everybody: not where more than 10,000 people have a face.
    compared: bool,
}

/// Two students whose faces are as alike as those of one person.
#[derive(Serialize, ToSchema)]
struct LookAlikePair {
    /// The one who was created first.
    earlier: StudentItem,
    later: StudentItem,
    /// From 0 to 1, on the scale of every threshold.
    similarity: f64,
}

pub(super) const LOOK_ALIKES: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/look-alikes",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Students,
    summary: "Lists the students who may be one person enrolled twice",
    errors: &[],
};

/// Compares everybody with everybody, once after each change of the gallery. Cameras may name neither of a pair.
pub(super) async fn look_alikes(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<LookAlikes>>, AppError> {
    app.faces_are_known()?;
    let model = app.engine().embedder().model.clone();
    let of = app.clone();
    let found = app
        .with_store("Error comparing students", move |store| {
            let Some(alike) = of.live().registry().look_alikes() else { return Ok(None) };
            let mut pairs = Vec::with_capacity(alike.len());
            for pair in alike.iter() {
                // One of the two may have been erased a moment ago.
                let (Some(earlier), Some(later)) = (store.student(pair.earlier)?, store.student(pair.later)?) else {
                    continue;
                };
                pairs.push(LookAlikePair {
                    earlier: StudentItem::of(&earlier, &model),
                    later: StudentItem::of(&later, &model),
                    similarity: f64::from(pair.similarity.value()),
                });
            }
            Ok(Some(pairs))
        })
        .await?;
    let compared = found.is_some();
    let found = LookAlikes { pairs: found.unwrap_or_default(), compared };
    Ok(Json(reply("Look-alikes retrieved successfully", found)))
}

const FACES: &[(&str, MergedFace)] = &[("kept", MergedFace::Kept), ("other", MergedFace::Other)];

input! {
    /// Two records of one person, and whose face stays.
    pub(crate) struct MergeOrder {
        path {
            student_id: StudentId = Student,
        }
        body Json {
            /// The record that goes: its marks become those of the student in the path.
            other_student_id: StudentId = Student,
            /// Whose face stays: `kept`, of the student in the path, or `other`.
            face: Option<MergedFace> = Optional(Word(FACES)),
        }
    }
}

/// What became of the two records.
#[derive(Serialize, ToSchema)]
pub(crate) struct MergedStudents {
    student_id: i64,
    name: String,
    roll_number: String,
    /// The record that went.
    other_student_id: i64,
    /// `kept` or `other`.
    face: &'static str,
    attendance_moved: u64,
    /// Marks for which the student had an earlier one in the same period, or the other record.
    attendance_joined: u64,
    corrections_moved: u64,
    second_looks_moved: u64,
    /// Whether the consent of the record that went counts from now on.
    consent_taken: bool,
    /// What was erased with the record that went.
    receipt: ErasureReceipt,
}

const UNLIKE: &str = "The faces of these students are not alike: an administrator must merge them";
const SAME: &str = "A student cannot be merged with itself";

pub(super) const MERGE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/students/{student_id}/merge",
    access: Access::Operator,
    // The merge writes entries of its own, about each of the two.
    audit: Audit::None,
    tag: Tag::Students,
    summary: "Makes one student of two records of one person",
    errors: &[(400, SAME), (403, UNLIKE), (404, NO_STUDENT)],
};

/// Moves attendance, corrections and second looks to the student in the path, and erases the other record.
pub(super) async fn merge(
    State(app): State<AppState>,
    call: Authed<MergeOrder>,
) -> Result<Json<Reply<MergedStudents>>, AppError> {
    const PREFIX: &str = "Error merging students";
    let Authed { user, role, input: MergeOrder { student_id: kept, other_student_id: other, face }, .. } = call;
    if kept == other {
        return Err(AppError::bad_request(SAME));
    }
    let now = Timestamp::now();
    let (live, actor) = (app.clone(), user.clone());
    let merged = app
        .with_registry(PREFIX, move |registry| {
            let order = Merge::into(kept, other).with_face(face.unwrap_or_default());
            let MergeOutcome::Merged(merged) = registry.merge(order, role.enrols_as(&actor), now)? else {
                return Ok(None);
            };
            live.live().student_erased();
            Ok(Some(*merged))
        })
        .await
        .map_err(student_error(PREFIX))?;
    let merged = merged.ok_or(AppError::Detail(StatusCode::FORBIDDEN, UNLIKE.into()))?;
    let message = format!("Student {} was merged into {}", merged.erasure.student.name, merged.student.name);
    Ok(Json(reply(message, told(merged, user, now))))
}

fn told(merged: Merged, by: String, at: Timestamp) -> MergedStudents {
    MergedStudents {
        student_id: merged.student.id.0,
        name: merged.student.name,
        roll_number: merged.student.roll_number,
        other_student_id: merged.erasure.student.id.0,
        face: if merged.took_face { "other" } else { "kept" },
        attendance_moved: merged.marks_moved,
        attendance_joined: merged.erasure.marks_deleted,
        corrections_moved: merged.corrections_moved,
        second_looks_moved: merged.second_looks_moved,
        consent_taken: merged.took_consent,
        receipt: receipt(&merged.erasure, by, at),
    }
}
