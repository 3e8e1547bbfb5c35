//! The document and the pages that show it. They load nothing from anywhere else, so that they work without the
//! internet.

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::error::AppError;
use crate::request::extract::Open;
use crate::request::input::input;
use crate::request::kinds::TEXT;
use crate::router::Listed;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

const FILES: [(&str, &str, &str); 2] = [
    ("docs.css", "text/css; charset=utf-8", include_str!("docs.css")),
    ("docs.js", "text/javascript; charset=utf-8", include_str!("docs.js")),
];

/// The document, made when it is first asked for.
#[derive(Clone)]
pub(crate) struct Document(Arc<LazyLock<Bytes, Box<dyn FnOnce() -> Bytes + Send>>>);

impl Document {
    pub(crate) fn of(endpoints: Vec<Listed>) -> Self {
        let make = move || serde_json::to_vec(&super::document(&endpoints)).unwrap_or_default().into();
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// Answers `GET /openapi.json`.
    pub(crate) async fn answer(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], Bytes::clone(&self.0)).into_response()
    }
}

/// `GET /docs`: the endpoints, to read and to try.
pub(crate) async fn docs() -> Response {
    page(include_str!("docs.html"))
}

/// `GET /redoc`: the endpoints, to read.
pub(crate) async fn redoc() -> Response {
    page(include_str!("redoc.html"))
}

/// `GET /docs/oauth2-redirect`: there, as in the original, and with nothing to do: tokens come from the login.
pub(crate) async fn oauth2_redirect() -> Response {
    page("<!doctype html>\n<html lang=\"en\"><title>Logged in</title><p>You can close this window.</p></html>\n")
}

input! {
    /// The file in the path.
    pub(crate) struct File {
        path {
            file: String = TEXT,
        }
    }
}

/// `GET /docs/{file}`.
pub(crate) async fn file(wanted: Open<File>) -> Result<Response, AppError> {
    let Open(File { file: name }) = wanted;
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = found.ok_or_else(|| AppError::not_found("Not Found"))?;
    Ok(([(header::CONTENT_TYPE, *kind), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], *text).into_response())
}

fn page(html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, html).into_response()
}
