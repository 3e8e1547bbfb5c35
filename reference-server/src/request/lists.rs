//! Fields that hold several values.

use faceattend_core::attendance::Period;
use faceattend_core::store::limits;
use faceattend_core::types::StudentId;
use jiff::civil::Time;
use serde_json::{Value, json};
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::coerce::{self, Refusal};
use super::fields::Fields;
use super::kinds::Kind;

/// The most students in one request: a large school.
const MOST_STUDENTS: usize = 5000;

/// The numbers of several students.
pub(crate) struct Students;

impl Kind for Students {
    type Value = Vec<StudentId>;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<StudentId>> {
        fields.value(name, |value| {
            let listed = listed(value, 1, MOST_STUDENTS)?;
            listed.iter().map(|id| coerce::integer(id).map(StudentId)).collect()
        })
    }

    fn schema(&self) -> ObjectBuilder {
        array(&ObjectBuilder::new().schema_type(Type::Integer).build(), (1, MOST_STUDENTS), &json!([1, 2]))
    }
}

/// The longest other list of a request.
const MOST: usize = 1000;

/// A list of texts, each of at most 1,000 characters. Without the field it is empty.
pub(crate) struct Texts;

impl Kind for Texts {
    type Value = Vec<String>;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<String>> {
        if fields.has(name) { fields.value(name, texts) } else { Some(Vec::new()) }
    }

    fn schema(&self) -> ObjectBuilder {
        let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(LONGEST_TEXT)).build();
        array(&text, (0, MOST), &json!(["office@school.example"]))
    }

    fn required(&self) -> bool {
        false
    }

    fn nullable(&self) -> bool {
        true
    }
}

const LONGEST_TEXT: usize = 1000;

fn texts(value: &Value) -> Result<Vec<String>, Refusal> {
    let text = |item: &Value| match item {
        Value::String(text) if text.chars().count() <= LONGEST_TEXT => Ok(text.clone()),
        Value::String(_) => {
            let message = format!("String should have at most {LONGEST_TEXT} characters");
            Err(Refusal::new("string_too_long", &message))
        }
        _ => Err(Refusal::new("string_type", "Input should be a valid string")),
    };
    listed(value, 0, MOST)?.iter().map(text).collect()
}

/// A list of integers.
pub(crate) struct Integers;

impl Kind for Integers {
    type Value = Vec<i64>;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<i64>> {
        fields.value(name, |value| listed(value, 0, MOST)?.iter().map(coerce::integer).collect())
    }

    fn schema(&self) -> ObjectBuilder {
        array(&ObjectBuilder::new().schema_type(Type::Integer).build(), (0, MOST), &json!([1]))
    }
}

/// The periods of a timetable; none for a day that is marked once.
pub(crate) struct Periods;

impl Kind for Periods {
    type Value = Vec<Period>;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<Period>> {
        fields.value(name, |value| listed(value, 0, limits::PERIODS)?.iter().map(period).collect())
    }

    fn schema(&self) -> ObjectBuilder {
        let time = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about)).build();
        let period = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("name", ObjectBuilder::new().schema_type(Type::String).max_length(Some(limits::PERIOD)))
            .property("begins", time("A time of the site's clocks, such as `07:30`."))
            .property("late_after", time("From when on an arrival is late; may be left out."))
            .property("check_out_from", time("From when on a sighting is a check-out; may be left out."))
            .required("name")
            .required("begins")
            .build();
        let example = json!([{ "name": "morning", "begins": "07:30", "late_after": "08:10" }]);
        array(&period, (0, limits::PERIODS), &example)
    }
}

fn period(value: &Value) -> Result<Period, Refusal> {
    const NO_PERIOD: &str = "Input should be an object with name and begins, such as 07:30";
    let refused = || Refusal::new("period_type", NO_PERIOD);
    let object = value.as_object().ok_or_else(refused)?;
    let time = |key: &str| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => text.parse::<Time>().map(Some).map_err(|_| refused()),
        Some(_) => Err(refused()),
    };
    let name = object.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !limits::is_blank(name));
    let mut period = Period::new(name.ok_or_else(refused)?, time("begins")?.ok_or_else(refused)?);
    if let Some(late_after) = time("late_after")? {
        period = period.with_late_after(late_after);
    }
    if let Some(check_out_from) = time("check_out_from")? {
        period = period.with_check_out_from(check_out_from);
    }
    Ok(period)
}

fn listed(value: &Value, least: usize, most: usize) -> Result<&[Value], Refusal> {
    let list = value.as_array().ok_or_else(|| Refusal::new("list_type", "Input should be a valid list"))?;
    if list.len() < least {
        return Err(Refusal::new("too_short", &format!("List should have at least {least} item")));
    }
    if list.len() > most {
        return Err(Refusal::new("too_long", &format!("List should have at most {most} items")));
    }
    Ok(list)
}

/// The schema of a list. The document's builder of fields makes objects, so the list's own words are added to one.
fn array(item: &Object, (least, most): (usize, usize), example: &Value) -> ObjectBuilder {
    let list = ArrayBuilder::new().items(RefOr::T(Schema::Object(item.clone()))).build();
    let mut object = ObjectBuilder::new().schema_type(Type::Array).examples([example.clone()]);
    if let Ok(Value::Object(words)) = serde_json::to_value(list) {
        let words = words.into_iter().filter(|(word, _)| word == "items");
        let bounds = [("minItems".to_owned(), json!(least)), ("maxItems".to_owned(), json!(most))];
        object = object.extensions(Some(words.chain(bounds).collect()));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_with_and_without_its_times() {
        let full = json!({ "name": " morning ", "begins": "07:30", "late_after": "08:10", "check_out_from": "12:00" });
        assert_eq!(period(&full).unwrap().to_string(), "morning=07:30/08:10/12:00");
        let short = json!({ "name": "day", "begins": "00:00", "late_after": null, "check_out_from": "" });
        assert_eq!(period(&short).unwrap().to_string(), "day=00:00");
        for bad in [
            json!("morning"),
            json!({ "name": "x" }),
            json!({ "name": " ", "begins": "07:30" }),
            json!({ "name": "x", "begins": "noon" }),
            json!({ "name": "x", "begins": 7 }),
        ] {
            assert!(period(&bad).is_err(), "{bad}");
        }
    }
}
