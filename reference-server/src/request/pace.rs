//! Bounds the time in which the body of a request arrives: in all, and by a least rate.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// How slowly a body may arrive, in bytes a second, and after how long this counts: the defaults of Kestrel, ASP.NET's
/// server (`MinRequestBodyDataRate`). The slowest mobile networks carry ten times as much.
const LEAST_RATE: f64 = 240.0;
const RATE_COUNTS_AFTER: Duration = Duration::from_secs(5);

/// A body that fails with [`TooSlow`] when it does not arrive in time.
pub(crate) struct Paced {
    body: Body,
    begun: Instant,
    within: Duration,
    grace: Duration,
    arrived: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Paced {
    /// Returns `body`, which has to arrive within this time from now.
    pub(crate) fn new(body: Body, within: Duration) -> Self {
        Self::with_grace(body, within, RATE_COUNTS_AFTER)
    }

    fn with_grace(body: Body, within: Duration, grace: Duration) -> Self {
        let begun = Instant::now();
        let deadline = Box::pin(sleep_until(begun + within.min(grace)));
        Self { body, begun, within, grace, arrived: 0, deadline }
    }
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            this.arrived += frame.data_ref().map_or(0, Bytes::len);
            #[expect(clippy::cast_precision_loss, reason = "bytes of one request")]
            let earned = Duration::from_secs_f64(this.arrived as f64 / LEAST_RATE);
            this.deadline.as_mut().reset(this.begun + this.within.min(this.grace + earned));
        }
        // What has arrived may still be late.
        let ended = matches!(polled, Poll::Ready(None | Some(Err(_))));
        if !ended && this.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(axum::Error::new(TooSlow))));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The error of a body that arrives too slowly.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body arrives too slowly")
    }
}

impl std::error::Error for TooSlow {}

impl TooSlow {
    /// Returns whether `error` comes from a body that arrives too slowly.
    pub(crate) fn caused(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Reads a body of `pieces`, one every 10 ms.
    async fn read(pieces: usize, bytes: usize, within: Duration, grace: Duration) -> Result<usize, axum::Error> {
        let stream = async_pieces(pieces, bytes);
        let paced = Paced::with_grace(Body::from_stream(stream), within, grace);
        axum::body::to_bytes(Body::new(paced), usize::MAX).await.map(|bytes| bytes.len())
    }

    fn async_pieces(
        pieces: usize,
        bytes: usize,
    ) -> impl tokio_stream::Stream<Item = Result<Vec<u8>, Infallible>> + Send + 'static {
        let (send, receive) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            for _ in 0..pieces {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if send.send(Ok(vec![b' '; bytes])).await.is_err() {
                    return;
                }
            }
        });
        tokio_stream::wrappers::ReceiverStream::new(receive)
    }

    #[tokio::test]
    async fn a_body_that_dribbles_ends_long_before_the_time_of_a_whole_body() {
        let (long, grace) = (Duration::from_secs(60), Duration::from_millis(100));
        let begun = Instant::now();
        // A byte every 10 ms is less than half of the least rate.
        let refused = read(2000, 1, long, grace).await.unwrap_err();
        assert!(TooSlow::caused(&refused), "{refused}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(read(50, 100, long, grace).await.unwrap(), 5000, "fast enough");
        let refused = read(2000, 1000, Duration::from_millis(100), grace).await.unwrap_err();
        assert!(TooSlow::caused(&refused), "the whole has a time of its own: {refused}");
    }
}
