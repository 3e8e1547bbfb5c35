//! Accepts connections: how many, how long one may dawdle, and how they end.
//!
//! A client that sends the head of a request drop by drop, keeps a connection for nothing, or does not read its answer
//! holds one of a limited number of places, and only for a limited time. When all are taken, the connection that has
//! waited longest for nothing gives way to a newcomer. When every place is at work, a newcomer is still told the health
//! of the service (`ALWAYS_ANSWERED`), and 503 to everything else. How many places one client
//! takes is limited by `in_flight`. Bodies have limits of their own
//! ([`BODY_LIMIT`](crate::BODY_LIMIT) and [`Settings::body_within`](crate::Settings::body_within)).

mod connection;
mod seats;

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
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::error::AppError;
use crate::net::ALWAYS_ANSWERED;
use connection::{Connection, Noted, Unread};
use seats::{Seated, Seats};

/// What one connection may cost, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// How many connections are open at a time, WebSockets among them; one more takes an idle one's place, or is
    /// answered 503. The default leaves room for the database and the cameras among the 1,024 open files that Linux
    /// gives a process.
    pub connections: usize,
    /// How long the head of a request may take to arrive, and an idle connection may be kept. The existing service
    /// keeps one for 5 seconds, browsers for minutes.
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
        let client = Client { stream, address, router: router.clone(), limits, hearing: Arc::clone(&hearing) };
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
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    hearing: Arc<Semaphore>,
}

/// One of the limited number of places, and the seat in the list of those who may have to leave it.
struct Place {
    _place: OwnedSemaphorePermit,
    _seated: Seated,
}

impl Client {
    /// Answers the requests of the connection until it ends.
    async fn converse(self, place: OwnedSemaphorePermit, mut stopping: watch::Receiver<()>, among: Seats) {
        let Self { stream, address, router, limits, hearing } = self;
        let seated = among.sit();
        let seat = seated.seat();
        let place = Place { _place: place, _seated: seated };
        let unread = Unread::default();
        let connection = Connection::new(stream, limits.taken_within, unread.clone(), place, &hearing);
        let own = Arc::clone(&seat);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            own.asks();
            let (own, router, unread) = (Arc::clone(&own), router.clone(), unread.clone());
            async move {
                let response = answer(router, request, address, &unread).await;
                // A stream, such as a preview, is at work for as long as somebody looks; so is a WebSocket.
                let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
                if !upgraded && response.body().size_hint().exact().is_some() {
                    own.waits();
                }
                Ok::<Response, Infallible>(response)
            }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head_within)
                .max_header_size(limits.head_bytes)
                .serve_connection(TokioIo::new(connection), service)
                .with_upgrades()
        );
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = seat.told_to_leave() => {
                if seat.has_asked_nothing() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = seat.had_its_time() => return,
                }
            }
            _ = stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            // Clients hang up, dawdle and send rubbish: their affair.
            tracing::debug!(%address, "a connection ended: {error}");
        }
    }

    /// Answers one request of a client for whom there is no place: the health of the service, or 503.
    async fn answer_beyond(self, turn: OwnedSemaphorePermit) {
        let Self { stream, address, router, limits, hearing } = self;
        let unread = Unread::default();
        let connection = Connection::new(stream, limits.taken_within, unread.clone(), turn, &hearing);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (router, unread) = (router.clone(), unread.clone());
            async move {
                let mut response = if ALWAYS_ANSWERED.contains(&request.uri().path()) {
                    answer(router, request, address, &unread).await
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
async fn answer(router: Router, request: hyper::Request<Incoming>, address: SocketAddr, unread: &Unread) -> Response {
    // A client that waits to be asked for the body sends none before.
    let announced = request.headers().contains_key(header::EXPECT);
    let mut request = request.map(|body| Body::new(Noted::new(body, announced, unread.clone())));
    request.extensions_mut().insert(ConnectInfo(address));
    let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        // It had time enough.
        unread.set(false);
    }
    response
}
