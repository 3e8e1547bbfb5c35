//! Reads the fields of a request one by one, so that the answer lists everything that is wrong in the recorded order.

use serde_json::{Map, Value, json};

use crate::error::Issue;
use crate::request::body::{Body, Expects};
use crate::request::coerce::{self, Refusal};

/// The three places where fields stand, and the issues of the fields read so far.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) path: Map<String, Value>,
    pub(crate) query: Map<String, Value>,
    pub(crate) body: Body,
    pub(crate) issues: Vec<Issue>,
}

impl Reader {
    /// Returns the parameters of the path.
    pub(crate) fn path(&mut self) -> Fields<'_> {
        Fields { place: "path", values: &self.path, issues: &mut self.issues }
    }

    /// Returns the parameters of the query. The last of a repeated one counts.
    pub(crate) fn query(&mut self) -> Fields<'_> {
        Fields { place: "query", values: &self.query, issues: &mut self.issues }
    }

    /// Returns the fields of the body; notes why and returns `None` where it is no object.
    pub(crate) fn body(&mut self, expects: Expects) -> Option<Fields<'_>> {
        const NO_OBJECT: &str = "Input should be a valid dictionary or object to extract fields from";
        match expects {
            Expects::Nothing => None,
            Expects::Json | Expects::JsonOrForm => self.object("model_attributes_type", NO_OBJECT),
            Expects::Dictionary => self.object("dict_type", "Input should be a valid dictionary"),
            Expects::OptionalDictionary => {
                if matches!(self.body, Body::Absent) {
                    self.body = Body::Json(Value::Object(Map::new()));
                }
                self.body(Expects::Dictionary)
            }
        }
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

/// The fields of one place. Each method that reads one notes an issue and returns `None` where it cannot.
pub(crate) struct Fields<'r> {
    place: &'static str,
    values: &'r Map<String, Value>,
    issues: &'r mut Vec<Issue>,
}

impl<'r> Fields<'r> {
    /// Returns whether the field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// Returns whether the field is there, null or not.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Returns whether the field is this very text.
    pub(crate) fn is(&self, name: &str, text: &str) -> bool {
        self.values.get(name).is_some_and(|value| value == text)
    }

    /// Reads a required text, whose number of characters lies in `length`.
    pub(crate) fn text_of(&mut self, name: &'static str, length: (usize, usize)) -> Option<String> {
        let value = self.required(name)?;
        let text = self.string(name, value)?;
        let (least, most) = length;
        let characters = text.chars().count();
        let (kind, word, bound, key) = if characters < least {
            ("string_too_short", "least", least, "min_length")
        } else if characters > most {
            ("string_too_long", "most", most, "max_length")
        } else {
            return Some(text);
        };
        let plural = if bound == 1 { "" } else { "s" };
        let message = format!("String should have at {word} {bound} character{plural}");
        self.refuse(name, kind, message, value, Some(json!({ key: bound })));
        None
    }

    /// Reads a required text that is one of `words`; returns the position of the word.
    pub(crate) fn one_of(&mut self, name: &'static str, words: &[&str]) -> Option<usize> {
        let value = self.required(name)?;
        let text = self.string(name, value)?;
        if let Some(at) = words.iter().position(|word| *word == text) {
            return Some(at);
        }
        // The original declares such a field by a pattern.
        let pattern = format!("^({})$", words.join("|"));
        let message = format!("String should match pattern '{pattern}'");
        self.refuse(name, "string_pattern_mismatch", message, value, Some(json!({ "pattern": pattern })));
        None
    }

    /// Reads a required value with `read`.
    pub(crate) fn value<T>(&mut self, name: &'static str, read: fn(&Value) -> Result<T, Refusal>) -> Option<T> {
        let value = self.required(name)?;
        self.coerce(name, value, read)
    }

    /// Reads a count from `least` to the largest `u32`; returns `default` where the field is missing.
    pub(crate) fn count(&mut self, name: &'static str, default: u32, least: u32) -> Option<u32> {
        let Some(value) = self.values.get(name) else { return Some(default) };
        let number = self.coerce(name, value, coerce::integer)?;
        let (kind, bound, word, key) = if number < i64::from(least) {
            ("greater_than_equal", least, "greater", "ge")
        } else if let Ok(count) = u32::try_from(number) {
            return Some(count);
        } else {
            ("less_than_equal", u32::MAX, "less", "le")
        };
        let message = format!("Input should be {word} than or equal to {bound}");
        self.refuse(name, kind, message, value, Some(json!({ key: bound })));
        None
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
