//! Certificates that the operator gives, and that change while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use faceattend_server::Tls;
use faceattend_server::net::listen::ConnectionLimits;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{Listening, header};

/// An authority of the tests.
pub(crate) struct Authority {
    key: KeyPair,
    params: CertificateParams,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let made = params.self_signed(&key).unwrap();
        Self { key, params, der: made.der().clone(), pem: made.pem() }
    }

    /// Writes a certificate for `names` and its key into `folder`.
    pub(crate) fn vouch(&self, names: &[&str], folder: &Path) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, names[0]);
        let made = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        write(folder, &made.pem(), &key.serialize_pem())
    }
}

pub(crate) fn write(folder: &Path, certificate: &str, key: &str) -> (PathBuf, PathBuf) {
    let files = (folder.join("server.crt"), folder.join("server.key"));
    fs::write(&files.0, certificate).unwrap();
    fs::write(&files.1, key).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&files.1, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    files
}

/// The certificate that a new connection is shown.
async fn shown(server: &Listening, name: &str) -> Option<CertificateDer<'static>> {
    let stream = server.handshake(name, &[]).await.ok()?;
    Some(stream.get_ref().1.peer_certificates()?[0].clone().into_owned())
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_newcomers_and_cuts_nobody_off() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("tests"));
    let names = ["127.0.0.1", "site.test"];
    let (certificate, key) = authority.vouch(&names, folder.path());
    let tls = Arc::new(Tls::given(certificate.clone(), key.clone(), 365).unwrap());
    let server =
        Listening::start_as(tls, vec![authority.der.clone()], ConnectionLimits::default(), |settings| settings).await;
    let first = shown(&server, "site.test").await.unwrap();
    let mut open = server.connect().await;
    let request = format!("GET /api/v1/ping HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let mut answered = [0; 12];
    open.write_all(request.as_bytes()).await.unwrap();
    open.read_exact(&mut answered).await.unwrap();
    assert_eq!(server.tls.look_again().unwrap(), None, "nothing has changed");

    authority.vouch(&names, folder.path());
    let news = server.tls.look_again().unwrap();
    assert!(news.is_some_and(|news| news.contains("read again")));
    assert_ne!(shown(&server, "site.test").await.unwrap(), first);
    open.write_all(format!("GET /health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address).as_bytes())
        .await
        .unwrap();
    let rest = crate::client::heard(&mut open).await;
    assert!(rest.contains("\"healthy\""), "the open connection goes on: {rest}");
}

#[tokio::test]
async fn files_that_do_not_fit_leave_the_certificate_in_use() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("tests"));
    let (certificate, key) = authority.vouch(&["127.0.0.1"], folder.path());
    let tls = Arc::new(Tls::given(certificate.clone(), key, 365).unwrap());
    let server =
        Listening::start_as(tls, vec![authority.der.clone()], ConnectionLimits::default(), |settings| settings).await;
    let first = shown(&server, "127.0.0.1").await.unwrap();
    // Half of a renewal: the other file is still to come.
    let elsewhere = tempfile::tempdir().unwrap();
    let (new_certificate, new_key) = authority.vouch(&["127.0.0.1"], elsewhere.path());
    fs::copy(&new_certificate, &certificate).unwrap();
    for _ in 0..2 {
        let said = server.tls.look_again().unwrap_err().to_string();
        assert!(said.contains("server.key") && said.contains("made together"), "{said}");
    }
    assert_eq!(shown(&server, "127.0.0.1").await.unwrap(), first);
    fs::copy(&new_key, folder.path().join("server.key")).unwrap();
    assert!(server.tls.look_again().unwrap().is_some());
    assert_ne!(shown(&server, "127.0.0.1").await.unwrap(), first);
}

#[tokio::test]
async fn only_a_certificate_of_an_authority_makes_browsers_strict() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("tests"));
    let strict = async |tls: Tls, root: &CertificateDer<'static>| {
        let limits = ConnectionLimits::default();
        let server = Listening::start_as(Arc::new(tls), vec![root.clone()], limits, |settings| settings).await;
        let mut stream = server.plain().await;
        let plain = crate::client::ask(&mut stream, server.address, "GET /ui/").await;
        assert_eq!(header(&plain, "strict-transport-security"), None, "browsers heed it over TLS alone");
        let answer = server.ask("GET /ui/").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        header(&answer, "strict-transport-security").map(str::to_owned)
    };
    let (certificate, key) = authority.vouch(&["127.0.0.1"], folder.path());
    let given = |days| Tls::given(certificate.clone(), key.clone(), days).unwrap();
    assert_eq!(strict(given(365), &authority.der).await.as_deref(), Some("max-age=31536000"));
    assert_eq!(strict(given(0), &authority.der).await, None, "the operator's choice");

    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let alone = params.self_signed(&own).unwrap();
    let (certificate, key) = write(folder.path(), &alone.pem(), &own.serialize_pem());
    assert_eq!(strict(Tls::given(certificate, key, 365).unwrap(), alone.der()).await, None, "it vouches for itself");
}
