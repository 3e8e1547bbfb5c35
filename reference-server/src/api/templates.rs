//! Lists the templates of a student, and removes those that cameras added.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::store::{Store, StoredEmbedding, StoredTemplate};
use serde::Serialize;
use utoipa::ToSchema;

use super::students::{NO_STUDENT, Which, student_error};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::responses::{Reply, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

/// The templates of a student.
#[derive(Serialize, ToSchema)]
pub(crate) struct Templates {
    templates: Vec<TemplateItem>,
}

/// A template, without its embedding.
#[derive(Serialize, ToSchema)]
struct TemplateItem {
    /// Null for a template that the replaced service made.
    #[schema(required)]
    model: Option<String>,
    /// `registered` or `seen`.
    origin: &'static str,
    #[schema(required)]
    added_at: Option<String>,
}

impl TemplateItem {
    fn of(template: &StoredTemplate) -> Self {
        let model = match &template.embedding {
            StoredEmbedding::Tagged(embedding) => Some(embedding.model().as_str().to_owned()),
            StoredEmbedding::Legacy(_) => None,
        };
        Self { model, origin: template.origin.as_str(), added_at: template.added_at.map(naive_utc) }
    }
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/{student_id}/templates",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Students,
    summary: "Lists the templates of a student: model, origin and time, never the embedding",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn list(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<Templates>>, AppError> {
    let Which { student_id } = call.input;
    let found = app
        .with_store("Error retrieving templates", move |store| {
            let Some(_) = store.student(student_id)? else { return Ok(None) };
            Ok(Some(store.templates_of(student_id)?))
        })
        .await?
        .ok_or_else(|| AppError::not_found(NO_STUDENT))?;
    let templates = Templates { templates: found.iter().map(TemplateItem::of).collect() };
    Ok(Json(reply("Templates retrieved successfully", templates)))
}

/// How many templates were removed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Removed {
    templates: u64,
}

pub(super) const FORGET_SEEN: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/students/{student_id}/templates/seen",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Students,
    summary: "Removes the templates that cameras added and keeps the registered ones",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn forget_seen(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> Result<Json<Reply<Removed>>, AppError> {
    const PREFIX: &str = "Error taking back templates";
    let Which { student_id } = call.input;
    let removing = move |store: &dyn Store| store.forget_seen_templates(student_id);
    let templates = app.with_store(PREFIX, removing).await.map_err(student_error(PREFIX))?;
    app.templates_changed(student_id).await;
    Ok(Json(reply("Templates of cameras taken back successfully", Removed { templates })))
}
