//! TLS: which certificate the server shows, kept up to date while it runs.
//!
//! Either the operator gives the files, or the server keeps [an authority of its own](authority) in the data folder.
//! [`Tls`] is what new connections ask for the certificate; open ones go on with the one that they began with.

pub(crate) mod authority;
pub(crate) mod certificate;
pub(crate) mod names;
pub(crate) mod qr;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use faceattend_core::{Error, Result};
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use authority::Authority;
use certificate::{Facts, Shown};
use names::Names;

/// The words for the protocols in the handshake (RFC 7301): HTTP/2 first.
const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// The port that needs not be named.
const HTTPS: u16 = 443;

/// The server's certificate and where it comes from.
pub struct Tls {
    source: Source,
    standing: RwLock<Arc<Standing>>,
    /// Where the server listens, once it does.
    listens_on: OnceLock<SocketAddr>,
    /// The days for which browsers are told to ask over TLS alone, where the certificate is an authority's.
    hsts_days: u32,
}

/// The certificate in use.
pub(crate) struct Standing {
    shown: Shown,
    authority: Option<Authority>,
}

impl Standing {
    /// Returns what the certificate says.
    pub(crate) fn certificate(&self) -> &Facts {
        &self.shown.facts
    }

    /// Returns the server's own authority; `None` where the operator gave the certificate.
    pub(crate) fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }
}

enum Source {
    /// Files of the operator, and how they were when they were last looked at.
    Given { certificate: PathBuf, key: PathBuf, seen: Mutex<[Option<Stamp>; 2]> },
    /// The own authority in this folder.
    Own { folder: PathBuf, server: Option<String>, names: Vec<String>, host: IpAddr },
}

/// By what a change of a file is noticed.
type Stamp = (Option<SystemTime>, u64);

fn stamp(file: &Path) -> Option<Stamp> {
    let there = std::fs::metadata(file).ok()?;
    Some((there.modified().ok(), there.len()))
}

impl Tls {
    /// Returns TLS with the certificate chain and the key in these PEM files. Browsers are told to ask over TLS alone
    /// for `hsts_days`; 0 tells them nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], which names the file and says what to do.
    pub fn given(certificate: PathBuf, key: PathBuf, hsts_days: u32) -> Result<Self> {
        // Before they are read: a change meanwhile is seen as one.
        let seen = Mutex::new([stamp(&certificate), stamp(&key)]);
        let shown = certificate::given(&certificate, &key, Timestamp::now())?;
        let standing = RwLock::new(Arc::new(Standing { shown, authority: None }));
        Ok(Self { source: Source::Given { certificate, key, seen }, standing, listens_on: OnceLock::new(), hsts_days })
    }

    /// Returns TLS by an authority of the server's own, which is kept in `folder`. The certificate is for `names`, the
    /// address `host` and every address of this machine. Servers that share the folder have names, `server`.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::InvalidInput`] when the files cannot be read or written.
    pub fn own(folder: PathBuf, server: Option<String>, names: Vec<String>, host: IpAddr) -> Result<Self> {
        let wanted = Names::of_machine(&names, host);
        let kept = authority::keep(&folder, server.as_deref(), &wanted, Timestamp::now())?;
        let standing = Standing { shown: kept.shown, authority: Some(kept.authority) };
        let source = Source::Own { folder, server, names, host };
        let standing = RwLock::new(Arc::new(standing));
        Ok(Self { source, standing, listens_on: OnceLock::new(), hsts_days: 0 })
    }

    /// Looks whether the files or the machine's addresses have changed, or the certificate is about to end. Returns
    /// what new connections see of it.
    ///
    /// # Errors
    /// As when it was opened; the certificate in use stays.
    pub fn look_again(&self) -> Result<Option<String>> {
        let now = Timestamp::now();
        match &self.source {
            Source::Given { certificate, key, seen } => {
                let there = [stamp(certificate), stamp(key)];
                if *seen.lock().unwrap_or_else(PoisonError::into_inner) == there {
                    return Ok(None);
                }
                let shown = certificate::given(certificate, key, now)?;
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = there;
                let news =
                    format!("the certificate was read again, and ends on {}", certificate::day(shown.facts.ends));
                self.show(Standing { shown, authority: None });
                Ok(Some(news))
            }
            Source::Own { folder, server, names, host } => {
                let wanted = Names::of_machine(names, *host);
                let kept = authority::keep(folder, server.as_deref(), &wanted, now)?;
                let changed = kept.shown.facts != *self.standing().certificate();
                self.show(Standing { shown: kept.shown, authority: Some(kept.authority) });
                Ok(kept.news.filter(|_| changed))
            }
        }
    }

    fn show(&self, standing: Standing) {
        *self.standing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(standing);
    }

    /// Returns the certificate in use.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns for how many seconds a browser may be told to ask over TLS alone; `None` where it must not: what vouches
    /// for itself may be replaced any day, and who must not go on past a warning is locked out then.
    pub(crate) fn strict_for(&self) -> Option<u64> {
        let standing = self.standing();
        let lasting = standing.authority.is_none() && !standing.shown.facts.vouches_for_itself && self.hsts_days > 0;
        lasting.then(|| u64::from(self.hsts_days) * 24 * 60 * 60)
    }

    /// Returns whether the operator gave the certificate.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self.source, Source::Given { .. })
    }

    /// Notes where the server listens.
    pub(crate) fn note_listening(&self, socket: SocketAddr) {
        // A server listens once.
        let _ = self.listens_on.set(socket);
    }

    /// Returns where the server listens, once it does.
    pub(crate) fn listens_on(&self) -> Option<SocketAddr> {
        self.listens_on.get().copied()
    }

    /// Returns the address of the pages, under `base`, as devices other than this machine ask for it: a name of the
    /// operator's certificate, or the machine's address. `None` where only this machine reaches a server that listens on
    /// `socket`.
    pub(crate) fn pages_from_outside(&self, socket: SocketAddr, base: &str) -> Option<String> {
        let address = names::seen_from_outside(socket.ip())?;
        let name = match &self.source {
            Source::Given { .. } => self.standing().certificate().names.dns.first().cloned(),
            Source::Own { .. } => None,
        };
        let host = match (name.filter(|name| !name.starts_with('*')), address) {
            (Some(name), _) => name,
            (None, IpAddr::V4(address)) => address.to_string(),
            (None, IpAddr::V6(address)) => format!("[{address}]"),
        };
        let port = if socket.port() == HTTPS { String::new() } else { format!(":{}", socket.port()) };
        Some(format!("https://{host}{port}{base}/ui/"))
    }

    /// Returns what handshakes need: with HTTP/2 and HTTP/1.1, or with HTTP/1.1 alone.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cryptography lacks a protocol, which it does not.
    pub(crate) fn config(self: &Arc<Self>, http_2: bool) -> Result<Arc<ServerConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Internal { reason: format!("no TLS: {error}") })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = if http_2 { vec![HTTP_2.to_vec(), HTTP_1.to_vec()] } else { vec![HTTP_1.to_vec()] };
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.standing().shown.key))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", self.standing().certificate()).finish_non_exhaustive()
    }
}
