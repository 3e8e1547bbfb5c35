//! Writes the audit log: a successful call of an endpoint leaves the entry that its declaration asks for.

use axum::body::Body;
use axum::http::Method;
use axum::response::Response;
use faceattend_core::store::limits::{self, cut};
use faceattend_core::store::{Deferred, NewAuditEntry};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::request::extract::Trail;
use crate::router::endpoint::Audit;
use crate::state::{AppState, blocking};

/// The largest answer that is read for the subject of the entry, in bytes. Answers to changes have a few hundred.
const READ: usize = 64 * 1024;
/// The keys under which an answer names what was changed.
const NAMED: [&str; 13] = [
    "excuse_id",
    "calendar_id",
    "timetable_id",
    "student_id",
    "attendance_id",
    "session_id",
    "username",
    "camera_id",
    "kiosk_id",
    "channel_id",
    "rule_id",
    "unknown_id",
    "group_id",
];

/// Writes the entry for a successful call and returns its answer.
pub(crate) async fn record(
    state: &AppState,
    (method, path, audit): (&Method, &str, Audit),
    parameters: &Map<String, Value>,
    trail: &Trail,
    response: Response,
) -> Response {
    let details = trail.details().map(str::to_owned);
    let leaves_entry = match audit {
        Audit::Entry => true,
        Audit::IfNoted => details.is_some(),
        Audit::None => false,
    };
    let actor = trail.caller().filter(|_| leaves_entry && response.status().is_success());
    let Some(actor) = actor.map(str::to_owned) else { return response };
    let (parts, body) = response.into_parts();
    let known = http_body::Body::size_hint(&body).exact().is_some_and(|size| size <= READ as u64);
    let (subject, body) = if known {
        let bytes = axum::body::to_bytes(body, READ).await.unwrap_or_default();
        (subject_of(parameters, &bytes), Body::from(bytes))
    } else {
        (subject_of(parameters, b""), body)
    };
    let subject = trail.subject().map(str::to_owned).or(subject);
    let action = format!("{method} {path}");
    let entry = NewAuditEntry { at: Timestamp::now(), actor, action, subject, details };
    let app = state.clone();
    let write = move || app.live().backlog().write(Deferred::Audit(entry), Timestamp::now());
    if blocking("Error writing the audit log", write).await.is_err() {
        // The change has happened: the answer must say so.
        tracing::error!(%method, path, "the audit log could not be written");
    }
    Response::from_parts(parts, body)
}

/// Returns the subject of an entry, such as `student_id 7`: from the path, else from the answer. It is cut to the
/// length of a name: a number in a path may be written with any number of zeros.
fn subject_of(parameters: &Map<String, Value>, answer: &[u8]) -> Option<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let named = |name: &str, value: &Value| {
        let subject = format!("{name} {}", text(value));
        cut(&subject, limits::PERSON).to_owned()
    };
    if let Some((name, value)) = parameters.iter().next() {
        return Some(named(name, value));
    }
    let answer: Value = serde_json::from_slice(answer).ok()?;
    NAMED.iter().find_map(|name| {
        let value = answer["data"].get(name).or_else(|| answer.get(name)).filter(|value| !value.is_null())?;
        Some(named(name, value))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_names_what_the_path_or_the_answer_names() {
        let path = json!({ "student_id": "7" });
        assert_eq!(subject_of(path.as_object().unwrap(), b"").as_deref(), Some("student_id 7"));
        let answer = json!({ "data": { "student_id": 8, "embedding": "secret" } }).to_string();
        assert_eq!(subject_of(&Map::new(), answer.as_bytes()).as_deref(), Some("student_id 8"));
        assert_eq!(subject_of(&Map::new(), b"no json"), None);
        let padded = json!({ "student_id": "0".repeat(60_000) + "7" });
        assert_eq!(subject_of(padded.as_object().unwrap(), b"").map(|subject| subject.len()), Some(limits::PERSON));
    }
}
