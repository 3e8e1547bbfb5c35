//! The extractor of the endpoints for kiosks: a cookie with the token of a paired tablet.
//!
//! Nothing else reads this cookie, and these endpoints read no login: a kiosk's token opens them alone.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use faceattend_core::store::{Kiosk, SecretHash};
use jiff::{SignedDuration, Timestamp};

use crate::auth::{hash_of_key, is_random_key};
use crate::error::AppError;
use crate::request::extract::{Door, Trail, admitted};
use crate::request::input::Input;
use crate::state::AppState;

/// The cookie that a paired tablet keeps its token in. No script can read it.
pub(crate) const KIOSK_COOKIE: &str = "faceattend_kiosk";
/// The answer to whoever has no token, or one that is good no longer.
pub(crate) const NOT_PAIRED: &str = "This kiosk is not paired";
/// How old the note may be of when a kiosk was seen last.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// The fields of a request with the token of a kiosk, and the kiosk.
pub(crate) struct Paired<I> {
    pub(crate) kiosk: Kiosk,
    /// The token, to give it to the tablet anew.
    pub(crate) token: Option<String>,
    /// The entry that the call leaves in the audit log.
    pub(crate) trail: Trail,
    pub(crate) input: I,
}

impl<I: Input> FromRequest<AppState> for Paired<I> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AppError> {
        let trail = request.extensions().get::<Trail>().cloned().unwrap_or_default();
        let token = token_in(request.headers()).map(str::to_owned);
        let (kiosk, input) = admitted(request, state, KioskDoor).await?;
        trail.called_by(caller(&kiosk));
        Ok(Self { kiosk, token, trail, input })
    }
}

/// Returns what the audit log calls a kiosk.
pub(crate) fn caller(kiosk: &Kiosk) -> String {
    format!("kiosk {}", kiosk.settings.name)
}

struct KioskDoor;

impl Door for KioskDoor {
    type Caller = Kiosk;

    async fn admit(self, headers: &HeaderMap, state: &AppState) -> Result<Kiosk, AppError> {
        const REFUSED: AppError = AppError::Unauthorized(NOT_PAIRED);
        let token = token_in(headers).filter(|token| is_random_key(token)).ok_or(REFUSED)?;
        let hash = SecretHash::new(hash_of_key(token));
        let found = state.with_store("Error checking the kiosk", move |store| store.kiosk_of_token(&hash)).await?;
        let kiosk = found.ok_or(REFUSED)?;
        note_seen(&kiosk, state);
        Ok(kiosk)
    }
}

/// Notes that the kiosk was heard of, beside its request: a database that is busy holds no kiosk up for that.
fn note_seen(kiosk: &Kiosk, state: &AppState) {
    let now = Timestamp::now();
    if kiosk.last_seen_at.is_some_and(|seen| now.duration_since(seen).abs() < NOTED_EVERY) {
        return;
    }
    let (state, id) = (state.clone(), kiosk.id);
    tokio::spawn(async move {
        let noted = state.with_store("Error noting a kiosk", move |store| store.note_kiosk_seen(id, now)).await;
        if noted.is_err() {
            tracing::debug!(id, "when a kiosk was seen could not be noted");
        }
    });
}

/// Returns the token in the cookie of a request, unchecked.
fn token_in(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find_map(|(name, value)| (name == KIOSK_COOKIE).then_some(value))
}
