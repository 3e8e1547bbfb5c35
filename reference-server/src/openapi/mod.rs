//! The description of the API, as OpenAPI 3.1: made from the route table, so that every route is in it and nothing else,
//! and from what [`operations`] says of each.

mod operations;
pub(crate) mod pages;
mod schema;

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::auth::Role;
use operations::Operation;
use schema::{Kind, of_example, of_field};

/// What every endpoint may answer, whatever it does.
const ALWAYS: [(u16, &str); 2] = [(405, "Another method is wanted"), (500, "The server failed; its log says why")];

/// The document for `routes`: method, path and least role of each.
pub(crate) fn document(routes: &[(Method, &'static str, Role)]) -> Value {
    let mut paths = Map::new();
    for (method, path, least) in routes {
        let Some(operation) = operations::find(method, path) else { continue };
        let item = paths.entry((*path).to_owned()).or_insert_with(|| json!({}));
        item[method.as_str().to_ascii_lowercase()] = described(operation, method, path, *least);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Face Attendance System API",
            "version": "2.0.0",
            "description": "Liveness registration, face recognition and live attendance.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "HTTPBearer": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Error": error_schema(), "HTTPValidationError": validation_schema() },
        },
    })
}

fn described(operation: &Operation, method: &Method, path: &str, least: Role) -> Value {
    let parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let kind = if name.ends_with("_id") && name != "session_id" { "integer" } else { "string" };
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind } })
        })
        .chain(operation.query.iter().map(
            |field| json!({ "name": field.name, "in": "query", "required": field.required, "schema": of_field(field) }),
        ))
        .collect();
    let name: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut described = json!({
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": format!("{}{}", method.as_str().to_ascii_lowercase(), name.trim_end_matches('_')),
        "parameters": parameters,
        "responses": responses(operation, least, !parameters.is_empty()),
    });
    if operation.needs_token {
        described["security"] = json!([{ "HTTPBearer": [] }]);
        described["description"] = json!(format!("Needs the role {} or a higher one.", least.as_str()));
    }
    if !operation.body.is_empty() {
        described["requestBody"] = body(operation);
    }
    described
}

fn body(operation: &Operation) -> Value {
    let properties: Map<String, Value> =
        operation.body.iter().map(|field| (field.name.to_owned(), of_field(field))).collect();
    let required: Vec<&str> = operation.body.iter().filter(|field| field.required).map(|field| field.name).collect();
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    if operation.body.iter().any(|field| matches!(field.kind, Kind::File)) {
        return json!({ "required": true, "content": { "multipart/form-data": { "schema": schema } } });
    }
    let example: Map<String, Value> =
        operation.body.iter().map(|field| (field.name.to_owned(), field.example())).collect();
    let mut content = json!({ "application/json": { "schema": schema.clone(), "example": example } });
    if operation.takes_form {
        content["application/x-www-form-urlencoded"] = json!({ "schema": schema });
    }
    json!({ "required": !required.is_empty() || !operation.body_optional, "content": content })
}

fn responses(operation: &Operation, least: Role, has_parameters: bool) -> Value {
    let mut responses = Map::new();
    let examples: Vec<Value> =
        operation.answers.iter().map(|answer| serde_json::from_str(answer).unwrap_or(Value::Null)).collect();
    let schema = match examples.as_slice() {
        [only] => of_example(only),
        several => json!({ "anyOf": several.iter().map(of_example).collect::<Vec<_>>() }),
    };
    let mut content = json!({ "application/json": { "schema": schema, "example": examples.first() } });
    for kind in operation.other_types {
        content[*kind] = json!({ "schema": { "type": "string" } });
    }
    responses.insert("200".into(), json!({ "description": "Successful Response", "content": content }));
    let mut tell = |status: u16, text: &str| {
        let entry = responses.entry(status.to_string()).or_insert_with(|| {
            json!({
                "description": "",
                "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Error" }, "example": { "detail": text }
                }},
            })
        });
        let before =
            entry["description"].as_str().filter(|before| !before.is_empty()).map(|before| format!("{before}; "));
        entry["description"] = json!(format!("{}{text}", before.unwrap_or_default()));
    };
    for (status, text) in operation.errors.iter().chain(&ALWAYS) {
        tell(*status, text);
    }
    if !crate::net::rate_limit::EXEMPT.contains(&operation.path) {
        tell(429, "Too many requests, try again later");
    }
    if operation.needs_token {
        tell(401, "Not authenticated");
        tell(401, "Could not validate credentials");
        if least > Role::Viewer {
            tell(403, "Not enough permissions");
        }
    }
    if !operation.body.is_empty() {
        tell(400, "There was an error parsing the body");
        tell(408, "The request body took too long");
        tell(413, "Request body too large");
    }
    if has_parameters || !operation.body.is_empty() {
        let schema = json!({ "$ref": "#/components/schemas/HTTPValidationError" });
        let content = json!({ "application/json": { "schema": schema } });
        responses.insert("422".into(), json!({ "description": "Validation Error", "content": content }));
    }
    Value::Object(responses)
}

fn error_schema() -> Value {
    json!({ "type": "object", "properties": { "detail": { "type": "string" } }, "required": ["detail"] })
}

fn validation_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "detail": { "type": "array", "items": {
            "type": "object",
            "properties": {
                "type": { "type": "string" },
                "loc": { "type": "array", "items": { "type": ["string", "integer"] } },
                "msg": { "type": "string" },
                "input": {},
                "ctx": { "type": "object" },
            },
            "required": ["type", "loc", "msg", "input"],
        }}},
        "required": ["detail"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answers_example_is_json() {
        for operation in operations::ALL {
            assert!(!operation.answers.is_empty(), "{} {}", operation.method, operation.path);
            for answer in operation.answers {
                let parsed: Result<Value, _> = serde_json::from_str(answer);
                assert!(parsed.is_ok(), "{} {}", operation.method, operation.path);
            }
        }
    }
}
