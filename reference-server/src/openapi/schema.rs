//! JSON schemas, of fields and of examples.

use serde_json::{Map, Value, json};

/// A field of a query or a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// What a field takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A text of so many characters.
    TextOf(usize, usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// An integer.
    Integer,
    /// An integer of at least so much.
    AtLeast(i64),
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A date.
    Date,
    /// A picture in base64.
    Picture,
    /// A picture as a file of a multipart form.
    File,
}

impl Field {
    /// A value that the field takes.
    pub(super) fn example(&self) -> Value {
        match self.kind {
            Kind::Word(words) => json!(words.first()),
            Kind::Text | Kind::TextOf(..) => json!(match self.name {
                "username" => "admin",
                "password" => "correct horse",
                "name" => "Asha Rao",
                "roll_number" => "R001",
                "session_id" => "6c1e3a52-0d0e-4a38-9f63-2f6b1f6d9a10",
                "camera_url" => "rtsp://camera.local/stream",
                "camera_location" | "camera_source" => "Gate 1",
                "notice" => "2026-01",
                "given_by" => "a parent",
                "format" => "csv",
                _ => "text",
            }),
            Kind::Integer => json!(1),
            Kind::AtLeast(least) => json!(least.max(1)),
            Kind::Number => json!(0.91),
            Kind::Flag => json!(true),
            Kind::Date => json!("2026-03-02"),
            Kind::File => json!("picture.jpg"),
            Kind::Picture => json!("/9j/4AAQSkZJRgABAQAAAQABAAD/..."),
        }
    }
}

/// The schema of what `field` takes.
pub(super) fn of_field(field: &Field) -> Value {
    let mut schema = match field.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::TextOf(least, most) => json!({ "type": "string", "minLength": least, "maxLength": most }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::AtLeast(least) => json!({ "type": "integer", "minimum": least, "maximum": u32::MAX }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::File => json!({ "type": "string", "format": "binary" }),
        Kind::Picture => json!({ "type": "string", "contentEncoding": "base64", "contentMediaType": "image/jpeg" }),
    };
    if !field.required {
        // A missing one and null are the same.
        schema["description"] = json!("optional");
    }
    schema
}

/// The schema that `example` is an instance of: its types, where null may be anything.
pub(super) fn of_example(example: &Value) -> Value {
    match example {
        Value::Null => json!({}),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_i64() || number.is_u64() => json!({ "type": "integer" }),
        Value::Number(_) => json!({ "type": "number" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Array(items) => match items.first() {
            Some(first) => json!({ "type": "array", "items": of_example(first) }),
            None => json!({ "type": "array" }),
        },
        Value::Object(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|(name, value)| (name.clone(), of_example(value))).collect();
            json!({ "type": "object", "properties": properties, "required": fields.keys().collect::<Vec<_>>() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_gives_its_types_and_null_gives_none() {
        let schema = of_example(&json!({ "id": 1, "score": 0.5, "at": null, "rows": [{ "a": "b" }] }));
        assert_eq!(schema["properties"]["id"]["type"], "integer");
        assert_eq!(schema["properties"]["score"]["type"], "number");
        assert_eq!(schema["properties"]["at"], json!({}));
        assert_eq!(schema["properties"]["rows"]["items"]["properties"]["a"]["type"], "string");
    }
}
