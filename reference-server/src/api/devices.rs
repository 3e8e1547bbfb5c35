//! Tells how other devices reach the server, and how they come to trust it.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::net::forwarded::{is_https, prefix};
use crate::request::extract::Authed;
use crate::request::input::Nothing;
use crate::responses::{Reply, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::settings::{host_of, is_localhost};
use crate::state::AppState;
use crate::tls::authority::pem_of;
use crate::tls::certificate::Facts;
use crate::tls::qr;
use crate::wire_time::naive_utc;

/// How other devices reach the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reach {
    /// Whether the answer came to the client, or to the proxy before the server, over TLS. Browsers of other machines
    /// give their camera to no other page.
    encrypted: bool,
    /// The address of the pages; null where only this machine reaches them, or they are not encrypted.
    address: Option<String>,
    /// The address as a picture to scan, in SVG.
    picture: Option<String>,
    /// The server's certificate, where it speaks TLS itself.
    certificate: Option<Vouched>,
    /// The server's own authority, which devices must trust; null where another vouches for the certificate.
    authority: Option<Vouched>,
}

/// What a certificate says.
#[derive(Serialize, ToSchema)]
pub(crate) struct Vouched {
    name: Option<String>,
    /// The names and addresses that it is for.
    names: Vec<String>,
    /// In naive UTC, as every time of the API.
    ends: String,
    /// Its SHA-256, as devices show it.
    fingerprint: String,
}

impl Vouched {
    fn of(facts: &Facts) -> Self {
        Self {
            name: facts.owner.clone(),
            names: facts.names.texts(),
            ends: naive_utc(facts.ends),
            fingerprint: facts.fingerprint.clone(),
        }
    }
}

pub(super) const DEVICES: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/devices",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Service,
    summary: "Returns how other devices reach the pages, and whom they must trust",
    errors: &[],
};

pub(super) async fn devices(
    State(app): State<AppState>,
    headers: HeaderMap,
    _call: Authed<Nothing>,
) -> Json<Reply<Reach>> {
    let encrypted = is_https(&headers);
    let address = address_in(&app, &headers);
    let standing = app.settings().tls.as_ref().map(|tls| tls.standing());
    let reach = Reach {
        encrypted,
        picture: address.as_deref().and_then(qr::as_svg),
        address,
        certificate: standing.as_ref().map(|standing| Vouched::of(standing.certificate())),
        authority: standing.as_ref().and_then(|standing| Some(Vouched::of(&standing.authority()?.facts))),
    };
    Json(reply("Devices retrieved successfully", reach))
}

/// Returns the address at which other devices reach the pages; `None` where only this machine does, or the pages are
/// not encrypted.
pub(super) fn address_in(app: &AppState, headers: &HeaderMap) -> Option<String> {
    address_named(headers).filter(|_| is_https(headers)).or_else(|| {
        let tls = app.settings().tls.as_ref()?;
        tls.pages_from_outside(tls.listens_on()?, app.settings().base_path.as_str())
    })
}

/// Returns the address of the pages by the name that the client uses; `None` for a name that means another machine
/// everywhere else.
fn address_named(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = host_of(host);
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    let is_loopback = bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    let is_of_this_machine = is_loopback || is_localhost(&name.to_ascii_lowercase());
    (!is_of_this_machine).then(|| format!("https://{host}{}/ui/", prefix(headers)))
}

/// Answers `GET /ui/authority.crt`: the certificate of the server's own authority, for devices to trust. Never its key.
pub(crate) async fn authority(State(app): State<AppState>) -> Result<Response, AppError> {
    let standing = app.settings().tls.as_ref().map(|tls| tls.standing());
    let authority = standing.as_ref().and_then(|standing| standing.authority());
    let pem = authority.map(|authority| pem_of(&authority.der)).ok_or_else(|| AppError::not_found("Not Found"))?;
    // By this kind telephones know what to do with it; as text, Linux takes it too.
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/x-x509-ca-cert")], pem).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_other_machines_reach() {
        let address = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            address_named(&headers)
        };
        assert_eq!(address("192.0.2.7:8001").as_deref(), Some("https://192.0.2.7:8001/ui/"));
        assert_eq!(address("school.example").as_deref(), Some("https://school.example/ui/"));
        for own in ["localhost:8001", "127.0.0.1:8001", "[::1]:8001", "LOCALHOST"] {
            assert_eq!(address(own), None, "{own}");
        }
    }
}
