//! How a connection ends: by itself, because it gives way to a newcomer or does nothing, or with the server.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::rt::bounds::Http2ServerConnExec;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::HttpService;
use tokio::sync::watch;
use tokio::time::sleep;

use super::answered::Offered;
use super::paced::Taken;
use super::seats::Seat;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// How often it is looked whether a connection of HTTP/2 does nothing.
const LOOKED_EVERY: Duration = Duration::from_millis(250);

/// What decides on the end of a connection.
pub(super) struct Ends {
    pub(super) address: SocketAddr,
    pub(super) seat: Arc<Seat>,
    pub(super) taken: Taken,
    pub(super) offered: Offered,
    /// How long a connection may be kept for nothing.
    pub(super) idle_within: Duration,
    /// How long an answer may wait for its client to take more of it.
    pub(super) taken_within: Duration,
    pub(super) stopping: watch::Receiver<()>,
}

/// A connection that can be told to take no further request.
pub(super) trait Conversation: Future<Output = hyper::Result<()>> {
    /// Whether it may go on for ever without a request unless somebody looks. Over HTTP/1.1 the head of the next request
    /// has a time of its own.
    const IDLES: bool;

    fn take_no_more(self: Pin<&mut Self>);
}

impl Ends {
    /// Goes on with `conversation` until it ends.
    pub(super) async fn end<C: Conversation>(self, conversation: C) {
        let Self { address, seat, taken, offered, idle_within, taken_within, mut stopping } = self;
        let mut conversation = pin!(conversation);
        let idles = async {
            if !C::IDLES {
                std::future::pending::<()>().await;
            }
            tokio::select! {
                () = asks_nothing(&seat, &taken, idle_within) => {}
                () = is_stuck(&taken, &offered, taken_within) => {}
            }
        };
        let must_leave = async {
            tokio::select! {
                () = seat.told_to_leave() => {}
                () = idles => {}
            }
        };
        let ended = tokio::select! {
            ended = conversation.as_mut() => ended,
            () = must_leave => {
                if seat.has_asked_nothing() {
                    return;
                }
                conversation.as_mut().take_no_more();
                tokio::select! {
                    ended = conversation.as_mut() => ended,
                    () = seat.had_its_time() => return,
                    () = is_stuck(&taken, &offered, taken_within) => return,
                }
            }
            _ = stopping.changed() => {
                conversation.as_mut().take_no_more();
                conversation.await
            }
        };
        if let Err(error) = ended {
            // Clients hang up, dawdle and send rubbish: their affair.
            tracing::debug!(%address, "a connection ended: {error}");
        }
    }
}

/// Resolves once a connection has had no request for this time.
async fn asks_nothing(seat: &Seat, taken: &Taken, within: Duration) {
    loop {
        sleep(LOOKED_EVERY).await;
        // A long answer may still be on its way.
        let idle = seat.waiting_since().map(|since| since.elapsed().min(taken.last().elapsed()));
        if idle.is_some_and(|time| time >= within) {
            return;
        }
    }
}

/// Resolves once the client has not taken its answers for this time.
async fn is_stuck(taken: &Taken, offered: &Offered, within: Duration) {
    while !(offered.any() && taken.last().elapsed() >= within) {
        sleep(LOOKED_EVERY).await;
    }
}

impl<I, S> Conversation for http1::UpgradeableConnection<I, S>
where
    I: Read + Write + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Cause>,
{
    const IDLES: bool = false;

    fn take_no_more(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, E> Conversation for http2::Connection<I, S, E>
where
    I: Read + Write + Unpin,
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Cause>,
    E: Http2ServerConnExec<S::Future, Body>,
{
    const IDLES: bool = true;

    fn take_no_more(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
