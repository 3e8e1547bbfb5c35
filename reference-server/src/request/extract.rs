//! The extractors of the handlers. They check in the original's order: the JSON syntax, then the credentials, then all
//! fields at once.

use std::sync::{Arc, OnceLock};

use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use faceattend_core::store::AdminUser;
use serde_json::{Map, Value};

use crate::auth::{Bearer, Role, clock};
use crate::error::{AppError, Issue};
use crate::request::body::{self, BODY_LIMIT, BodyLimits, Expects, STRANGERS_BODY_LIMIT};
use crate::request::fields::Reader;
use crate::request::input::Input;
use crate::state::AppState;

/// The answer to a token that is not valid, or no longer.
const NOT_VALID: &str = "Could not validate credentials";

/// The parameters of the path. The router inserts them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathParameters(pub(crate) Map<String, Value>);

/// The least role that a caller of this route must have. The router inserts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Least(pub(crate) Role);

/// The name of the caller, for the router's audit log. The extractor sets it once the credentials are valid.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller(pub(crate) Arc<OnceLock<String>>);

/// The fields of a request that needs no credentials.
#[derive(Debug)]
pub(crate) struct Open<I>(pub(crate) I);

/// The fields of a request with a valid token, and the user of the token.
#[derive(Debug)]
pub(crate) struct Authed<I> {
    pub(crate) user: String,
    pub(crate) role: Role,
    /// The login that the token belongs to, if it names one.
    pub(crate) login: Option<String>,
    pub(crate) input: I,
}

impl<I: Input> FromRequest<AppState> for Open<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let limits = BodyLimits { bytes: STRANGERS_BODY_LIMIT, within: state.settings().body_within };
        let (mut reader, _) = gather(request, I::EXPECTS, limits).await?;
        finish(&mut reader).map(Self)
    }
}

impl<I: Input> FromRequest<AppState> for Authed<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let gate = Gate::of(&request);
        let stranger = token_in(request.headers()).is_none_or(|token| state.tokens().bearer_of(token).is_none());
        let bytes = if stranger { STRANGERS_BODY_LIMIT } else { BODY_LIMIT };
        let limits = BodyLimits { bytes, within: state.settings().body_within };
        let headers = request.headers().clone();
        let gathered = gather(request, I::EXPECTS, limits).await;
        if stranger && matches!(gathered, Err(AppError::Detail(StatusCode::PAYLOAD_TOO_LARGE, _))) {
            gate.admit(&headers, state).await?;
            return Err(body::too_large());
        }
        let (mut reader, headers) = gathered?;
        let (user, role, login) = gate.admit(&headers, state).await?;
        Ok(Self { user, role, login, input: finish(&mut reader)? })
    }
}

/// The router's demands on the caller of a route.
struct Gate {
    least: Role,
    caller: Option<Caller>,
}

impl Gate {
    fn of(request: &Request) -> Self {
        Self {
            least: request.extensions().get().map_or(Role::Admin, |Least(role)| *role),
            caller: request.extensions().get::<Caller>().cloned(),
        }
    }

    /// Returns the caller's name, role and login.
    async fn admit(self, headers: &HeaderMap, state: &AppState) -> Result<(String, Role, Option<String>), AppError> {
        let token = token_in(headers).ok_or(AppError::Unauthorized("Not authenticated"))?;
        let (user, login) = authenticate(token, state).await?;
        let role = Role::of(&user);
        if role < self.least {
            return Err(AppError::Detail(StatusCode::FORBIDDEN, "Not enough permissions".into()));
        }
        if let Some(Caller(caller)) = self.caller {
            let _ = caller.set(user.username.clone());
        }
        Ok((user.username, role, login))
    }
}

/// Returns the bearer token of a request, unchecked.
pub(crate) fn token_in(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = given.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The picture in a multipart form, and the user who sends it.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) user: String,
    pub(crate) frame: Vec<u8>,
}

/// The name of the field with the picture.
pub(crate) const FRAME: &str = "frame";

impl FromRequest<AppState> for Upload {
    type Rejection = AppError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, AppError> {
        let (user, ..) = Gate::of(&request).admit(request.headers(), state).await?;
        DefaultBodyLimit::max(BODY_LIMIT).apply(&mut request);
        let missing = || AppError::Invalid(vec![Issue::missing_field(FRAME)]);
        let Ok(mut form) = Multipart::from_request(request, state).await else { return Err(missing()) };
        let unreadable = |error: MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => body::too_large(),
            _ => AppError::bad_request("There was an error parsing the body"),
        };
        let arriving = async {
            while let Some(field) = form.next_field().await.map_err(unreadable)? {
                if field.name() == Some(FRAME) {
                    return Ok(field.bytes().await.map_err(unreadable)?.to_vec());
                }
            }
            Err(missing())
        };
        let frame =
            tokio::time::timeout(state.settings().body_within, arriving).await.map_err(|_| body::too_slow())??;
        Ok(Self { user, frame })
    }
}

async fn gather(request: Request, expects: Expects, limits: BodyLimits) -> Result<(Reader, HeaderMap), AppError> {
    let headers = request.headers().clone();
    let query = body::form(request.uri().query().unwrap_or_default().as_bytes());
    let path = request.extensions().get::<PathParameters>().cloned().unwrap_or_default().0;
    let body = body::read(request, expects, limits).await?;
    Ok((Reader { path, query, body, issues: Vec::new() }, headers))
}

fn finish<I: Input>(reader: &mut Reader) -> Result<I, AppError> {
    let input = I::read(reader);
    match input {
        Some(input) if reader.issues.is_empty() => Ok(input),
        _ => Err(AppError::Invalid(std::mem::take(&mut reader.issues))),
    }
}

/// Returns the active user of a token whose login has not ended, and the login.
pub(crate) async fn authenticate(token: &str, state: &AppState) -> Result<(AdminUser, Option<String>), AppError> {
    let Bearer { user, login } = state.tokens().bearer_of(token).ok_or(AppError::Unauthorized(NOT_VALID))?;
    let user = holder_of(user, login.clone(), state).await?;
    Ok((user, login))
}

/// Returns the active user of a login that has not ended. What stays open asks again now and then.
pub(crate) async fn holder_of(user: String, login: Option<String>, state: &AppState) -> Result<AdminUser, AppError> {
    let holder = state
        .with_store("Error checking credentials", move |store| {
            store.login_holder(&user, login.as_deref(), clock::now())
        })
        .await?;
    holder.ok_or(AppError::Unauthorized(NOT_VALID))
}
