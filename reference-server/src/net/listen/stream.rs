//! How a connection begins: with the handshake of TLS, or in plain text.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::paced::{Paced, Taken};
use crate::net::transport::Transport;

/// The first byte of a connection that begins with TLS: the type of a record with a handshake (RFC 8446, 5.1). No
/// method of HTTP begins with it.
const HANDSHAKE: u8 = 22;
const HTTP_2: &[u8] = b"h2";

/// What HTTP is spoken over.
pub(super) enum Stream {
    Plain(Paced),
    /// A handshake's state is large.
    Encrypted(Box<TlsStream<Paced>>),
}

/// A connection that has begun.
pub(super) struct Begun {
    pub(super) stream: Stream,
    pub(super) taken: Taken,
    pub(super) transport: Transport,
    pub(super) is_http_2: bool,
}

/// Begins the connection over `socket`, in plain text unless there is a `tls`. A write that waits for longer than
/// `taken_within` fails.
///
/// # Errors
/// What keeps a handshake from its end. There is no limit of time for it: that is the caller's.
pub(super) async fn begin(
    socket: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    taken_within: Duration,
) -> io::Result<Begun> {
    let mut first = [0];
    if tls.is_some() && socket.peek(&mut first).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let from_this_machine = match (socket.peer_addr(), socket.local_addr()) {
        (Ok(peer), Ok(own)) => peer.ip().to_canonical().is_loopback() || peer.ip() == own.ip(),
        _ => false,
    };
    let paced = Paced::new(socket, taken_within);
    let taken = paced.taken();
    let plain = |paced, transport, taken| Begun { stream: Stream::Plain(paced), taken, transport, is_http_2: false };
    let Some(config) = tls else { return Ok(plain(paced, Transport::Plain, taken)) };
    if first != [HANDSHAKE] {
        return Ok(plain(paced, Transport::PlainBesideTls { from_this_machine }, taken));
    }
    let stream = TlsAcceptor::from(config).accept(paced).await?;
    let is_http_2 = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
    Ok(Begun { stream: Stream::Encrypted(Box::new(stream)), taken, transport: Transport::Encrypted, is_http_2 })
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Encrypted(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Encrypted(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
