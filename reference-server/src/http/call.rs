//! The extractors of every handler. The order of their checks is the original's: JSON syntax, then credentials, then
//! the fields, all of them at once.

use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::error::AppError;
use crate::http::body::{self, BODY_LIMIT, Expects};
use crate::http::input::{Issue, Reader};
use crate::state::AppState;

/// The fields of a request as a type.
pub(crate) trait Input: Sized {
    /// Which body it reads.
    const EXPECTS: Expects = Expects::Nothing;

    /// Reads every field, so that every issue is noted, and gives `None` if one could not be read.
    fn read(request: &mut Reader) -> Option<Self>;
}

/// A request without fields.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Input for Nothing {
    fn read(_request: &mut Reader) -> Option<Self> {
        Some(Self)
    }
}

/// The parameters of the path, left by the router.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathParameters(pub(crate) Map<String, Value>);

/// The fields of a request that needs no credentials.
#[derive(Debug)]
pub(crate) struct Open<I>(pub(crate) I);

/// The fields of a request that carries a valid token, and whose it is.
#[derive(Debug)]
pub(crate) struct Authed<I> {
    pub(crate) user: String,
    pub(crate) input: I,
}

impl<I: Input> FromRequest<AppState> for Open<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, _state: &AppState) -> Result<Self, AppError> {
        let (mut reader, _) = gather(request, I::EXPECTS).await?;
        finish(&mut reader).map(Self)
    }
}

impl<I: Input> FromRequest<AppState> for Authed<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let (mut reader, headers) = gather(request, I::EXPECTS).await?;
        let user = authenticate(&headers, state)?;
        Ok(Self { user, input: finish(&mut reader)? })
    }
}

/// The bytes of the field `name` of a multipart form, and who sends them.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) user: String,
    pub(crate) frame: Vec<u8>,
}

/// The field that carries a picture.
const FRAME: &str = "frame";

impl FromRequest<AppState> for Upload {
    type Rejection = AppError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, AppError> {
        let user = authenticate(request.headers(), state)?;
        DefaultBodyLimit::max(BODY_LIMIT).apply(&mut request);
        let missing = || AppError::Invalid(vec![Issue::missing_field(FRAME)]);
        let Ok(mut form) = Multipart::from_request(request, state).await else { return Err(missing()) };
        let unreadable = |error: MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => AppError::Detail(error.status(), "Request body too large".into()),
            _ => AppError::bad_request("There was an error parsing the body"),
        };
        while let Some(field) = form.next_field().await.map_err(unreadable)? {
            if field.name() == Some(FRAME) {
                let frame = field.bytes().await.map_err(unreadable)?.to_vec();
                return Ok(Self { user, frame });
            }
        }
        Err(missing())
    }
}

async fn gather(request: Request, expects: Expects) -> Result<(Reader, HeaderMap), AppError> {
    let headers = request.headers().clone();
    let query = body::form(request.uri().query().unwrap_or_default().as_bytes());
    let path = request.extensions().get::<PathParameters>().cloned().unwrap_or_default().0;
    let body = body::read(request, expects).await?;
    Ok((Reader { path, query, body, issues: Vec::new() }, headers))
}

fn finish<I: Input>(reader: &mut Reader) -> Result<I, AppError> {
    let input = I::read(reader);
    match input {
        Some(input) if reader.issues.is_empty() => Ok(input),
        _ => Err(AppError::Invalid(std::mem::take(&mut reader.issues))),
    }
}

fn authenticate(headers: &HeaderMap, state: &AppState) -> Result<String, AppError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match given.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            state.tokens().user_of(token).ok_or(AppError::Unauthorized("Could not validate credentials"))
        }
        _ => Err(AppError::Unauthorized("Not authenticated")),
    }
}
