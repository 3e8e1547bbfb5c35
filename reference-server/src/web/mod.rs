//! Serves the pages under `/ui/`: plain files inside the binary, which load nothing from another host.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::AppError;
use crate::request::extract::Open;
use crate::request::input::input;
use crate::request::texts;
use crate::state::AppState;

/// Scripts, styles and data come from this server only, and no other page may frame it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; form-action 'none'; \
     frame-ancestors 'none'; base-uri 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const JSON: &str = "application/json";

/// The document: the pages, those of the office, those of groups and those that show a day, a month and a person, and
/// behind them the icons and the dialogs.
const INDEX: &str = concat!(
    include_str!("index.html"),
    include_str!("office.html"),
    include_str!("rosters.html"),
    include_str!("views.html"),
    include_str!("notices.html"),
    include_str!("vendor/lucide/icons.svg"),
    include_str!("import.html"),
    include_str!("dialogs.html")
);

/// Name, kind and content.
type Page = (&'static str, &'static str, &'static str);

macro_rules! files {
    ($($kind:ident: $($name:literal)*;)*) => { &[$($(($name, $kind, include_str!($name)),)*)*] };
}

const FILES: &[Page] = files! {
    CSS: "app.css" "direction.css" "frame.css" "views.css";
    SVG: "icon.svg";
    JS:
        "accounts.js"
        "address.js"
        "api.js"
        "app.js"
        "attendance.js"
        "banners.js"
        "browser-camera.js"
        "calendar.js"
        "camera-form.js"
        "camera-words.js"
        "camera.js"
        "cameras.js"
        "devices.js"
        "events.js"
        "excuses.js"
        "first-run.js"
        "groups.js"
        "guardians.js"
        "guidance.js"
        "import.js"
        "kiosks.js"
        "live.js"
        "log.js"
        "looks.js"
        "merge.js"
        "month-register.js"
        "navigation.js"
        "notices.js"
        "pages.js"
        "passive.js"
        "person.js"
        "plot-shapes.js"
        "plot.js"
        "preview.js"
        "register.js"
        "ring.js"
        "roles.js"
        "second-look.js"
        "site-time.js"
        "status-words.js"
        "student-search.js"
        "students.js"
        "text.js"
        "timetable.js"
        "today.js"
        "trends.js"
        "typed.js"
        "ui.js"
        "unknown-faces.js";
    JSON: "text.ar.json" "text.de.json" "text.en.json" "text.es.json" "text.fr.json" "text.hi.json";
};

const MANIFEST: &str = "application/manifest+json";

/// The page of a kiosk, which loads its own files beside some of those above.
const KIOSK: &str = include_str!("kiosk/kiosk.html");

/// The files of that page, under `/ui/kiosk/`.
const KIOSK_FILES: &[Page] = &[
    ("kiosk.css", CSS, include_str!("kiosk/kiosk.css")),
    ("eye.js", JS, include_str!("kiosk/eye.js")),
    ("greeting.js", JS, include_str!("kiosk/greeting.js")),
    ("kiosk.js", JS, include_str!("kiosk/kiosk.js")),
    ("link.js", JS, include_str!("kiosk/link.js")),
    ("voice.js", JS, include_str!("kiosk/voice.js")),
];

/// What a browser installs that page by. They lie above its folder: a service worker serves pages beside and below it.
const KIOSK_INSTALLATION: &[Page] = &[
    ("kiosk-worker.js", JS, include_str!("kiosk/worker.js")),
    ("kiosk.webmanifest", MANIFEST, include_str!("kiosk/kiosk.webmanifest")),
];

/// Answers `GET /ui/`.
pub(crate) async fn index() -> Response {
    answer(HTML, INDEX)
}

input! {
    /// The file in the path.
    pub(crate) struct File {
        path {
            file: String = texts::FILE,
        }
    }
}

/// Answers `GET /ui/{file}`.
pub(crate) async fn file(wanted: Open<File>) -> Result<Response, AppError> {
    served(wanted, FILES.iter().chain(KIOSK_INSTALLATION))
}

/// Answers `GET /ui/kiosk`.
pub(crate) async fn kiosk() -> Response {
    answer(HTML, KIOSK)
}

/// Answers `GET /ui/kiosk/{file}`.
pub(crate) async fn kiosk_file(wanted: Open<File>) -> Result<Response, AppError> {
    served(wanted, KIOSK_FILES.iter())
}

fn served(wanted: Open<File>, files: impl Iterator<Item = &'static Page>) -> Result<Response, AppError> {
    let Open(File { file: name }) = wanted;
    let found = files.into_iter().find(|(known, ..)| *known == name);
    found.map(|(_, kind, text)| answer(kind, text)).ok_or_else(|| AppError::not_found("Not Found"))
}

/// Answers `GET /ui/nouns.json`: what people and their numbers are called here, by language.
pub(crate) async fn nouns(State(app): State<AppState>) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Json(app.settings().nouns.clone())).into_response()
}

fn answer(kind: &'static str, text: &'static str) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A new version of the server is a new version of its pages.
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    (StatusCode::OK, headers, text).into_response()
}

#[cfg(test)]
mod tests;
