//! Enrols a student by a photograph: a face that no liveness session proved.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::SingleFace;
use faceattend_core::enrolment::{FaceThatIsThere, OF_ONE_PHOTOGRAPH, UnprovenOutcome, known_as};
use faceattend_core::roster_file::match_photographs;
use faceattend_core::store::{Enrolee, Page};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::request::file::AuthedFile;
use crate::request::input::input;
use crate::request::kinds::FlagOr;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NOT_USED: &str = "The photograph was not used";
const OF_NOBODY: &str = "The name of the photograph is nobody's roll number";

input! {
    /// What happens to a face that is there.
    pub(crate) struct How {
        query {
            /// Whether the photograph takes the place of a face that is stored.
            replace: bool = FlagOr(false),
        }
    }
}

/// What came of a photograph.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfPhotograph {
    student_id: i64,
    name: String,
    roll_number: String,
    /// Whether the student has the face of the photograph now.
    enrolled: bool,
    /// Whether the student had a face, which stays.
    had_face: bool,
    /// Why the photograph was not used.
    #[schema(required)]
    reason: Option<String>,
    /// Always false for a face of a photograph.
    liveness_verified: bool,
}

pub(super) const ENROL: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/students/photographs",
    access: Access::Operator,
    // The enrolment writes an entry of its own.
    audit: Audit::None,
    tag: Tag::Groups,
    summary: "Enrols the student whose roll number is the name of a photograph, without liveness",
    errors: &[(404, OF_NOBODY), (409, "Several students have the roll number")],
};

pub(super) async fn enrol(
    State(app): State<AppState>,
    call: AuthedFile<How>,
) -> Result<Json<Reply<OfPhotograph>>, AppError> {
    const PREFIX: &str = "Error enrolling by a photograph";
    let AuthedFile { user, role, input, name: file, bytes, .. } = call;
    let names = [file.clone()];
    let matched = app
        .with_store(PREFIX, move |store| Ok(match_photographs(&names, &store.students(None, Page::ALL)?.items)))
        .await?;
    if !matched.of_several.is_empty() {
        let several = "Several students have the roll number that is the name of the photograph";
        return Err(AppError::Detail(axum::http::StatusCode::CONFLICT, several.into()));
    }
    let Some((student, _)) = matched.of.into_iter().next() else { return Err(AppError::not_found(OF_NOBODY)) };
    let there = if input.replace { FaceThatIsThere::Replace } else { FaceThatIsThere::Keep };
    let mut answer = OfPhotograph {
        student_id: student.id.0,
        name: student.name.clone(),
        roll_number: student.roll_number.clone(),
        enrolled: false,
        had_face: student.has_face,
        reason: None,
        liveness_verified: student.liveness_verified,
    };
    if there.suffices(&student) {
        return Ok(Json(reply("The student has a face already", answer)));
    }
    let found = app.with_frame(PREFIX, bytes, |frame, engine| SingleFace::find(engine, &frame, None)).await?;
    let view = match found {
        SingleFace::Clear { embedding, .. } => embedding,
        other => {
            answer.reason = Some(other.advice());
            return Ok(Json(reply(NOT_USED, answer)));
        }
    };
    let id = student.id;
    let outcome = app
        .with_registry(PREFIX, move |registry| {
            let (who, actor) = (Enrolee::Student(id), role.enrols_as(&user));
            registry.enrol_unproven(&who, &[view], OF_ONE_PHOTOGRAPH, actor, Timestamp::now())
        })
        .await?;
    match outcome {
        UnprovenOutcome::Enrolled { student, .. } => {
            answer.enrolled = true;
            answer.liveness_verified = student.liveness_verified;
            app.live().student_enrolled();
        }
        UnprovenOutcome::Refused(found) => answer.reason = Some(known_as(&found).advice().into_owned()),
        UnprovenOutcome::Unlike => {
            answer.reason = Some("the face is unlike the one that is stored: an admin may replace it".into());
        }
        UnprovenOutcome::UnknownStudent => return Err(AppError::not_found(OF_NOBODY)),
    }
    let message = if answer.enrolled { "Enrolled by a photograph" } else { NOT_USED };
    Ok(Json(reply(message, answer)))
}
