//! Every text that a request takes has a limit, and what got into a database without one can still be read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use axum::body::Body;
use axum::http::{StatusCode, header};
use common::{DATABASE, Service};
use serde_json::{Map, Value, json};

/// A text of a request, as the document describes it.
struct Field {
    method: String,
    path: String,
    /// `path`, `query` or `body`.
    place: String,
    name: String,
    schema: Value,
    /// The required fields of the same request with plain values: path, query and body.
    others: [Map<String, Value>; 3],
}

const PLACES: [&str; 3] = ["path", "query", "body"];

fn is_text(schema: &Value) -> bool {
    schema["type"] == "string" || schema["type"].as_array().is_some_and(|types| types.contains(&json!("string")))
}

/// A value that the field takes, as far as its form goes.
fn plain(schema: &Value) -> Value {
    match schema["enum"].get(0) {
        Some(word) => word.clone(),
        None if is_text(schema) => json!("x"),
        None => json!(1),
    }
}

/// Every text in every request of the document, and what else its request needs.
fn texts(document: &Value) -> Vec<Field> {
    let mut texts = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let mut parameters = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let place = parameter["in"].as_str().unwrap().to_owned();
                let name = parameter["name"].as_str().unwrap().to_owned();
                parameters.push((place, name, parameter["schema"].clone(), parameter["required"] == true));
            }
            let mut bodies = vec![Vec::new()];
            for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(Map::values) {
                let schema = &content["schema"];
                assert_eq!(schema["$ref"], Value::Null, "a request is described where it stands");
                for one in schema["anyOf"].as_array().unwrap_or(&vec![schema.clone()]) {
                    let is_required = |name: &str| one["required"].as_array().is_some_and(|r| r.contains(&json!(name)));
                    let fields = one["properties"].as_object().into_iter().flatten();
                    bodies
                        .push(fields.map(|(n, s)| ("body".to_owned(), n.clone(), s.clone(), is_required(n))).collect());
                }
            }
            for body in bodies {
                let fields = [&parameters[..], &body].concat();
                let others = PLACES.map(|place| {
                    let required = fields.iter().filter(|(at, .., required)| at == place && *required);
                    required.map(|(_, name, schema, _)| (name.clone(), plain(schema))).collect()
                });
                let of_this_body = fields.iter().filter(|(place, ..)| place == "body" || body.is_empty());
                texts.extend(of_this_body.filter(|(_, _, schema, _)| is_text(schema)).map(
                    |(place, name, schema, _)| {
                        let (method, path) = (method.to_uppercase(), path.clone());
                        Field {
                            method,
                            path,
                            place: place.clone(),
                            name: name.clone(),
                            schema: schema.clone(),
                            others: others.clone(),
                        }
                    },
                ));
            }
        }
    }
    texts
}

async fn texts_of_the_api(service: &Service) -> Vec<Field> {
    let texts = texts(&service.get("/openapi.json").await.json());
    assert!(texts.len() > 30, "only {} texts were found", texts.len());
    texts
}

#[tokio::test]
async fn every_text_of_a_request_has_a_limit_in_the_document() {
    const BOUNDED_FORMS: [&str; 2] = ["date", "binary"];
    let service = Service::start().await;
    let unbounded: Vec<String> = texts_of_the_api(&service)
        .await
        .iter()
        .filter(|Field { schema, .. }| {
            let by_form = schema["format"].as_str().is_some_and(|format| BOUNDED_FORMS.contains(&format));
            !(by_form || schema["enum"].is_array() || schema["maxLength"].is_u64())
        })
        .map(|Field { method, path, place, name, .. }| format!("{method} {path}: {name} in the {place}"))
        .collect();
    assert!(unbounded.is_empty(), "without a limit: {unbounded:#?}");
}

#[tokio::test]
async fn a_text_beyond_the_limit_of_the_document_is_refused() {
    let service = Service::start().await;
    let kiosk = service.post("/api/v1/kiosks", &json!({ "name": "Gate" })).await.json()["data"].clone();
    let paired = service.asked_with("").post("/api/v1/kiosk/pair", &json!({ "code": kiosk["code"] })).await;
    let cookie = paired.header("set-cookie").split(';').next().unwrap().to_owned();
    let mut tried = 0;
    for Field { method, path, place, name, schema, mut others } in texts_of_the_api(&service).await {
        // A picture is as long as the largest body.
        let Some(most) = schema["maxLength"].as_u64().filter(|_| schema["contentEncoding"].is_null()) else { continue };
        let at = PLACES.iter().position(|known| *known == place).unwrap();
        others[at].insert(name.clone(), json!("x".repeat(usize::try_from(most).unwrap() + 1)));
        let [in_path, in_query, in_body] = others;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut uri =
            in_path.iter().fold(path.clone(), |uri, (n, value)| uri.replace(&format!("{{{n}}}"), &text(value)));
        for (separator, (n, value)) in std::iter::once('?').chain(std::iter::repeat('&')).zip(&in_query) {
            uri += &format!("{separator}{n}={}", text(value));
        }
        let request = service.request(&method, &uri).header(header::CONTENT_TYPE, "application/json");
        // What a kiosk alone may ask.
        let request =
            if path.starts_with("/api/v1/kiosk/") { request.header(header::COOKIE, &cookie) } else { request };
        let answer = service.raw(request.body(Body::from(Value::Object(in_body).to_string())).unwrap()).await;
        // What is too long for a time is no time, as recorded.
        let of_it = |issue: &(String, Value)| {
            issue.1 == json!([place, name]) && ["string_too_long", "datetime_from_date_parsing"].contains(&&*issue.0)
        };
        let refused = answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.issues().iter().any(of_it);
        assert!(refused, "{method} {path}: {name}: {} {:.300}", answer.status, answer.text);
        tried += 1;
    }
    assert!(tried > 20, "only {tried} were tried");
}

async fn exported(service: &Service, format: &str) -> StatusCode {
    let wanted = service.request("POST", "/api/v1/attendance/export").header(header::CONTENT_TYPE, "application/json");
    let wanted = wanted.body(Body::from(json!({ "format": format }).to_string())).unwrap();
    tower::ServiceExt::oneshot(service.router.clone(), wanted).await.unwrap().status()
}

#[tokio::test]
async fn a_mark_of_forty_thousand_characters_neither_gets_in_nor_spoils_an_export() {
    let service = Service::start().await;
    service.post("/api/v1/students/", &json!({ "name": "Asha", "roll_number": "R1" })).await;
    let mark = |location: &str| format!("/api/v1/attendance/mark?student_id=1&camera_location={location}");
    let long = service.post(&mark(&"x".repeat(40_000)), &json!({})).await;
    assert_eq!(long.issues(), [("string_too_long".to_owned(), json!(["query", "camera_location"]))]);
    assert_eq!(service.post(&mark("Gate"), &json!({})).await.status, 200);
    // As an earlier version wrote it.
    let database = rusqlite::Connection::open(service.folder.path().join(DATABASE)).unwrap();
    let longer = "UPDATE attendance_log SET camera_location = ?1";
    assert_eq!(database.execute(longer, ["x".repeat(40_000)]).unwrap(), 1);
    for format in ["csv", "xlsx"] {
        assert_eq!(exported(&service, format).await, 200, "{format}");
    }
}

#[tokio::test]
async fn a_location_of_megabytes_does_not_become_a_status() {
    let service = Service::start().await;
    let long = "x".repeat(5 << 20);
    for body in [
        json!({ "camera_url": "none.avi", "camera_location": long }),
        json!({ "camera_url": long }),
        json!({ "camera_source": long }),
    ] {
        assert_eq!(service.post("/api/v1/detection/start", &body).await.status, 422);
    }
    let status = service.get("/api/v1/detection/status").await;
    assert!(status.text.len() < 1000, "{} bytes", status.text.len());
}
