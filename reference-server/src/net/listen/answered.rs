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
