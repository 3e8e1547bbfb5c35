//! The body of an answer on its way to the client.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

use super::seats::AtWork;

/// How many answers of a connection wait for the client to take more of them. Over HTTP/2 a client can leave an answer
/// where it is while the connection itself takes everything, so that no write ever waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Offered(Arc<AtomicUsize>);

impl Offered {
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// A body that keeps its connection at work until it is over, and notes when the next move is the client's.
pub(super) struct Answered {
    body: Body,
    _at_work: AtWork,
    offered: Offered,
    /// Whether a part of it was handed over, and the next not asked for yet.
    is_offered: bool,
}

impl Answered {
    pub(super) fn new(body: Body, at_work: AtWork, offered: Offered) -> Self {
        Self { body, _at_work: at_work, offered, is_offered: false }
    }

    fn offer(&mut self, is_offered: bool) {
        match (self.is_offered, is_offered) {
            (false, true) => drop(self.offered.0.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(self.offered.0.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
        self.is_offered = is_offered;
    }
}

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.offer(matches!(frame, Poll::Ready(Some(Ok(_)))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.offer(false);
    }
}

#[cfg(test)]
mod tests {
    use super::super::seats::Seats;
    use super::*;

    #[test]
    fn a_part_that_was_handed_over_is_the_clients_until_it_asks_for_the_next() {
        let (seats, offered) = (Seats::default(), Offered::default());
        let seated = seats.sit();
        let seat = seated.seat();
        let (sends, parts) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(2);
        let parts = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(parts));
        let mut body = Answered::new(parts, seat.asks(), offered.clone());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut next = |body: &mut Answered| http_body::Body::poll_frame(Pin::new(body), &mut cx).is_ready();
        assert!(!next(&mut body) && !offered.any(), "the server has nothing to give");
        sends.try_send(Ok(Bytes::from_static(b"part"))).unwrap();
        assert!(next(&mut body) && offered.any(), "the client has not taken the part");
        assert!(!next(&mut body) && !offered.any(), "it has, and waits for the next");
        sends.try_send(Ok(Bytes::from_static(b"part"))).unwrap();
        assert!(next(&mut body) && seat.waiting_since().is_none(), "the connection is at work");
        drop(body);
        assert!(!offered.any() && seat.waiting_since().is_some());
    }
}
