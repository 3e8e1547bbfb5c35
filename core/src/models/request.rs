//! One HTTP request on a thread of its own.
//!
//! The caller can give up at any moment, even during a name lookup or while a server stays silent. The thread then
//! ends by itself, at the latest when its time-outs pass, and what it still receives is dropped.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::http::{StatusCode, header};

use crate::error::{Cause, Error, Result};

/// How long a connection may take, and a server may stay silent.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How many bytes are handed over at a time.
const CHUNK: usize = 1 << 16;
/// How many chunks may wait for the disk.
const WAITING: usize = 4;

/// What a request has come to.
pub(super) enum Event {
    /// The answer's status, and where its body begins in the file if it says so.
    Answered(StatusCode, Option<u64>),
    /// The next bytes of the body.
    Bytes(Vec<u8>),
    /// The body is over.
    Over,
    /// No answer: why, in words a user can act on.
    Unreachable(String, Option<Cause>),
    /// The body broke off.
    Broken(Cause),
}

/// A request on its way.
pub(super) struct Request {
    events: Receiver<Event>,
}

impl Request {
    /// Asks for what `url` has from the byte `from` on.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no thread to be had.
    pub(super) fn begin(agent: &ureq::Agent, url: &str, from: u64) -> Result<Self> {
        let (sender, events) = sync_channel(WAITING);
        let (agent, url) = (agent.clone(), url.to_owned());
        let run = move || ask(&agent, &url, from, &sender);
        std::thread::Builder::new().name("download".into()).spawn(run).map_err(|source| Error::Io {
            action: "start",
            path: "the thread of a download".into(),
            source,
        })?;
        Ok(Self { events })
    }

    /// Returns the next event, or `None` when there is none within `patience`.
    pub(super) fn next(&self, patience: Duration) -> Option<Event> {
        match self.events.recv_timeout(patience) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                Some(Event::Unreachable("the thread of the download died".into(), None))
            }
        }
    }
}

/// Sends what comes of the request, until it is over or nobody listens any more.
fn ask(agent: &ureq::Agent, url: &str, from: u64, events: &SyncSender<Event>) {
    // Compression would make positions in the file and in the stream different things.
    let mut request = agent.get(url).header(header::ACCEPT_ENCODING, "identity");
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => {
            // Nobody may be listening any more, and then nothing is left to do.
            let _ = events.send(Event::Unreachable(reason(&error), Some(Box::new(error))));
            return;
        }
    };
    if events.send(Event::Answered(response.status(), start_of(&response))).is_err() {
        return;
    }
    let mut body = response.into_body().into_reader();
    loop {
        let mut chunk = vec![0; CHUNK];
        let event = match body.read(&mut chunk) {
            Ok(0) => Event::Over,
            Ok(count) => {
                chunk.truncate(count);
                Event::Bytes(chunk)
            }
            Err(error) => Event::Broken(Box::new(error)),
        };
        let goes_on = matches!(event, Event::Bytes(_));
        if events.send(event).is_err() || !goes_on {
            return;
        }
    }
}

/// Returns where a partial answer begins.
fn start_of(response: &ureq::http::Response<ureq::Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// Returns a failed connection in words a user can act on.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the host is not known here: no internet, or no name service".into(),
        ureq::Error::ConnectionFailed => "no connection".into(),
        ureq::Error::Timeout(_) => format!("no answer within {} seconds", PATIENCE.as_secs()),
        ureq::Error::Io(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => "connection refused".into(),
        other => other.to_string(),
    }
}
