//! Internals that the fuzz targets of this repository use. No program should: they change without notice.

use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::error::AppError;
use crate::request::body::{self, Body};
use crate::request::fields::Reader;
use crate::router::described::Described;
use crate::{api, image_data, wire_time};

/// How an endpoint reads its fields.
struct Reading {
    name: String,
    read: fn(&mut Reader) -> bool,
}

/// What an endpoint makes of a request.
#[derive(Debug)]
pub struct Read<'e> {
    /// Its method and path.
    pub endpoint: &'e str,
    /// Whether every field could be read.
    pub whole: bool,
    /// What is wrong, as the answer lists it.
    pub issues: Vec<Value>,
}

/// Returns the JSON in `bytes`, as the body of a request is parsed.
///
/// # Errors
/// The issues that the answer lists; none for a body that gets a plain 400.
pub fn parse_json(bytes: &[u8]) -> Result<Value, Vec<Value>> {
    body::parse_json(bytes).map_err(|error| match error {
        AppError::Invalid(issues) => issues.iter().map(|issue| json!(issue)).collect(),
        _ => Vec::new(),
    })
}

/// Returns the pairs of a form, or of a query string.
#[must_use]
pub fn parse_form(bytes: &[u8]) -> Map<String, Value> {
    body::form(bytes)
}

/// Reads a request as every endpoint reads it, whatever its path and method: what each makes of these fields.
#[must_use]
pub fn read_by_every_endpoint(
    path: &Map<String, Value>,
    query: &Map<String, Value>,
    body: &Value,
) -> Vec<Read<'static>> {
    static READINGS: OnceLock<Vec<Reading>> = OnceLock::new();
    let readings = READINGS.get_or_init(|| {
        let read = |listed: crate::router::Listed| {
            let mut described = Described::default();
            (listed.describe)(&mut described);
            let name = format!("{} {}", listed.endpoint.method, listed.endpoint.path);
            described.read.map(|read| Reading { name, read })
        };
        api::table().take_endpoints().into_iter().filter_map(read).collect()
    });
    let asked = |reading: &'static Reading| {
        let body = Body::Json(body.clone());
        let mut reader = Reader { path: path.clone(), query: query.clone(), body, issues: Vec::new() };
        let whole = (reading.read)(&mut reader);
        Read { endpoint: &reading.name, whole, issues: reader.issues.iter().map(|issue| json!(issue)).collect() }
    };
    readings.iter().map(asked).collect()
}

/// Returns the bytes of a picture in a field: base64, or a data URI.
#[must_use]
pub fn picture_in(text: &str) -> Option<Vec<u8>> {
    image_data::bytes_of(text).ok()
}

/// Returns a time as the wire has it.
#[must_use]
pub fn naive_utc(at: Timestamp) -> String {
    wire_time::naive_utc(at)
}
