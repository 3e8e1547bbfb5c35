//! A file in a multipart form, and the fields of the address.

use axum::extract::{FromRequest, Request};

use crate::auth::Role;
use crate::error::AppError;
use crate::request::extract::{Door as _, Gate, Gathered, Trail, finish};
use crate::request::form::file_in;
use crate::request::input::Input;
use crate::state::AppState;

/// The name of the field with the file.
pub(crate) const FILE: &str = "file";

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
        let (name, bytes) = file_in(gathered.request, state, FILE).await?;
        Ok(Self { user, role, trail, input, name, bytes })
    }
}
