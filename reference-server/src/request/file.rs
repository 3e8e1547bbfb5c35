//! A file in a multipart form, and the fields of the address.

use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use faceattend_core::store::limits::cut;

use crate::auth::Role;
use crate::error::{AppError, Issue};
use crate::request::body::{self, BODY_LIMIT};
use crate::request::extract::{Door as _, Gate, Gathered, Trail, finish};
use crate::request::input::Input;
use crate::request::pace::{Paced, TooSlow};
use crate::state::AppState;

/// The name of the field with the file.
pub(crate) const FILE: &str = "file";
/// The longest name of a file that is kept: the longest that Linux has.
const LONGEST_NAME: usize = 255;

/// A file that a user sends, with the fields of the path and the query.
#[derive(Debug)]
pub(crate) struct AuthedFile<I> {
    pub(crate) user: String,
    pub(crate) role: Role,
    /// The entry that the call leaves in the audit log.
    pub(crate) trail: Trail,
    pub(crate) input: I,
    /// The name of the file where it comes from; it may be empty.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl<I: Input + Send> FromRequest<AppState> for AuthedFile<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let gate = Gate::of(&request);
        let trail = gate.trail.clone();
        let mut gathered = Gathered::of(request);
        let (user, role, _) = gate.admit(&gathered.headers, state).await?;
        let input = finish(&mut gathered.reader)?;
        let within = state.settings().body_within;
        let mut request = gathered.request.map(|body| axum::body::Body::new(Paced::new(body, within)));
        DefaultBodyLimit::max(BODY_LIMIT).apply(&mut request);
        let missing = || AppError::Invalid(vec![Issue::missing_field(FILE)]);
        let Ok(mut form) = Multipart::from_request(request, state).await else { return Err(missing()) };
        let unreadable = |error: MultipartError| match error.status() {
            _ if TooSlow::caused(&error) => body::too_slow(),
            StatusCode::PAYLOAD_TOO_LARGE => body::too_large(),
            _ => AppError::bad_request("There was an error parsing the body"),
        };
        while let Some(field) = form.next_field().await.map_err(unreadable)? {
            if field.name() == Some(FILE) {
                let name = cut(field.file_name().unwrap_or_default(), LONGEST_NAME).to_owned();
                let bytes = field.bytes().await.map_err(unreadable)?.to_vec();
                return Ok(Self { user, role, trail, input, name, bytes });
            }
        }
        Err(missing())
    }
}
