//! Taking connections: how many, how long one may dawdle, and how they end.
//!
//! A client that sends the head of a request drop by drop, keeps a connection for nothing, or does not read its answer
//! holds one of a limited number of places, and only for a limited time. When all are taken, whoever has waited longest
//! for nothing gives way to a newcomer: a client that asks at once, such as a health check, is answered though hundreds
//! dawdle. Only when every place is at work a newcomer is told 503. Bodies have limits of their own
//! ([`BODY_LIMIT`](crate::BODY_LIMIT) and [`Settings::body_within`](crate::Settings::body_within)).

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{StatusCode, header};
use axum::response::Response;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Sleep, sleep, timeout};
use tower::ServiceExt as _;

/// What one connection may cost, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// How many connections are open at a time, WebSockets among them; one more takes an idle one's place, or is
    /// answered
    /// 503. The default leaves room
    /// for the database and the cameras among the 1,024 open files that Linux gives a process.
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

/// How many clients that are one too many are told so at a time; more of them are just hung up on.
const TOLD_AT_ONCE: usize = 64;
/// How long such a client waits for a place that an idle one leaves.
const LEFT_WITHIN: Duration = Duration::from_millis(500);
/// How long such a client has for taking its answer.
const TOLD_WITHIN: Duration = Duration::from_secs(1);
/// How much of a body that nobody wants is still taken off the line, and for how long: nginx's lingering is as patient
/// (5 seconds without data).
const HEARD_OUT: usize = 4 * crate::BODY_LIMIT;
const HEARD_OUT_WITHIN: Duration = Duration::from_secs(5);
/// How long taking connections rests when the system has no more files to give.
const REST: Duration = Duration::from_millis(100);
/// What it is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 31\r\n\r\n{\"detail\":\"The server is busy\"}";

/// Serves `router` to whoever connects to `listener` until `stop` resolves; then takes nobody more, and returns when
/// the open requests are answered or the grace is over.
pub async fn serve(listener: TcpListener, router: Router, limits: ConnectionLimits, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let telling = Arc::new(Semaphore::new(TOLD_AT_ONCE));
    let idle = Idle::default();
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
        let (router, stopped, among) = (router.clone(), stopped.clone(), idle.clone());
        let take = move |stream, place| {
            let connection = Connection { stream, taken_within: limits.taken_within, stalled: None, _place: place };
            converse(connection, address, router, limits, stopped, among)
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            tokio::spawn(take(stream, place));
        } else if let Ok(turn) = Arc::clone(&telling).try_acquire_owned() {
            let (places, idle) = (Arc::clone(&places), idle.clone());
            tokio::spawn(async move {
                if idle.longest_leaves()
                    && let Ok(Ok(place)) = timeout(LEFT_WITHIN, places.acquire_owned()).await
                {
                    drop(turn);
                    return take(stream, place).await;
                }
                let _ = timeout(TOLD_WITHIN, tell_full(&stream)).await;
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

/// Answers the requests of one connection until it ends.
async fn converse(
    connection: Connection,
    address: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    mut stopping: watch::Receiver<()>,
    idle: Idle,
) {
    let seat = idle.sit();
    let own = Arc::clone(&seat.0);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        own.asks();
        let own = Arc::clone(&own);
        let waits = request.headers().contains_key(header::EXPECT);
        let mut rest = None;
        let mut request = request.map(|body| {
            let body = Arc::new(Mutex::new(body));
            rest = Some(Arc::clone(&body));
            Body::new(Lent(body))
        });
        request.extensions_mut().insert(ConnectInfo(address));
        let router = router.clone();
        async move {
            let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
            // Who waits to be asked for the body sends none, and who was too slow had time enough.
            if let Some(rest) = rest.filter(|_| !waits && response.status() != StatusCode::REQUEST_TIMEOUT) {
                let _ = timeout(HEARD_OUT_WITHIN, hear_out(&rest)).await;
            }
            // A stream, such as a preview, is at work for as long as somebody looks.
            if response.body().size_hint().exact().is_some() {
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
        () = seat.0.leave.notified() => {
            if seat.0.has_asked_nothing() {
                return;
            }
            // An answer that is still being taken is taken to its end.
            connection.as_mut().graceful_shutdown();
            connection.await
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

/// The connections that could give way.
#[derive(Clone, Default)]
struct Idle(Arc<Mutex<Vec<Arc<Seat>>>>);

impl Idle {
    fn sit(&self) -> Seated {
        let seat = Arc::new(Seat { waiting: Mutex::new((Some(Instant::now()), true)), leave: Notify::new() });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&seat));
        Seated(seat, self.clone())
    }

    /// Tells the one that has waited longest for nothing to leave; whether there is one.
    fn longest_leaves(&self) -> bool {
        let seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest =
            seats.iter().filter_map(|seat| Some((seat.waiting_since()?, seat))).min_by_key(|(since, _)| *since);
        let Some((_, seat)) = longest else { return false };
        // It is told once.
        seat.asks_no_more();
        true
    }
}

/// One connection, as far as it matters whether it is idle.
struct Seat {
    /// Since when no request of it is being answered, and whether there never was one.
    waiting: Mutex<(Option<Instant>, bool)>,
    leave: Notify,
}

impl Seat {
    fn state(&self) -> MutexGuard<'_, (Option<Instant>, bool)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting_since(&self) -> Option<Instant> {
        self.state().0
    }

    fn has_asked_nothing(&self) -> bool {
        self.state().1
    }

    fn asks(&self) {
        *self.state() = (None, false);
    }

    fn waits(&self) {
        self.state().0 = Some(Instant::now());
    }

    fn asks_no_more(&self) {
        self.state().0 = None;
        self.leave.notify_one();
    }
}

/// A seat that is given back.
struct Seated(Arc<Seat>, Idle);

impl Drop for Seated {
    fn drop(&mut self) {
        let mut seats = self.1.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| !Arc::ptr_eq(seat, &self.0));
    }
}

/// The body of a request, of which what the handler does not read can still be heard.
struct Lent(Arc<Mutex<Incoming>>);

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

/// Takes the rest of a body off the line: a client that is hung up on while it sends does not see its answer.
async fn hear_out(body: &Mutex<Incoming>) {
    let mut left = HEARD_OUT;
    let next =
        |cx: &mut Context<'_>| Pin::new(&mut *body.lock().unwrap_or_else(PoisonError::into_inner)).poll_frame(cx);
    while let Some(Ok(frame)) = std::future::poll_fn(next).await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

async fn tell_full(stream: &TcpStream) -> io::Result<()> {
    let mut rest = FULL;
    while !rest.is_empty() {
        stream.writable().await?;
        match stream.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    // What the client sends is taken off the line before it is hung up on, or the system would throw away the answer.
    let mut taken = [0; 4096];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut taken) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// A connection that gives its place back when it ends, as a WebSocket too, and is cut when its client takes nothing.
struct Connection {
    stream: TcpStream,
    taken_within: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn watched<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.taken_within;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watched(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_too_many_is_told_is_as_long_as_it_says() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{} bytes", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
