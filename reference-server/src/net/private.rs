//! Answers that stay between the server and whoever asked.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Keeps an answer out of the caches of browsers and proxies, and from being taken for another kind of content. Pages
/// and their files say themselves how long they may be kept.
pub(crate) async fn keep_private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}
