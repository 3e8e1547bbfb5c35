//! What a kiosk's tablet asks: to be paired, to have its pictures looked at, and what people do at its screen. The
//! answers hold the least: whom it greets, when, and how.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faceattend_core::Error;
use faceattend_core::attendance::Marking;
use faceattend_core::kiosk::{GreetingKind, PairingCode, TakenBack};
use faceattend_core::recognition::Direction;
use faceattend_core::store::{Kiosk, NewAuditEntry, SecretHash, Store};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::hashing::Turn;
use crate::auth::throttle::Guesser;
use crate::auth::{clock, hash_of_key, matches, random_key};
use crate::error::AppError;
use crate::image_data::{self, INVALID};
use crate::live::kiosks::Given;
use crate::net::forwarded::{is_https, prefix};
use crate::net::peer::Peer;
use crate::request::extract::Open;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{FlagOr, Picture};
use crate::request::paired::{KIOSK_COOKIE, Paired, caller};
use crate::request::texts;
use crate::responses::{Done, done};
use crate::router::described::{Answer, Described};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, LOADING, blocking};

/// How long a browser keeps the cookie: the longest that browsers allow (RFC 6265bis). It is set anew whenever the
/// kiosk starts.
const KEPT_FOR: u32 = 400 * 24 * 3600;

/// What a kiosk has to know of itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct KioskState {
    name: String,
    #[schema(required)]
    location: Option<String>,
    tone: bool,
    speech: bool,
    /// Whether a roll number and the PIN of a supervisor mark somebody.
    fallback: bool,
    /// The site's own time: a tablet's clock may be wrong.
    clock: String,
    /// Changes with the settings.
    version: String,
}

impl KioskState {
    fn of(app: &AppState, kiosk: &Kiosk) -> Self {
        Self {
            name: kiosk.settings.name.clone(),
            location: kiosk.settings.location.clone(),
            tone: kiosk.settings.tone,
            speech: kiosk.settings.speech,
            fallback: kiosk.pin.is_some(),
            clock: site_time(app, Timestamp::now()),
            version: version_of(kiosk),
        }
    }
}

fn version_of(kiosk: &Kiosk) -> String {
    format!("{}-{}", kiosk.changed_at.as_microsecond(), u8::from(kiosk.pin.is_some()))
}

/// Returns a time as clocks at the site show it, such as `2026-03-02T08:15:30`.
fn site_time(app: &AppState, at: Timestamp) -> String {
    let local = app.live().marker().policy().time_zone().to_datetime(at);
    local.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The state of a kiosk, and its cookie.
pub(crate) struct Welcome {
    state: KioskState,
    cookie: Option<HeaderValue>,
}

impl IntoResponse for Welcome {
    fn into_response(self) -> Response {
        let mut response = Json(self.state).into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl Answer for Welcome {
    fn describe(described: &mut Described) {
        <Json<KioskState> as Answer>::describe(described);
    }
}

/// Returns the cookie that a tablet keeps its token in.
fn cookie_of(token: &str, headers: &HeaderMap) -> Option<HeaderValue> {
    let (secure, prefix) = (if is_https(headers) { "; Secure" } else { "" }, prefix(headers));
    let text = format!(
        "{KIOSK_COOKIE}={token}; Path={prefix}/api/v1/kiosk; Max-Age={KEPT_FOR}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::from_str(&text).ok()
}

input! {
    /// The code that an operator has opened.
    pub(crate) struct Code {
        body Json {
            code: String = texts::PAIRING_CODE,
        }
    }
}

const WRONG_CODE: &str = "This code is not good: it is wrong, used or older than ten minutes";
const TOO_MANY_CODES: &str = "Too many wrong codes, try again later";

pub(super) const PAIR: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/kiosk/pair",
    access: Access::Anyone,
    // It writes its own entry, with the name of the kiosk.
    audit: Audit::None,
    tag: Tag::Kiosks,
    summary: "Pairs a tablet by a code that is good once; its token comes as a cookie",
    errors: &[(401, WRONG_CODE), (429, TOO_MANY_CODES)],
};

/// What a try to pair came to.
enum Tried {
    Wait(u64),
    Wrong,
    Paired(Box<Kiosk>),
}

pub(super) async fn pair(
    State(app): State<AppState>,
    Peer(from): Peer,
    headers: HeaderMap,
    call: Open<Code>,
) -> Result<Welcome, AppError> {
    let code = PairingCode::parse(&call.0.code).map(|code| code.hash());
    let (token, now) = (random_key(), clock::now());
    let hash = SecretHash::new(hash_of_key(&token));
    let tried = app.with_store("Pairing failed", move |store| try_to_pair(store, code.as_ref(), &hash, from, now));
    match tried.await? {
        Tried::Wait(seconds) => Err(AppError::Later(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_CODES, seconds)),
        Tried::Wrong => Err(AppError::Unauthorized(WRONG_CODE)),
        Tried::Paired(kiosk) => {
            Ok(Welcome { state: KioskState::of(&app, &kiosk), cookie: cookie_of(&token, &headers) })
        }
    }
}

fn try_to_pair(
    store: &dyn Store,
    code: Option<&SecretHash>,
    token: &SecretHash,
    from: Option<IpAddr>,
    now: Timestamp,
) -> faceattend_core::Result<Tried> {
    let guesser = Guesser::of_kiosk_code(from);
    if let Some(seconds) = guesser.wait(store, now)? {
        return Ok(Tried::Wait(seconds));
    }
    let paired = match code {
        Some(code) => store.pair_kiosk(code, token, now)?,
        None => None,
    };
    let details = from.map(|address| format!("from {address}"));
    let Some(kiosk) = paired else {
        guesser.failed(store, now)?;
        if guesser.named_nobody(store, now)? {
            let (actor, action) = ("unknown".into(), "kiosk code wrong".into());
            store.add_audit(&NewAuditEntry { at: now, actor, action, subject: None, details })?;
        }
        return Ok(Tried::Wrong);
    };
    guesser.passed(store)?;
    let (actor, action, subject) = (caller(&kiosk), "kiosk paired".into(), Some(format!("kiosk_id {}", kiosk.id)));
    store.add_audit(&NewAuditEntry { at: now, actor, action, subject, details })?;
    Ok(Tried::Paired(Box::new(kiosk)))
}

pub(super) const ME: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/kiosk/me",
    access: Access::Kiosk,
    audit: Audit::None,
    tag: Tag::Kiosks,
    summary: "Returns what a kiosk has to know of itself, and the time of the site",
    errors: &[],
};

pub(super) async fn me(State(app): State<AppState>, headers: HeaderMap, call: Paired<Nothing>) -> Welcome {
    // The same token, for as long again.
    let cookie = call.token.as_deref().and_then(|token| cookie_of(token, &headers));
    Welcome { state: KioskState::of(&app, &call.kiosk), cookie }
}

input! {
    /// A picture of a kiosk's camera, not mirrored.
    pub(crate) struct KioskFrame {
        body Json {
            image_data: String = Picture,
            /// Whether somebody has said that they are leaving: then whom it recognizes is checked out.
            leaving: bool = FlagOr(false),
        }
    }
}

fn direction(leaving: bool) -> Direction {
    if leaving { Direction::Leaving } else { Direction::Arriving }
}

/// Whom a kiosk greets.
#[derive(Serialize, ToSchema)]
pub(crate) struct GreetingItem {
    /// To take the greeting back. The same for as long as the person stays.
    greeting_id: String,
    /// `present`, `late`, `already`, `goodbye`, `left_early` or `ask`: go and ask a person.
    kind: &'static str,
    /// Null where the face may be a photograph of somebody who is marked already.
    #[schema(required)]
    name: Option<String>,
    /// When the student was marked, or seen leaving, at the site: `08:15`.
    time: String,
}

impl GreetingItem {
    fn of(app: &AppState, given: Given) -> Self {
        let Given { id, greeting, is_named, .. } = given;
        let kind = if is_named { greeting.kind } else { GreetingKind::Already };
        let local = app.live().marker().policy().time_zone().to_datetime(greeting.at);
        Self {
            greeting_id: id,
            kind: kind.as_str(),
            name: is_named.then_some(greeting.name),
            time: local.strftime("%H:%M").to_string(),
        }
    }
}

/// What a picture of a kiosk led to.
#[derive(Serialize, ToSchema)]
pub(crate) struct KioskSeen {
    /// How many faces it shows.
    faces: usize,
    /// Whose marks are written. Repeated for as long as they are in view.
    greetings: Vec<GreetingItem>,
    /// What the nearest person can do to be marked: `look`; `left`, `right`, `up` or `down` for a movement; `unknown`,
    /// `second_look`, `wait`; or what is wrong with the view, such as `too_dark`. Null where there is nothing to do.
    #[schema(required)]
    advice: Option<&'static str>,
    /// The site's own time.
    clock: String,
    /// Changes with the kiosk's settings.
    version: String,
}

pub(super) const FRAME: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/kiosk/frame",
    access: Access::Kiosk,
    // It comes several times a second; the mark itself is kept.
    audit: Audit::None,
    tag: Tag::Kiosks,
    summary: "Recognizes the faces in a picture of a kiosk, marks attendance and returns whom to greet",
    errors: &[(400, INVALID), (503, "The server is busy"), (503, LOADING)],
};

pub(super) async fn frame(State(app): State<AppState>, call: Paired<KioskFrame>) -> Result<Json<KioskSeen>, AppError> {
    app.faces_are_known()?;
    let (kiosk, version) = (call.kiosk.clone(), version_of(&call.kiosk));
    let bytes = image_data::bytes_of(&call.input.image_data)?;
    let direction = direction(call.input.leaving);
    let live = app.clone();
    let sight = app
        .with_frame("Error processing frame", bytes, move |frame, _| {
            live.live().kiosks().see(&kiosk, direction, &frame.with_captured_at(Timestamp::now()))
        })
        .await?;
    Ok(Json(KioskSeen {
        faces: sight.faces,
        greetings: sight.greetings.into_iter().map(|given| GreetingItem::of(&app, given)).collect(),
        advice: sight.advice.map(faceattend_core::kiosk::Advice::code),
        clock: site_time(&app, Timestamp::now()),
        version,
    }))
}

input! {
    /// The greeting that somebody takes back.
    pub(crate) struct TakeBack {
        body Json {
            greeting_id: String = texts::SESSION_ID,
        }
    }
}

const NO_GREETING: &str = "Greeting not found";
const TOO_LATE: &str = "It is too late to take this greeting back";

pub(super) const NOT_ME: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/kiosk/not-me",
    access: Access::Kiosk,
    audit: Audit::IfNoted,
    tag: Tag::Kiosks,
    summary: "Takes a greeting back: deletes the mark and puts the sighting on the second-look list",
    errors: &[(404, NO_GREETING), (409, TOO_LATE)],
};

pub(super) async fn not_me(State(app): State<AppState>, call: Paired<TakeBack>) -> Result<Json<Done>, AppError> {
    let (taking, kiosk) = (app.clone(), call.kiosk);
    let taken = blocking("Error taking a greeting back", move || {
        taking.live().kiosks().not_me(&kiosk, &call.input.greeting_id, Timestamp::now())
    });
    let (greeting, taken) = taken.await.map_err(|error| match error {
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_GREETING),
        AppError::Core(_, Error::State { .. }) => AppError::Detail(StatusCode::CONFLICT, TOO_LATE.into()),
        other => other,
    })?;
    call.trail.about(format!("student_id {}", greeting.student));
    let (noted, message) = match taken {
        TakenBack::Mark(_) => ("the mark is taken back", "The mark is taken back"),
        TakenBack::CheckOut => ("the check-out is taken back", "The check-out is taken back"),
        TakenBack::Nothing => ("the mark of before stands", "Nothing was marked"),
    };
    call.trail.note(noted);
    Ok(Json(done(message)))
}

input! {
    /// Who is marked without a face, and the PIN of the supervisor who vouches for it.
    pub(crate) struct Vouched {
        body Json {
            roll_number: String = texts::ROLL_NUMBER,
            pin: String = texts::PIN,
            /// Whether the student is leaving.
            leaving: bool = FlagOr(false),
        }
    }
}

const NO_FALLBACK: &str = "This kiosk has no PIN";
const WRONG_PIN: &str = "Wrong PIN";
const TOO_MANY_PINS: &str = "Too many wrong PINs, try again later";
const NO_STUDENT: &str = "Student not found";

pub(super) const FALLBACK: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/kiosk/fallback",
    access: Access::Kiosk,
    audit: Audit::IfNoted,
    tag: Tag::Kiosks,
    summary: "Marks a student by roll number and the PIN of a supervisor, and records it as such",
    errors: &[(403, NO_FALLBACK), (403, WRONG_PIN), (404, NO_STUDENT), (429, TOO_MANY_PINS)],
};

/// Marks by hand. The PIN is compared first: without it nobody learns which roll numbers there are.
pub(super) async fn fallback(
    State(app): State<AppState>,
    call: Paired<Vouched>,
) -> Result<Json<GreetingItem>, AppError> {
    const PREFIX: &str = "Error marking attendance";
    let Paired { kiosk, trail, input: Vouched { roll_number, pin, leaving }, .. } = call;
    let forbidden = |detail: &'static str| AppError::Detail(StatusCode::FORBIDDEN, detail.into());
    let hash = kiosk.pin.clone().ok_or_else(|| forbidden(NO_FALLBACK))?;
    let (turn, checked, now) = (app.turn_to_hash().await?, kiosk.clone(), clock::now());
    let compared = app.with_store(PREFIX, move |store| compare_pin(store, turn, &checked, (&pin, &hash), now)).await?;
    match compared {
        Compared::Right => {}
        Compared::Wrong => return Err(forbidden(WRONG_PIN)),
        Compared::Wait(seconds) => {
            return Err(AppError::Later(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_PINS, seconds));
        }
    }
    let found = app.with_store(PREFIX, move |store| store.student_by_roll_number(&roll_number)).await?;
    let student = found.ok_or_else(|| AppError::not_found(NO_STUDENT))?.id;
    let (marking_app, by) = (app.clone(), format!("PIN at {}", caller(&kiosk)));
    let marked = blocking(PREFIX, move || {
        let told = (by.as_str(), "marked by roll number and the PIN of a supervisor, without a face");
        marking_app.live().kiosks().vouch(&kiosk, student, told, direction(leaving), Timestamp::now())
    });
    let (given, marking) = marked.await?;
    trail.about(format!("student_id {student}"));
    trail.note(match marking {
        Marking::Marked(_) => "marked by PIN, without a face",
        Marking::AlreadyMarked(_) => "PIN, marked already",
    });
    Ok(Json(GreetingItem::of(&app, given)))
}

enum Compared {
    Right,
    Wrong,
    Wait(u64),
}

fn compare_pin(
    store: &dyn Store,
    turn: Turn,
    kiosk: &Kiosk,
    (pin, hash): (&str, &SecretHash),
    now: Timestamp,
) -> faceattend_core::Result<Compared> {
    let guesser = Guesser::of_kiosk_pin(kiosk.id);
    if let Some(seconds) = guesser.wait(store, now)? {
        return Ok(Compared::Wait(seconds));
    }
    if turn.run(|| Ok(matches(pin, hash.as_str())))? {
        guesser.passed(store)?;
        return Ok(Compared::Right);
    }
    guesser.failed(store, now)?;
    let (actor, action, subject) = (caller(kiosk), "kiosk PIN wrong".into(), Some(format!("kiosk_id {}", kiosk.id)));
    store.add_audit(&NewAuditEntry { at: now, actor, action, subject, details: None })?;
    Ok(Compared::Wrong)
}
