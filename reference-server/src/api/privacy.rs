//! What a person may ask of whoever keeps the face: what is kept, that it is erased, and what was agreed to.

use axum::Json;
use axum::extract::State;
use faceattend_core::store::{AttendanceFilter, Consent, Erasure, Page, StoredEmbedding, StoredTemplate};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::students::{Which, student_error};
use crate::error::AppError;
use crate::request::body::Expects;
use crate::request::extract::{Authed, Input};
use crate::request::fields::Reader;
use crate::responses::{Reply, attendance_item, done, naive_utc, reply, student_item};
use crate::state::AppState;

/// `DELETE /students/{id}`: erases the face, the sessions, and the marks as the operator chose, here and in the gallery.
/// The receipt says what is gone.
pub(crate) async fn erase(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Error deleting student";
    let Which(id) = call.input;
    let marks = app.settings().marks_of_erased;
    let now = Timestamp::now();
    let live = app.clone();
    let erasure = app
        .with_registry(PREFIX, move |registry| {
            let erasure = registry.erase(id, marks, now)?;
            live.live().student_erased();
            Ok(erasure)
        })
        .await
        .map_err(student_error(PREFIX))?;
    Ok(Json(json!({
        "success": true,
        "message": format!("Student {} deleted successfully", erasure.student.name),
        "data": null,
        // Ours: existing clients read the three above.
        "receipt": receipt(&erasure, &call.user, now),
    })))
}

fn receipt(erasure: &Erasure, by: &str, at: Timestamp) -> Value {
    json!({
        "student_id": erasure.student.id,
        "erased_at": naive_utc(at),
        "erased_by": by,
        "templates": erasure.templates,
        "liveness_sessions": erasure.sessions,
        "attendance_deleted": erasure.marks_deleted,
        "attendance_anonymised": erasure.marks_anonymised,
    })
}

/// `GET /students/{id}/export`: everything that is held on the student.
pub(crate) async fn export(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Value>, AppError> {
    const PREFIX: &str = "Error exporting student";
    let Which(id) = call.input;
    let model = app.engine().embedder().model.clone();
    let found = app
        .with_store(PREFIX, move |store| {
            let Some(student) = store.student(id)? else { return Ok(None) };
            let filter = AttendanceFilter { student: Some(id), ..AttendanceFilter::default() };
            let sessions: Vec<Value> = store
                .sessions_of(id)?
                .iter()
                .map(|session| {
                    json!({
                        "session_id": session.id,
                        "status": session.status,
                        "created_at": naive_utc(session.created_at),
                        "completed_at": session.completed_at.map(naive_utc),
                        "frames": session.attempts,
                    })
                })
                .collect();
            Ok(Some(json!({
                "student": student_item(&student, &model),
                "consent": store.consent(id)?.as_ref().map(consent_item),
                "templates": store.templates_of(id)?.iter().map(template_item).collect::<Vec<_>>(),
                "liveness_sessions": sessions,
                "attendance": store.attendance(&filter, Page::ALL)?.items.iter().map(attendance_item).collect::<Vec<_>>(),
                "frames": [],
                "exported_at": naive_utc(Timestamp::now()),
            })))
        })
        .await?;
    found.map(Json).ok_or_else(|| AppError::not_found("Student not found"))
}

fn template_item(template: &StoredTemplate) -> Value {
    match &template.embedding {
        StoredEmbedding::Tagged(embedding) => {
            let (model, origin) = (embedding.model().as_str(), template.origin.as_str());
            json!({ "model": model, "origin": origin, "values": embedding.values() })
        }
        StoredEmbedding::Legacy(vector) => json!({ "model": null, "dimension": vector.dimension() }),
    }
}

fn consent_item(consent: &Consent) -> Value {
    json!({ "given_at": naive_utc(consent.given_at), "given_by": consent.given_by, "notice": consent.notice })
}

/// `GET /students/{id}/consent`.
pub(crate) async fn consent(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<Value>>, AppError> {
    let Which(id) = call.input;
    let consent = app
        .with_store("Error retrieving consent", move |store| {
            let Some(_) = store.student(id)? else { return Ok(None) };
            Ok(Some(store.consent(id)?))
        })
        .await?
        .ok_or_else(|| AppError::not_found("Student not found"))?;
    Ok(Json(reply("Consent retrieved successfully", json!({ "consent": consent.as_ref().map(consent_item) }))))
}

/// A consent to be recorded.
pub(crate) struct Given {
    id: StudentId,
    by: String,
    notice: String,
}

impl Input for Given {
    const EXPECTS: Expects = Expects::Json;

    fn read(request: &mut Reader) -> Option<Self> {
        let id = request.path().integer("student_id").map(StudentId);
        let mut body = request.body()?;
        let by = body.text_of("given_by", None, 1..=255);
        let notice = body.text_of("notice", None, 1..=255);
        Some(Self { id: id?, by: by?, notice: notice? })
    }
}

/// `PUT /students/{id}/consent`.
pub(crate) async fn give(State(app): State<AppState>, call: Authed<Given>) -> Result<Json<Reply<()>>, AppError> {
    const PREFIX: &str = "Error recording consent";
    let Given { id, by, notice } = call.input;
    app.with_store(PREFIX, move |store| {
        let now = Timestamp::now();
        store.set_consent(id, Some(&Consent { given_at: now, given_by: by, notice }), now)
    })
    .await
    .map_err(student_error(PREFIX))?;
    Ok(Json(done("Consent recorded successfully")))
}

/// `DELETE /students/{id}/consent`: withdrawn. What was kept with it is for the operator to erase.
pub(crate) async fn withdraw(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<()>>, AppError> {
    const PREFIX: &str = "Error recording consent";
    let Which(id) = call.input;
    app.with_store(PREFIX, move |store| store.set_consent(id, None, Timestamp::now()))
        .await
        .map_err(student_error(PREFIX))?;
    Ok(Json(done("Consent withdrawn successfully")))
}
