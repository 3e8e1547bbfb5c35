//! The templates of a student: where they come from, and taking back those that cameras added.

use axum::Json;
use axum::extract::State;
use faceattend_core::store::{StoredEmbedding, StoredTemplate};
use serde_json::{Value, json};

use super::students::{Which, student_error};
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::responses::{Reply, naive_utc, reply};
use crate::state::AppState;

/// `GET /students/{id}/templates`: model, origin and time of each. No embedding.
pub(crate) async fn list(State(app): State<AppState>, call: Authed<Which>) -> Result<Json<Reply<Value>>, AppError> {
    let Which(id) = call.input;
    let found = app
        .with_store("Error retrieving templates", move |store| {
            let Some(_) = store.student(id)? else { return Ok(None) };
            Ok(Some(store.templates_of(id)?))
        })
        .await?
        .ok_or_else(|| AppError::not_found("Student not found"))?;
    let templates: Vec<Value> = found.iter().map(item).collect();
    Ok(Json(reply("Templates retrieved successfully", json!({ "templates": templates }))))
}

fn item(template: &StoredTemplate) -> Value {
    let model = match &template.embedding {
        StoredEmbedding::Tagged(embedding) => Some(embedding.model().as_str()),
        StoredEmbedding::Legacy(_) => None,
    };
    json!({ "model": model, "origin": template.origin.as_str(), "added_at": template.added_at.map(naive_utc) })
}

/// `DELETE /students/{id}/templates/seen`: takes back what cameras added; the registered templates stand alone again.
pub(crate) async fn forget_seen(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> Result<Json<Reply<Value>>, AppError> {
    const PREFIX: &str = "Error taking back templates";
    let Which(id) = call.input;
    let gone =
        app.with_store(PREFIX, move |store| store.forget_seen_templates(id)).await.map_err(student_error(PREFIX))?;
    app.templates_changed(id).await;
    Ok(Json(reply("Templates of cameras taken back successfully", json!({ "templates": gone }))))
}
