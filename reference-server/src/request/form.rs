//! A file in a multipart form.

use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request};
use axum::http::StatusCode;
use faceattend_core::store::limits::cut;

use super::body::{self, BODY_LIMIT};
use super::pace::{Paced, TooSlow};
use crate::error::{AppError, Issue};
use crate::state::AppState;

/// The longest name of a file that is kept: the longest that Linux has.
const LONGEST_NAME: usize = 255;

/// Returns the name and the bytes of the file in `field`; the name may be empty.
///
/// # Errors
/// [`AppError::Invalid`] without the field; the answers to a body that is too large, too slow or no form.
pub(super) async fn file_in(request: Request, state: &AppState, field: &str) -> Result<(String, Vec<u8>), AppError> {
    let within = state.settings().body_within;
    let mut request = request.map(|body| axum::body::Body::new(Paced::new(body, within)));
    DefaultBodyLimit::max(BODY_LIMIT).apply(&mut request);
    let missing = || AppError::Invalid(vec![Issue::missing_field(field)]);
    let Ok(mut form) = Multipart::from_request(request, state).await else { return Err(missing()) };
    let unreadable = |error: MultipartError| match error.status() {
        _ if TooSlow::caused(&error) => body::too_slow(),
        StatusCode::PAYLOAD_TOO_LARGE => body::too_large(),
        _ => AppError::bad_request("There was an error parsing the body"),
    };
    while let Some(part) = form.next_field().await.map_err(unreadable)? {
        if part.name() == Some(field) {
            let name = cut(part.file_name().unwrap_or_default(), LONGEST_NAME).to_owned();
            return Ok((name, part.bytes().await.map_err(unreadable)?.to_vec()));
        }
    }
    Err(missing())
}
