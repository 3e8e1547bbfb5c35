//! Keeps the kiosks: lists, adds, changes, revokes and removes them, and opens the codes that pair their tablets.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use faceattend_core::Error;
use faceattend_core::gate::GatePolicy;
use faceattend_core::kiosk::{PairingCode, check_pin};
use faceattend_core::store::{Kiosk, KioskChange, KioskSettings, NewKiosk, SecretHash};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::cameras::GATE;
use super::devices::address_in;
use crate::auth::hash_password;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{FlagOr, Integer, Optional};
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;
use crate::tls::qr;

const NO_KIOSK: &str = "Kiosk not found";
const TAKEN: &str = "A kiosk with this name is there already";
const NOT_KEPT: &str = "Error keeping the kiosk: what is wrong with its name or its PIN";
const KEEPING: &str = "Error keeping the kiosk";

/// A kiosk.
#[derive(Serialize, ToSchema)]
pub(crate) struct KioskItem {
    kiosk_id: i64,
    name: String,
    /// Where it stands; its marks are of this place, or of its name where it has none.
    #[schema(required)]
    location: Option<String>,
    /// `off`, `observe`, `require` or `ask`; null where `--gate` and `--gate-at` say it.
    #[schema(required)]
    gate: Option<&'static str>,
    /// Whether a greeting comes with a tone.
    tone: bool,
    /// Whether a greeting is spoken.
    speech: bool,
    /// Whether a supervisor's PIN marks whom it does not recognize.
    has_pin: bool,
    /// When its tablet was paired; null where it has none.
    #[schema(required)]
    paired_at: Option<String>,
    /// When its tablet was heard of last, to half a minute.
    #[schema(required)]
    last_seen_at: Option<String>,
    /// Until when a tablet may use its code; null where no code is open.
    #[schema(required)]
    code_until: Option<String>,
    created_at: String,
    created_by: String,
    changed_at: String,
    changed_by: String,
}

impl KioskItem {
    fn of(kiosk: Kiosk, now: Timestamp) -> Self {
        let KioskSettings { name, location, gate, tone, speech } = kiosk.settings;
        Self {
            kiosk_id: kiosk.id,
            name,
            location,
            gate: gate.map(GatePolicy::as_str),
            tone,
            speech,
            has_pin: kiosk.pin.is_some(),
            paired_at: kiosk.paired_at.map(naive_utc),
            last_seen_at: kiosk.last_seen_at.map(naive_utc),
            code_until: kiosk.code_until.filter(|until| *until > now).map(naive_utc),
            created_at: naive_utc(kiosk.created_at),
            created_by: kiosk.created_by,
            changed_at: naive_utc(kiosk.changed_at),
            changed_by: kiosk.changed_by,
        }
    }
}

/// Every kiosk.
#[derive(Serialize, ToSchema)]
pub(crate) struct KioskItems {
    kiosks: Vec<KioskItem>,
}

fn kiosk_error(error: AppError) -> AppError {
    match error {
        AppError::Core(_, Error::Conflict { .. }) => AppError::Detail(StatusCode::CONFLICT, TAKEN.into()),
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_KIOSK),
        other => other,
    }
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/kiosks",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Kiosks,
    summary: "Lists the kiosks, with when their tablets were heard of last",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<KioskItems>>, AppError> {
    let kiosks = app.with_store("Error retrieving kiosks", |store| store.kiosks()).await?;
    let now = Timestamp::now();
    let kiosks = kiosks.into_iter().map(|kiosk| KioskItem::of(kiosk, now)).collect();
    Ok(Json(reply("Kiosks retrieved successfully", KioskItems { kiosks })))
}

/// A kiosk with the code that pairs its tablet. The code is shown once: the server keeps a hash of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Opened {
    kiosk_id: i64,
    kiosk: KioskItem,
    /// To type into the tablet, within ten minutes. It is good once.
    code: String,
    /// The address of the kiosk's page; null where only this machine reaches it, or it is not encrypted.
    #[schema(required)]
    address: Option<String>,
    /// The address with the code, as a picture to scan, in SVG.
    #[schema(required)]
    picture: Option<String>,
}

impl Opened {
    fn of(app: &AppState, headers: &HeaderMap, kiosk: Kiosk, code: &PairingCode) -> Self {
        let address = address_in(app, headers).map(|pages| format!("{pages}kiosk"));
        // In the fragment, which no browser sends: no log of a proxy has it.
        let picture = address.as_ref().and_then(|address| qr::as_svg(&format!("{address}#{code}")));
        let kiosk = KioskItem::of(kiosk, Timestamp::now());
        Self { kiosk_id: kiosk.kiosk_id, kiosk, code: code.to_string(), address, picture }
    }
}

/// Returns the hash of a PIN; `None` for none.
async fn pin_hash(app: &AppState, pin: &str) -> Result<Option<SecretHash>, AppError> {
    if pin.is_empty() {
        return Ok(None);
    }
    check_pin(pin).map_err(|error| AppError::Core(KEEPING, error))?;
    let (turn, pin) = (app.turn_to_hash().await?, pin.to_owned());
    let hash = app.with_store(KEEPING, move |_| turn.run(|| hash_password(&pin))).await?;
    Ok(Some(SecretHash::new(hash)))
}

/// A text that is none: the page sends what its field holds.
fn not_blank(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Returns what the audit log says of a kiosk.
fn told_of(kiosk: &Kiosk) -> String {
    let KioskSettings { name, location, .. } = &kiosk.settings;
    location.as_ref().map_or_else(|| name.clone(), |place| format!("{name}: {place}"))
}

input! {
    /// A kiosk to add.
    pub(crate) struct NewKioskInput {
        body Json {
            name: String = texts::CAMERA_NAME,
            location: Option<String> = Optional(texts::CAMERA_LOCATION),
            /// What it asks of a face before its person is marked.
            gate: Option<GatePolicy> = Optional(GATE),
            tone: bool = FlagOr(false),
            speech: bool = FlagOr(false),
            /// The PIN of a supervisor, who vouches for whom the kiosk does not recognize: 6 to 12 digits.
            pin: Option<String> = Optional(texts::PIN),
        }
    }
}

pub(super) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/kiosks",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Kiosks,
    summary: "Adds a kiosk and opens a code that pairs its tablet",
    errors: &[(400, NOT_KEPT), (409, TAKEN)],
};

pub(super) async fn create(
    State(app): State<AppState>,
    headers: HeaderMap,
    call: Authed<NewKioskInput>,
) -> Result<Json<Reply<Opened>>, AppError> {
    let NewKioskInput { name, location, gate, tone, speech, pin } = call.input;
    let pin = pin_hash(&app, pin.as_deref().unwrap_or_default()).await?;
    let settings = KioskSettings { name: name.trim().to_owned(), location: not_blank(location), gate, tone, speech };
    let (code, now) = (PairingCode::random(), Timestamp::now());
    let new = NewKiosk { settings, pin, code: code.open_at(now), by: call.user, at: now };
    let kiosk = app.with_store(KEEPING, move |store| store.create_kiosk(&new)).await.map_err(kiosk_error)?;
    call.trail.note(told_of(&kiosk));
    let message = format!("Kiosk {} added", kiosk.settings.name);
    Ok(Json(reply(message, Opened::of(&app, &headers, kiosk, &code))))
}

input! {
    /// The kiosk in the path as it is to be from now on. What is left out is not set any more, but for the PIN.
    pub(crate) struct ChangedKiosk {
        path {
            kiosk_id: i64 = Integer,
        }
        body Json {
            name: String = texts::CAMERA_NAME,
            location: Option<String> = Optional(texts::CAMERA_LOCATION),
            gate: Option<GatePolicy> = Optional(GATE),
            tone: bool = FlagOr(false),
            speech: bool = FlagOr(false),
            /// Another PIN; an empty text for none from now on. Left out, the PIN stays as it is.
            pin: Option<String> = Optional(texts::PIN),
        }
    }
}

pub(super) const UPDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/kiosks/{kiosk_id}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Kiosks,
    summary: "Changes a kiosk, whose tablet stays paired",
    errors: &[(400, NOT_KEPT), (404, NO_KIOSK), (409, TAKEN)],
};

pub(super) async fn update(
    State(app): State<AppState>,
    call: Authed<ChangedKiosk>,
) -> Result<Json<Reply<KioskItem>>, AppError> {
    let ChangedKiosk { kiosk_id, name, location, gate, tone, speech, pin } = call.input;
    let pin = match pin {
        Some(pin) => Some(pin_hash(&app, &pin).await?),
        None => None,
    };
    let settings = KioskSettings { name: name.trim().to_owned(), location: not_blank(location), gate, tone, speech };
    let with_pin = match &pin {
        None => "",
        Some(Some(_)) => ", another PIN",
        Some(None) => ", no PIN",
    };
    let change = KioskChange { settings, pin, by: call.user, at: Timestamp::now() };
    let changed = app.with_store(KEEPING, move |store| store.change_kiosk(kiosk_id, &change)).await;
    let changed = changed.map_err(kiosk_error)?;
    end(&app, kiosk_id).await?;
    call.trail.note(format!("{}{with_pin}", told_of(&changed)));
    let message = format!("Kiosk {} changed", changed.settings.name);
    Ok(Json(reply(message, KioskItem::of(changed, Timestamp::now()))))
}

input! {
    /// The kiosk in the path.
    pub(crate) struct WhichKiosk {
        path {
            kiosk_id: i64 = Integer,
        }
    }
}

pub(super) const CODE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/kiosks/{kiosk_id}/code",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Kiosks,
    summary: "Opens another code for a kiosk, to pair another tablet or the same one again",
    errors: &[(404, NO_KIOSK)],
};

pub(super) async fn code(
    State(app): State<AppState>,
    headers: HeaderMap,
    call: Authed<WhichKiosk>,
) -> Result<Json<Reply<Opened>>, AppError> {
    let (id, code) = (call.input.kiosk_id, PairingCode::random());
    let open = code.open_at(Timestamp::now());
    let kiosk = app.with_store(KEEPING, move |store| store.open_kiosk_code(id, &open)).await.map_err(kiosk_error)?;
    call.trail.note(told_of(&kiosk));
    let message = format!("Code of kiosk {} opened", kiosk.settings.name);
    Ok(Json(reply(message, Opened::of(&app, &headers, kiosk, &code))))
}

pub(super) const REVOKE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/kiosks/{kiosk_id}/revoke",
    // Whoever finds a tablet gone acts at once.
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Kiosks,
    summary: "Revokes the token of a kiosk: its tablet is paired no longer",
    errors: &[(404, NO_KIOSK)],
};

pub(super) async fn revoke(
    State(app): State<AppState>,
    call: Authed<WhichKiosk>,
) -> Result<Json<Reply<KioskItem>>, AppError> {
    let id = call.input.kiosk_id;
    let revoked = app.with_store(KEEPING, move |store| store.revoke_kiosk(id)).await.map_err(kiosk_error)?;
    end(&app, id).await?;
    call.trail.note(told_of(&revoked));
    let message = format!("Kiosk {} revoked", revoked.settings.name);
    Ok(Json(reply(message, KioskItem::of(revoked, Timestamp::now()))))
}

pub(super) const REMOVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/kiosks/{kiosk_id}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Kiosks,
    summary: "Removes a kiosk, whose tablet is paired no longer",
    errors: &[(404, NO_KIOSK)],
};

pub(super) async fn remove(State(app): State<AppState>, call: Authed<WhichKiosk>) -> Result<Json<Done>, AppError> {
    let id = call.input.kiosk_id;
    let removed = app.with_store(KEEPING, move |store| store.remove_kiosk(id)).await.map_err(kiosk_error)?;
    end(&app, id).await?;
    call.trail.note(told_of(&removed));
    Ok(Json(done(format!("Kiosk {} removed", removed.settings.name))))
}

/// Ends the watch of a kiosk, which hands over who waits before it.
async fn end(app: &AppState, kiosk: i64) -> Result<(), AppError> {
    let ending = app.clone();
    crate::state::blocking(KEEPING, move || {
        ending.live().kiosks().end(kiosk);
        Ok(())
    })
    .await
}
