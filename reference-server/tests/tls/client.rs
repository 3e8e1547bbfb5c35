//! A server over TLS in this process, and clients that trust it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use faceattend_server::net::listen::{ConnectionLimits, serve_tls};
use faceattend_server::{Settings, Tls};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::Service;

/// The time within which everything is answered or closed. It ends a test that fails, nothing else.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Says what a test leaves out. The harness shows this also where the test passes.
pub(crate) fn skipped(why: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("skipped: {why}\n").as_bytes());
}

/// A service that listens over TLS until this is dropped.
pub(crate) struct Listening {
    pub(crate) service: Service,
    pub(crate) address: SocketAddr,
    pub(crate) roots: Vec<CertificateDer<'static>>,
    pub(crate) tls: Arc<Tls>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Listening {
    /// With a certificate of the server's own authority.
    pub(crate) async fn start(limits: ConnectionLimits) -> Self {
        Self::start_with(limits, |settings| settings).await
    }

    pub(crate) async fn start_with(limits: ConnectionLimits, change: impl FnOnce(Settings) -> Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tls = Tls::own(folder.path().to_owned(), None, vec!["site.test".into()], [127, 0, 0, 1].into()).unwrap();
        let authority = CertificateDer::from_pem_file(folder.path().join("tls-authority.crt")).unwrap();
        // What is open stays open.
        let _ = folder.keep();
        Self::start_as(Arc::new(tls), vec![authority], limits, change).await
    }

    /// With this certificate, which clients that trust `roots` accept.
    pub(crate) async fn start_as(
        tls: Arc<Tls>,
        roots: Vec<CertificateDer<'static>>,
        limits: ConnectionLimits,
        change: impl FnOnce(Settings) -> Settings,
    ) -> Self {
        let own = Arc::clone(&tls);
        let service = Service::start_with(|settings| change(settings).with_tls(own)).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (router, own) = (service.router.clone(), Arc::clone(&tls));
        tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve_tls(listener, router, limits, &own, stopped).await.unwrap();
        });
        Self { service, address, roots, tls, _stop: stop }
    }

    pub(crate) async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection after its handshake, in which the client offers HTTP/1.1.
    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        self.handshake("127.0.0.1", &[b"http/1.1"]).await.unwrap()
    }

    pub(crate) async fn handshake(&self, name: &str, offers: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
        handshake(self.plain().await, name, &self.roots, offers).await
    }

    /// Asks with `Connection: close`, and the service's token where one is wanted.
    pub(crate) async fn ask(&self, request: &str) -> String {
        ask(&mut self.connect().await, self.address, request).await
    }

    pub(crate) async fn is_well(&self) {
        let health = self.ask("GET /health").await;
        assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    }
}

pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: &str,
    roots: &[CertificateDer<'static>],
    offers: &[&[u8]],
) -> std::io::Result<TlsStream<S>> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    tokio::time::timeout(SOON, TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap()
}

/// Sends a request: its first line without a version, further lines of its head, and the body behind an empty line.
pub(crate) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    address: SocketAddr,
    request: &str,
) -> String {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let (line, others) = head.split_once('\n').unwrap_or((head, ""));
    let others: String = others.lines().map(|line| format!("{line}\r\n")).collect();
    let whole = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{others}\r\n{body}");
    stream.write_all(whole.as_bytes()).await.unwrap();
    heard(stream).await
}

/// What comes until the other side hangs up.
pub(crate) async fn heard<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    // A server that cuts a connection says no goodbye.
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("neither an answer nor a hang-up");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The value of a header in an answer.
pub(crate) fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
