//! A connection to a camera, plain or behind TLS, of which every read and write is over at a given moment.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use super::super::address::Address;

/// A connection whose reads and writes fail with [`io::ErrorKind::TimedOut`] once the moment `until` has passed.
pub(super) enum Connection {
    Plain(Timed),
    #[cfg(feature = "https")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, Timed>>),
}

pub(super) struct Timed {
    tcp: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// Unix calls a read that ran out of time one that would block.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.left()?))?;
        self.tcp.read(bytes).map_err(timed_out)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.left()?))?;
        self.tcp.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

impl Connection {
    /// Connects to the address before `until`.
    ///
    /// # Errors
    /// The reason in words.
    pub(super) fn to(address: &Address<'_>, until: Instant) -> Result<Self, String> {
        let places: Vec<SocketAddr> =
            (address.host, address.port).to_socket_addrs().map_err(|_| "its name is not known".to_owned())?.collect();
        let mut reason = "its name is not known";
        for place in places {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(why_unreachable(&io::ErrorKind::TimedOut.into()).to_owned());
            }
            match TcpStream::connect_timeout(&place, left) {
                Ok(tcp) => return Self::over(Timed { tcp, until }, address),
                Err(error) => reason = why_unreachable(&error),
            }
        }
        Err(reason.to_owned())
    }

    fn over(timed: Timed, address: &Address<'_>) -> Result<Self, String> {
        if !address.is_behind_tls() {
            return Ok(Self::Plain(timed));
        }
        #[cfg(feature = "https")]
        return super::tls::over(timed, address.host).map(|stream| Self::Tls(Box::new(stream)));
        #[cfg(not(feature = "https"))]
        Err("this build has no TLS for cameras: it was made without the feature `https`".to_owned())
    }

    /// Sets the moment at which every read and write is over.
    pub(super) fn set_until(&mut self, until: Instant) {
        match self {
            Self::Plain(timed) => timed.until = until,
            #[cfg(feature = "https")]
            Self::Tls(stream) => stream.sock.until = until,
        }
    }
}

impl Read for Connection {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(bytes),
            #[cfg(feature = "https")]
            Self::Tls(stream) => match stream.read(bytes) {
                // Small servers close without a word of TLS.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                other => other,
            },
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(bytes),
            #[cfg(feature = "https")]
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            #[cfg(feature = "https")]
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Returns why a server cannot be reached, in words for the operator.
pub(in super::super) fn why_unreachable(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection is refused: nothing listens at this port",
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it does not answer in time",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it in the network",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "it broke off the connection"
        }
        _ => "the connection failed",
    }
}
