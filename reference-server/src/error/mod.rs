//! The error type of the handlers, and its answers.

mod issue;

use std::borrow::Cow;
use std::error::Error as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::store::StoreTrouble;
use faceattend_core::{Error, ErrorKind};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use issue::Issue;

/// The answer to a request that failed.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody<'a> {
    detail: &'a str,
}

/// The answer to a request whose fields are wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = HTTPValidationError)]
pub(crate) struct ValidationErrors {
    detail: Vec<Issue>,
}

/// The error of a handler. No variant can carry SQL, a file's path or a trace to the client.
#[derive(Debug)]
pub(crate) enum AppError {
    /// A plain `{"detail": …}`.
    Detail(StatusCode, Cow<'static, str>),
    /// 401 with `WWW-Authenticate: Bearer`.
    Unauthorized(&'static str),
    /// 429 or 503, with the seconds after which the client may try again.
    Later(StatusCode, &'static str, u64),
    /// 422 with the list of what is wrong.
    Invalid(Vec<Issue>),
    /// An error of the core, and the action that failed.
    Core(&'static str, Error),
    /// A task of the server panicked during the action.
    Died(&'static str),
}

/// Turns an error of the core into an answer that begins with `prefix`, such as `Error creating student`.
pub(crate) fn during(prefix: &'static str) -> impl Fn(Error) -> AppError {
    move |error| AppError::Core(prefix, error)
}

impl AppError {
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Detail(StatusCode::BAD_REQUEST, detail.into())
    }

    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Detail(StatusCode::NOT_FOUND, detail.into())
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::Detail(status, detail) => detail_response(status, &detail),
            Self::Unauthorized(detail) => {
                let mut response = detail_response(StatusCode::UNAUTHORIZED, detail);
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response
            }
            Self::Later(status, detail, seconds) => {
                let mut response = detail_response(status, detail);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::Invalid(issues) => {
                json_response(StatusCode::UNPROCESSABLE_ENTITY, &ValidationErrors { detail: issues })
            }
            Self::Core(prefix, error) => answer_to(prefix, &error),
            Self::Died(prefix) => {
                tracing::error!("{prefix}: a task of the server died");
                detail_response(StatusCode::INTERNAL_SERVER_ERROR, &format!("{prefix}: internal error"))
            }
        }
    }
}

/// After how many seconds a client may try again when the database did not do its work: as long as a write waits.
pub(crate) const RETRY_AFTER: u64 = 5;

fn answer_to(prefix: &str, error: &Error) -> Response {
    let trouble = StoreTrouble::of(error);
    let (status, detail) = match error.kind() {
        ErrorKind::InvalidImage => (StatusCode::BAD_REQUEST, "Invalid image data".to_owned()),
        ErrorKind::InvalidInput => (StatusCode::BAD_REQUEST, format!("{prefix}: {error}")),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, capitalised(&error.to_string())),
        ErrorKind::Conflict | ErrorKind::State => (StatusCode::CONFLICT, capitalised(&error.to_string())),
        ErrorKind::Camera => (StatusCode::BAD_GATEWAY, format!("{prefix}: the camera is not available")),
        ErrorKind::Model | ErrorKind::Runtime => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{prefix}: face analysis is not available"))
        }
        ErrorKind::ModelMismatch | ErrorKind::Store | ErrorKind::Io | ErrorKind::Download | ErrorKind::Internal => {
            match trouble {
                // It tells no path and no value, and what to do: the person who asks may be the one who can.
                Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{prefix}: {}", trouble.advice())),
                None => (StatusCode::INTERNAL_SERVER_ERROR, format!("{prefix}: internal error")),
            }
        }
    };
    if status.is_server_error() {
        // The log, unlike the answer, names the cause.
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            causes.push(deeper.to_string());
            cause = deeper.source();
        }
        tracing::error!(code = error.kind().code(), ?causes, "{prefix}: {error}");
    }
    let mut response = detail_response(status, &detail);
    if trouble.is_some() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
    }
    response
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns `{"detail": …}` with `status`.
pub(crate) fn detail_response(status: StatusCode, detail: &str) -> Response {
    json_response(status, &ErrorBody { detail })
}

/// Returns `body` as JSON with `status` and a content type without charset.
pub(crate) fn json_response(status: StatusCode, body: &impl serde::Serialize) -> Response {
    (status, axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text_of(error: AppError) -> (StatusCode, String) {
        let response = error.into_response();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn no_answer_names_a_path_or_a_statement() {
        let io = Error::Io {
            action: "read",
            path: "/var/lib/secret.db".into(),
            source: std::io::Error::other("SELECT 1 failed"),
        };
        let store = Error::Store { reason: "UPDATE students failed".into(), source: None };
        let camera = Error::Camera { camera: "rtsp://10.0.0.1/x".into(), reason: "refused".into() };
        for error in [io, store, camera] {
            let (status, text) = text_of(during("Error creating student")(error)).await;
            assert!(status.is_server_error());
            for secret in ["/var", "SELECT", "UPDATE", "10.0.0.1"] {
                assert!(!text.contains(secret), "{text}");
            }
            assert!(text.contains("Error creating student"), "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_404_with_a_sentence() {
        let (status, text) = text_of(during("x")(Error::NotFound { what: "student" })).await;
        assert_eq!((status, text.as_str()), (StatusCode::NOT_FOUND, r#"{"detail":"Student not found"}"#));
    }
}
