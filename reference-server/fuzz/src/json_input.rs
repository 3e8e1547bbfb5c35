//! JSON in requests: its syntax, and the fields as every endpoint reads them.
//!
//! The bytes are a body. An object with `path`, `query` and `body` is a whole request.
//!
//! - JSON is accepted or refused as `serde_json` does it; what is wrong is told once, at a character of the text.
//! - An endpoint that cannot read a request says why, and where; one that says so does not answer.
//! - What is said stays within a multiple of the request.

use faceattend_server::internals::{parse_form, parse_json, read_by_every_endpoint};
use serde_json::{Map, Value};

use crate::memory::within;

/// What all endpoints together may take: the fields that they say are missing name the whole body each.
const MEMORY: usize = 64 << 20;

/// The longest body that is tried: several endpoints repeat it.
const LONGEST: usize = 1 << 14;

/// Reads `data` as a request.
pub fn check(data: &[u8]) {
    if data.len() <= LONGEST {
        within(MEMORY, || read(data));
    }
}

fn read(data: &[u8]) {
    let text = std::str::from_utf8(data).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let expected = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let request = match parse_json(data) {
        Ok(value) => {
            assert_eq!(Some(&value), expected.as_ref());
            value
        }
        Err(issues) => {
            assert!(expected.is_none() && issues.len() <= 1);
            for issue in issues {
                let at = issue.pointer("/loc/1").and_then(Value::as_u64).expect("a place");
                assert!(at <= text.unwrap_or_default().chars().count() as u64, "{issue}");
            }
            return;
        }
    };
    let (path, query, body) = parts(request);
    for read in read_by_every_endpoint(&path, &query, &body) {
        assert_eq!(read.whole, read.issues.is_empty(), "{read:?}");
        for issue in &read.issues {
            let place = issue.pointer("/loc/0").and_then(Value::as_str);
            assert!(place.is_some_and(|place| ["path", "query", "body"].contains(&place)), "{read:?}");
            let said = |name: &str| issue[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("type") && said("msg"), "{read:?}");
        }
    }
}

/// Returns the parameters of the path and of the query, and the body.
fn parts(request: Value) -> (Map<String, Value>, Map<String, Value>, Value) {
    let body = request.get("body").cloned();
    let Some(body) = body else { return (Map::new(), Map::new(), request) };
    // Parameters are text.
    let path = request["path"].as_object().into_iter().flatten();
    let path = path.filter(|(_, value)| value.is_string()).map(|(name, value)| (name.clone(), value.clone()));
    let query = parse_form(request["query"].as_str().unwrap_or_default().as_bytes());
    (path.collect(), query, body)
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let whole = |path: &str, query: &str, body: &str| {
        format!(r#"{{"path":{path},"query":"{query}","body":{body}}}"#).into_bytes()
    };
    vec![
        ("login", br#"{"username":"admin","password":"x","consent":true}"#.to_vec()),
        ("student", br#"{"name":"Grace Hopper","roll_number":"R-1"}"#.to_vec()),
        ("session", br#"{"session_id":"6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b","student_id":"1.0"}"#.to_vec()),
        ("frame", br#"{"position":"center","image":"aGVsbG8=","frame":"aGVsbG8=","timestamp":1700000000}"#.to_vec()),
        ("mark", br#"{"student_id":1,"confidence_score":"0.9","status":"Present","camera_location":null}"#.to_vec()),
        ("camera", br#"{"camera_id":0,"source":"rtsp://host/a","camera_location":"Door","fps":2}"#.to_vec()),
        ("list", whole(r#"{"student_id":"7","attendance_id":"1"}"#, "page=1&limit=20&date=2024-02-29", "{}")),
        ("dates", whole("{}", "start_date=1700000000&end_date=2024-02-29T00:00:00Z&skip=1_0", "null")),
        ("date-beyond", whole("{}", "start_date=-9223372036854775808", "null")),
        ("not-an-object", b"[1, true, null, \"x\", 1e400, -0.0]".to_vec()),
        ("broken", br#"{"a" 1}"#.to_vec()),
        ("cut-off", br#"{"a": "b"#.to_vec()),
        ("deep", [b"[".repeat(200), b"]".repeat(200)].concat()),
    ]
}
