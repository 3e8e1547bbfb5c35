//! The web page that sends a request.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use crate::auth::DEFAULT_PASSWORD;
use crate::error::AppError;
use crate::settings::{host_of, is_localhost};
use crate::state::AppState;

/// The answer to the documented password from a page of another machine.
pub(crate) const DOCUMENTED_PASSWORD: &str =
    "Pages of other machines cannot use the documented password: change it with `faceattend admin passwd`";

/// The origin of the page that sends a request, as the browser tells it; none from other programs.
#[derive(Debug, Clone)]
pub(crate) struct Origin(Option<String>);

impl Origin {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(header::ORIGIN).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()))
    }

    /// Refuses the documented password, which everybody knows, to pages that are not of this machine: any page that is
    /// opened here could log in with it.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn may_send(&self, password: &str) -> Result<(), AppError> {
        match &self.0 {
            Some(origin) if password == DEFAULT_PASSWORD && !is_of_this_machine(origin) => {
                Err(AppError::Detail(StatusCode::FORBIDDEN, DOCUMENTED_PASSWORD.into()))
            }
            _ => Ok(()),
        }
    }
}

impl FromRequestParts<AppState> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// Returns whether `origin` is a page that this machine serves. Files and sandboxed frames, whose origin is `null`, are
/// not.
fn is_of_this_machine(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = host_of(authority).to_ascii_lowercase();
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&host);
    is_localhost(&host) || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(origin: Option<&str>, password: &str) -> bool {
        Origin(origin.map(str::to_owned)).may_send(password).is_err()
    }

    #[test]
    fn the_documented_password_is_for_pages_of_this_machine() {
        for own in ["http://localhost:8000", "http://127.0.0.1:8001", "http://[::1]:8001", "https://app.localhost"] {
            assert!(!refused(Some(own), DEFAULT_PASSWORD), "{own}");
        }
        for other in [
            "https://evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://192.168.1.5:8001",
            "null",
            "file://",
            "",
        ] {
            assert!(refused(Some(other), DEFAULT_PASSWORD), "{other}");
            assert!(!refused(Some(other), "correct horse"), "{other}");
        }
        assert!(!refused(None, DEFAULT_PASSWORD), "programs send no origin");
    }
}
