//! The extractors of the handlers. They check in the original's order: the JSON syntax, then the credentials, then all
//! fields at once. Of a body beyond [`STRANGERS_BODY_LIMIT`] nothing more is read, and nothing is parsed, before the
//! credentials and the role are found good.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use faceattend_core::store::AdminUser;
use serde_json::{Map, Value};

use crate::auth::{Bearer, Role, clock};
use crate::error::AppError;
use crate::request::body::{self, Arriving, BODY_LIMIT, Body, Expects, STRANGERS_BODY_LIMIT};
use crate::request::fields::Reader;
use crate::request::form::file_in;
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

/// What the router's audit log says of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    caller: OnceLock<String>,
    subject: OnceLock<String>,
    details: OnceLock<String>,
}

impl Trail {
    /// Notes what the call has changed or given out, in a few words. Never a face, a password or a token.
    pub(crate) fn note(&self, details: impl Into<String>) {
        let _ = self.0.details.set(details.into());
    }

    /// Notes whom the call is about, such as `student_id 7`, where neither path nor answer names them.
    pub(crate) fn about(&self, subject: impl Into<String>) {
        let _ = self.0.subject.set(subject.into());
    }

    /// Returns whom the call is about, where that was noted.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.0.subject.get().map(String::as_str)
    }

    /// Notes the name of a caller whose credentials are valid.
    pub(super) fn called_by(&self, name: impl Into<String>) {
        let _ = self.0.caller.set(name.into());
    }

    /// Returns the name of the caller, once the credentials are known to be valid.
    pub(crate) fn caller(&self) -> Option<&str> {
        self.0.caller.get().map(String::as_str)
    }

    /// Returns what was noted.
    pub(crate) fn details(&self) -> Option<&str> {
        self.0.details.get().map(String::as_str)
    }
}

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
    /// The entry that the call leaves in the audit log.
    pub(crate) trail: Trail,
    pub(crate) input: I,
}

impl<I: Input> FromRequest<AppState> for Open<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let mut gathered = Gathered::of(request);
        if I::EXPECTS != Expects::Nothing {
            let mut arriving = gathered.arriving(state);
            let whole = arriving.fill(STRANGERS_BODY_LIMIT).await?;
            if !whole {
                return Err(arriving.refused(STRANGERS_BODY_LIMIT, &gathered.headers));
            }
            gathered.reader.body = arriving.read(&gathered.headers, I::EXPECTS)?;
        }
        finish(&mut gathered.reader).map(Self)
    }
}

impl<I: Input> FromRequest<AppState> for Authed<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let gate = Gate::of(&request);
        let trail = gate.trail.clone();
        let ((user, role, login), input) = admitted(request, state, gate).await?;
        Ok(Self { user, role, login, trail, input })
    }
}

/// Who lets a caller in: by a login, or by the token of a kiosk.
pub(super) trait Door {
    /// What is known of a caller who was let in.
    type Caller: Send;

    /// Looks at the credentials of a request.
    fn admit(
        self,
        headers: &HeaderMap,
        state: &AppState,
    ) -> impl Future<Output = Result<Self::Caller, AppError>> + Send;
}

/// Returns the caller whom `door` has let in, and the fields of the request.
pub(super) async fn admitted<I: Input, D: Door>(
    request: Request,
    state: &AppState,
    door: D,
) -> Result<(D::Caller, I), AppError> {
    let mut gathered = Gathered::of(request);
    let caller;
    if I::EXPECTS == Expects::Nothing {
        caller = door.admit(&gathered.headers, state).await?;
    } else {
        let mut arriving = gathered.arriving(state);
        let small = !arriving.announces_more_than(STRANGERS_BODY_LIMIT) && arriving.fill(STRANGERS_BODY_LIMIT).await?;
        if small {
            // The recorded order: what is no JSON is told before the credentials are looked at.
            gathered.reader.body = arriving.read(&gathered.headers, I::EXPECTS)?;
        }
        caller = door.admit(&gathered.headers, state).await?;
        if !small {
            if arriving.announces_more_than(BODY_LIMIT) || !arriving.fill(BODY_LIMIT).await? {
                return Err(body::too_large());
            }
            // So large are pictures. What has arrived is read to its end, or the client would not hear the answer.
            state.must_have_place()?;
            gathered.reader.body = arriving.read(&gathered.headers, I::EXPECTS)?;
        }
    }
    Ok((caller, finish(&mut gathered.reader)?))
}

/// The parts of a request from which the fields are read.
pub(super) struct Gathered {
    pub(super) headers: HeaderMap,
    pub(super) reader: Reader,
    pub(super) request: Request,
}

impl Gathered {
    pub(super) fn of(request: Request) -> Self {
        let query = body::form(request.uri().query().unwrap_or_default().as_bytes());
        let path = request.extensions().get::<PathParameters>().cloned().unwrap_or_default().0;
        let reader = Reader { path, query, body: Body::Absent, issues: Vec::new() };
        Self { headers: request.headers().clone(), reader, request }
    }

    /// Takes the body.
    fn arriving(&mut self, state: &AppState) -> Arriving {
        Arriving::of(std::mem::take(&mut self.request), state.settings().body_within)
    }
}

/// The router's demands on the caller of a route.
pub(super) struct Gate {
    least: Role,
    pub(super) trail: Trail,
}

impl Gate {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            least: request.extensions().get().map_or(Role::Admin, |Least(role)| *role),
            trail: request.extensions().get::<Trail>().cloned().unwrap_or_default(),
        }
    }
}

impl Door for Gate {
    /// The caller's name, role and login.
    type Caller = (String, Role, Option<String>);

    async fn admit(self, headers: &HeaderMap, state: &AppState) -> Result<Self::Caller, AppError> {
        let token = token_in(headers).ok_or(AppError::Unauthorized("Not authenticated"))?;
        let (user, login) = authenticate(token, state).await?;
        let role = Role::of(&user);
        if role < self.least {
            return Err(AppError::Detail(StatusCode::FORBIDDEN, "Not enough permissions".into()));
        }
        self.trail.called_by(user.username.clone());
        Ok((user.username, role, login))
    }
}

/// Returns the bearer token of a request, unchecked. As HTTP has it (RFC 9110, 11.4 and 5.5): the scheme in any letter
/// case, one space or more behind it, and white space around the whole that means nothing.
pub(crate) fn token_in(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = given.trim().split_once([' ', '\t'])?;
    let token = token.trim_start();
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

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let (user, ..) = Gate::of(&request).admit(request.headers(), state).await?;
        let (_, frame) = file_in(request, state, FRAME).await?;
        Ok(Self { user, frame })
    }
}

pub(super) fn finish<I: Input>(reader: &mut Reader) -> Result<I, AppError> {
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
