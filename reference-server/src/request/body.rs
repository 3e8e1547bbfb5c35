//! Reads a body: its size limit, its kind, and the answers to JSON that does not parse, in the original's words.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::error::{AppError, Issue};

/// The largest body that the server reads. Existing pages send up to 4 MB; a 12-megapixel JPEG in base64 still fits.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The largest body that the server reads from a client without a valid token. A login is small; the largest one in the
/// recordings has 200 KB. Anybody can open hundreds of connections, and together they must not fill the memory.
pub const STRANGERS_BODY_LIMIT: usize = 1024 * 1024;

/// The limits on reading a body: its size, and the time for it to arrive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    pub(crate) bytes: usize,
    pub(crate) within: Duration,
}

/// The kind of body that an endpoint reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expects {
    /// None. A body is ignored, even a malformed one.
    Nothing,
    /// A JSON object.
    Json,
    /// A JSON object, or a form as browsers post it.
    JsonOrForm,
    /// A JSON object that the original declares as a free dictionary. The answer to anything else has other words.
    Dictionary,
    /// The same, which may be left out.
    OptionalDictionary,
}

/// The body as it arrived.
#[derive(Debug, Default)]
pub(crate) enum Body {
    /// No bytes at all.
    #[default]
    Absent,
    /// A JSON content type.
    Json(Value),
    /// Another content type, which is never an object.
    Text(String),
}

/// Reads the body of `request` as `expects` says.
pub(crate) async fn read(request: Request, expects: Expects, limits: BodyLimits) -> Result<Body, AppError> {
    if expects == Expects::Nothing {
        return Ok(Body::Absent);
    }
    let headers = request.headers().clone();
    let bytes = read_limited(request, limits).await?;
    if bytes.is_empty() {
        return Ok(Body::Absent);
    }
    let (main, sub) = media_type(&headers);
    if expects == Expects::JsonOrForm && (main.as_str(), sub.as_str()) == ("application", "x-www-form-urlencoded") {
        return Ok(Body::Json(Value::Object(form(&bytes))));
    }
    if main == "application" && (sub == "json" || sub.ends_with("+json")) {
        return parse_json(&bytes).map(Body::Json);
    }
    Ok(Body::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

async fn read_limited(request: Request, limits: BodyLimits) -> Result<Bytes, AppError> {
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limits.bytes as u64) {
        return Err(too_large());
    }
    let arriving = axum::body::to_bytes(request.into_body(), limits.bytes);
    let Ok(arrived) = tokio::time::timeout(limits.within, arriving).await else {
        return Err(too_slow());
    };
    arrived.map_err(|error| {
        let past_the_limit = std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
        if past_the_limit { too_large() } else { AppError::bad_request("There was an error parsing the body") }
    })
}

/// Returns the answer to a body beyond its limit.
pub(crate) fn too_large() -> AppError {
    AppError::Detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large".into())
}

/// Returns the answer to a body that did not arrive in time.
pub(crate) fn too_slow() -> AppError {
    AppError::Detail(StatusCode::REQUEST_TIMEOUT, "The request body took too long".into())
}

fn media_type(headers: &HeaderMap) -> (String, String) {
    let text = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.split_once('/').map(|(main, sub)| (main.to_owned(), sub.to_owned())).unwrap_or_default()
}

/// Returns the pairs of a form or a query string. The last of a repeated name counts.
pub(crate) fn form(bytes: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

pub(crate) fn parse_json(bytes: &[u8]) -> Result<Value, AppError> {
    let unreadable = || AppError::bad_request("There was an error parsing the body");
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        if message.starts_with("recursion limit") {
            return unreadable();
        }
        let (offset, told) = as_python_tells(text, &error, &message);
        AppError::Invalid(vec![Issue::json_invalid(offset, told)])
    })
}

/// Translates an error of serde_json into the character offset and the words of Python's parser.
fn as_python_tells(text: &str, error: &serde_json::Error, message: &str) -> (usize, &'static str) {
    let letters: Vec<char> = text.chars().collect();
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(|l| l.chars().count()).sum();
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // serde_json counts the bytes it has read of the line; Python names the character it stands at.
    let read = line.get(..error.column()).map_or_else(|| line.chars().count(), |seen| seen.chars().count());
    let here = line_start + if error.is_eof() { read } else { read.saturating_sub(1) };
    let after_comma =
        |at: usize| letters[..at.min(letters.len())].iter().rev().find(|c| !c.is_whitespace()) == Some(&',');
    let told = match () {
        () if message.starts_with("EOF while parsing a string") => "Unterminated string starting at",
        () if message.starts_with("EOF while parsing an object") => {
            match letters.iter().rev().find(|c| !c.is_whitespace()) {
                Some('{' | ',') => "Expecting property name enclosed in double quotes",
                Some('"') if !message.contains("value") => "Expecting ',' delimiter",
                _ => "Expecting ',' delimiter",
            }
        }
        () if message.starts_with("EOF while parsing a list") && !after_comma(letters.len()) => {
            "Expecting ',' delimiter"
        }
        () if message.starts_with("key must be a string") => "Expecting property name enclosed in double quotes",
        () if message.starts_with("trailing comma") => "Illegal trailing comma before end of object",
        () if message.starts_with("trailing characters") => "Extra data",
        () if message.starts_with("expected `:`") => "Expecting ':' delimiter",
        () if message.starts_with("expected `,`") => "Expecting ',' delimiter",
        () if message.starts_with("control character") => "Invalid control character at",
        () if message.starts_with("invalid escape") => "Invalid \\escape",
        () => "Expecting value",
    };
    let offset = match told {
        // A word such as `nul` is named from its first letter.
        "Expecting value" => {
            let before = letters[..here.min(letters.len())].iter().rev().take_while(|c| c.is_alphanumeric()).count();
            here - before
        }
        _ => here,
    };
    (offset, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (u64, String) {
        let Err(AppError::Invalid(issues)) = parse_json(text.as_bytes()) else { panic!("{text} parsed") };
        let issue = serde_json::to_value(&issues[0]).unwrap();
        (issue["loc"][1].as_u64().unwrap(), issue["ctx"]["error"].as_str().unwrap().to_owned())
    }

    #[test]
    fn broken_json_is_told_as_the_original_tells_it() {
        for (text, offset, error) in [
            (r#"{"username": "admin" "password": "x"}"#, 21, "Expecting ',' delimiter"),
            ("not json", 0, "Expecting value"),
            ("{", 1, "Expecting property name enclosed in double quotes"),
            (r#"{"a" 1}"#, 5, "Expecting ':' delimiter"),
            ("{}x", 2, "Extra data"),
            ("{a: 1}", 1, "Expecting property name enclosed in double quotes"),
        ] {
            assert_eq!(told(text), (offset, error.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_no_parser_can_read_is_a_plain_400() {
        for bad in [vec![0xff, 0xfe], b"[".repeat(100_000)] {
            assert!(matches!(parse_json(&bad), Err(AppError::Detail(StatusCode::BAD_REQUEST, _))));
        }
        assert!(parse_json("\u{feff}{}".as_bytes()).is_ok());
    }
}
