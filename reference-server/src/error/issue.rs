//! The issues that a 422 answer lists.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What is wrong with one field: an entry of a 422 answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ValidationError)]
pub(crate) struct Issue {
    /// The rule that is broken, such as `missing`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// Where: `path`, `query` or `body`, and the name of the field.
    pub(crate) loc: Vec<Value>,
    pub(crate) msg: String,
    /// The value that was sent.
    pub(crate) input: Value,
    /// The bound of the rule, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ctx: Option<Value>,
}

impl Issue {
    /// Returns the issue of JSON that does not parse at a character offset.
    pub(crate) fn json_invalid(offset: usize, error: &str) -> Self {
        Self {
            kind: "json_invalid",
            loc: vec![json!("body"), json!(offset)],
            msg: "JSON decode error".into(),
            input: json!({}),
            ctx: Some(json!({ "error": error })),
        }
    }

    /// Returns the issue of a part that is missing in a form.
    pub(crate) fn missing_field(name: &str) -> Self {
        Self { loc: vec![json!("body"), json!(name)], ..Self::missing_body() }
    }

    /// Returns the issue of a body that is missing.
    pub(crate) fn missing_body() -> Self {
        Self { kind: "missing", loc: vec![json!("body")], msg: "Field required".into(), input: Value::Null, ctx: None }
    }
}
