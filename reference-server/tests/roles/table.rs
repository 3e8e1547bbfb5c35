//! The expected answers: the least role for each route.

/// The least that a caller must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Least {
    Anyone,
    Viewer,
    Operator,
    Admin,
    /// A paired kiosk, and nobody who is logged in.
    Kiosk,
}

use Least::{Admin, Anyone, Kiosk, Operator, Viewer};

impl Least {
    /// Returns the word of the document and of the accounts.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Anyone => "anyone",
            Viewer => "viewer",
            Operator => "operator",
            Admin => "admin",
            Kiosk => "kiosk",
        }
    }
}

/// Every route of the API. Written by hand: it says what must hold, not what the code does.
pub(crate) const ROUTES: [(&str, &str, Least); 84] = [
    ("GET", "/", Anyone),
    ("GET", "/health", Anyone),
    ("GET", "/ready", Anyone),
    ("GET", "/metrics", Anyone),
    ("GET", "/api/v1/ping", Anyone),
    ("GET", "/api/v1/models", Anyone),
    ("POST", "/api/v1/auth/login", Anyone),
    ("POST", "/api/v1/auth/refresh", Anyone),
    ("GET", "/api/v1/auth/me", Viewer),
    ("GET", "/api/v1/status", Viewer),
    ("GET", "/api/v1/devices", Viewer),
    ("GET", "/api/v1/students/", Viewer),
    ("GET", "/api/v1/students/look-alikes", Viewer),
    ("GET", "/api/v1/students/{student_id}", Viewer),
    ("GET", "/api/v1/students/{student_id}/consent", Viewer),
    ("GET", "/api/v1/students/{student_id}/templates", Viewer),
    ("GET", "/api/v1/attendance/", Viewer),
    ("GET", "/api/v1/attendance/{attendance_id}", Viewer),
    ("GET", "/api/v1/attendance/stats/summary", Viewer),
    ("GET", "/api/v1/attendance/second-looks", Viewer),
    ("POST", "/api/v1/attendance/export", Operator),
    ("GET", "/api/v1/liveness/session/{session_id}", Viewer),
    ("GET", "/api/v1/liveness/receipt-key", Viewer),
    ("GET", "/api/v1/detection/status", Viewer),
    ("GET", "/api/v1/detection/logs", Viewer),
    ("GET", "/api/v1/detection/laptop-camera/info", Viewer),
    ("GET", "/api/v1/detection/laptop-camera/status", Viewer),
    ("GET", "/api/v1/detection/preview/{camera}", Viewer),
    ("GET", "/api/v1/cameras", Viewer),
    ("GET", "/api/v1/kiosks", Viewer),
    ("POST", "/api/v1/kiosks", Admin),
    ("PUT", "/api/v1/kiosks/{kiosk_id}", Admin),
    ("POST", "/api/v1/kiosks/{kiosk_id}/code", Admin),
    ("POST", "/api/v1/kiosks/{kiosk_id}/revoke", Operator),
    ("DELETE", "/api/v1/kiosks/{kiosk_id}", Admin),
    ("POST", "/api/v1/kiosk/pair", Anyone),
    ("GET", "/api/v1/kiosk/me", Kiosk),
    ("POST", "/api/v1/kiosk/frame", Kiosk),
    ("POST", "/api/v1/kiosk/not-me", Kiosk),
    ("POST", "/api/v1/kiosk/fallback", Kiosk),
    ("POST", "/api/v1/students/", Operator),
    ("PUT", "/api/v1/students/{student_id}", Operator),
    ("POST", "/api/v1/students/{student_id}/merge", Operator),
    ("PUT", "/api/v1/students/{student_id}/consent", Operator),
    ("DELETE", "/api/v1/students/{student_id}/consent", Operator),
    ("DELETE", "/api/v1/students/{student_id}/templates/seen", Operator),
    ("POST", "/api/v1/attendance/mark", Operator),
    ("DELETE", "/api/v1/attendance/{attendance_id}", Operator),
    ("POST", "/api/v1/attendance/second-looks/{second_look_id}/confirm", Operator),
    ("POST", "/api/v1/attendance/second-looks/{second_look_id}/refuse", Operator),
    ("POST", "/api/v1/liveness/session", Operator),
    ("POST", "/api/v1/liveness/detect", Operator),
    ("POST", "/api/v1/liveness/frames", Operator),
    ("POST", "/api/v1/liveness/complete", Operator),
    ("POST", "/api/v1/liveness/verify", Operator),
    ("POST", "/api/v1/liveness/register-student", Operator),
    ("POST", "/api/v1/detection/start", Operator),
    ("POST", "/api/v1/detection/stop", Operator),
    ("POST", "/api/v1/detection/stop-all", Operator),
    ("POST", "/api/v1/detection/frame", Operator),
    ("POST", "/api/v1/detection/process-frame", Operator),
    ("POST", "/api/v1/detection/laptop-camera/start", Operator),
    ("POST", "/api/v1/detection/laptop-camera/stop", Operator),
    ("POST", "/api/v1/detection/laptop-camera/switch", Operator),
    ("POST", "/api/v1/cameras", Operator),
    ("POST", "/api/v1/cameras/test", Operator),
    ("PUT", "/api/v1/cameras/{camera_id}", Operator),
    ("DELETE", "/api/v1/cameras/{camera_id}", Operator),
    ("POST", "/api/v1/cameras/{camera_id}/pause", Operator),
    ("POST", "/api/v1/cameras/{camera_id}/resume", Operator),
    ("POST", "/api/v1/face/detect", Operator),
    ("POST", "/api/v1/face/recognize", Operator),
    ("GET", "/api/v1/auth/users", Admin),
    ("POST", "/api/v1/auth/users", Admin),
    ("PUT", "/api/v1/auth/users/{username}", Admin),
    ("GET", "/api/v1/audit", Admin),
    ("GET", "/api/v1/first-run", Admin),
    ("GET", "/api/v1/students/{student_id}/export", Admin),
    ("DELETE", "/api/v1/students/{student_id}", Admin),
    ("GET", "/api/v1/models/antispoof", Admin),
    ("GET", "/api/v1/backups", Admin),
    ("POST", "/api/v1/models/antispoof", Admin),
    ("DELETE", "/api/v1/models/antispoof", Admin),
    // Ends the login that asks, so it comes last.
    ("POST", "/api/v1/auth/logout", Viewer),
];

/// The pages, which are not in the document: everybody may read them, and they show the same to everybody.
pub(crate) const PAGES: [&str; 10] = [
    "/docs",
    "/docs/oauth2-redirect",
    "/docs/{file}",
    "/redoc",
    "/openapi.json",
    "/ui/",
    "/ui/authority.crt",
    "/ui/kiosk",
    "/ui/kiosk/{file}",
    "/ui/{file}",
];
