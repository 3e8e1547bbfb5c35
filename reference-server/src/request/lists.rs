//! The kinds of fields that are lists.

use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::request::coerce::Refusal;
use crate::request::fields::Fields;
use crate::request::kinds::Kind;

/// The longest list of a request.
const LONGEST: usize = 1000;

/// A list of texts, each of at most 1,000 characters. Without the field it is empty.
pub(crate) struct Texts;

impl Kind for Texts {
    type Value = Vec<String>;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<String>> {
        if fields.has(name) { fields.value(name, texts) } else { Some(Vec::new()) }
    }

    fn schema(&self) -> ObjectBuilder {
        ObjectBuilder::new().schema_type(Type::Array).examples([json!(["office@school.example"])])
    }

    fn required(&self) -> bool {
        false
    }

    fn nullable(&self) -> bool {
        true
    }
}

/// A list of integers.
pub(crate) struct Integers;

impl Kind for Integers {
    type Value = Vec<i64>;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<i64>> {
        fields.value(name, integers)
    }

    fn schema(&self) -> ObjectBuilder {
        ObjectBuilder::new().schema_type(Type::Array).examples([json!([1])])
    }
}

fn items(value: &Value) -> Result<&[Value], Refusal> {
    let Value::Array(items) = value else {
        return Err(Refusal::new("list_type", "Input should be a valid list"));
    };
    if items.len() > LONGEST {
        let message = format!("List should have at most {LONGEST} items after validation");
        return Err(Refusal::new("too_long", &message));
    }
    Ok(items)
}

fn texts(value: &Value) -> Result<Vec<String>, Refusal> {
    const MOST: usize = 1000;
    items(value)?
        .iter()
        .map(|item| match item {
            Value::String(text) if text.chars().count() <= MOST => Ok(text.clone()),
            Value::String(_) => {
                Err(Refusal::new("string_too_long", &format!("String should have at most {MOST} characters")))
            }
            _ => Err(Refusal::new("string_type", "Input should be a valid string")),
        })
        .collect()
}

fn integers(value: &Value) -> Result<Vec<i64>, Refusal> {
    let no_integer = || Refusal::new("int_type", "Input should be a valid integer");
    items(value)?.iter().map(|item| item.as_i64().ok_or_else(no_integer)).collect()
}
