//! Lists the answers of an endpoint in the document: its own, and those that any endpoint of its kind may give.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::{ResponseBuilder, Responses, ResponsesBuilder};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema as _, ToSchema};

use crate::auth::Role;
use crate::error::{ErrorBody, ValidationErrors};
use crate::request::paired::NOT_PAIRED;
use crate::router::described::Described;
use crate::router::endpoint::{Access, Endpoint};

/// Status and detail of the errors that every endpoint may answer.
const ALWAYS: [(u16, &str); 4] = [
    (405, "Method Not Allowed"),
    (421, "This server does not answer to the name in the request"),
    (500, "The server failed; its log says why"),
    (503, "The database is busy, away, full or read-only; the text says which"),
];

/// Returns the schemas that the answers of every endpoint refer to.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![
        (ErrorBody::name().into_owned(), ErrorBody::schema()),
        (ValidationErrors::name().into_owned(), ValidationErrors::schema()),
    ];
    ValidationErrors::schemas(&mut schemas);
    schemas
}

/// Returns the answers of `endpoint`.
pub(super) fn of(endpoint: &Endpoint, described: &Described) -> Responses {
    let mut responses: BTreeMap<u16, ResponseBuilder> = BTreeMap::new();
    for (status, kind, schema) in &described.answers {
        let content = ContentBuilder::new().schema(Some(schema.clone())).build();
        let response = responses.remove(status).unwrap_or_else(|| ResponseBuilder::new().description("Success"));
        responses.insert(*status, response.content(*kind, content));
    }
    for (status, texts) in errors(endpoint, described) {
        let response = responses.remove(&status);
        let own = response.is_some();
        let response = response.unwrap_or_default().description(texts.join("; "));
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ErrorBody::name())))
            .example(Some(json!({ "detail": texts[0] })))
            .build();
        let redirects = (300..400).contains(&status);
        let response = if own || redirects { response } else { response.content("application/json", content) };
        responses.insert(status, response);
    }
    if !described.fields.parameters.is_empty() || takes_body(described) {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ValidationErrors::name()))).build();
        let response = ResponseBuilder::new().description("Validation Error").content("application/json", content);
        responses.insert(422, response);
    }
    let named = responses.into_iter().map(|(status, response)| (status.to_string(), response.build()));
    named.fold(ResponsesBuilder::new(), |all, (status, response)| all.response(status, response)).build()
}

fn takes_body(described: &Described) -> bool {
    described.form.is_some() || !described.fields.bodies.is_empty()
}

fn errors(endpoint: &Endpoint, described: &Described) -> BTreeMap<u16, Vec<&'static str>> {
    let mut errors: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    let mut add = |status: u16, text: &'static str| {
        let texts = errors.entry(status).or_default();
        if !texts.contains(&text) {
            texts.push(text);
        }
    };
    for (status, text) in endpoint.errors.iter().chain(&ALWAYS) {
        add(*status, text);
    }
    if !crate::net::ALWAYS_ANSWERED.contains(&endpoint.path) {
        add(429, "Too many requests, try again later");
    }
    if let Some(least) = endpoint.access.least() {
        add(401, "Not authenticated");
        add(401, "Could not validate credentials");
        if least > Role::Viewer {
            add(403, "Not enough permissions");
        }
    }
    if endpoint.access == Access::Kiosk {
        add(401, NOT_PAIRED);
    }
    if takes_body(described) {
        add(400, "There was an error parsing the body");
        add(408, "The request body took too long");
        add(413, "Request body too large");
    }
    errors
}
