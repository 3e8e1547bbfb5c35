//! The bytes of a connection: holds its place, and hears out what the client still sends after the last answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

use super::stream::Stream;

/// How much of a body that nobody read is taken off the line before the connection ends, and for how long: nginx's
/// lingering is as patient (5 seconds without data). The system throws away the answer of a client that is hung up on
/// while it sends.
const HEARD_OUT: usize = 4 * crate::BODY_LIMIT;
const HEARD_OUT_WITHIN: Duration = Duration::from_secs(5);

/// Whether the client may still be sending a body that nobody reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    pub(super) fn set(&self, unread: bool) {
        self.0.store(unread, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body of a request, which notes whether it was read to its end.
pub(super) struct Noted {
    body: Incoming,
    unread: Unread,
}

impl Noted {
    /// Returns `body`. `announced` is a body that the client does not send before it is asked to.
    pub(super) fn new(body: Incoming, announced: bool, unread: Unread) -> Self {
        unread.set(!announced && !body.is_end_stream());
        Self { body, unread }
    }
}

impl http_body::Body for Noted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.unread.set(!matches!(frame, Poll::Ready(None | Some(Err(_)))) && !self.body.is_end_stream());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that holds its place until its last answer is sent; as a WebSocket, until it ends.
pub(super) struct Connection<P> {
    /// Given back before the socket is closed: whoever sees the end finds the place free.
    place: Option<P>,
    stream: Stream,
    unread: Unread,
    hearing: Hearing,
}

/// Hearing out the rest of a body, after the last answer.
enum Hearing {
    /// Not yet, with the turns for it.
    Later(Arc<Semaphore>),
    /// Now: until when, how many bytes more, and the turn.
    Now(
        Pin<Box<Sleep>>,
        usize,
        #[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
    ),
    Over,
}

impl<P> Connection<P> {
    /// Returns the connection over `stream`. `turns` are those for hearing out clients.
    pub(super) fn new(stream: Stream, unread: Unread, place: P, turns: &Arc<Semaphore>) -> Self {
        Self { stream, unread, place: Some(place), hearing: Hearing::Later(Arc::clone(turns)) }
    }

    fn poll_hear_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Hearing::Now(time, left, _) = &mut self.hearing else { return Poll::Ready(()) };
        let mut buffer = [0; 8192];
        while *left > 0 && time.as_mut().poll(cx).is_pending() {
            let mut taken = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut taken)) {
                Ok(()) if !taken.filled().is_empty() => *left = left.saturating_sub(taken.filled().len()),
                // The client has seen the end, or is gone.
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl<P: Unpin> AsyncRead for Connection<P> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<P: Unpin> AsyncWrite for Connection<P> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Ends the answer, gives the place back, and hears out what the client still sends.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Hearing::Later(turns) = &self.hearing {
            let turns = Arc::clone(turns);
            // The end of plain text never waits for the client, unlike the last word of TLS.
            if matches!(self.stream, Stream::Plain(_)) {
                self.place = None;
            }
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.place = None;
            let turn = Some(turns).filter(|_| self.unread.get()).and_then(|turns| turns.try_acquire_owned().ok());
            self.hearing =
                turn.map_or(Hearing::Over, |turn| Hearing::Now(Box::pin(sleep(HEARD_OUT_WITHIN)), HEARD_OUT, turn));
        }
        ready!(self.poll_hear_out(cx));
        self.hearing = Hearing::Over;
        Poll::Ready(Ok(()))
    }
}
