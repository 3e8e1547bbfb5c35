//! The kinds of fields: each says how its value is read and which schema describes it.

use faceattend_core::types::StudentId;
use jiff::civil::Date;
use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, SchemaFormat};

use crate::request::body::BODY_LIMIT;
use crate::request::coerce::{self, DayOrMoment};
use crate::request::fields::Fields;

/// A kind of field.
pub(crate) trait Kind {
    /// The type that a handler gets.
    type Value;

    /// Reads the field `name`; notes why and returns `None` where it cannot be read.
    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Self::Value>;

    /// Returns the schema of the values that the field takes.
    fn schema(&self) -> ObjectBuilder;

    /// Returns whether the field must be there.
    fn required(&self) -> bool {
        true
    }

    /// Returns whether null stands for a field that is left out.
    fn nullable(&self) -> bool {
        false
    }

    /// Returns the other name under which the field is accepted.
    fn alias(&self) -> Option<&'static str> {
        None
    }
}

/// A text without limits, which no field is: see the table in [`texts`](super::texts).
pub(crate) struct UnlimitedText;

/// The beginning of every kind of text.
pub(crate) const TEXT: UnlimitedText = UnlimitedText;

impl UnlimitedText {
    /// Demands a number of characters from `least` to `most`.
    pub(crate) const fn of(self, least: usize, most: usize) -> Text {
        Text { length: (least, most), alias: None, example: None }
    }
}

/// A text.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    length: (usize, usize),
    alias: Option<&'static str>,
    example: Option<&'static str>,
}

impl Text {
    /// Accepts the field under another name too, where its own is missing.
    pub(crate) const fn or_named(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// Sets the value that the document shows.
    pub(crate) const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }
}

impl Kind for Text {
    type Value = String;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
        let other = self.alias.filter(|alias| !fields.contains(name) && fields.contains(alias));
        fields.text_of(other.unwrap_or(name), self.length)
    }

    fn schema(&self) -> ObjectBuilder {
        let (least, most) = self.length;
        typed(Type::String)
            .min_length(Some(least).filter(|least| *least > 0))
            .max_length(Some(most))
            .examples(self.example.map(|example| json!(example)))
    }

    fn alias(&self) -> Option<&'static str> {
        self.alias
    }
}

/// One of some words, each of which stands for a value.
pub(crate) struct Word<T: 'static>(pub(crate) &'static [(&'static str, T)]);

impl<T: Copy> Kind for Word<T> {
    type Value = T;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<T> {
        let words: Vec<&str> = self.0.iter().map(|(word, _)| *word).collect();
        fields.one_of(name, &words).map(|at| self.0[at].1)
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::String).enum_values(Some(self.0.iter().map(|(word, _)| *word)))
    }
}

/// One of the words that the original knows, or of later ones where the field `with`, which the original does not know
/// either, is there. Any other is refused as the original refuses it.
pub(crate) struct WordOr<T: 'static> {
    pub(crate) known: Word<T>,
    pub(crate) later: &'static [(&'static str, T)],
    pub(crate) with: &'static str,
}

impl<T: Copy> Kind for WordOr<T> {
    type Value = T;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<T> {
        let later = self.later.iter().find(|(word, _)| fields.has(self.with) && fields.is(name, word));
        later.map(|(_, value)| *value).or_else(|| self.known.read(fields, name))
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::String).enum_values(Some(self.known.0.iter().chain(self.later).map(|(word, _)| *word)))
    }
}

/// An integer.
pub(crate) struct Integer;

impl Kind for Integer {
    type Value = i64;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<i64> {
        fields.value(name, coerce::integer)
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
    }
}

/// The number of a student.
pub(crate) struct Student;

impl Kind for Student {
    type Value = StudentId;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<StudentId> {
        Integer.read(fields, name).map(StudentId)
    }

    fn schema(&self) -> ObjectBuilder {
        Integer.schema().examples([json!(1)])
    }
}

/// A count in a query; `default` where the field is missing.
pub(crate) struct Count {
    pub(crate) least: u32,
    pub(crate) default: u32,
}

impl Kind for Count {
    type Value = u32;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<u32> {
        fields.count(name, self.default, self.least)
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::Integer).minimum(Some(self.least)).maximum(Some(u32::MAX)).default(Some(json!(self.default)))
    }

    fn required(&self) -> bool {
        false
    }
}

/// A finite number.
pub(crate) struct Number;

impl Kind for Number {
    type Value = f64;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<f64> {
        fields.value(name, coerce::number)
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::Number)
    }
}

/// Yes or no.
pub(crate) struct Flag;

impl Kind for Flag {
    type Value = bool;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<bool> {
        fields.value(name, coerce::flag)
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::Boolean)
    }
}

/// Yes or no, with the value for a missing field.
pub(crate) struct FlagOr(pub(crate) bool);

impl Kind for FlagOr {
    type Value = bool;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<bool> {
        Optional(Flag).read(fields, name).map(|flag| flag.unwrap_or(self.0))
    }

    fn schema(&self) -> ObjectBuilder {
        Flag.schema().default(Some(json!(self.0)))
    }

    fn required(&self) -> bool {
        false
    }

    fn nullable(&self) -> bool {
        true
    }
}

/// A date.
pub(crate) struct Day;

impl Kind for Day {
    type Value = Date;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Date> {
        fields.value(name, coerce::date)
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
    }
}

/// A date and time, which may be a date alone.
pub(crate) struct DayOrTime;

impl Kind for DayOrTime {
    type Value = DayOrMoment;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<DayOrMoment> {
        fields.value(name, coerce::day_or_moment)
    }

    fn schema(&self) -> ObjectBuilder {
        // A date is no `date-time` of the standard, so the document promises neither.
        typed(Type::String).max_length(Some(64)).examples([json!("2024-01-31"), json!("2024-01-31T09:00:00Z")])
    }
}

/// A picture file in base64, with or without the head of a data URL. It is as long as the largest body allows.
pub(crate) struct Picture;

impl Kind for Picture {
    type Value = String;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
        TEXT.of(0, BODY_LIMIT).read(fields, name)
    }

    fn schema(&self) -> ObjectBuilder {
        typed(Type::String).max_length(Some(BODY_LIMIT)).content_encoding("base64").content_media_type("image/jpeg")
    }
}

/// A field that may be left out; null is the same.
pub(crate) struct Optional<K>(pub(crate) K);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Option<K::Value>> {
        let given = [Some(name), self.0.alias()].into_iter().flatten().find(|name| fields.has(name));
        given.map_or(Some(None), |name| self.0.read(fields, name).map(Some))
    }

    fn schema(&self) -> ObjectBuilder {
        self.0.schema()
    }

    fn required(&self) -> bool {
        false
    }

    fn nullable(&self) -> bool {
        true
    }
}

/// A text that may be left out, with its value then. Null is no text.
pub(crate) struct TextOr(pub(crate) Text, pub(crate) &'static str);

impl Kind for TextOr {
    type Value = String;

    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
        if fields.contains(name) { self.0.read(fields, name) } else { Some(self.1.to_owned()) }
    }

    fn schema(&self) -> ObjectBuilder {
        self.0.schema().default(Some(json!(self.1)))
    }

    fn required(&self) -> bool {
        false
    }
}

/// Where a field stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Body,
}

/// A field as the document describes it.
pub(crate) struct Field {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) schema: Object,
}

impl Field {
    /// Describes the field `name` of `kind`; `text` is the doc comment of its declaration.
    pub(crate) fn new(place: Place, name: &'static str, text: &[&str], kind: &impl Kind) -> Self {
        let alias = kind.alias().map(|alias| format!("Also accepted as `{alias}`."));
        let text: Vec<&str> = text.iter().map(|line| line.trim()).chain(alias.as_deref()).collect();
        let mut schema = kind.schema().build();
        schema.description = (!text.is_empty()).then(|| text.join(" "));
        if place == Place::Body && kind.nullable() {
            if let utoipa::openapi::schema::SchemaType::Type(only) = schema.schema_type.clone() {
                schema.schema_type = [only, Type::Null].into_iter().collect();
            }
            if let Some(words) = &mut schema.enum_values {
                words.push(Value::Null);
            }
        }
        Self { place, name, required: kind.required(), schema }
    }
}

fn typed(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}
