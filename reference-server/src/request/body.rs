//! Reads a body: its size limits, its kind, and the answers to JSON that does not parse, in the original's words.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use serde_json::{Map, Value};

use crate::error::{AppError, Issue};
use crate::request::pace::{Paced, TooSlow};

/// The largest body that the server reads. Existing pages send up to 4 MB; a 12-megapixel JPEG in base64 still fits.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// How much of a body the server reads before it knows that the caller may send it. A login is small; the largest one
/// in the recordings that is answered has 20 KB. Anybody can open hundreds of connections, and together they must not
/// fill the memory.
pub const STRANGERS_BODY_LIMIT: usize = 64 * 1024;

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

/// A body on its way, and what has arrived of it.
pub(crate) struct Arriving {
    body: Paced,
    /// The length that the head tells.
    announced: Option<u64>,
    bytes: Vec<u8>,
}

impl Arriving {
    /// Takes the body of `request`, which has this much time to arrive.
    pub(crate) fn of(request: Request, within: Duration) -> Self {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let announced = length.and_then(|value| value.to_str().ok()?.parse().ok());
        Self { body: Paced::new(request.into_body(), within), announced, bytes: Vec::new() }
    }

    /// Returns whether the head announces more than `limit` bytes.
    pub(crate) fn announces_more_than(&self, limit: usize) -> bool {
        self.announced.is_some_and(|length| length > limit as u64)
    }

    /// Reads until the end, or until more than `limit` bytes have arrived. Returns whether this is the whole body.
    ///
    /// # Errors
    /// 408 for a body that arrives too slowly, 400 for one that breaks off.
    pub(crate) async fn fill(&mut self, limit: usize) -> Result<bool, AppError> {
        let announced = usize::try_from(self.announced.unwrap_or(0)).unwrap_or(usize::MAX).min(limit);
        self.bytes.reserve_exact(announced.saturating_sub(self.bytes.len()));
        while self.bytes.len() <= limit {
            let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut self.body).poll_frame(cx)).await;
            match frame {
                None => return Ok(true),
                Some(Ok(frame)) => self.bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(error)) if TooSlow::caused(&error) => return Err(too_slow()),
                Some(Err(_)) => return Err(unreadable()),
            }
        }
        Ok(false)
    }

    /// Returns the body as `expects` says.
    pub(crate) fn read(&self, headers: &HeaderMap, expects: Expects) -> Result<Body, AppError> {
        let bytes = &self.bytes;
        if bytes.is_empty() {
            return Ok(Body::Absent);
        }
        let kind = media_type(headers);
        if expects == Expects::JsonOrForm
            && (kind.0.as_str(), kind.1.as_str()) == ("application", "x-www-form-urlencoded")
        {
            return Ok(Body::Json(Value::Object(form(bytes))));
        }
        if is_json(&kind) {
            return parse_json(bytes).map(Body::Json);
        }
        Ok(Body::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    /// Returns the answer to a body of which only the first `limit` bytes are looked at: what is wrong with its syntax
    /// up to there, or else that it is too large.
    pub(crate) fn refused(&self, limit: usize, headers: &HeaderMap) -> AppError {
        if !is_json(&media_type(headers)) {
            return too_large();
        }
        let start = &self.bytes[..limit.min(self.bytes.len())];
        let text = match std::str::from_utf8(start) {
            Ok(text) => text,
            // The limit may cut a letter in two.
            Err(cut) if cut.error_len().is_none() => {
                std::str::from_utf8(&start[..cut.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return unreadable(),
        };
        match serde_json::from_str::<Value>(text) {
            Err(error) if !error.is_eof() => syntax_error(text, &error),
            _ => too_large(),
        }
    }
}

fn unreadable() -> AppError {
    AppError::bad_request("There was an error parsing the body")
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

fn is_json((main, sub): &(String, String)) -> bool {
    main == "application" && (sub == "json" || sub.ends_with("+json"))
}

/// Returns the pairs of a form or a query string. The last of a repeated name counts.
pub(crate) fn form(bytes: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

pub(crate) fn parse_json(bytes: &[u8]) -> Result<Value, AppError> {
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| syntax_error(text, &error))
}

fn syntax_error(text: &str, error: &serde_json::Error) -> AppError {
    let message = error.to_string();
    if message.starts_with("recursion limit") {
        return unreadable();
    }
    let (offset, told) = as_python_tells(text, error, &message);
    AppError::Invalid(vec![Issue::json_invalid(offset, told)])
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
