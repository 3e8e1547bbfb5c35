//! Accepts connections: how many, how long one may dawdle, and how they end.
//!
//! A client that sends the head of a request drop by drop, keeps a connection for nothing, or does not read its answer
//! holds one of a limited number of places, and only for a limited time. When all are taken, the connection that has
//! waited longest for nothing gives way to a newcomer. When every place is at work, a newcomer is still told the health
//! of the service (`ALWAYS_ANSWERED`), and 503 to everything else. How many places one client
//! takes is limited by `in_flight`. Bodies have limits of their own
//! ([`BODY_LIMIT`](crate::BODY_LIMIT) and [`Settings::body_within`](crate::Settings::body_within)).

mod answered;
mod connection;
mod ends;
mod paced;
mod seats;
mod stream;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri, Version, header};
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use faceattend_core::Result;

use crate::error::AppError;
use crate::net::ALWAYS_ANSWERED;
use crate::net::transport::Transport;
use crate::tls::Tls;
use answered::{Answered, Offered};
use connection::{Connection, Noted, Unread};
use ends::Ends;
use seats::{Seated, Seats};
use stream::{Begun, begin};

/// What one connection may cost, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// How many connections are open at a time, WebSockets among them; one more takes an idle one's place, or is
    /// answered 503. The default leaves room for the database and the cameras among the 1,024 open files that Linux
    /// gives a process.
    pub connections: usize,
    /// How long the handshake of TLS and the head of a request may take to arrive, and an idle connection may be kept.
    /// The existing service keeps one for 5 seconds, browsers for minutes.
    pub head_within: Duration,
    /// The largest head of a request, in bytes; one beyond it is answered 431. Browsers send a few thousand, the
    /// longest line that is answered at all has 65,534.
    pub head_bytes: usize,
    /// How long an answer may wait for its client to take more of it.
    pub taken_within: Duration,
    /// How long open requests may take to finish once the server is told to stop.
    pub grace: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 800,
            head_within: Duration::from_secs(20),
            head_bytes: 32 * 1024,
            taken_within: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

impl ConnectionLimits {
    /// The same limits with so many connections at a time.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// The same limits with this time for the head of a request.
    #[must_use]
    pub fn with_head_within(mut self, time: Duration) -> Self {
        self.head_within = time;
        self
    }

    /// The same limits with this time for open requests to finish.
    #[must_use]
    pub fn with_grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }
}

/// How many requests one connection of HTTP/2 may have at a time: no fewer than RFC 9113 (6.5.2) recommends.
const STREAMS: u32 = 100;
/// How many clients are answered beyond the limit at a time; more of them are just hung up on.
const BEYOND: usize = 64;
/// How many clients are heard out at a time after their last answer; more of them are hung up on while they send.
const HEARD_OUT_AT_ONCE: usize = 32;
/// How long such a client waits for a place that an idle one leaves.
const LEFT_WITHIN: Duration = Duration::from_millis(500);
/// How long such a client has for the head of its request.
const ASKED_WITHIN: Duration = Duration::from_secs(1);
/// How long such a client is answered: a health check waits for the database.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How long accepting connections rests when the system has no more files to give.
const REST: Duration = Duration::from_millis(100);

/// Serves `router` to whoever connects to `listener` until `stop` resolves; then takes nobody more, and returns when
/// the open requests are answered or the grace is over.
pub async fn serve(listener: TcpListener, router: Router, limits: ConnectionLimits, stop: impl Future<Output = ()>) {
    serve_over(listener, router, limits, None, stop).await;
}

/// The same over TLS.
///
/// # Errors
/// Those of [`Tls`], before anybody is served.
pub async fn serve_tls(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    tls: &Arc<Tls>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    if let Ok(socket) = listener.local_addr() {
        tls.note_listening(socket);
    }
    let tls = Encryption { usual: tls.config(true)?, beyond: tls.config(false)? };
    serve_over(listener, router, limits, Some(tls), stop).await;
    Ok(())
}

/// What handshakes need: usually, and for clients for whom there is no place, who ask once.
#[derive(Clone)]
struct Encryption {
    usual: Arc<ServerConfig>,
    beyond: Arc<ServerConfig>,
}

async fn serve_over(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    tls: Option<Encryption>,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let beyond = Arc::new(Semaphore::new(BEYOND));
    let hearing = Arc::new(Semaphore::new(HEARD_OUT_AT_ONCE));
    let seats = Seats::default();
    let (stopping, stopped) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            // One that has gone again while it waited is nobody's trouble.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
                continue;
            }
            Err(error) => {
                tracing::error!("no connection can be taken: {error}");
                sleep(REST).await;
                continue;
            }
        };
        // An answer is written at once: waiting for more to put into a packet costs a client up to 40 ms.
        let _ = stream.set_nodelay(true);
        let (router, hearing, tls) = (router.clone(), Arc::clone(&hearing), tls.clone());
        let client = Client { socket: stream, address, router, limits, hearing, tls };
        let (stopped, among) = (stopped.clone(), seats.clone());
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            tokio::spawn(client.converse(place, stopped, among));
        } else if let Ok(turn) = Arc::clone(&beyond).try_acquire_owned() {
            let places = Arc::clone(&places);
            tokio::spawn(async move {
                if among.longest_leaves()
                    && let Ok(Ok(place)) = timeout(LEFT_WITHIN, places.acquire_owned()).await
                {
                    drop(turn);
                    return client.converse(place, stopped, among).await;
                }
                let _ = timeout(ANSWERED_WITHIN, client.answer_beyond(turn)).await;
            });
        }
    }
    drop(listener);
    drop(stopped);
    let _ = stopping.send(());
    if timeout(limits.grace, stopping.closed()).await.is_err() {
        tracing::warn!("{} connections were cut, the grace being over", stopping.receiver_count());
    }
}

/// An accepted connection.
struct Client {
    socket: TcpStream,
    address: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    hearing: Arc<Semaphore>,
    tls: Option<Encryption>,
}

/// One of the limited number of places, and the seat in the list of those who may have to leave it.
struct Place {
    _place: OwnedSemaphorePermit,
    _seated: Seated,
}

impl Client {
    /// Answers the requests of the connection until it ends.
    async fn converse(self, place: OwnedSemaphorePermit, mut stopping: watch::Receiver<()>, among: Seats) {
        let Self { socket, address, router, limits, hearing, tls } = self;
        let seated = among.sit();
        let seat = seated.seat();
        let place = Place { _place: place, _seated: seated };
        let handshake = timeout(limits.head_within, begin(socket, tls.map(|tls| tls.usual), limits.taken_within));
        let begun = tokio::select! {
            begun = handshake => begun,
            () = seat.told_to_leave() => return,
            _ = stopping.changed() => return,
        };
        let Begun { stream, taken, transport, is_http_2 } = match begun {
            Ok(Ok(begun)) => begun,
            Ok(Err(error)) => return tracing::debug!(%address, "a connection did not begin: {error}"),
            Err(_) => return tracing::debug!(%address, "a connection took too long to begin"),
        };
        let unread = Unread::default();
        let connection = Connection::new(stream, unread.clone(), place, &hearing);
        let (own, offered) = (Arc::clone(&seat), Offered::default());
        let offers = offered.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (at_work, router, offers) = (own.asks(), router.clone(), offers.clone());
            // Whether a body is read to its end says something about the whole connection over HTTP/1.1 alone.
            let unread = if is_http_2 { Unread::default() } else { unread.clone() };
            async move {
                let mut response = answer(router, request, (address, transport), &unread).await;
                if matches!(transport, Transport::PlainBesideTls { .. }) {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    at_work.for_good();
                    return Ok::<Response, Infallible>(response);
                }
                // A stream, such as a preview, is at work for as long as somebody looks.
                let is_stream = response.body().size_hint().exact().is_none();
                if is_http_2 || is_stream {
                    return Ok(response.map(|body| Body::new(Answered::new(body, at_work, offers))));
                }
                drop(at_work);
                Ok(response)
            }
        });
        let (idle_within, taken_within) = (limits.head_within, limits.taken_within);
        let ends = Ends { address, seat, taken, offered, idle_within, taken_within, stopping };
        if is_http_2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
            builder.max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
            ends.end(builder.serve_connection(TokioIo::new(connection), service)).await;
        } else {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(limits.head_within);
            builder.max_header_size(limits.head_bytes);
            ends.end(builder.serve_connection(TokioIo::new(connection), service).with_upgrades()).await;
        }
    }

    /// Answers one request of a client for whom there is no place: the health of the service, or 503.
    async fn answer_beyond(self, turn: OwnedSemaphorePermit) {
        let Self { socket, address, router, limits, hearing, tls } = self;
        let begun = begin(socket, tls.map(|tls| tls.beyond), limits.taken_within).await;
        let Ok(Begun { stream, transport, .. }) = begun else { return };
        let unread = Unread::default();
        let connection = Connection::new(stream, unread.clone(), turn, &hearing);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (router, unread) = (router.clone(), unread.clone());
            async move {
                let mut response = if ALWAYS_ANSWERED.contains(&request.uri().path()) {
                    answer(router, request, (address, transport), &unread).await
                } else {
                    unread.set(true);
                    AppError::Later(StatusCode::SERVICE_UNAVAILABLE, "The server is busy", 1).into_response()
                };
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                Ok::<Response, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(ASKED_WITHIN)
            .max_header_size(limits.head_bytes)
            .keep_alive(false)
            .serve_connection(TokioIo::new(connection), service);
        if let Err(error) = connection.await {
            tracing::debug!(%address, "a connection beyond the limit ended: {error}");
        }
    }
}

/// Returns the router's answer to `request`.
async fn answer(
    router: Router,
    request: hyper::Request<Incoming>,
    (address, transport): (SocketAddr, Transport),
    unread: &Unread,
) -> Response {
    // A client that waits to be asked for the body sends none before.
    let announced = request.headers().contains_key(header::EXPECT);
    let mut request = request.map(|body| Body::new(Noted::new(body, announced, unread.clone())));
    request.extensions_mut().insert(ConnectInfo(address));
    request.extensions_mut().insert(transport);
    if request.version() == Version::HTTP_2 {
        as_in_http_1(&mut request);
    }
    let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        // It had time enough.
        unread.set(false);
    }
    response
}

/// Puts the name that HTTP/2 has in `:authority` where HTTP/1.1 has it.
fn as_in_http_1(request: &mut axum::extract::Request) {
    let host = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(Ok(host)) = host {
        request.headers_mut().insert(header::HOST, host);
    }
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
}
