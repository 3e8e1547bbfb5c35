//! Serves the document and the pages that show it: Swagger UI and ReDoc, vendored in `vendor/`. They load nothing from
//! another host, so that they work without the internet.

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::error::AppError;
use crate::net::forwarded::prefix;
use crate::request::extract::Open;
use crate::request::input::input;
use crate::request::texts;
use crate::router::Listed;

/// The scripts of both pages write styles. Swagger UI shows pictures from data URLs; ReDoc searches in a worker.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; worker-src blob:; form-action 'none'; frame-ancestors 'none'; \
     base-uri 'none'";

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// A file that the pages load.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// Whether the bytes are compressed with gzip, which every browser takes.
    gzip: bool,
}

const fn own(name: &'static str, kind: &'static str, text: &'static str) -> Asset {
    Asset { name, kind, bytes: text.as_bytes(), gzip: false }
}

const fn vendored(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { name, kind, bytes, gzip: true }
}

const ASSETS: [Asset; 6] = [
    own("docs.css", CSS, include_str!("docs.css")),
    own("docs.js", JS, include_str!("docs.js")),
    own("redoc.js", JS, include_str!("redoc.js")),
    vendored("swagger-ui.css", CSS, include_bytes!("vendor/swagger-ui/swagger-ui.css.gz")),
    vendored("swagger-ui-bundle.js", JS, include_bytes!("vendor/swagger-ui/swagger-ui-bundle.js.gz")),
    vendored("redoc.standalone.js", JS, include_bytes!("vendor/redoc/redoc.standalone.js.gz")),
];

/// The document, made when it is first asked for.
#[derive(Clone)]
pub(crate) struct Document(Arc<LazyLock<Bytes, Box<dyn FnOnce() -> Bytes + Send>>>);

impl Document {
    /// Returns the document of `endpoints`.
    pub(crate) fn of(endpoints: Vec<Listed>) -> Self {
        let make = move || serde_json::to_vec(&super::document(&endpoints)).unwrap_or_default().into();
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// Answers `GET /openapi.json`.
    pub(crate) async fn answer(self, headers: HeaderMap) -> Response {
        let bytes = match prefix(&headers) {
            "" => Bytes::clone(&self.0),
            prefix => served_under(&self.0, prefix),
        };
        ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
    }
}

/// Returns the document, for a server that clients see under `prefix`.
fn served_under(document: &[u8], prefix: &str) -> Bytes {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Map<_, _>>(document) else { return Bytes::new() };
    document.insert("servers".into(), serde_json::json!([{ "url": prefix }]));
    serde_json::to_vec(&document).unwrap_or_default().into()
}

/// Answers `GET /docs` with Swagger UI: the endpoints, to read and to try.
pub(crate) async fn docs() -> Response {
    page(include_str!("docs.html"))
}

/// Answers `GET /redoc` with ReDoc: the endpoints, to read.
pub(crate) async fn redoc() -> Response {
    page(include_str!("redoc.html"))
}

/// Answers `GET /docs/oauth2-redirect`, which the original has. The page does nothing: tokens come from the login.
pub(crate) async fn oauth2_redirect() -> Response {
    page("<!doctype html>\n<html lang=\"en\"><title>Logged in</title><p>You can close this window.</p></html>\n")
}

input! {
    /// The file in the path.
    pub(crate) struct File {
        path {
            file: String = texts::FILE,
        }
    }
}

/// Answers `GET /docs/{file}`.
pub(crate) async fn file(wanted: Open<File>) -> Result<Response, AppError> {
    let Open(File { file }) = wanted;
    let found = ASSETS.iter().find(|asset| asset.name == file).ok_or_else(|| AppError::not_found("Not Found"))?;
    let headers = [
        (header::CONTENT_TYPE, found.kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // An hour: long enough for a sitting, short enough after an update of the server.
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    let encoding = found.gzip.then_some([(header::CONTENT_ENCODING, "gzip")]);
    Ok(match encoding {
        Some(encoding) => (headers, encoding, found.bytes).into_response(),
        None => (headers, found.bytes).into_response(),
    })
}

fn page(html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, html).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_page_loads_is_there_and_whole() {
        for html in [include_str!("docs.html"), include_str!("redoc.html")] {
            let loaded: Vec<&str> = html.split("\"docs/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            assert!(loaded.len() >= 3, "{loaded:?}");
            for name in loaded {
                assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}");
            }
        }
        for asset in ASSETS.iter().filter(|asset| asset.gzip) {
            assert!(asset.bytes.starts_with(&[0x1f, 0x8b]) && asset.bytes.len() > 20_000, "{}", asset.name);
        }
    }
}
