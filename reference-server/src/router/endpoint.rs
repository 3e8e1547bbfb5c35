//! The declaration of an endpoint, a constant beside its handler.

use axum::http::Method;

use crate::auth::Role;

/// The declaration of an endpoint. Its handler's signature says the rest: the fields that it reads and its answers.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// The path, whose `{name}` segments are parameters.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) audit: Audit,
    pub(crate) tag: Tag,
    /// One sentence that begins with a verb: "Returns the service status".
    pub(crate) summary: &'static str,
    /// Status and detail of its own errors. The document adds those that every endpoint may answer.
    pub(crate) errors: &'static [(u16, &'static str)],
}

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, without credentials.
    Anyone,
    /// Every account.
    Viewer,
    /// Operators and admins.
    Operator,
    /// Admins.
    Admin,
    /// Kiosks that are paired, by their token. No login is asked for, and none is enough.
    Kiosk,
}

impl Access {
    /// Returns the least role of a caller; `None` where no login is asked for.
    pub(crate) fn least(self) -> Option<Role> {
        match self {
            Self::Anyone | Self::Kiosk => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// Whether a call that succeeds leaves an entry in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audit {
    /// An entry, with what the handler has noted: the endpoint changes something, or gives out what is worth one.
    Entry,
    /// An entry when the handler has noted what the call changed: the endpoint changes something now and then.
    IfNoted,
    /// No entry: the endpoint changes nothing, is called several times a second, or writes an entry of its own.
    None,
}

/// The heading in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Service,
    Accounts,
    Students,
    Groups,
    Privacy,
    Attendance,
    Liveness,
    LiveDetection,
    Faces,
    Kiosks,
    Notices,
}

impl Tag {
    /// Returns the words of the heading.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Accounts => "Accounts",
            Self::Students => "Students",
            Self::Groups => "Groups and calendar",
            Self::Privacy => "Privacy",
            Self::Attendance => "Attendance",
            Self::Liveness => "Liveness",
            Self::LiveDetection => "Live detection",
            Self::Faces => "Faces",
            Self::Kiosks => "Kiosks",
            Self::Notices => "Notices",
        }
    }
}
