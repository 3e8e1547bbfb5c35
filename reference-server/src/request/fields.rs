//! Fields of a request, read one by one, so that an answer lists everything that is wrong and in the recorded order.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::request::coerce::{self, Refusal};

/// One entry of a 422 answer.
#[derive(Debug, Serialize)]
pub(crate) struct Issue {
    #[serde(rename = "type")]
    kind: &'static str,
    loc: Vec<Value>,
    msg: String,
    input: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Value>,
}

impl Issue {
    /// JSON that does not parse, at a character offset.
    pub(crate) fn json_invalid(offset: usize, error: &str) -> Self {
        Self {
            kind: "json_invalid",
            loc: vec![json!("body"), json!(offset)],
            msg: "JSON decode error".into(),
            input: json!({}),
            ctx: Some(json!({ "error": error })),
        }
    }

    /// A part of a form that is not there.
    pub(crate) fn missing_field(name: &str) -> Self {
        Self { loc: vec![json!("body"), json!(name)], ..Self::missing_body() }
    }

    fn missing_body() -> Self {
        Self { kind: "missing", loc: vec![json!("body")], msg: "Field required".into(), input: Value::Null, ctx: None }
    }
}

/// The body as it arrived.
#[derive(Debug, Default)]
pub(crate) enum Body {
    /// No bytes at all.
    #[default]
    Absent,
    /// A JSON content type.
    Json(Value),
    /// Anything else, which is never an object.
    Text(String),
}

/// The three places that fields come from, and what was wrong with those read so far.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) path: Map<String, Value>,
    pub(crate) query: Map<String, Value>,
    pub(crate) body: Body,
    pub(crate) issues: Vec<Issue>,
}

impl Reader {
    /// The parameters of the path.
    pub(crate) fn path(&mut self) -> Fields<'_> {
        Fields { place: "path", values: &self.path, issues: &mut self.issues }
    }

    /// The parameters after the question mark; the last of a repeated one counts.
    pub(crate) fn query(&mut self) -> Fields<'_> {
        Fields { place: "query", values: &self.query, issues: &mut self.issues }
    }

    /// The fields of the body, when it is an object.
    pub(crate) fn body(&mut self) -> Option<Fields<'_>> {
        const NO_OBJECT: &str = "Input should be a valid dictionary or object to extract fields from";
        self.object("model_attributes_type", NO_OBJECT)
    }

    /// The same for a body that the original declared as a free dictionary.
    pub(crate) fn dictionary(&mut self) -> Option<Fields<'_>> {
        self.object("dict_type", "Input should be a valid dictionary")
    }

    /// The same for one that may be left out: then there are no fields.
    pub(crate) fn optional_dictionary(&mut self) -> Option<Fields<'_>> {
        if matches!(self.body, Body::Absent) {
            self.body = Body::Json(Value::Object(Map::new()));
        }
        self.dictionary()
    }

    fn object(&mut self, kind: &'static str, message: &str) -> Option<Fields<'_>> {
        let input = match &self.body {
            Body::Json(Value::Object(values)) => {
                return Some(Fields { place: "body", values, issues: &mut self.issues });
            }
            Body::Absent => {
                self.issues.push(Issue::missing_body());
                return None;
            }
            Body::Json(other) => other.clone(),
            Body::Text(text) => Value::String(text.clone()),
        };
        self.issues.push(Issue { kind, loc: vec![json!("body")], msg: message.into(), input, ctx: None });
        None
    }
}

/// The fields of one place. Every reading that fails notes why and gives `None`.
pub(crate) struct Fields<'r> {
    place: &'static str,
    values: &'r Map<String, Value>,
    issues: &'r mut Vec<Issue>,
}

impl<'r> Fields<'r> {
    /// Whether the field is there, with any value but null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// A required text of any length.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.required(name)?;
        self.string(name, value)
    }

    /// A required text whose number of characters lies in `length`, under its name or its `alias`.
    pub(crate) fn text_of(
        &mut self,
        name: &'static str,
        alias: Option<&'static str>,
        length: RangeInclusive<usize>,
    ) -> Option<String> {
        let name =
            alias.filter(|alias| !self.values.contains_key(name) && self.values.contains_key(*alias)).unwrap_or(name);
        let value = self.required(name)?;
        self.bounded(name, value, &length)
    }

    /// An optional text whose number of characters lies in `length`.
    pub(crate) fn optional_text_of(
        &mut self,
        name: &'static str,
        alias: Option<&'static str>,
        length: RangeInclusive<usize>,
    ) -> Option<String> {
        let name = alias.filter(|_| !self.has(name)).filter(|alias| self.has(alias)).unwrap_or(name);
        let value = self.values.get(name).filter(|value| !value.is_null())?;
        self.bounded(name, value, &length)
    }

    /// An optional text of any length.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.values.get(name).filter(|value| !value.is_null())?;
        self.string(name, value)
    }

    /// A required text that is one of `words`; `pattern` is how the original spells that rule.
    pub(crate) fn one_of(&mut self, name: &'static str, words: &[&str], pattern: &'static str) -> Option<String> {
        let value = self.required(name)?;
        let text = self.string(name, value)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let message = format!("String should match pattern '{pattern}'");
        self.refuse(name, "string_pattern_mismatch", message, value, Some(json!({ "pattern": pattern })));
        None
    }

    /// A required integer.
    pub(crate) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let value = self.required(name)?;
        self.coerce(name, value, coerce::integer)
    }

    /// An optional integer.
    pub(crate) fn optional_integer(&mut self, name: &'static str) -> Option<i64> {
        self.optional(name, coerce::integer)
    }

    /// An integer with a default, which must lie in `range`.
    pub(crate) fn integer_in(&mut self, name: &'static str, default: i64, range: RangeInclusive<i64>) -> Option<i64> {
        let Some(value) = self.values.get(name) else { return Some(default) };
        let number = self.coerce(name, value, coerce::integer)?;
        let (kind, bound, word) = if number < *range.start() {
            ("greater_than_equal", *range.start(), "greater")
        } else if number > *range.end() {
            ("less_than_equal", *range.end(), "less")
        } else {
            return Some(number);
        };
        let key = if word == "less" { "le" } else { "ge" };
        let message = format!("Input should be {word} than or equal to {bound}");
        self.refuse(name, kind, message, value, Some(json!({ key: bound })));
        None
    }

    /// An optional finite number.
    pub(crate) fn optional_number(&mut self, name: &'static str) -> Option<f64> {
        self.optional(name, coerce::number)
    }

    /// A flag with a default.
    pub(crate) fn flag_or(&mut self, name: &'static str, default: bool) -> Option<bool> {
        if self.has(name) { self.optional(name, coerce::flag) } else { Some(default) }
    }

    /// An optional date.
    pub(crate) fn optional_date(&mut self, name: &'static str) -> Option<Date> {
        self.optional(name, coerce::date)
    }

    fn required(&mut self, name: &'static str) -> Option<&'r Value> {
        if let Some(value) = self.values.get(name) {
            return Some(value);
        }
        let input = if self.place == "body" { Value::Object(self.values.clone()) } else { Value::Null };
        let loc = vec![json!(self.place), json!(name)];
        self.issues.push(Issue { kind: "missing", loc, msg: "Field required".into(), input, ctx: None });
        None
    }

    fn string(&mut self, name: &'static str, value: &Value) -> Option<String> {
        if let Value::String(text) = value {
            return Some(text.clone());
        }
        self.refuse(name, "string_type", "Input should be a valid string".into(), value, None);
        None
    }

    fn bounded(&mut self, name: &'static str, value: &Value, length: &RangeInclusive<usize>) -> Option<String> {
        let text = self.string(name, value)?;
        let characters = text.chars().count();
        let (kind, word, bound, key) = if characters < *length.start() {
            ("string_too_short", "least", *length.start(), "min_length")
        } else if characters > *length.end() {
            ("string_too_long", "most", *length.end(), "max_length")
        } else {
            return Some(text);
        };
        let plural = if bound == 1 { "" } else { "s" };
        let message = format!("String should have at {word} {bound} character{plural}");
        self.refuse(name, kind, message, value, Some(json!({ key: bound })));
        None
    }

    fn optional<T>(&mut self, name: &'static str, read: fn(&Value) -> Result<T, Refusal>) -> Option<T> {
        let value = self.values.get(name).filter(|value| !value.is_null())?;
        self.coerce(name, value, read)
    }

    fn coerce<T>(&mut self, name: &'static str, value: &Value, read: fn(&Value) -> Result<T, Refusal>) -> Option<T> {
        match read(value) {
            Ok(read) => Some(read),
            Err(refusal) => {
                let ctx = refusal.reason.map(|reason| json!({ "error": reason }));
                self.refuse(name, refusal.kind, refusal.message, value, ctx);
                None
            }
        }
    }

    fn refuse(&mut self, name: &'static str, kind: &'static str, msg: String, input: &Value, ctx: Option<Value>) {
        let loc = vec![json!(self.place), json!(name)];
        self.issues.push(Issue { kind, loc, msg, input: input.clone(), ctx });
    }
}
