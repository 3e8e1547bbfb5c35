//! The addresses of a student's guardians: personal data, that no log holds.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{Guardian, Store};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::Student;
use crate::request::lists::Texts;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_STUDENT: &str = "Student not found";

/// A guardian of a student.
#[derive(Serialize, ToSchema)]
pub(crate) struct GuardianItem {
    email: String,
    /// The language of letters.
    language: String,
}

impl GuardianItem {
    pub(in crate::api) fn of(guardian: Guardian) -> Self {
        Self { email: guardian.email, language: guardian.language }
    }
}

/// The guardians of a student.
#[derive(Serialize, ToSchema)]
pub(crate) struct GuardianItems {
    student_id: i64,
    guardians: Vec<GuardianItem>,
}

fn guardian_error(error: AppError) -> AppError {
    match error {
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_STUDENT),
        other => other,
    }
}

fn read(store: &dyn Store, student: StudentId) -> faceattend_core::Result<GuardianItems> {
    store.student(student)?.ok_or(Error::NotFound { what: "student" })?;
    let guardians = store.guardians(student)?.into_iter().map(GuardianItem::of).collect();
    Ok(GuardianItems { student_id: student.0, guardians })
}

input! {
    /// The student in the path.
    pub(crate) struct WhoseGuardians {
        path {
            student_id: StudentId = Student,
        }
    }
}

pub(in crate::api) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/{student_id}/guardians",
    access: Access::Operator,
    audit: Audit::None,
    tag: Tag::Notices,
    summary: "Returns the addresses of a student's guardians",
    errors: &[(404, NO_STUDENT)],
};

pub(in crate::api) async fn list(
    State(app): State<AppState>,
    call: Authed<WhoseGuardians>,
) -> Result<Json<Reply<GuardianItems>>, AppError> {
    let student = call.input.student_id;
    let found = app.with_store("Error retrieving guardians", move |store| read(store, student));
    Ok(Json(reply("Guardians retrieved successfully", found.await.map_err(guardian_error)?)))
}

input! {
    /// The guardians of the student in the path from now on.
    pub(crate) struct NewGuardians {
        path {
            student_id: StudentId = Student,
        }
        body Json {
            /// Their e-mail addresses.
            emails: Vec<String> = Texts,
            /// The languages of their letters, in the order of the addresses; without one `en`.
            languages: Vec<String> = Texts,
        }
    }
}

pub(in crate::api) const SET: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/students/{student_id}/guardians",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Sets the addresses of a student's guardians",
    errors: &[(400, "Error keeping the guardians: what is wrong with an address"), (404, NO_STUDENT)],
};

pub(in crate::api) async fn set(
    State(app): State<AppState>,
    call: Authed<NewGuardians>,
) -> Result<Json<Reply<GuardianItems>>, AppError> {
    let NewGuardians { student_id, emails, languages } = call.input;
    let emails = emails.into_iter().map(|email| email.trim().to_owned()).enumerate();
    let guardians: Vec<Guardian> = emails
        .filter(|(_, email)| !email.is_empty())
        .map(|(at, email)| Guardian { email, language: languages.get(at).cloned().unwrap_or_else(|| "en".into()) })
        .collect();
    call.trail.note(format!("{} guardians", guardians.len()));
    let kept = app.with_store("Error keeping the guardians", move |store| {
        store.set_guardians(student_id, &guardians, Timestamp::now())?;
        read(store, student_id)
    });
    Ok(Json(reply("Guardians kept", kept.await.map_err(guardian_error)?)))
}
